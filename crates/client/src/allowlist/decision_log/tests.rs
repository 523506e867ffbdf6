use std::fs;

use gangplank_testkit::temp_dir;

use super::*;

fn decision(image: &str) -> Decision<'_> {
    Decision::new("check", image, Verdict::Deny).code(Some("no-digest"))
}

fn records(log: &DecisionLog) -> Vec<(u64, u64, Option<u64>)> {
    let text = fs::read_to_string(log.path()).unwrap();
    let records = text.lines().map(|line| {
        let record = Record::parse(line.as_bytes()).unwrap();
        let decision: Decision<'_> = record.read().unwrap();
        (record.sequence(), record.time(), decision.cut_off)
    });
    records.collect()
}

#[test]
fn decisions_follow_each_other_across_openings() {
    let folder = temp_dir();
    let path = folder.path().join("log");
    for time in 1..=3 {
        let log = DecisionLog::new(&path);
        let head = log.append(time, decision("a:b")).unwrap();
        assert_eq!(log.verify(Some(head)).unwrap().head, head);
    }
    let log = DecisionLog::new(&path);
    assert_eq!(records(&log), [(1, 1, None), (2, 2, None), (3, 3, None)]);
    let text = fs::read_to_string(&path).unwrap();
    let payload =
        r#""payload":{"gate":"check","verdict":"deny","image":"a:b","code":"no-digest"}}"#;
    assert!(text.lines().all(|line| line.ends_with(payload)), "{text}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o137, 0, "{mode:o}");
    }
}

#[test]
fn a_torn_line_is_cut_off_and_told() {
    let folder = temp_dir();
    let log = DecisionLog::new(folder.path().join("log"));
    log.append(1, decision("a")).unwrap();
    let kept = log.append(2, decision("b")).unwrap();
    let whole = fs::read(log.path()).unwrap();
    log.append(3, decision("c")).unwrap();
    let longer = fs::read(log.path()).unwrap();
    for end in whole.len()..longer.len() {
        fs::write(log.path(), &longer[..end]).unwrap();
        let torn = (end - whole.len()) as u64;
        let summary = log.verify(Some(kept)).unwrap();
        assert_eq!((summary.lines, summary.unfinished as u64), (2, torn));
        let head = log.append(4, decision("d")).unwrap();
        assert_eq!(log.verify(Some(head)).unwrap().unfinished, 0);
        let cut_off = Some(torn).filter(|torn| *torn > 0);
        assert_eq!(records(&log), [(1, 1, None), (2, 2, None), (3, 4, cut_off)]);
    }
    // The very first line, too.
    fs::write(log.path(), &longer[..10]).unwrap();
    log.append(5, decision("e")).unwrap();
    assert_eq!(records(&log), [(1, 5, Some(10))]);
}

#[test]
fn what_follows_a_damaged_line_is_not_written() {
    let folder = temp_dir();
    let log = DecisionLog::new(folder.path().join("log"));
    log.append(1, decision("a")).unwrap();
    let whole = fs::read(log.path()).unwrap();
    let endless = vec![b'x'; 3 * MAX_LINE];
    for damaged in [
        [&whole[..], b"\n"].concat(),
        [&whole[..], b"nothing\n"].concat(),
        [b" ", &whole[..]].concat(),
        [&whole[..], &endless].concat(),
        endless.clone(),
    ] {
        fs::write(log.path(), &damaged).unwrap();
        let refused = log.append(2, decision("b")).unwrap_err();
        assert!(matches!(refused, LogError::Damaged(_)), "{refused}");
        assert_eq!(fs::read(log.path()).unwrap(), damaged);
        assert_eq!(
            log.verify(None).unwrap_err().fault().unwrap().code(),
            "record"
        );
    }
}

#[test]
fn the_longest_line_is_found() {
    let folder = temp_dir();
    let log = DecisionLog::new(folder.path().join("log"));
    let long = |length: usize| Head::START.append(1, &"x".repeat(length)).unwrap();
    let overhead = long(0).text().len();
    let line = long(MAX_LINE - overhead);
    let torn = vec![b'y'; MAX_LINE - 1];
    fs::write(log.path(), [line.text(), &torn].concat()).unwrap();
    log.append(2, decision("b")).unwrap();
    let summary = log.verify(None).unwrap();
    // The cut-off line was longer than the one in its place.
    assert_eq!((summary.lines, summary.unfinished), (2, 0));
}

#[test]
fn what_cannot_be_written_is_told() {
    let folder = temp_dir();
    for path in [folder.path().to_path_buf(), folder.path().join("no/log")] {
        let log = DecisionLog::new(path);
        assert!(matches!(log.append(1, decision("a")), Err(LogError::Io(_))));
    }
}

#[test]
fn many_processes_append_one_chain() {
    let folder = temp_dir();
    let path = folder.path().join("log");
    std::thread::scope(|scope| {
        for time in 0..4 {
            let path = &path;
            scope.spawn(move || {
                for _ in 0..25 {
                    DecisionLog::new(path).append(time, decision("a")).unwrap();
                }
            });
        }
    });
    assert_eq!(DecisionLog::new(path).verify(None).unwrap().lines, 100);
}

#[test]
fn a_log_is_verified_while_it_grows() {
    let folder = temp_dir();
    let path = folder.path().join("log");
    let log = DecisionLog::new(&path);
    log.append(1, decision("a")).unwrap();
    std::thread::scope(|scope| {
        let appending = scope.spawn(|| {
            for time in 0..50 {
                DecisionLog::new(&path).append(time, decision("a")).unwrap();
            }
        });
        let mut lines = 0;
        while !appending.is_finished() {
            let summary = log.verify(None).unwrap();
            assert!(summary.lines >= lines && summary.unfinished == 0);
            lines = summary.lines;
        }
    });
    assert_eq!(log.verify(None).unwrap().lines, 51);
}

#[test]
fn an_image_is_cut_off_between_characters() {
    let image = "é".repeat(600);
    let long = format!("a{image}");
    assert_eq!(decision(&long).image.len(), 1023);
    assert_eq!(decision(&image).image.len(), 1024);
}
