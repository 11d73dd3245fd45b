#!/usr/bin/env bash
# A whole sweep over this machine's cores, into a folder:
#
#     scripts/bench-cores.sh FOLDER [OPTIONS OF fourzero bench]
#
#     sweep.json   every point, for fourzero bench --baseline
#     sweep.svg    hashrate and efficiency over threads
#     sweep.md     the table, with the machine's description
#     machine.txt  what the system says of the machine
#
# Without options: every kernel, last-proof and last-hash, 1, 2, 4 ... threads.
# FOURZERO names the binary; by default the release build of this clone.
set -euo pipefail

if [ $# -eq 0 ] || [[ $1 == -* ]]; then
  echo "usage: scripts/bench-cores.sh FOLDER [OPTIONS OF fourzero bench]" >&2
  exit 2
fi
folder=$1
shift
if [ $# -eq 0 ]; then
  set -- --kernel all --rule last-proof,last-hash
fi

if [ -z "${FOURZERO:-}" ]; then
  repository=$(cd "$(dirname "$0")/.." && pwd)
  cargo build --release --locked --manifest-path "$repository/Cargo.toml"
  FOURZERO=${CARGO_TARGET_DIR:-$repository/target}/release/fourzero
fi
mkdir -p "$folder"

{
  date -u +%Y-%m-%d
  uname -srm
  "$FOURZERO" --version
  if command -v lscpu >/dev/null; then
    lscpu
  fi
} >"$folder/machine.txt"

table=$("$FOURZERO" bench "$@" --force --json "$folder/sweep.json" --plot "$folder/sweep.svg")
printf '%s\n' "$table"

# The columns stand two blanks apart or more, and no cell has two in a row.
printf '%s\n' "$table" | awk -v date="$(date -u +%Y-%m-%d)" '
  NR == 1 { print $0 ", " date; print ""; next }
  {
    gsub(/  +/, " | ")
    print "| " $0 " |"
  }
  NR == 2 {
    columns = gsub(/ \| /, " | ") + 1
    printf "|"
    for (column = 1; column <= columns; column++)
      printf(column <= 2 ? " --- |" : " ---: |")
    print ""
  }
' >"$folder/sweep.md"
echo "in $folder: sweep.json, sweep.svg, sweep.md, machine.txt" >&2
