#!/usr/bin/env bash
# Runs the kernels' self-test, one case for every position, in Miri: an
# interpreter that checks every memory access, and that knows AVX-512 on any
# CPU. Needs a nightly toolchain with the component miri, and about ten minutes.
#
#     scripts/miri.sh
#
# Kernels that need instructions outside FEATURES are not run; the test says
# which those are. The crate `wide` wants bw, dq and vl beside f.
# Assembly is not known to it: there `sha-ni` does with vl what it does without.
set -euo pipefail
cd "$(dirname "$0")/.."

features=${FEATURES:-+avx512f,+avx512bw,+avx512dq,+avx512vl,+sha}
export RUSTFLAGS="-Ctarget-feature=$features"
export CARGO_TARGET_DIR=target/miri-kernels
exec cargo +nightly miri test --locked --lib -- --nocapture \
  every_variant_passes_its_self_test
