use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::cursor::{Cursor, TRUE};
use super::{
    BareItem, Bounds, Dictionary, Entry, InnerList, Item, List, Member, Parameters, StructuredError,
};

impl<'a> Item<'a> {
    /// Reads a field that is one item (RFC 9651 §4.2.3).
    ///
    /// # Errors
    /// [`StructuredError`]: what is wrong, and where.
    pub fn parse(text: &'a [u8], bounds: &Bounds) -> Result<Self, StructuredError> {
        whole(text, |cursor| item(cursor, bounds))
    }
}

impl<'a> InnerList<'a> {
    /// Reads a text that is one inner list (RFC 9651 §4.2.1.2).
    ///
    /// # Errors
    /// [`StructuredError`]: what is wrong, and where.
    pub fn parse(text: &'a [u8], bounds: &Bounds) -> Result<Self, StructuredError> {
        whole(text, |cursor| inner_list(cursor, bounds))
    }
}

impl<'a> List<'a> {
    /// Reads a field that is a list (RFC 9651 §4.2.1).
    ///
    /// # Errors
    /// [`StructuredError`]: what is wrong, and where.
    pub fn parse(text: &'a [u8], bounds: &Bounds) -> Result<Self, StructuredError> {
        let mut members = Vec::new();
        whole(text, |cursor| {
            separated(cursor, |cursor| {
                below(members.len(), bounds.members)?;
                members.push(member(cursor, bounds)?);
                Ok(())
            })
        })?;
        Ok(Self(members))
    }
}

impl<'a> Dictionary<'a> {
    /// Reads a field that is a dictionary (RFC 9651 §4.2.2). Of a repeated key the last value
    /// counts, in the place of the first.
    ///
    /// # Errors
    /// [`StructuredError`]: what is wrong, and where.
    pub fn parse(text: &'a [u8], bounds: &Bounds) -> Result<Self, StructuredError> {
        let mut members = Vec::new();
        read_dictionary(text, bounds, &mut members)?;
        keep_last(&mut members);
        Ok(Self(members))
    }
}

/// Reads a dictionary that may be spread over several field lines, with every repeated key.
///
/// A member that is itself cut by the end of a line is refused: RFC 9651 §4.2 calls what becomes of
/// it unpredictable.
pub(crate) fn read_dictionary_lines<'a>(
    lines: impl Iterator<Item = &'a [u8]>,
    bounds: &Bounds,
) -> Result<Vec<Entry<'a, Member<'a>>>, StructuredError> {
    let mut members = Vec::new();
    let (mut count, mut empty) = (0, false);
    for line in lines {
        let before = members.len();
        read_dictionary(line, bounds, &mut members)?;
        count += 1;
        empty |= members.len() == before;
    }
    // Put together, the lines would have a comma with nothing beside it.
    if empty && count > 1 {
        return Err(StructuredError::End);
    }
    Ok(members)
}

/// Reads a dictionary into `members`, with every repeated key.
pub(crate) fn read_dictionary<'a>(
    text: &'a [u8],
    bounds: &Bounds,
    members: &mut Vec<Entry<'a, Member<'a>>>,
) -> Result<(), StructuredError> {
    whole(text, |cursor| {
        separated(cursor, |cursor| {
            below(members.len(), bounds.members)?;
            let key = cursor.key()?;
            let value = if cursor.take(b'=') {
                member(cursor, bounds)?
            } else {
                Member::Item(Item {
                    value: TRUE,
                    parameters: parameters(cursor, bounds)?,
                })
            };
            members.push((key, value));
            Ok(())
        })
    })
}

/// RFC 9651 §4.2: blanks around the field, and nothing after it.
fn whole<'a, T>(
    text: &'a [u8],
    read: impl FnOnce(&mut Cursor<'a>) -> Result<T, StructuredError>,
) -> Result<T, StructuredError> {
    let mut cursor = Cursor::new(text);
    cursor.skip(b" ");
    let value = read(&mut cursor)?;
    cursor.skip(b" ");
    if cursor.is_at_end() {
        Ok(value)
    } else {
        Err(cursor.unexpected())
    }
}

fn separated<'a>(
    cursor: &mut Cursor<'a>,
    mut read: impl FnMut(&mut Cursor<'a>) -> Result<(), StructuredError>,
) -> Result<(), StructuredError> {
    while !cursor.is_at_end() {
        read(cursor)?;
        cursor.skip(b" \t");
        if cursor.is_at_end() {
            return Ok(());
        }
        cursor.expect(b',')?;
        cursor.skip(b" \t");
        if cursor.is_at_end() {
            return Err(StructuredError::End);
        }
    }
    Ok(())
}

fn member<'a>(cursor: &mut Cursor<'a>, bounds: &Bounds) -> Result<Member<'a>, StructuredError> {
    if cursor.peek() == Some(b'(') {
        inner_list(cursor, bounds).map(Member::InnerList)
    } else {
        item(cursor, bounds).map(Member::Item)
    }
}

fn inner_list<'a>(
    cursor: &mut Cursor<'a>,
    bounds: &Bounds,
) -> Result<InnerList<'a>, StructuredError> {
    cursor.expect(b'(')?;
    let mut items = Vec::new();
    loop {
        cursor.skip(b" ");
        if cursor.take(b')') {
            return Ok(InnerList {
                items,
                parameters: parameters(cursor, bounds)?,
            });
        }
        below(items.len(), bounds.items)?;
        items.push(item(cursor, bounds)?);
        if !matches!(cursor.peek(), Some(b' ' | b')')) {
            return Err(cursor.unexpected());
        }
    }
}

fn item<'a>(cursor: &mut Cursor<'a>, bounds: &Bounds) -> Result<Item<'a>, StructuredError> {
    Ok(Item {
        value: cursor.bare_item()?,
        parameters: parameters(cursor, bounds)?,
    })
}

fn parameters<'a>(
    cursor: &mut Cursor<'a>,
    bounds: &Bounds,
) -> Result<Parameters<'a>, StructuredError> {
    let mut parameters: Vec<Entry<'a, BareItem<'a>>> = Vec::new();
    while cursor.take(b';') {
        below(parameters.len(), bounds.parameters)?;
        cursor.skip(b" ");
        let key = cursor.key()?;
        let value = if cursor.take(b'=') {
            cursor.bare_item()?
        } else {
            TRUE
        };
        parameters.push((key, value));
    }
    keep_last(&mut parameters);
    Ok(Parameters(parameters))
}

fn below(count: usize, limit: usize) -> Result<(), StructuredError> {
    if count < limit {
        Ok(())
    } else {
        Err(StructuredError::TooMany { limit })
    }
}

/// Of a repeated key the last value counts, in the place of the first (RFC 9651 §4.2.2, §4.2.3.2).
fn keep_last<T>(entries: &mut Vec<Entry<'_, T>>) {
    if entries.len() < 2 {
        return;
    }
    let mut places = BTreeMap::new();
    let first = entries
        .iter()
        .enumerate()
        .position(|(at, (key, _))| places.insert(key, at).is_some());
    // Nearly always nothing is repeated, and nothing has to move.
    if first.is_none() {
        return;
    }
    let mut kept: Vec<Entry<'_, T>> = Vec::with_capacity(entries.len());
    let mut places = BTreeMap::new();
    for (key, value) in entries.drain(..) {
        match places.get(&key).and_then(|at: &usize| kept.get_mut(*at)) {
            Some(old) => old.1 = value,
            None => {
                places.insert(key.clone(), kept.len());
                kept.push((key, value));
            }
        }
    }
    *entries = kept;
}
