#!/usr/bin/env bash
# Checks a running node against its own /openapi.json with schemathesis:
#
#     scripts/check-openapi.sh FOURZERO SCHEMATHESIS [EXAMPLES]
#
# FOURZERO and SCHEMATHESIS are the paths of the two programs. The check that all
# well-formed data are accepted is left out: most well-formed nonces are not
# proofs, and most texts are not addresses.
set -euo pipefail
fourzero=$(realpath "$1")
schemathesis=$(realpath "$2")
examples=${3:-50}

folder=$(mktemp -d)
"$fourzero" node --listen 127.0.0.1:0 --data "$folder/data" --difficulty 2 \
  --log-level error --json >"$folder/said" &
node=$!
trap 'kill $node 2>/dev/null || true; wait $node || true; rm -rf "$folder"' EXIT
until [ -s "$folder/said" ]; do
  kill -0 $node
  sleep 0.1
done
address=$(sed -n 's/.*"address":"\([^"]*\)".*/\1/p' "$folder/said")
cd "$folder"
"$schemathesis" run "$address/openapi.json" --max-examples "$examples" \
  --exclude-checks positive_data_acceptance
