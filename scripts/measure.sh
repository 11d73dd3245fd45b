#!/usr/bin/env bash
# Measures this machine and writes docs/measurements/CPU.md and CPU.svg:
#
#     scripts/measure.sh [--force] [--out FOLDER] [OPTIONS OF fourzero bench]
#
# Runs scripts/peers, then every kernel under last-proof and last-hash on 1, 2,
# 4 ... threads: about two minutes on two cores. --force replaces existing
# files, --out names another folder. FOURZERO and PEERS name the two programs;
# by default they are built from this clone.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
folder=$root/docs/measurements
is_forced=
while :; do
  case ${1:-} in
    --force) is_forced=1 && shift ;;
    --out) folder=${2:?--out needs a folder} && shift 2 ;;
    *) break ;;
  esac
done
bench=(bench --kernel all --rule last-proof,last-hash "$@")

# Clouds use one name for CPUs of several generations, which differ in these
# numbers. Newer versions of lscpu indent some names.
field() {
  LC_ALL=C lscpu | awk -F ': *' -v name="$1" '{ gsub(/^ +/, "", $1) } $1 == name { print $2; exit }'
}
hypervisor=
if command -v lscpu >/dev/null; then
  cpu=$(field 'Model name')
  for number in 'CPU family' Model Stepping; do
    value=$(field "$number")
    number=${number#CPU }
    cpu+=${value:+, ${number,} $value}
  done
  hypervisor=$(field 'Hypervisor vendor')
else
  cpu=$(sysctl -n machdep.cpu.brand_string)
fi
slug=$(sed -E 's/\((R|TM)\)|CPU|@[^,]*|family|model|stepping//g; s/[^A-Za-z0-9]+/-/g; s/^-|-$//g' \
  <<<"$cpu" | tr '[:upper:]' '[:lower:]')
page=$folder/$slug.md
if [ -e "$page" ] && [ -z "$is_forced" ]; then
  echo "$page exists; --force replaces it" >&2
  exit 2
fi

if [ -z "${FOURZERO:-}" ]; then
  cargo build --release --locked --manifest-path "$root/Cargo.toml"
  FOURZERO=${CARGO_TARGET_DIR:-$root/target}/release/fourzero
fi
if [ -z "${PEERS:-}" ]; then
  cargo build --release --locked --manifest-path "$root/scripts/peers/Cargo.toml"
  PEERS=${CARGO_TARGET_DIR:-$root/scripts/peers/target}/release/fourzero-peers
fi
mkdir -p "$folder"
warnings=$(mktemp)
trap 'rm -f "$warnings"' EXIT

peers=$("$PEERS")
if ! sweep=$("$FOURZERO" "${bench[@]}" --force --plot "$folder/$slug.svg" 2>"$warnings"); then
  cat "$warnings" >&2
  exit 2
fi
warning=$(grep "^warning: " "$warnings" || true)

{
  printf '# %s\n\nMade by `scripts/measure.sh` on %s, %s.' "$cpu" "$(date -u +%F)" "$(uname -srm)"
  if [ -n "$hypervisor" ]; then
    printf '\nA virtual machine (%s): others may use its cores too, so the best samples count.' \
      "$hypervisor"
  fi
  printf '\n\n## Beside other programs\n\n%s\n' "$peers"
  printf '\n## Kernels and threads\n\n```text\n$ fourzero %s\n%s\n' "${bench[*]}" "$sweep"
  printf '```\n\n%s![Hashrate and efficiency over threads](%s.svg)\n' \
    "${warning:+$warning$'\n\n'}" "$slug"
} | tee "$page"
echo "$page and its plot are written" >&2
