//! Values that are one of a few names, which shells can complete.
//!
//! What such a value is parsed by, and what is said of a wrong one, is up to
//! the type: only the list of names is added here, and which of them was
//! probably meant.

use std::ffi::OsStr;
use std::fmt::Display;
use std::str::FromStr;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::error::ContextKind;
use clap::{Arg, Command, Error};
use fourzero::chain::Format;
use fourzero::pow::Rule;
use fourzero::sha256::{Kernel, KernelChoice};

use super::{RuleChoice, rule_or_auto};

/// Parses one of some names.
#[derive(Clone, Debug)]
pub(in crate::cli) struct Named<T> {
    names: Vec<&'static str>,
    parse: fn(&str) -> Result<T, String>,
}

/// `--rule`.
pub(in crate::cli) fn rule() -> Named<Rule> {
    Named {
        names: Rule::ALL.map(Rule::name).into(),
        parse: from_str,
    }
}

/// `--rule` where it can be found.
pub(in crate::cli) fn rule_choice() -> Named<RuleChoice> {
    Named {
        names: rule().names.into_iter().chain(["auto"]).collect(),
        parse: rule_or_auto,
    }
}

/// `--format`.
pub(in crate::cli) fn format() -> Named<Format> {
    Named {
        names: Format::ALL.map(Format::name).into(),
        parse: from_str,
    }
}

/// `--kernel`: those that this CPU runs.
pub(in crate::cli) fn kernel() -> Named<KernelChoice> {
    Named {
        names: Kernel::available().into_iter().map(Kernel::name).collect(),
        parse: from_str,
    }
}

/// Several rules, by a parser of lists.
pub(in crate::cli) fn rules<T>(parse: fn(&str) -> Result<T, String>) -> Named<T> {
    Named {
        names: rule().names.into_iter().chain(["all"]).collect(),
        parse,
    }
}

/// Several kernels, by a parser of lists.
pub(in crate::cli) fn kernels<T>(parse: fn(&str) -> Result<T, String>) -> Named<T> {
    Named {
        names: kernel().names.into_iter().chain(["all"]).collect(),
        parse,
    }
}

fn from_str<T: FromStr<Err: Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: T::Err| error.to_string())
}

impl<T: Clone + Send + Sync + 'static> TypedValueParser for Named<T> {
    type Value = T;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<T, Error> {
        self.parse
            .parse_ref(command, argument, value)
            .map_err(|mut error| {
                // clap's own list of names knows which of them is similar.
                let names = PossibleValuesParser::new(&self.names);
                if let Err(listed) = names.parse_ref(command, argument, value)
                    && let Some(meant) = listed.get(ContextKind::SuggestedValue)
                {
                    error.insert(ContextKind::SuggestedValue, meant.clone());
                }
                error
            })
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.names.iter().copied().map(PossibleValue::new)))
    }
}
