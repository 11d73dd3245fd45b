//! Sorts the members of objects by their keys.
//!
//! While a value is written, objects that are not in order are only recorded.
//! Once the whole value is written, its text is copied once, with the members of
//! those objects sorted. The cost is thus linear for any nesting. A record takes
//! eight bytes per member, and is dropped for objects in order.

use std::cmp::Ordering;

use super::string::read_escape;

/// Marks the last member of an object.
const NONE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
struct Member {
    /// Where it starts: at the quote of its key.
    start: u32,
    /// The next member of the same object, as an index into all members.
    next: u32,
}

/// An object whose members are not in order or have equal keys.
#[derive(Clone, Copy, Debug)]
struct UnsortedObject {
    start: u32,
    /// Where it ends, after its closing brace.
    end: u32,
    first: u32,
}

/// Records of the objects in one value. All places are offsets in the value's
/// canonical text, which must be shorter than `u32::MAX`.
#[derive(Debug, Default)]
pub(super) struct KeyOrder {
    members: Vec<Member>,
    unsorted: Vec<UnsortedObject>,
    /// The sorted members of the objects that are being copied.
    sorted: Vec<u32>,
    copy: Vec<u8>,
}

#[derive(Debug)]
pub(super) struct OpenObject {
    start: u32,
    first: u32,
    last: Option<u32>,
    is_ordered: bool,
    unsorted_before: usize,
}

impl KeyOrder {
    pub(super) fn clear(&mut self) {
        self.members.clear();
        self.unsorted.clear();
    }

    pub(super) fn shrink(&mut self) {
        /// More than a block needs.
        const KEPT: usize = 8 << 10;
        self.clear();
        self.members.shrink_to(KEPT);
        self.unsorted.shrink_to(KEPT);
        self.sorted.shrink_to(KEPT);
        self.copy.clear();
        self.copy.shrink_to(KEPT);
    }

    pub(super) fn open(&self, start: usize) -> OpenObject {
        OpenObject {
            start: start as u32,
            first: self.members.len() as u32,
            last: None,
            is_ordered: true,
            unsorted_before: self.unsorted.len(),
        }
    }

    /// Records the next member of `object`, whose key is written from `start` to
    /// the end of `text`.
    pub(super) fn add(&mut self, object: &mut OpenObject, text: &[u8], start: usize) {
        let place = self.members.len() as u32;
        if let Some(last) = object.last.replace(place) {
            let last = &mut self.members[last as usize];
            last.next = place;
            let order = compare_keys(text, last.start, start as u32);
            object.is_ordered &= order == Ordering::Less;
        }
        self.members.push(Member {
            start: start as u32,
            next: NONE,
        });
    }

    pub(super) fn close(&mut self, object: &OpenObject, end: usize) {
        if !object.is_ordered {
            self.unsorted.push(UnsortedObject {
                start: object.start,
                end: end as u32,
                first: object.first,
            });
        } else if self.unsorted.len() == object.unsorted_before {
            self.members.truncate(object.first as usize);
        }
    }

    /// Sorts the members of all objects in the value that starts at `base` in
    /// `out`. Of equal keys, the last one stays.
    pub(super) fn apply(&mut self, out: &mut Vec<u8>, base: usize) {
        if self.unsorted.is_empty() {
            return;
        }
        // Nested objects were recorded before those around them.
        self.unsorted.sort_unstable_by_key(|object| object.start);
        let text = &out[base..];
        self.copy.clear();
        self.copy.reserve_exact(text.len());
        self.sorted.clear();
        Copying {
            text,
            members: &self.members,
            unsorted: &self.unsorted,
            sorted: &mut self.sorted,
            copy: &mut self.copy,
        }
        .copy(0, text.len() as u32);
        out.truncate(base);
        out.extend_from_slice(&self.copy);
    }
}

struct Copying<'a> {
    text: &'a [u8],
    members: &'a [Member],
    /// Sorted by start: each is followed by those inside it.
    unsorted: &'a [UnsortedObject],
    sorted: &'a mut Vec<u32>,
    copy: &'a mut Vec<u8>,
}

impl Copying<'_> {
    /// Copies a part of the text that consists of whole values.
    fn copy(&mut self, mut from: u32, to: u32) {
        let mut next = self.unsorted.partition_point(|object| object.start < from);
        while let Some(object) = self.unsorted.get(next).filter(|object| object.start < to) {
            self.copy_plain(from, object.start);
            self.copy_in_order(*object);
            from = object.end;
            let rest = &self.unsorted[next..];
            next += rest.partition_point(|object| object.start < from);
        }
        self.copy_plain(from, to);
    }

    fn copy_plain(&mut self, from: u32, to: u32) {
        self.copy
            .extend_from_slice(&self.text[from as usize..to as usize]);
    }

    fn copy_in_order(&mut self, object: UnsortedObject) {
        let (text, members) = (self.text, self.members);
        let start_of = |member: u32| members[member as usize].start;
        let bottom = self.sorted.len();
        let mut next = object.first;
        while next != NONE {
            self.sorted.push(next);
            next = members[next as usize].next;
        }
        // Among equal keys, the last in the text comes last.
        self.sorted[bottom..].sort_unstable_by(|one, other| {
            compare_keys(text, start_of(*one), start_of(*other)).then(one.cmp(other))
        });

        self.copy.push(b'{');
        let mut is_first = true;
        for place in bottom..self.sorted.len() {
            let member = self.sorted[place];
            let is_replaced = self.sorted.get(place + 1).is_some_and(|next| {
                compare_keys(text, start_of(*next), start_of(member)) == Ordering::Equal
            });
            if is_replaced {
                continue;
            }
            if !is_first {
                self.copy.extend_from_slice(b", ");
            }
            is_first = false;
            let end = match members[member as usize].next {
                NONE => object.end - 1,
                next => start_of(next) - b", ".len() as u32,
            };
            self.copy(start_of(member), end);
        }
        self.copy.push(b'}');
        self.sorted.truncate(bottom);
    }
}

/// Compares two keys by their code points, as Python compares strings. Each
/// starts with its opening quote.
fn compare_keys(text: &[u8], one: u32, other: u32) -> Ordering {
    let mut one = &text[one as usize + 1..];
    let mut other = &text[other as usize + 1..];
    loop {
        let pair = (one[0], other[0]);
        match pair {
            (b'"', b'"') => return Ordering::Equal,
            (b'"', _) => return Ordering::Less,
            (_, b'"') => return Ordering::Greater,
            (b'\\', _) | (_, b'\\') => {
                let order = take_character(&mut one).cmp(&take_character(&mut other));
                if order.is_ne() {
                    return order;
                }
            }
            (a, b) if a == b => (one, other) = (&one[1..], &other[1..]),
            (a, b) => return a.cmp(&b),
        }
    }
}

/// Takes one character, escaped or not, from canonical text.
fn take_character(text: &mut &[u8]) -> char {
    let (character, length) = match text[0] {
        b'\\' => read_escape(text).expect("canonical text has only valid escapes"),
        plain => (plain.into(), 1),
    };
    *text = &text[length..];
    character
}
