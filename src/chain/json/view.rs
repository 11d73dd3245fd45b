//! Reads canonical text without parsing it into a tree.
//!
//! A [`View`] is made only of text that [`Transcoder`](super::Transcoder) wrote
//! or would write. Such text is well formed, has no white space but in `", "` and
//! `": "`, and one form for every string, so keys can be compared as bytes.

use super::stream::value_length;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct View<'a>(&'a [u8]);

/// The kinds of JSON values; integers and doubles are two, as in Python.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Null,
    Boolean,
    Integer,
    Float,
    String,
    Array,
    Object,
}

impl<'a> View<'a> {
    /// A view of `text`, which must be the canonical text of one value.
    pub(crate) fn of(text: &'a [u8]) -> Self {
        Self(text)
    }

    pub(crate) const fn text(self) -> &'a [u8] {
        self.0
    }

    pub(crate) fn kind(self) -> Kind {
        match self.0[0] {
            b'n' => Kind::Null,
            b't' | b'f' => Kind::Boolean,
            b'"' => Kind::String,
            b'[' => Kind::Array,
            b'{' => Kind::Object,
            _ if self.is_integer() => Kind::Integer,
            _ => Kind::Float,
        }
    }

    pub(crate) fn is_integer(self) -> bool {
        !self.0.iter().any(|byte| matches!(byte, b'.' | b'e'))
    }

    /// The value as quoted in messages: shortened if it is long.
    pub(crate) fn excerpt(self) -> String {
        const MAX_BYTES: usize = 80;
        // Canonical text is ASCII, so it can be cut anywhere.
        let shown = String::from_utf8_lossy(&self.0[..self.0.len().min(MAX_BYTES)]).into_owned();
        if self.0.len() > MAX_BYTES {
            shown + "..."
        } else {
            shown
        }
    }

    /// The text between a string's quotes, still escaped; `None` for other
    /// kinds.
    pub(crate) fn string(self) -> Option<&'a [u8]> {
        self.0.strip_prefix(b"\"")?.strip_suffix(b"\"")
    }

    /// The elements of an array; none for other kinds.
    pub(crate) fn elements(self) -> Elements<'a> {
        Elements {
            rest: self.inside(b'['),
        }
    }

    /// The members of an object, as escaped key and value; none for other
    /// kinds.
    pub(crate) fn members(self) -> Members<'a> {
        Members {
            rest: self.inside(b'{'),
        }
    }

    /// The values of these keys in an object; `None` for missing keys. The keys
    /// must need no escapes.
    pub(crate) fn fields<const N: usize>(self, keys: [&str; N]) -> [Option<Self>; N] {
        let mut found = [None; N];
        for (key, value) in self.members() {
            if let Some(place) = keys.iter().position(|it| it.as_bytes() == key) {
                found[place] = Some(value);
            }
        }
        found
    }

    fn inside(self, open: u8) -> &'a [u8] {
        match self.0 {
            [first, inside @ .., _close] if *first == open => inside,
            _ => &[],
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Elements<'a> {
    rest: &'a [u8],
}

impl<'a> Elements<'a> {
    pub(crate) const fn text(&self) -> &'a [u8] {
        self.rest
    }

    /// Skips the next element, which takes `length` bytes.
    pub(crate) fn pass(&mut self, length: usize) {
        let rest = &self.rest[length..];
        self.rest = rest.strip_prefix(b", ").unwrap_or(rest);
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = View<'a>;

    fn next(&mut self) -> Option<View<'a>> {
        take_value(&mut self.rest)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Members<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Members<'a> {
    type Item = (&'a [u8], View<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let end = value_length(self.rest)?;
        let key = &self.rest[1..end - 1];
        self.rest = &self.rest[end + b": ".len()..];
        take_value(&mut self.rest).map(|value| (key, value))
    }
}

/// Takes the first value of a comma-separated list, and the comma after it.
fn take_value<'a>(list: &mut &'a [u8]) -> Option<View<'a>> {
    if list.is_empty() {
        return None;
    }
    // A number at the end of the list has no delimiter after it.
    let (value, rest) = list.split_at(value_length(list).unwrap_or(list.len()));
    *list = rest.strip_prefix(b", ").unwrap_or(rest);
    Some(View(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::json::canonical;

    fn member<'a>(view: View<'a>, key: &str) -> View<'a> {
        view.members()
            .find(|(name, _)| *name == key.as_bytes())
            .unwrap()
            .1
    }

    #[test]
    fn a_view_reaches_every_value() {
        let text = canonical(
            br#"{"a":[1,-2.5,"x, ]}\"\\",[],{}],"b":{"c":null,"d":true},"e":"","f":1e-7}"#,
        )
        .unwrap();
        let view = View::of(text.as_bytes());
        let members: Vec<_> = view
            .members()
            .map(|(key, value)| (std::str::from_utf8(key).unwrap(), value.kind()))
            .collect();
        assert_eq!(
            members,
            [
                ("a", Kind::Array),
                ("b", Kind::Object),
                ("e", Kind::String),
                ("f", Kind::Float)
            ]
        );
        let elements: Vec<_> = member(view, "a").elements().collect();
        let kinds: Vec<_> = elements.iter().map(|element| element.kind()).collect();
        assert_eq!(
            kinds,
            [
                Kind::Integer,
                Kind::Float,
                Kind::String,
                Kind::Array,
                Kind::Object
            ]
        );
        assert_eq!(elements[2].string(), Some(&br#"x, ]}\"\\"#[..]));
        assert_eq!(elements[3].elements().count(), 0);
        assert_eq!(elements[4].members().count(), 0);
        assert_eq!(member(member(view, "b"), "d").text(), b"true");
    }
}
