//! Steps, and how they are shown.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};

use super::titles::Title;
use crate::device::millis;
use crate::json::set;
use crate::{Exit, Failure, output};

/// What a step yields, and what crossed the wire for it.
pub(super) struct Done<T> {
    pub(super) value: T,
    pub(super) wire: Vec<Value>,
}

/// A step's outcome.
pub(super) type Outcome<T> = Result<Done<T>, Failure>;

/// Shows step after step.
pub(super) struct Tale {
    json: bool,
    number: usize,
    begun: Instant,
}

impl Tale {
    pub(super) fn new(json: bool) -> Self {
        Self {
            json,
            number: 0,
            begun: Instant::now(),
        }
    }

    /// Takes one step and shows it; a step that fails ends the tale.
    pub(super) async fn step<T>(
        &mut self,
        (name, title): Title,
        doing: impl Future<Output = Outcome<T>>,
    ) -> Result<T, Failure> {
        self.number += 1;
        let begun = Instant::now();
        let outcome = doing.await;
        let millis = millis(begun.elapsed());
        match outcome {
            Ok(done) => {
                self.show(name, title, Ok(&done.wire), millis)?;
                Ok(done.value)
            }
            Err(failure) => {
                self.show(name, title, Err(&failure), millis)?;
                Err(Failure::new(
                    Exit::No,
                    format_args!("the demo failed at {name}: {failure}"),
                ))
            }
        }
    }

    pub(super) fn end(&self, kept: Option<&Path>) -> Result<(), Failure> {
        if self.json {
            return Ok(());
        }
        output::line(format_args!(
            "\nall {} steps as they should be, every attack refused, in {:.1} s",
            self.number,
            self.begun.elapsed().as_secs_f64()
        ))?;
        match kept {
            Some(folder) => output::line(format_args!("everything is in {}", folder.display())),
            None => Ok(()),
        }
    }

    fn show(
        &self,
        name: &str,
        title: &str,
        outcome: Result<&[Value], &Failure>,
        millis: f64,
    ) -> Result<(), Failure> {
        if self.json {
            let mut object = json!({"step": name, "title": title, "ok": outcome.is_ok(), "millis": millis, "wire": outcome.unwrap_or_default()});
            if let Err(failure) = outcome {
                set(&mut object, "reason", failure.to_string());
            }
            return output::json(&object);
        }
        let mark = if outcome.is_ok() { "ok" } else { "FAILED" };
        let mut text = format!("{:>2}. {mark:<6} {millis:>9.2} ms  {title}\n", self.number);
        match outcome {
            Ok(wire) => wire
                .iter()
                .for_each(|exchange| describe(exchange, &mut text)),
            Err(failure) => drop(writeln!(text, "      {failure}")),
        }
        output::write(text.as_bytes())
    }
}

/// An exchange in a few lines: what went out, what came back.
fn describe(exchange: &Value, text: &mut String) {
    let word = |member: &str| exchange[member].as_str().unwrap_or_default();
    if let Some(note) = exchange["note"].as_str() {
        let _ = writeln!(text, "      · {note}");
    }
    if let Some(command) = exchange["command"].as_str() {
        let _ = writeln!(text, "      $ {command}");
    }
    if exchange["url"].is_string() {
        let _ = writeln!(text, "      → {} {}", word("method"), word("url"));
        body(&exchange["request"], text);
    }
    if let Some(status) = exchange["status"].as_u64() {
        let _ = writeln!(text, "      ← {status}");
        body(&exchange["response"], text);
    }
}

fn body(body: &Value, text: &mut String) {
    match body {
        Value::Null => {}
        Value::String(words) if words.is_empty() => {}
        Value::String(words) => drop(writeln!(text, "        {}", output::visible(words))),
        other => drop(writeln!(text, "        {}", shortened(other))),
    }
}

/// Base64 of certificates and signatures tells a reader nothing; `--json` has all of it.
fn shortened(value: &Value) -> Value {
    match value {
        Value::String(text) if text.len() > LONGEST => {
            let start: String = text.chars().take(SHOWN).collect();
            Value::from(format!("{start}… ({} characters)", text.len()))
        }
        Value::Array(values) => values.iter().map(shortened).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, member)| (name.clone(), shortened(member)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

const LONGEST: usize = 88;
const SHOWN: usize = 16;
