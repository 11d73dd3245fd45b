#!/usr/bin/env bash
# Runs the library's tests on an emulated ARM CPU, by default those of the
# kernels.
#
#     scripts/emulate-arm.sh
#     scripts/emulate-arm.sh chain:: batch::
#
# The arguments choose the tests. Needs Rust's target aarch64-unknown-linux-gnu
# (`rustup target add`), Debian's gcc-aarch64-linux-gnu and qemu-user, and some
# minutes. `--no-default-features` leaves out SQLite, which the tests do not use.
set -euo pipefail
cd "$(dirname "$0")/.."

# The skipped test takes very long and needs no special instructions.
[ $# -gt 0 ] || set -- sha256:: pow:: --skip plain_arrays

for command in aarch64-linux-gnu-gcc qemu-aarch64; do
  if ! command -v "$command" >/dev/null; then
    echo "$command is missing; Debian has it in gcc-aarch64-linux-gnu and qemu-user" >&2
    exit 2
  fi
done
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="qemu-aarch64 -L /usr/aarch64-linux-gnu"
exec cargo test --release --locked --lib --no-default-features \
  --target aarch64-unknown-linux-gnu -- --nocapture "$@"
