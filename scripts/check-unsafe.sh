#!/usr/bin/env bash
# Checks that only the kernels and their dispatchers, which are listed here,
# contain `unsafe`, and that each exception to `unsafe_code = "deny"` has a
# reason. (Clippy's undocumented_unsafe_blocks checks each block.)
set -euo pipefail
cd "$(dirname "$0")/.."

kernels=(
  src/sha256/arm_sha2.rs
  src/sha256/avx2.rs
  src/sha256/avx512.rs
  src/sha256/vector_search.rs
  src/sha256/kernel.rs
  src/sha256/message_group.rs
  src/sha256/neon.rs
  src/sha256/portable.rs
  src/sha256/self_test.rs
  src/sha256/sha_ni/mod.rs
  src/sha256/sha_ni/sixteen_registers.rs
  src/sha256/sha_ni/digest_texts.rs
  src/sha256/sha_ni/thirty_two_registers.rs
  src/sha256/sse2.rs
  src/sha256/stream_search.rs
  src/sha256/digest_texts.rs
  src/sha256/vector.rs
)
found=0
files=$(git ls-files --cached --others --exclude-standard -- '*.rs')
# Matches code, not text about it.
pattern='(^|[^"a-z_])unsafe( *\{| (fn|impl|trait|extern)\b|_code)'
while read -r file; do
  for kernel in "${kernels[@]}"; do
    [[ $file == "$kernel" ]] && continue 2
  done
  if grep -nHE "$pattern" "$file" | grep -vE '^[^:]+:[0-9]+: *//'; then found=1; fi
done <<<"$files"
((found == 0)) || echo "only the listed files may contain unsafe code" >&2

for kernel in "${kernels[@]}"; do
  if ! grep -qE "$pattern" "$kernel"; then
    echo "$kernel has no unsafe code; remove it from $0" >&2
    found=1
  fi
  if awk '
    /^ *#!?\[allow\($/ { inside = 1; text = ""; line = NR }
    /#!?\[allow\(.*unsafe_code/ { text = $0; line = NR; check = 1 }
    inside { text = text $0 }
    inside && /\)\]/ { inside = 0; check = text ~ /unsafe_code/ }
    check { if (text !~ /reason = "/) { print FILENAME ":" line ": " text; bad = 1 } check = 0 }
    END { exit !bad }
  ' "$kernel"; then
    echo "an exception to unsafe_code has no reason" >&2
    found=1
  fi
done
exit "$found"
