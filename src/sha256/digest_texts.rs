//! The digests of many texts.
//!
//! Each block of a text waits for the one before, which leaves the SHA unit of
//! x86 idle half the time. There several texts are hashed side by side;
//! elsewhere the `sha2` crate hashes one after another.

use super::Digest;
#[cfg(target_arch = "x86_64")]
use super::sha_ni;

/// Appends the digest of each text to `digests`, in order.
pub(crate) fn digest_texts(texts: &[&[u8]], digests: &mut Vec<Digest>) {
    #[cfg(target_arch = "x86_64")]
    if sha_ni::digest_texts::is_supported() {
        let first = digests.len();
        digests.resize(first + texts.len(), Digest::from_bytes([0; 32]));
        // SAFETY: the CPU has the instructions.
        #[allow(unsafe_code, reason = "a function that needs SHA-NI")]
        unsafe {
            sha_ni::digest_texts::digest_texts(texts, &mut digests[first..]);
        }
        return;
    }
    digests.extend(texts.iter().map(|text| Digest::of(text)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_sha2_for_all_lengths_and_neighbours() {
        let bytes: Vec<u8> = (0..2000u32).map(|byte| (byte * 7 % 251) as u8).collect();
        for count in 0..6 {
            for length in 0..300 {
                let texts: Vec<&[u8]> = (0..count)
                    .map(|number| &bytes[number..number + length * (number * 5 % 4 + 1) % 1000])
                    .collect();
                let mut digests = vec![Digest::from_bytes([1; 32])];
                digest_texts(&texts, &mut digests);
                let expected: Vec<_> = texts.iter().map(|text| Digest::of(text)).collect();
                assert_eq!(digests[1..], expected, "{count} texts from {length} bytes");
            }
        }
    }
}
