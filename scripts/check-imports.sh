#!/usr/bin/env bash
# Checks that imports between the layers of the crate go one way only:
#
#     sha256  <-  pow  <-  chain  <-  batch  <-  bench  <-  node
#
# bench and node do not import each other, and cli uses all of them through the
# public API. Prints every line of src/ that breaks this, and fails if there is
# one.
set -euo pipefail
cd "$(dirname "$0")/.."

layers=(sha256 pow chain batch bench node)
found=0
for ((i = 0; i < ${#layers[@]}; i++)); do
  above=("${layers[@]:i + 1}" cli)
  pattern="(crate|fourzero)::($(IFS='|'; echo "${above[*]}"))\b"
  # Documentation may name higher layers; code may not.
  if grep -rnE --include='*.rs' "$pattern" "src/${layers[i]}" | grep -vE '^[^:]+:[0-9]+: *//[/!]'; then
    echo "src/${layers[i]} must not import the layers above it" >&2
    found=1
  fi
done
if grep -rnE --include='*.rs' '(crate|fourzero)::bench\b' src/node | grep -vE '^[^:]+:[0-9]+: *//[/!]'; then
  echo "src/node must not import src/bench" >&2
  found=1
fi
# The pattern does not find layers in grouped imports.
if grep -rnE --include='*.rs' '^use crate::\{' src; then
  echo "import each layer on a separate line: use crate::LAYER::..." >&2
  found=1
fi
# The command line uses the library like any other program.
if grep -rnE --include='*.rs' 'crate::(sha256|pow|chain|batch|bench|node)\b' src/cli; then
  echo "src/cli must use the library by its public name, fourzero::" >&2
  found=1
fi
exit "$found"
