//! Runs contestants beside the bare operation so that what else the machine does cancels out.

use std::time::Duration;

use crate::cases::Operation;
use rustix::time::{ClockId, clock_gettime};

/// How the bare operation hashes: with SHA extensions it is so fast over 1 MiB that a ratio says more
/// about the processor than about the contestant.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Hashing {
    Extensions,
    Plain,
}

/// One row of a table.
pub struct Contestant<'m> {
    pub name: &'static str,
    /// What the median of the ratios should not exceed. Over 1 MiB with SHA extensions it is
    /// [`OVER_BARE`] instead.
    pub target: Option<f64>,
    pub operation: Operation<'m>,
}

impl Contestant<'_> {
    pub fn target(mut self, target: f64) -> Self {
        self.target = Some(target);
        self
    }
}

/// Runs everybody and prints one table. `size` is the bytes of payload, of which more than a MiB are
/// judged apart.
///
/// A round is, for each contestant, a block of the bare operation and at once a block of the
/// contestant's; their quotient is one ratio. The first contestant is bare itself, so its row shows
/// what the machine alone does to a ratio. Only this thread's processor time counts.
pub fn race(
    title: &str,
    size: usize,
    hashing: Hashing,
    mut bare: Operation<'_>,
    mut contestants: Vec<Contestant<'_>>,
) {
    let bare_times = times_for(&mut bare);
    let times: Vec<u32> = contestants
        .iter_mut()
        .map(|contestant| times_for(&mut contestant.operation))
        .collect();
    let mut results = vec![Vec::with_capacity(ROUNDS); contestants.len()];
    for _ in 0..ROUNDS {
        for ((contestant, times), result) in contestants.iter_mut().zip(&times).zip(&mut results) {
            let bare = block(&mut bare, bare_times);
            result.push((bare, block(&mut contestant.operation, *times)));
        }
    }
    println!("\n{title}\n");
    println!("| | median | ratio | lowest–highest | over bare, per MiB | target |");
    println!("|---|---|---|---|---|---|");
    for (contestant, result) in contestants.iter().zip(&results) {
        print_row(contestant, size, hashing, result);
    }
}

/// Runs operations that are no rivals in turn, and prints one table of what each costs.
pub fn table(title: &str, mut rows: Vec<(&str, Operation<'_>)>) {
    let times: Vec<u32> = rows.iter_mut().map(|(_, row)| times_for(row)).collect();
    let mut results = vec![Vec::with_capacity(ROUNDS); rows.len()];
    for _ in 0..ROUNDS {
        for (((_, row), times), result) in rows.iter_mut().zip(&times).zip(&mut results) {
            result.push(block(row, *times) * 1e6);
        }
    }
    println!("\n{title}\n\n| | median | lowest–highest |\n|---|---|---|");
    for ((name, _), result) in rows.iter().zip(&mut results) {
        result.sort_by(f64::total_cmp);
        let (middle, last) = (result[ROUNDS / 2], result[ROUNDS - 1]);
        println!("| {name} | {middle:.2} µs | {:.2}–{last:.2} |", result[0]);
    }
}

fn print_row(contestant: &Contestant<'_>, size: usize, hashing: Hashing, rounds: &[(f64, f64)]) {
    let sorted = |value: fn(&(f64, f64)) -> f64| {
        let mut values: Vec<f64> = rounds.iter().map(value).collect();
        values.sort_by(f64::total_cmp);
        values
    };
    let ratios = sorted(|(bare, own)| own / bare);
    let ratio = ratios[ratios.len() / 2];
    let middle = |values: Vec<f64>| values[values.len() / 2];
    let over = middle(sorted(|(bare, own)| own - bare)) / size as f64 * f64::from(1 << 20);
    let large = size >= 1 << 20;
    let verdict = match contestant.target {
        None => "–".to_string(),
        Some(_) if large && hashing == Hashing::Extensions => {
            judged("< 0.45 ms over", over < OVER_BARE)
        }
        Some(target) => judged(&format!("≤ {target:.2}"), ratio <= target),
    };
    let over = if large {
        format!("{:.2} ms", over * 1e3)
    } else {
        "–".to_string()
    };
    println!(
        "| {} | {:.1} µs | {ratio:.3} | {:.3}–{:.3} | {over} | {verdict} |",
        contestant.name,
        middle(sorted(|(_, own)| *own)) * 1e6,
        ratios[0],
        ratios[ratios.len() - 1],
    );
}

fn judged(target: &str, met: bool) -> String {
    format!("{target} {}", if met { "met" } else { "**missed**" })
}

/// How often an operation fits in a block; warms it up meanwhile.
fn times_for(operation: &mut Operation<'_>) -> u32 {
    let once = block(operation, 3).min(block(operation, 3));
    (BLOCK.as_secs_f64() / once).ceil() as u32
}

/// Seconds of processor time for one operation.
fn block(operation: &mut Operation<'_>, times: u32) -> f64 {
    let begin = processor_time();
    for _ in 0..times {
        operation();
    }
    (processor_time() - begin).as_secs_f64() / f64::from(times)
}

fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Seconds for 1 MiB.
const OVER_BARE: f64 = 0.45e-3;
const ROUNDS: usize = 31;
const BLOCK: Duration = Duration::from_millis(15);
