#!/usr/bin/env bash
# Runs the kernels' self-test in Miri, with one case for every position. Miri is
# an interpreter that checks every memory access and supports AVX-512 on any CPU.
# Needs a nightly toolchain with the component miri, and about ten minutes.
#
#     scripts/miri.sh
#
# Kernels that need instructions outside FEATURES are skipped, and the test lists
# them. The crate `wide` needs avx512bw, dq and vl in addition to f. Miri does not
# run assembly, so `sha-ni` uses the same code with vl as without.
set -euo pipefail
cd "$(dirname "$0")/.."

features=${FEATURES:-+avx512f,+avx512bw,+avx512dq,+avx512vl,+sha}
export RUSTFLAGS="-Ctarget-feature=$features"
export CARGO_TARGET_DIR=target/miri-kernels
exec cargo +nightly miri test --locked --lib -- --nocapture \
  every_variant_passes_its_self_test
