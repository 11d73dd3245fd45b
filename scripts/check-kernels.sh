#!/usr/bin/env bash
# The functions of a kernel call no others of the program: what the compiler
# left out of line is compiled without the kernel's instructions, and passes
# its vectors through memory. Prints such calls in a release build, and fails.
# (Panics and the C library's memcpy are called indirectly, and are no matter.)
#
#     scripts/check-kernels.sh target/release/fourzero
set -euo pipefail

program=$1
if [[ $(uname -m) != x86_64 ]] || ! command -v objdump >/dev/null; then
  echo "skipped: needs objdump on x86-64"
  exit 0
fi
objdump --disassemble --demangle --no-show-raw-insn "$program" | awk '
  BEGIN {
    # Fewer functions of a kernel than positions: they were not found.
    split("avx512 avx2 portable sha_ni::plain sha_ni::vl", kernels)
  }
  / <.*>:$/ {
    inside = ""
    for (number in kernels)
      if (index($0, "<fourzero::sha256::" kernels[number] "::")) inside = kernels[number]
    functions[inside]++
  }
  inside != "" && /call +[0-9a-f]+ </ && !index($0, " <fourzero::sha256::" inside "::") {
    print inside ": " $0
    found = 1
  }
  END {
    for (number in kernels)
      if (functions[kernels[number]] < 16) {
        print "found only " functions[kernels[number]] + 0 " functions of " kernels[number]
        found = 1
      }
    exit found
  }'
