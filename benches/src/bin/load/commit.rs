//! What one commit costs on this disk, without any of gangplank.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::Result;
use crate::report::median;

/// Prints the median of a 4 KiB write with fdatasync, and of an SQLite transaction of one row.
pub fn measure(folder: &Path) -> Result<()> {
    let mut file = File::create(folder.join("synced"))?;
    let page = [0; 4096];
    let written = times(|| {
        file.write_all(&page)?;
        Ok(file.sync_data()?)
    })?;
    let database = Connection::open(folder.join("commit.db"))?;
    database.pragma_update(None, "journal_mode", "WAL")?;
    database.pragma_update(None, "synchronous", "FULL")?;
    database.execute_batch("CREATE TABLE t (number INTEGER PRIMARY KEY, text TEXT)")?;
    let mut insert = database.prepare("INSERT INTO t (text) VALUES (?1)")?;
    let committed = times(|| {
        insert.execute(["one row"])?;
        Ok(())
    })?;
    println!("4 KiB appended and fdatasync      {}", spread(written));
    println!("SQLite commit of one row, FULL    {}", spread(committed));
    Ok(())
}

fn times(mut operation: impl FnMut() -> Result<()>) -> Result<Vec<Duration>> {
    (0..COMMITS)
        .map(|_| {
            let begun = Instant::now();
            operation()?;
            Ok(begun.elapsed())
        })
        .collect()
}

fn spread(mut each: Vec<Duration>) -> String {
    each.sort();
    let (least, most) = (each[each.len() / 20], each[each.len() * 19 / 20]);
    format!(
        "median {:.2?}, 5th to 95th percentile {least:.2?} to {most:.2?}",
        median(&each)
    )
}

const COMMITS: usize = 500;
