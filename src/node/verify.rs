//! What a chain is verified against: ours, a peer's, or one to import.

use std::fs::File;
use std::io::Seek as _;

use super::config::{NodeConfig, Overdraft};
use crate::chain::{Report, Verifier, VerifyError, VerifyOptions, first_overdraft};
use crate::pow::Control;

pub(super) const fn verify_options(config: &NodeConfig) -> VerifyOptions {
    VerifyOptions {
        rule: Some(config.rule),
        target: config.target,
        strictness: config.strictness(),
    }
}

/// Verifies the chain in `file`, with the balances of its senders if overdrafts
/// are refused.
pub(super) fn verify_file(
    verifier: &Verifier,
    mut file: &File,
    config: &NodeConfig,
    control: &Control,
) -> Result<Report, VerifyError> {
    let mut report = verifier.verify_file(file, &verify_options(config), control)?;
    if report.is_valid() && config.overdraft == Overdraft::Refused {
        file.rewind()
            .map_err(|error| VerifyError::Read(error.into()))?;
        report.fault = first_overdraft(file, control)?;
    }
    Ok(report)
}
