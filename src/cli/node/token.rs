//! The token from the file, the option or the environment.

use std::env::{self, VarError};
use std::fs;

use anyhow::{Context as _, bail};
use fourzero::node::Token;

use super::args::ServeArgs;
use crate::cli::input;

/// Holds the token if no option gives one.
const TOKEN_VARIABLE: &str = "FOURZERO_TOKEN";

/// The token, if there is one, without white space and a byte order mark around
/// it, which no client sends.
pub(super) fn token(args: &ServeArgs) -> anyhow::Result<Option<Token>> {
    let text = match (&args.token_file, &args.token) {
        (Some(path), _) => {
            let place = || format!("cannot read the token in {}", path.display());
            let bytes = fs::read(path).with_context(place)?;
            input::text(bytes).with_context(place)?
        }
        (None, Some(text)) => text.clone(),
        (None, None) => match env::var(TOKEN_VARIABLE) {
            Ok(text) => text,
            Err(VarError::NotPresent) => return Ok(None),
            // The error itself would print the secret.
            Err(VarError::NotUnicode(_)) => bail!("the token in {TOKEN_VARIABLE} is not UTF-8"),
        },
    };
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.is_empty() {
        bail!("the token is empty; give a secret text");
    }
    if let Some(control) = text.chars().find(|character| character.is_control()) {
        bail!("the token contains {control:?}, which clients cannot send; it must be one line");
    }
    Ok(Some(Token::new(text)))
}
