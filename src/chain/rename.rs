//! Gives keys of a fork's blocks and transactions the tutorial's names.

use std::collections::HashSet;
use std::str::FromStr;

use thiserror::Error;

use super::dialect::BLOCK_FIELDS;
use super::json::{Kind, SyntaxError, Transcoder, View, write_string};
use super::transaction::TRANSACTION_FIELDS;

/// A new name for a key: a field of a block for a key of every block, or a
/// field of a transaction for a key of every transaction.
///
/// ```
/// use fourzero::chain::Rename;
///
/// let rename: Rename = "nonce=proof".parse()?;
/// assert_eq!((rename.from(), rename.to()), ("nonce", "proof"));
/// assert!("proof=nonce".parse::<Rename>().is_err());
/// # Ok::<(), fourzero::chain::RenameError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rename {
    from: String,
    to: &'static str,
}

impl Rename {
    /// The key in the source.
    pub fn from(&self) -> &str {
        &self.from
    }

    /// The key that is written.
    pub const fn to(&self) -> &'static str {
        self.to
    }

    fn scope(&self) -> Scope {
        if BLOCK_FIELDS.contains(&self.to) {
            Scope::Block
        } else {
            Scope::Transaction
        }
    }
}

impl FromStr for Rename {
    type Err = RenameError;

    fn from_str(text: &str) -> Result<Self, RenameError> {
        let (from, to) = text.rsplit_once('=').ok_or(RenameError::Form)?;
        let mut fields = BLOCK_FIELDS.iter().chain(&TRANSACTION_FIELDS);
        let field = fields.clone().find(|field| **field == to);
        let field = *field.ok_or_else(|| match fields.any(|field| *field == from) {
            true => RenameError::Reversed(format!("{to}={from}")),
            false => RenameError::UnknownField(to.to_owned()),
        })?;
        match from {
            "" => Err(RenameError::Form),
            _ if from == field => Err(RenameError::SameName(field)),
            _ => Ok(Self {
                from: from.to_owned(),
                to: field,
            }),
        }
    }
}

/// Why keys cannot be renamed.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum RenameError {
    /// A text is not of the form `OLD=NEW`.
    #[error("expected OLD=NEW, such as nonce=proof")]
    Form,
    /// The new name is not a field.
    #[error(
        "\"{0}\" is not a field of a block ({block}) or of a transaction ({transaction})",
        block = BLOCK_FIELDS.join(", "),
        transaction = TRANSACTION_FIELDS.join(", ")
    )]
    UnknownField(String),
    /// The old name is a field, and the new name is not.
    #[error("the new name comes second: {0}")]
    Reversed(
        /// The text the other way round.
        String,
    ),
    /// The old and the new name are the same.
    #[error("\"{0}\" already has that name")]
    SameName(&'static str),
    /// A key is renamed twice.
    #[error("\"{0}\" is renamed twice")]
    Twice(String),
    /// Two keys get the same name.
    #[error("two keys are renamed to \"{0}\"")]
    SameTarget(&'static str),
    /// No block, or no transaction, has the key.
    #[error("no {} has the key \"{from}\", which should become \"{to}\"", of(to))]
    Absent {
        /// The key.
        from: String,
        /// Its new name.
        to: &'static str,
    },
    /// An object already has a key with the new name.
    #[error(
        "block {block}: {} has both \"{from}\" and \"{to}\", so \"{from}\" cannot be renamed",
        match of(to) { "block" => "it", _ => "a transaction" }
    )]
    Collision {
        /// The block, counted from 1.
        block: u64,
        /// The key.
        from: String,
        /// Its new name.
        to: &'static str,
    },
    /// With the new names, a block is too large.
    #[error("block {block} is too large with the new names: {kind}", kind = error.kind)]
    TooLarge {
        /// The block, counted from 1.
        block: u64,
        /// What is wrong.
        error: SyntaxError,
    },
}

fn of(field: &str) -> &'static str {
    match BLOCK_FIELDS.contains(&field) {
        true => "block",
        false => "transaction",
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Scope {
    Block,
    Transaction,
}

/// Renames the keys of blocks, one block at a time.
#[derive(Debug)]
pub(super) struct Renamer<'a> {
    renames: Vec<Applied<'a>>,
    has_transactions: bool,
    transcoder: Transcoder,
    draft: Vec<u8>,
    written: Vec<u8>,
}

#[derive(Debug)]
struct Applied<'a> {
    rename: &'a Rename,
    scope: Scope,
    /// The old key as it is in canonical text.
    key: Vec<u8>,
    was_found: bool,
}

impl<'a> Renamer<'a> {
    /// Refuses renames that contradict each other.
    pub(super) fn new(renames: &'a [Rename]) -> Result<Self, RenameError> {
        let (mut old, mut new) = (HashSet::new(), HashSet::new());
        for rename in renames {
            if !new.insert(rename.to) {
                return Err(RenameError::SameTarget(rename.to));
            }
            if !old.insert((rename.scope() == Scope::Block, &rename.from)) {
                return Err(RenameError::Twice(rename.from.clone()));
            }
        }
        let applied = |rename: &'a Rename| Applied {
            scope: rename.scope(),
            key: escaped(&rename.from),
            was_found: false,
            rename,
        };
        Ok(Self {
            renames: renames.iter().map(applied).collect(),
            has_transactions: false,
            transcoder: Transcoder::default(),
            draft: Vec::new(),
            written: Vec::new(),
        })
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.renames.is_empty()
    }

    /// The keys, escaped, that become those of a block.
    pub(super) fn block_keys(&self) -> Vec<Vec<u8>> {
        let of_block = self.renames.iter().filter(|it| it.scope == Scope::Block);
        of_block.map(|rename| rename.key.clone()).collect()
    }

    /// The canonical text of a block with the new names. `number` is its place
    /// in the chain.
    pub(super) fn rename(&mut self, block: &[u8], number: u64) -> Result<&[u8], RenameError> {
        self.draft.clear();
        self.object(View::of(block), Scope::Block, number)?;
        self.written.clear();
        // The members of an object may need another order.
        let sorted = self.transcoder.transcode(&self.draft, &mut self.written);
        self.transcoder.shrink();
        sorted.map_err(|error| RenameError::TooLarge {
            block: number,
            error,
        })?;
        Ok(&self.written)
    }

    /// Refuses a key that was in no block: it is probably misspelled.
    pub(super) fn finish(self) -> Result<(), RenameError> {
        let absent = self
            .renames
            .into_iter()
            .find(|it| !it.was_found && (it.scope == Scope::Block || self.has_transactions));
        match absent {
            Some(absent) => Err(RenameError::Absent {
                from: absent.rename.from.clone(),
                to: absent.rename.to,
            }),
            None => Ok(()),
        }
    }

    fn object(&mut self, object: View<'_>, scope: Scope, block: u64) -> Result<(), RenameError> {
        self.check_collisions(object, scope, block)?;
        self.draft.push(b'{');
        for (place, (key, value)) in object.members().enumerate() {
            self.separate(place);
            let mut applied = self.renames.iter_mut();
            let applied = applied.find(|it| it.scope == scope && it.key == key);
            let key = applied.map_or(key, |applied| {
                applied.was_found = true;
                applied.rename.to.as_bytes()
            });
            self.draft.push(b'"');
            self.draft.extend_from_slice(key);
            self.draft.extend_from_slice(b"\": ");
            if scope == Scope::Block && key == b"transactions" && value.kind() == Kind::Array {
                self.transactions(value, block)?;
            } else {
                self.draft.extend_from_slice(value.text());
            }
        }
        self.draft.push(b'}');
        Ok(())
    }

    fn transactions(&mut self, list: View<'_>, block: u64) -> Result<(), RenameError> {
        self.draft.push(b'[');
        for (place, transaction) in list.elements().enumerate() {
            self.separate(place);
            if transaction.kind() == Kind::Object {
                self.has_transactions = true;
                self.object(transaction, Scope::Transaction, block)?;
            } else {
                self.draft.extend_from_slice(transaction.text());
            }
        }
        self.draft.push(b']');
        Ok(())
    }

    fn separate(&mut self, place: usize) {
        if place > 0 {
            self.draft.extend_from_slice(b", ");
        }
    }

    fn check_collisions(
        &self,
        object: View<'_>,
        scope: Scope,
        block: u64,
    ) -> Result<(), RenameError> {
        let has = |wanted: &[u8]| object.members().any(|(key, _)| key == wanted);
        let in_scope = || self.renames.iter().filter(|it| it.scope == scope);
        let stays = |key: &str| !in_scope().any(|it| it.rename.from == key);
        for Applied { rename, key, .. } in in_scope() {
            if stays(rename.to) && has(rename.to.as_bytes()) && has(key) {
                return Err(RenameError::Collision {
                    block,
                    from: rename.from.clone(),
                    to: rename.to,
                });
            }
        }
        Ok(())
    }
}

/// A key as canonical text has it between its quotes.
fn escaped(key: &str) -> Vec<u8> {
    let mut quoted = Vec::new();
    write_string(key, &mut quoted);
    quoted[1..quoted.len() - 1].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rename(renames: &[&str], blocks: &[&str]) -> Result<Vec<String>, RenameError> {
        let parsed: Result<Vec<Rename>, _> = renames.iter().map(|text| text.parse()).collect();
        let parsed = parsed?;
        let mut renamer = Renamer::new(&parsed)?;
        let mut renamed = Vec::new();
        for (number, block) in (1..).zip(blocks) {
            let text = renamer.rename(block.as_bytes(), number)?;
            renamed.push(String::from_utf8(text.to_vec()).unwrap());
        }
        renamer.finish()?;
        Ok(renamed)
    }

    #[test]
    fn keys_are_renamed_and_sorted_and_values_stay() {
        let block = concat!(
            r#"{"a\"\u00e9": [1e-07, {"nonce": 1}], "data": [{"from": "a", "nonce": 2, "value": 0.1}, 7], "#,
            r#""from": 5, "index": 1, "nonce": 123456789012345678901234567890}"#,
        );
        let expected = concat!(
            r#"{"from": 5, "index": 1, "previous_hash": [1e-07, {"nonce": 1}], "#,
            r#""proof": 123456789012345678901234567890, "#,
            r#""transactions": [{"amount": 0.1, "nonce": 2, "sender": "a"}, 7]}"#,
        );
        let renames = [
            "nonce=proof",
            "data=transactions",
            "a\"é=previous_hash",
            "from=sender",
            "value=amount",
        ];
        assert_eq!(rename(&renames, &[block]).unwrap(), [expected]);
    }

    #[test]
    fn two_keys_can_be_swapped() {
        let block = r#"{"index": 1, "proof": 2}"#;
        let renamed = rename(&["index=proof", "proof=index"], &[block]);
        assert_eq!(renamed.unwrap(), [r#"{"index": 2, "proof": 1}"#]);
    }

    #[test]
    fn renames_that_cannot_be_meant_are_refused() {
        let block = r#"{"nonce": 1, "proof": 2, "transactions": [{"amount": 1, "value": 1}]}"#;
        let bare = r#"{"nonce": 1, "transactions": []}"#;
        for (renames, blocks, expected) in [
            (
                &["nonce"][..],
                &[][..],
                "expected OLD=NEW, such as nonce=proof",
            ),
            (&["=proof"], &[], "expected OLD=NEW, such as nonce=proof"),
            (
                &["proof=nonce"],
                &[],
                "the new name comes second: nonce=proof",
            ),
            (&["proof=proof"], &[], "\"proof\" already has that name"),
            (
                &["a=proof", "b=proof"],
                &[],
                "two keys are renamed to \"proof\"",
            ),
            (&["a=proof", "a=index"], &[], "\"a\" is renamed twice"),
            (
                &["nonce=proof"],
                &[bare, block],
                "block 2: it has both \"nonce\" and \"proof\", so \"nonce\" cannot be renamed",
            ),
            (
                &["value=amount"],
                &[block],
                "block 1: a transaction has both \"value\" and \"amount\", so \"value\" cannot be renamed",
            ),
            (
                &["nonse=proof"],
                &[bare],
                "no block has the key \"nonse\", which should become \"proof\"",
            ),
            (
                &["vlaue=sender"],
                &[bare, block],
                "no transaction has the key \"vlaue\", which should become \"sender\"",
            ),
        ] {
            let error = rename(renames, blocks).unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
        assert!(matches!(
            rename(&["nonce=prof"], &[]),
            Err(RenameError::UnknownField(_))
        ));
        // Without transactions, the key cannot occur.
        assert!(rename(&["value=amount"], &[bare]).is_ok());
    }
}
