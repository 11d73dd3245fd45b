#!/usr/bin/env bash
# Runs the fuzz targets of tests/fuzz under libFuzzer. Needs a C++ compiler, but
# no nightly toolchain, because the address sanitizer is not used.
#
#     scripts/fuzz.sh build                  builds the targets
#     scripts/fuzz.sh run SECONDS [TARGET..] fuzzes each target for SECONDS
#     scripts/fuzz.sh cmin [TARGET..]        adds new inputs to the corpus and
#                                            removes redundant ones
#     scripts/fuzz.sh tmin TARGET INPUT      makes a crash's input smaller
#
# `run` writes new inputs to tests/fuzz/target/found/TARGET and crashes to
# tests/fuzz/target/crashes. Once a crash is fixed, add its input to the corpus
# and name the file after the bug.
set -euo pipefail
cd "$(dirname "$0")/../tests/fuzz"

all=(canonical chain_reader kernels queue_reader verify)
host=$(rustc -vV | sed -n 's/^host: //p')
binaries=target/libfuzzer/$host/release
# The longest input. Long inputs would make the corpus large and slow.
declare -A longest=([canonical]=1024 [chain_reader]=2048 [kernels]=512 [queue_reader]=1024 [verify]=256)

build() {
  # With --target, the flags do not apply to build scripts and macros.
  RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares" \
    cargo build --quiet --release --locked --features libfuzzer --bins \
    --target "$host" --target-dir target/libfuzzer
}

# libFuzzer prints a lot. Show only its final figures unless it finds a bug.
run() {
  local target=$1 seconds=$2 log
  mkdir -p "target/found/$target" target/crashes
  log=target/found/$target.log
  if ! "$binaries/$target" "target/found/$target" "corpus/$target" \
    -max_total_time="$seconds" -max_len="${longest[$target]}" -timeout=25 \
    -rss_limit_mb=2048 -artifact_prefix="target/crashes/$target-" \
    -print_final_stats=1 -verbosity=1 2>"$log"; then
    tail -n 60 "$log" >&2
    return 1
  fi
  printf '%-13s %s\n' "$target" "$(
    awk '/^#[0-9]+\tDONE/ { print $3, $4, $5, $6 }
      /stat::number_of_executed_units/ { print $2, "runs" }
      /stat::new_units_added/ { print $2, "new" }' "$log" | paste -sd' '
  )"
}

cmin() {
  local target=$1 kept
  kept=$(mktemp -d)
  mkdir -p "target/found/$target"
  # Without counters, an input stays only if it reaches a new branch. That keeps
  # hundreds of files instead of thousands.
  "$binaries/$target" -merge=1 -use_counters=0 -max_len="${longest[$target]}" -verbosity=0 \
    "$kept" "corpus/$target" "target/found/$target" 2>/dev/null
  # Inputs with other names are those of fixed bugs.
  find "corpus/$target" -type f -regextype posix-extended -regex '.*/[0-9a-f]{40}' -delete
  mv "$kept"/* "corpus/$target/"
  rmdir "$kept"
  printf '%-13s %s inputs, %s\n' "$target" "$(find "corpus/$target" -type f | wc -l)" \
    "$(du -sh --apparent-size "corpus/$target" | cut -f1)"
}

command=${1:-}
shift || true
case $command in
build) build ;;
run)
  seconds=${1:?how many seconds}
  shift
  build
  for target in "${@:-${all[@]}}"; do run "$target" "$seconds"; done
  ;;
cmin)
  build
  for target in "${@:-${all[@]}}"; do cmin "$target"; done
  ;;
tmin)
  build
  "$binaries/${1:?TARGET}" -minimize_crash=1 -max_total_time=60 \
    -exact_artifact_path=target/crashes/smallest "${2:?INPUT}" || true
  ;;
*)
  sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' "../../scripts/$(basename "$0")" >&2
  exit 2
  ;;
esac
