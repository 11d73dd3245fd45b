//! The instruction set extensions of the running CPU that kernels use.

/// The instruction set extensions that the kernels ask about and this CPU
/// has. Empty where no kernel asks.
///
/// ```
/// use fourzero::sha256::{Kernel, cpu_features};
///
/// let has_sha = cpu_features().contains(&"sha");
/// let runs_sha_ni = Kernel::available().iter().any(|kernel| kernel.name() == "sha-ni");
/// assert!(has_sha || !runs_sha_ni);
/// ```
pub fn cpu_features() -> Vec<&'static str> {
    #[cfg(target_arch = "x86_64")]
    let features = [
        ("sse2", is_x86_feature_detected!("sse2")),
        ("ssse3", is_x86_feature_detected!("ssse3")),
        ("sse4.1", is_x86_feature_detected!("sse4.1")),
        ("avx2", is_x86_feature_detected!("avx2")),
        ("sha", is_x86_feature_detected!("sha")),
        ("avx512f", is_x86_feature_detected!("avx512f")),
        ("avx512vl", is_x86_feature_detected!("avx512vl")),
    ];
    #[cfg(target_arch = "aarch64")]
    let features = [("sha2", std::arch::is_aarch64_feature_detected!("sha2"))];
    #[cfg(not(any(target_arch = "aarch64", target_arch = "x86_64")))]
    let features: [(&str, bool); 0] = [];
    features
        .into_iter()
        .filter(|(_, has)| *has)
        .map(|(name, _)| name)
        .collect()
}
