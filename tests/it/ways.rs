//! The ways in which the library verifies a chain: on one thread or several,
//! from a stream or a file. They must make no difference.

use std::io::Write as _;
use std::num::NonZeroUsize;

use fourzero::chain::{Report, Verifier, VerifyError, VerifyOptions};
use fourzero::pow::Control;

#[derive(Debug)]
pub(crate) struct Way {
    verifier: Verifier,
    from_file: bool,
}

pub(crate) fn ways() -> [Way; 5] {
    let ways = [(1, false), (3, false), (1, true), (2, true), (5, true)];
    ways.map(|(threads, from_file)| Way {
        verifier: Verifier::new(NonZeroUsize::new(threads).unwrap()).unwrap(),
        from_file,
    })
}

impl Way {
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
