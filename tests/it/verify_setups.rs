//! The setups for verifying a chain: one thread or several, a stream or a file.
//! All must return the same report.

use std::io::Write as _;
use std::num::NonZeroUsize;

use fourzero::chain::{Report, Verifier, VerifyError, VerifyOptions};
use fourzero::pow::Control;

#[derive(Debug)]
pub(crate) struct Setup {
    verifier: Verifier,
    from_file: bool,
}

pub(crate) fn setups() -> [Setup; 5] {
    let setups = [(1, false), (3, false), (1, true), (2, true), (5, true)];
    setups.map(|(threads, from_file)| Setup {
        verifier: Verifier::new(NonZeroUsize::new(threads).unwrap()).unwrap(),
        from_file,
    })
}

impl Setup {
    pub(crate) fn verify(
        &self,
        text: &[u8],
        options: &VerifyOptions,
        control: &Control,
    ) -> Result<Report, VerifyError> {
        if !self.from_file {
            return self.verifier.verify(text, options, control);
        }
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text).unwrap();
        self.verifier.verify_file(&file, options, control)
    }
}
