//! Options as the library pflag reads them, which all three programs use.

use super::strict::{is_assignment, is_variable};
use super::table::{Place, Rule, Takes};
use super::{Caller, LaunchFault, OptionPolicy};

/// Arguments that are read from left to right.
pub(super) struct Reader<'a> {
    pub(super) arguments: &'a [&'a str],
    pub(super) at: usize,
    pub(super) policy: OptionPolicy,
    pub(super) caller: Caller,
}

impl<'a> Reader<'a> {
    /// Passes over the options, and stands at the first argument that is none.
    pub(super) fn skip_options(&mut self, place: Place) -> Result<(), LaunchFault<'a>> {
        while let Some(argument) = self.arguments.get(self.at) {
            match (argument.strip_prefix("--"), argument.strip_prefix('-')) {
                // The programs take this for an option with a value before the command.
                (Some(""), _) if place == Place::Global => return Err(self.malformed()),
                (Some(""), _) => {
                    self.at += 1;
                    return Ok(());
                }
                (Some(long), _) => self.long(long, place)?,
                (None, Some("") | None) => return Ok(()),
                (None, Some(letters)) => self.letters(letters, place)?,
            }
        }
        Ok(())
    }

    /// `--name`, `--name=value`, or `--name value`.
    fn long(&mut self, text: &'a str, place: Place) -> Result<(), LaunchFault<'a>> {
        let (name, attached) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        if name.is_empty() || name.starts_with('-') {
            return Err(self.malformed());
        }
        let at = self.at;
        let unknown = LaunchFault::UnknownOption { at, option: name };
        let (takes, rule) = place.option(name).ok_or(unknown)?;
        let value = match (takes, attached) {
            (Takes::Value, None) => Some(self.next_value(name, place)?),
            _ => attached,
        };
        self.at += 1;
        self.judge(at, name, value, rule)
    }

    /// `-i`, `-it`, `-itv value`, `-itvvalue`, or `-itv=value`.
    fn letters(&mut self, letters: &'a str, place: Place) -> Result<(), LaunchFault<'a>> {
        let at = self.at;
        let mut rest = letters;
        while let Some(letter) = rest.chars().next() {
            let (option, after) = rest.split_at(letter.len_utf8());
            let unknown = LaunchFault::UnknownOption { at, option };
            let name = place.long_name(letter).ok_or(unknown)?;
            let (takes, rule) = place.option(name).ok_or(unknown)?;
            let (value, left) = match (takes, after) {
                // A flag with a value. Of `-i=` alone, pflag makes an option `=`.
                (_, after) if after.len() > 1 && after.starts_with('=') => (after.get(1..), ""),
                (Takes::Nothing, after) => (None, after),
                (Takes::Value, "") if place == Place::Global && rest != letters => {
                    return Err(self.malformed());
                }
                (Takes::Value, "") => (Some(self.next_value(option, place)?), ""),
                (Takes::Value, after) => (Some(after), ""),
            };
            self.judge(at, name, value, rule)?;
            rest = left;
        }
        self.at += 1;
        Ok(())
    }

    /// The argument after this one, which is then passed over, too.
    fn next_value(&mut self, option: &'a str, place: Place) -> Result<&'a str, LaunchFault<'a>> {
        let at = self.at;
        let value = self.arguments.get(at + 1);
        let value = value.ok_or(LaunchFault::NoValue { at, option })?;
        // Looking for the command, the programs take such a value for an option.
        if place == Place::Global && value.starts_with('-') {
            return Err(self.malformed());
        }
        self.at += 1;
        Ok(value)
    }

    fn judge(
        &self,
        at: usize,
        option: &'a str,
        value: Option<&str>,
        rule: Rule,
    ) -> Result<(), LaunchFault<'a>> {
        let permitted = match (rule, self.policy) {
            (Rule::NotAnImage, _) => false,
            (_, OptionPolicy::Compat) | (Rule::Free, _) => true,
            (Rule::If(is_permitted), _) => value.is_some_and(is_permitted),
            (Rule::Variable, _) => value.is_some_and(|value| self.is_permitted_variable(value)),
            (Rule::Never, _) => false,
        };
        match permitted {
            true => Ok(()),
            false => Err(LaunchFault::Forbidden { at, option }),
        }
    }

    fn is_permitted_variable(&self, value: &str) -> bool {
        is_assignment(value) || self.caller == Caller::Starts && is_variable(value)
    }

    fn malformed(&self) -> LaunchFault<'a> {
        LaunchFault::Malformed { at: self.at }
    }
}
