#!/usr/bin/env bash
# Checks two rules in the object code of a release build. Prints what breaks
# them, and fails.
#
# 1. The functions of a kernel do not call other functions of the program. A
#    function that was not inlined is compiled without the kernel's instructions
#    and passes vectors through memory. (Panics and the C library's memcpy are
#    called indirectly and are harmless.)
# 2. SHA instructions never run while the upper halves of registers 0 to 15 are
#    dirty, because mixing them with VEX or EVEX code would then cost about 440
#    cycles each on Intel CPUs. A function with SHA instructions either has only
#    legacy code, or runs `vzeroupper` first and then writes at most 128 bits to
#    these registers.
#
#     scripts/check-kernels.sh target/release/fourzero
set -euo pipefail

program=$1
if [[ $(uname -m) != x86_64 ]] || ! command -v objdump >/dev/null; then
  echo "skipped: needs objdump on x86-64"
  exit 0
fi
objdump --disassemble --demangle --no-show-raw-insn "$program" | awk -F '\t' '
  BEGIN {
    # The kernels that must be found.
    split("avx512::one_stream avx512::two_streams avx2 portable " \
      "sha_ni::sixteen_registers sha_ni::thirty_two_registers", kernels, " ")
  }
  / <.*>:$/ {
    inside = ""
    for (number in kernels)
      if (index($0, "<fourzero::sha256::" kernels[number] "::")) inside = kernels[number]
    functions[inside]++
    name = $0
    sha = cleared = vex = wide = ""
  }
  inside != "" && /call +[0-9a-f]+ </ && !index($0, " <fourzero::sha256::" inside "::") {
    print inside ": " $0
    found = 1
  }
  { sub(/ +(#.*)?$/, "", $2) }
  $2 ~ /^vzeroupper/ && sha == "" { cleared = $2 }
  $2 ~ /^v/ && $2 !~ /^vzeroupper/ && vex == "" { vex = $0 }
  # The last operand is the destination.
  $2 ~ /[ ,]%[yz]mm([0-9]|1[0-5])(\{[^,]*)?$/ && wide == "" { wide = $0 }
  $2 ~ /^sha256/ && sha == "" { sha = $0; shas++ }
  sha != "" && !(name in told) && vex != "" && (cleared == "" || wide != "") {
    print name (cleared == "" ? " has no vzeroupper before" : " writes wide registers beside")
    print (cleared == "" ? sha : wide)
    told[name] = found = 1
  }
  END {
    for (number in kernels)
      if (functions[kernels[number]] < 16) {
        print "found only " functions[kernels[number]] + 0 " functions of " kernels[number]
        found = 1
      }
    # Two kernels with 31 positions each, and texts.
    if (shas < 2 * 31 + 1) {
      print "found only " shas + 0 " functions with SHA instructions"
      found = 1
    }
    exit found
  }'
