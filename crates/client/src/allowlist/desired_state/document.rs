//! One file of a desired state, as YAML events: no value is built, so that an alias costs nothing, and a
//! key that is there twice is seen twice.

use saphyr_parser::{Event, Parser};

use super::{Mentioned, Unnamed};

/// What the documents of a text name, and in which lines; `None` if it is no YAML.
pub(super) fn mentioned(text: &str) -> Option<Vec<(usize, Mentioned)>> {
    let mut reading = Reading::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.ok()?;
        reading.take(event, span.start.line())?;
    }
    Some(reading.found)
}

/// Where the reading is: the collections around it.
#[derive(Default)]
struct Reading {
    around: Vec<Around>,
    found: Vec<(usize, Mentioned)>,
}

enum Around {
    Sequence,
    Mapping(Next),
}

/// What comes next in a mapping.
enum Next {
    Key,
    /// Of this key; of one that is no text, `None`.
    Value(Option<String>),
}

impl Reading {
    /// `None` if the collections are too many in each other.
    fn take(&mut self, event: Event<'_>, line: usize) -> Option<()> {
        match event {
            Event::Scalar(text, ..) => match self.is_key() {
                true => self.key(Some(text.into_owned())),
                false => self.value(Some(text.as_ref()), line),
            },
            // What an alias stands for was seen where its anchor is, but not under this key.
            Event::Alias(_) => match self.is_key() {
                true => self.key(None),
                false => self.value(None, line),
            },
            Event::MappingStart(..) => self.open(Around::Mapping(Next::Key), line)?,
            Event::SequenceStart(..) => self.open(Around::Sequence, line)?,
            Event::MappingEnd | Event::SequenceEnd => {
                self.around.pop();
                self.ended();
            }
            _ => {}
        }
        Some(())
    }

    fn is_key(&self) -> bool {
        matches!(self.around.last(), Some(Around::Mapping(Next::Key)))
    }

    fn key(&mut self, key: Option<String>) {
        if let Some(Around::Mapping(next)) = self.around.last_mut() {
            *next = Next::Value(key);
        }
    }

    /// A value that is text, or one that is something else.
    fn value(&mut self, text: Option<&str>, line: usize) {
        if let Some(what) = self.what(text) {
            self.found.push((line, what));
        }
        self.ended();
    }

    fn open(&mut self, collection: Around, line: usize) -> Option<()> {
        if let Some(what) = self.what(None) {
            self.found.push((line, what));
        }
        self.around.push(collection);
        (self.around.len() <= MAX_NESTING).then_some(())
    }

    /// A key or a value of a mapping has ended, so the other is next. A key that was a collection is no
    /// text.
    fn ended(&mut self) {
        if let Some(Around::Mapping(next)) = self.around.last_mut() {
            *next = match next {
                Next::Key => Next::Value(None),
                Next::Value(_) => Next::Key,
            };
        }
    }

    /// What the value of the key that is open says.
    fn what(&self, text: Option<&str>) -> Option<Mentioned> {
        let key = match self.around.last()? {
            Around::Mapping(Next::Value(Some(key))) => key.as_str(),
            _ => return None,
        };
        match (key, text) {
            ("image", Some(text)) => Some(Mentioned::Image(text.to_owned())),
            ("image", None) => Some(Mentioned::Unnamed(Unnamed::NotText)),
            ("build", _) if self.is_below("services") => Some(Mentioned::Unnamed(Unnamed::Built)),
            ("packageLocation" | "repository", _) if self.is_below("components") => {
                Some(Mentioned::Unnamed(Unnamed::Package))
            }
            _ => None,
        }
    }

    fn is_below(&self, key: &str) -> bool {
        self.around
            .iter()
            .any(|around| matches!(around, Around::Mapping(Next::Value(Some(open))) if open == key))
    }
}

/// Collections in each other: those of deployments are below ten.
const MAX_NESTING: usize = 64;
