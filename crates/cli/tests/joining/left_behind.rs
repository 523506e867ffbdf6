//! What is in the database of a server that was killed, read past the program that wrote it.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::{Connection, Row};

use crate::Member;

pub(crate) struct LeftBehind {
    /// What SQLite's own checks say.
    unsound: Vec<String>,
    /// By device: what there is of each kind.
    rows: BTreeMap<String, Counts>,
    /// Rows of a kind in all.
    totals: Counts,
}

/// Which client secrets were used before the database was read: the newest is used once, and ends the
/// others (`docs/decisions/0008-which-secrets-stay.md`).
#[derive(Clone, Copy)]
pub(crate) enum SecretsUsed {
    None,
    TheNewest,
}

/// How many rows of each kind, by [`KINDS`].
type Counts = [i64; KINDS.len()];

/// A kind of row, how to count those of a device, and all of them.
const KINDS: [(&str, &str, &str); 8] = [
    (
        "key",
        "device_key WHERE device_key.device = d.number",
        "device_key",
    ),
    (
        "certificate",
        "certificate WHERE certificate.device = d.number",
        "certificate",
    ),
    (
        "credential",
        "credential WHERE credential.device = d.number",
        "credential",
    ),
    (
        "client secret",
        "client_secret WHERE client_secret.device = d.number",
        "client_secret",
    ),
    (
        "git token",
        "token WHERE token.device = d.number AND kind = 'git'",
        "token WHERE kind = 'git'",
    ),
    (
        "access token",
        "token WHERE token.device = d.number AND kind = 'access'",
        "token WHERE kind = 'access'",
    ),
    (
        "event",
        "outbox WHERE outbox.device = d.id AND event = 'device.aboard'",
        "outbox",
    ),
    (
        "entry of its creation",
        "audit WHERE audit.device = d.id AND action = 'device.aboard'",
        "audit WHERE action = 'device.aboard'",
    ),
];

impl LeftBehind {
    pub(crate) fn read(path: &Path) -> Self {
        let database = Connection::open(path).unwrap();
        let list = |question: &str, column: usize| -> Vec<String> {
            let mut asked = database.prepare(question).unwrap();
            let found = asked.query_map([], |row| row.get(column)).unwrap();
            found.map(Result::unwrap).collect()
        };
        let mut unsound = list("PRAGMA integrity_check", 0);
        unsound.retain(|said| said != "ok");
        unsound.extend(list("PRAGMA foreign_key_check", 0));
        let counted = KINDS.map(|(_, of_device, _)| format!("(SELECT count(*) FROM {of_device})"));
        let question = format!("SELECT d.id, {} FROM device AS d", counted.join(", "));
        let mut asked = database.prepare(&question).unwrap();
        let rows = asked.query_map([], |row| Ok((row.get(0)?, counts(row, 1)?)));
        let rows = rows.unwrap().map(Result::unwrap).collect();
        let counted = KINDS.map(|(_, _, all)| format!("(SELECT count(*) FROM {all})"));
        let question = format!("SELECT {}", counted.join(", "));
        let totals = database.query_row(&question, [], |row| counts(row, 0));
        Self {
            unsound,
            rows,
            totals: totals.unwrap(),
        }
    }

    /// One device for each member and nothing besides, and of each device what belongs to one.
    pub(crate) fn faults(&self, members: &[Member], secrets_used: SecretsUsed) -> Vec<String> {
        let mut faults = self.unsound.clone();
        if self.rows.len() != members.len() {
            faults.push(format!("{} devices are in the database", self.rows.len()));
        }
        let mut of_members = Counts::default();
        for member in members {
            let names = member.names();
            let found = names.first().and_then(|(device, _)| self.rows.get(*device));
            let Some(counts) = found else {
                faults.push(format!("{} is not in the database", member.device.id));
                continue;
            };
            let [
                keys,
                certificates,
                names,
                secrets,
                git,
                access,
                events,
                created,
            ] = *counts;
            let credentials = match secrets_used {
                // Of those that were told, or cut off, the newest two.
                SecretsUsed::None => (1..=2).contains(&secrets) && access == 0,
                SecretsUsed::TheNewest => secrets == 1 && access == 1,
            };
            let one_each = [keys, certificates, names, events, created] == [1; 5];
            if !one_each || !credentials || git == 0 {
                faults.push(format!("{} has {}", member.device.id, print(counts)));
            }
            for (sum, count) in of_members.iter_mut().zip(counts) {
                *sum += count;
            }
        }
        if of_members != self.totals {
            let (of_members, all) = (print(&of_members), print(&self.totals));
            faults.push(format!("of all devices {of_members}; in all {all}"));
        }
        faults
    }
}

fn counts(row: &Row<'_>, from: usize) -> rusqlite::Result<Counts> {
    let mut counts = Counts::default();
    for (place, count) in counts.iter_mut().enumerate() {
        *count = row.get(from + place)?;
    }
    Ok(counts)
}

fn print(counts: &Counts) -> String {
    let kinds = KINDS.iter().zip(counts);
    let kinds: Vec<_> = kinds
        .map(|((kind, ..), count)| format!("{count} × {kind}"))
        .collect();
    kinds.join(", ")
}
