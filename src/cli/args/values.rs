//! Parsers for the values of options.

use std::error::Error;
use std::num::NonZeroUsize;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use fourzero::chain::Format;
use fourzero::pow::{Nonce, Rule, Target};
use fourzero::sha256::{Kernel, KernelChoice};

/// A value, or a keyword (`auto`, `all`) in its place, which becomes `None`.
#[derive(Clone, Copy, Debug)]
pub(in crate::cli) struct OrKeyword<T>(pub(in crate::cli) Option<T>);

/// The name of a rule.
pub(in crate::cli) fn rule() -> impl TypedValueParser<Value = Rule> {
    PossibleValuesParser::new(Rule::ALL.map(Rule::name)).try_map(parse)
}

/// The name of a rule, or `keyword`.
pub(in crate::cli) fn rule_or(
    keyword: &'static str,
) -> impl TypedValueParser<Value = OrKeyword<Rule>> {
    or_keyword(keyword, Rule::ALL.map(Rule::name).map(PossibleValue::new))
}

/// The name of a chain format.
pub(in crate::cli) fn format() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(Format::ALL.map(Format::name)).try_map(parse)
}

/// The name of a kernel that this CPU supports.
pub(in crate::cli) fn kernel() -> impl TypedValueParser<Value = KernelChoice> {
    PossibleValuesParser::new(kernel_names()).try_map(parse)
}

/// The name of a kernel that this CPU supports, or `keyword`.
pub(in crate::cli) fn kernel_or(
    keyword: &'static str,
) -> impl TypedValueParser<Value = OrKeyword<KernelChoice>> {
    or_keyword(keyword, kernel_names())
}

/// The kernels that this CPU supports. Variants and other CPUs' kernels are known
/// but not listed, so that a kernel this CPU lacks is not taken for a typo.
fn kernel_names() -> impl Iterator<Item = PossibleValue> {
    let listed = |name: &str| {
        name == KernelChoice::FASTEST || Kernel::available().iter().any(|k| k.name() == name)
    };
    let names = KernelChoice::known_names().into_iter();
    names.map(move |name| PossibleValue::new(name).hide(!listed(name)))
}

fn or_keyword<T>(
    keyword: &'static str,
    names: impl IntoIterator<Item = PossibleValue>,
) -> impl TypedValueParser<Value = OrKeyword<T>>
where
    T: FromStr<Err: Error + Send + Sync> + Clone + Send + Sync + 'static,
{
    let names = names.into_iter().chain([PossibleValue::new(keyword)]);
    PossibleValuesParser::new(names).try_map(move |name| {
        let value = (name != keyword).then(|| parse(name)).transpose()?;
        Ok::<_, T::Err>(OrKeyword(value))
    })
}

fn parse<T: FromStr>(name: String) -> Result<T, T::Err> {
    name.parse()
}

const TOO_LARGE: &str = "the number is too large";

/// A whole number from 0 to the maximum of its type.
pub(in crate::cli) fn whole<T: FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| {
        let is_whole = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty();
        let problem = if is_whole {
            TOO_LARGE
        } else {
            "expected a whole number, 0 or more"
        };
        problem.to_owned()
    })
}

/// Who receives rewards.
pub(in crate::cli) fn name(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("expected a name that is not blank".to_owned());
    }
    Ok(text.to_owned())
}

/// A difficulty in hex zeros.
pub(in crate::cli) fn hex_zeros(text: &str) -> Result<Target, String> {
    Target::from_hex_zeros(whole(text)?).map_err(|error| error.to_string())
}

/// A difficulty in zero bits.
pub(in crate::cli) fn zero_bits(text: &str) -> Result<Target, String> {
    Target::from_bits(whole(text)?).map_err(|error| error.to_string())
}

/// A whole number from 1.
pub(in crate::cli) fn at_least_one(text: &str) -> Result<NonZeroUsize, String> {
    NonZeroUsize::new(whole(text)?).ok_or_else(|| "expected at least 1".to_owned())
}

/// A number of threads. The limit is far above the cores of any machine and
/// catches typing errors.
pub(in crate::cli) fn thread_count(text: &str) -> Result<NonZeroUsize, String> {
    const LIMIT: usize = 1024;
    let count = at_least_one(text)?;
    if count.get() > LIMIT {
        return Err(format!("expected at most {LIMIT}"));
    }
    Ok(count)
}

/// A nonce.
pub(in crate::cli) fn nonce(text: &str) -> Result<Nonce, String> {
    whole(text).map(Nonce)
}

/// The nonce before which a search ends. 2^64 is not a nonce itself.
pub(in crate::cli) type NonceEnd = u128;

/// A [`NonceEnd`].
pub(in crate::cli) fn nonce_end(text: &str) -> Result<NonceEnd, String> {
    match whole(text)? {
        end if end > 1 << u64::BITS => Err(TOO_LARGE.to_owned()),
        end => Ok(end),
    }
}

/// A length of time in seconds.
pub(in crate::cli) fn duration(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().ok();
    seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| "expected a number of seconds, 0 or more".to_owned())
}

/// A Unix time in seconds.
pub(in crate::cli) fn timestamp(text: &str) -> Result<f64, String> {
    text.parse::<f64>()
        .ok()
        .filter(|seconds| seconds.is_finite())
        .ok_or_else(|| "expected a Unix time in seconds, such as 1700000000".to_owned())
}
