//! Ten million digests: importing, opening, looking up and changing a list, beside other ways to hold
//! and to search so many.
//!
//! Peers of the same run: hashbrown 0.16 (a set of `[u8; 32]`, its own hasher, and one that takes the
//! first eight bytes as they are), a binary search in a sorted `Vec`, xorf 0.12's `BinaryFuse8` over the
//! first eight bytes in front of that search, and `grep -F -x -f` of GNU grep. Peers keep their sets in
//! memory and check nothing of them; the list is a mapped file, and each look-up checks a bucket.
//!
//! A round is a block of look-ups of each contestant in turn; the tables give medians and extremes of
//! [`ROUNDS`]. `GANGPLANK_LIST_FOLDER` says where the files are made (the system's temporary folder).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::env;
use std::fs;
use std::hash::{BuildHasherDefault, Hasher};
use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use gangplank_client::allowlist::indexed::{self, Layout};
use gangplank_client::allowlist::{
    Change, Entry, ImageDigest, IndexedFile, IndexedSnapshot, Listing as _, import_text, text,
};
use hashbrown::HashSet;
use xorf::{BinaryFuse8, Filter as _};

fn main() {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("{COUNT} digests; load before: {}", load.trim());
    let folder = env::var_os("GANGPLANK_LIST_FOLDER").map_or_else(env::temp_dir, Into::into);
    let folder = tempfile::Builder::new()
        .prefix("gangplank-lists-")
        .tempdir_in(folder)
        .unwrap();
    let mut random = Random(1);
    let mut digests: Vec<ImageDigest> = (0..COUNT).map(|_| random.digest()).collect();
    let hits: Vec<ImageDigest> = (0..QUERIES).map(|_| digests[random.below(COUNT)]).collect();
    let misses: Vec<ImageDigest> = (0..QUERIES).map(|_| random.digest()).collect();
    import(folder.path(), &digests);
    let path = folder.path().join("list");
    open(&path);
    indexed::sort(&mut digests);
    look_up(&path, &digests, &hits, &misses);
    whole_file(folder.path(), &path, &hits, &misses);
    change(&path);
}

fn import(folder: &Path, digests: &[ImageDigest]) {
    let text: Vec<u8> = digests.iter().flat_map(text::line).collect();
    let source = folder.join("list.txt");
    fs::write(&source, &text).unwrap();
    drop(text);
    let mut rows: [Vec<f64>; 3] = Default::default();
    let bytes = fs::metadata(&source).unwrap().len() as f64;
    for _ in 0..5 {
        let begin = Instant::now();
        let mut digests = import_text(fs::File::open(&source).unwrap()).unwrap();
        let parsed = begin.elapsed().as_secs_f64();
        IndexedFile::create(folder.join("list"), &mut digests, &Layout::default()).unwrap();
        let written = begin.elapsed().as_secs_f64();
        for (row, value) in rows.iter_mut().zip([parsed, written - parsed, written]) {
            row.push(value);
        }
    }
    println!(
        "\nimport of {:.0} MB, {}\n\n| | s | lowest–highest | MB/s |\n|---|---|---|---|",
        bytes / 1e6,
        folder.display()
    );
    let names = ["read and parse", "sort, write and sync", "all"];
    for (name, row) in names.iter().zip(&mut rows) {
        let (middle, low, high) = spread(row);
        println!(
            "| {name} | {middle:.2} | {low:.2}–{high:.2} | {:.0} |",
            bytes / 1e6 / middle
        );
    }
    let size = fs::metadata(folder.join("list")).unwrap().len();
    println!("\n{size} bytes, {:.2} a digest", size as f64 / COUNT as f64);
}

fn open(path: &Path) {
    let mut times: Vec<f64> = (0..101)
        .map(|_| timed(|| drop(black_box(IndexedFile::open(path).unwrap()))))
        .collect();
    let (middle, low, high) = spread(&mut times);
    println!(
        "\nopen: {:.0} µs ({:.0}–{:.0})",
        middle * 1e6,
        low * 1e6,
        high * 1e6
    );
}

type Look<'c> = Box<dyn Fn(&[ImageDigest]) -> usize + 'c>;

fn look_up(path: &Path, sorted: &[ImageDigest], hits: &[ImageDigest], misses: &[ImageDigest]) {
    let file = IndexedFile::open(path).unwrap();
    let list = file.current().unwrap();
    let raw: Vec<[u8; 32]> = sorted.iter().map(|digest| *digest.as_bytes()).collect();
    let set: HashSet<[u8; 32]> = raw.iter().copied().collect();
    let first_bytes: HashSet<[u8; 32], BuildHasherDefault<FirstBytes>> =
        raw.iter().copied().collect();
    let keys: Vec<u64> = sorted.iter().map(key).collect();
    let filter = BinaryFuse8::try_from(&keys).expect("different keys");
    drop(keys);
    let links = chain();
    let count = |found: &dyn Fn(&ImageDigest) -> bool, asked: &[ImageDigest]| {
        asked.iter().filter(|digest| found(digest)).count()
    };
    let contestants: Vec<(&str, Look<'_>)> = vec![
        ("indexed list", Box::new(|asked| one_by_one(&list, asked))),
        (
            "indexed list, batches",
            Box::new(|asked| {
                let mut found = 0;
                list.find_many(asked, |_, entry| {
                    found += usize::from(entry.unwrap().is_some())
                });
                found
            }),
        ),
        (
            "indexed list, asking for changes of the file each time",
            Box::new(|asked| {
                count(
                    &|digest| file.current().unwrap().find(digest).unwrap().is_some(),
                    asked,
                )
            }),
        ),
        (
            "hashbrown",
            Box::new(|asked| {
                asked
                    .iter()
                    .filter(|digest| set.contains(digest.as_bytes()))
                    .count()
            }),
        ),
        (
            "hashbrown, first bytes as hash",
            Box::new(|asked| {
                asked
                    .iter()
                    .filter(|digest| first_bytes.contains(digest.as_bytes()))
                    .count()
            }),
        ),
        (
            "binary search",
            Box::new(|asked| {
                asked
                    .iter()
                    .filter(|digest| raw.binary_search(digest.as_bytes()).is_ok())
                    .count()
            }),
        ),
        (
            "BinaryFuse8, then binary search",
            Box::new(|asked| {
                let found = |digest: &&ImageDigest| {
                    filter.contains(&key(digest)) && raw.binary_search(digest.as_bytes()).is_ok()
                };
                asked.iter().filter(found).count()
            }),
        ),
        (
            "a read that waits for the one before",
            Box::new(|asked| {
                let last = asked.iter().fold(0, |at, _| links[at as usize]);
                black_box(last);
                asked.len()
            }),
        ),
    ];
    let mut times = vec![[Vec::new(), Vec::new()]; contestants.len()];
    for _ in 0..ROUNDS {
        for ((name, look), times) in contestants.iter().zip(&mut times) {
            for (asked, times) in [hits, misses].into_iter().zip(times) {
                let mut found = 0;
                let time = timed(|| found = look(asked));
                let is_list = !name.starts_with("a read");
                assert_eq!(
                    found,
                    if is_list && asked == misses {
                        0
                    } else {
                        asked.len()
                    }
                );
                times.push(time / asked.len() as f64 * 1e9);
            }
        }
    }
    println!(
        "\n| ns a look-up | hit | lowest–highest | miss | lowest–highest |\n|---|---|---|---|---|"
    );
    for ((name, _), [hit, miss]) in contestants.iter().zip(&mut times) {
        let ((hit, hit_low, hit_high), (miss, miss_low, miss_high)) = (spread(hit), spread(miss));
        println!(
            "| {name} | {hit:.0} | {hit_low:.0}–{hit_high:.0} | {miss:.0} | {miss_low:.0}–{miss_high:.0} |"
        );
    }
}

fn one_by_one(list: &IndexedSnapshot, asked: &[ImageDigest]) -> usize {
    let found = |digest: &&ImageDigest| list.find(digest).unwrap().is_some();
    asked.iter().filter(found).count()
}

/// A file of 10,000 questions, half of them listed, by us and by grep.
fn whole_file(folder: &Path, path: &Path, hits: &[ImageDigest], misses: &[ImageDigest]) {
    let questions = hits[..5000].iter().chain(&misses[..5000]);
    let questions: Vec<u8> = questions.flat_map(text::line).collect();
    let asked = folder.join("questions");
    fs::write(&asked, questions).unwrap();
    let (mut ours, mut greps) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        ours.push(timed(|| {
            let list = IndexedFile::open(path).unwrap().current().unwrap();
            let asked = import_text(fs::File::open(&asked).unwrap()).unwrap();
            let mut found = 0;
            list.find_many(&asked, |_, entry| {
                found += usize::from(entry.unwrap().is_some())
            });
            assert_eq!(found, 5000);
        }));
        greps.push(timed(|| {
            let mut grep = Command::new("grep");
            grep.env("LC_ALL", "C")
                .args(["-F", "-x", "-c", "-f"])
                .arg(&asked)
                .arg(folder.join("list.txt"));
            let said = grep.output().unwrap().stdout;
            let found: usize = String::from_utf8(said).unwrap().trim().parse().unwrap();
            // Questions that come twice are one line of the list.
            assert!((4900..=5000).contains(&found));
        }));
    }
    let ((ours, low, high), (grep, grep_low, grep_high)) = (spread(&mut ours), spread(&mut greps));
    println!(
        "\na file of 10,000 questions: {:.1} ms ({:.1}–{:.1}); grep {grep:.2} s ({grep_low:.2}–{grep_high:.2})",
        ours * 1e3,
        low * 1e3,
        high * 1e3
    );
}

fn change(path: &Path) {
    let list = IndexedFile::open(path).unwrap();
    let mut random = Random(99);
    let mut times: Vec<f64> = (0..301)
        .map(|_| {
            let add = Change {
                digest: random.digest(),
                entry: Some(Entry::default()),
            };
            timed(|| list.change(&[add]).unwrap())
        })
        .collect();
    let (middle, low, high) = spread(&mut times);
    println!(
        "\nadd one, durable: {:.0} µs ({:.0}–{:.0})",
        middle * 1e6,
        low * 1e6,
        high * 1e6
    );
    let merged = timed(|| list.compact().unwrap());
    println!("write anew with a log of 301: {merged:.2} s");
}

/// A random cycle through 256 MB.
fn chain() -> Vec<u64> {
    let mut links: Vec<u64> = (0..1 << 25).collect();
    let mut random = Random(5);
    for at in (1..links.len()).rev() {
        links.swap(at, random.below(at));
    }
    links
}

fn timed(work: impl FnOnce()) -> f64 {
    let begin = Instant::now();
    work();
    begin.elapsed().as_secs_f64()
}

/// Median and extremes.
fn spread(values: &mut [f64]) -> (f64, f64, f64) {
    values.sort_by(f64::total_cmp);
    (
        values[values.len() / 2],
        values[0],
        values[values.len() - 1],
    )
}

fn key(digest: &ImageDigest) -> u64 {
    u64::from_le_bytes(*digest.as_bytes().first_chunk().unwrap())
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn digest(&mut self) -> ImageDigest {
        let mut bytes = [0; 32];
        for word in bytes.as_chunks_mut::<8>().0 {
            *word = self.next().to_le_bytes();
        }
        ImageDigest::from_bytes(bytes)
    }
}

/// Digests are random already.
#[derive(Default)]
struct FirstBytes(u64);

impl Hasher for FirstBytes {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    fn write_usize(&mut self, _: usize) {}
}

const COUNT: usize = 10_000_000;
const QUERIES: usize = 1 << 20;
const ROUNDS: usize = 7;
