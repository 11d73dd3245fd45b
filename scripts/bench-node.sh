#!/usr/bin/env bash
# Compares the requests per second of the node and of a Flask node, both idle and
# while they mine a block of difficulty 7:
#
#     scripts/bench-node.sh FOURZERO [PYTHON] [ROUNDS] [SECONDS]
#
# Alternates between the two, so that other load affects both alike. Prints a
# table of the best (median) round and the worst 99th percentile. Needs wrk,
# curl, and a Python with Flask and requests. The node syncs transactions to
# disk before it answers; the Flask node keeps them in memory.
set -euo pipefail
fourzero=$(realpath "$1")
python=${2:-python3}
rounds=${3:-3}
seconds=${4:-2}
connections=64
scripts=$(cd "$(dirname "$0")" && pwd)

folder=$(mktemp -d)
server='' miner=''
stop() {
  for process in $miner $server; do
    kill "$process" 2>/dev/null || true
    wait "$process" 2>/dev/null || true
  done
  server='' miner=''
}
trap 'stop; rm -rf "$folder"' EXIT

cat >"$folder/post.lua" <<'LUA'
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"sender": "alice", "recipient": "bob", "amount": 5}'
LUA

# Starts a server and waits until it has printed its address.
start() {
  rm -rf "$folder/data" "$folder/said"
  if [ "$1" = node ]; then
    "$fourzero" node --listen 127.0.0.1:0 --data "$folder/data" --difficulty 7 \
      --log-level error --json >"$folder/said" 2>/dev/null &
  else
    "$python" "$scripts/flask_node.py" 0 --difficulty 7 >"$folder/said" 2>/dev/null &
  fi
  server=$!
  until grep -qs http "$folder/said"; do
    kill -0 "$server"
    sleep 0.05
  done
  address=$(grep -o 'http://[0-9.:]*' "$folder/said")
}

mine() {
  (while curl -s -o "$folder/mined" "$address/mine"; do :; done) &
  miner=$!
  sleep 0.3
}

# Runs wrk once, and appends requests per second and the 99th percentile in
# milliseconds to the file called NAME.
run() {
  local name=$1 path=$2
  shift 2
  wrk --latency -t1 -c"$connections" -d"${seconds}s" --timeout 10s "$@" "$address$path" \
    >"$folder/wrk"
  if grep -E 'Non-2xx' "$folder/wrk" >&2; then
    echo "$name: some answers were errors" >&2
    exit 1
  fi
  awk '
    /^ +99%/ {
      time = $2
      scale = time ~ /us$/ ? 0.001 : time ~ /ms$/ ? 1 : 1000
      worst = (time + 0) * scale
    }
    /^Requests\/sec/ { rate = $2 }
    END { print rate, worst }
  ' "$folder/wrk" >>"$folder/$name"
}

for ((round = 0; round < rounds; round++)); do
  for kind in node flask; do
    start "$kind"
    for state in idle mining; do
      [ "$state" = idle ] || mine
      run "$kind-$state-post" /transactions/new -s "$folder/post.lua"
      run "$kind-$state-get" /blocks/latest
    done
    stop
  done
done

cell() {
  sort -n "$folder/$1" | awk '
    { rate[NR] = $1; if ($2 > worst) worst = $2 }
    END { printf "%.0f (%.0f), %.1f ms", rate[NR], rate[int((NR + 1) / 2)], worst }
  '
}
echo "$connections connections, $rounds rounds of $seconds s: requests per second, best (median); 99 % took at most"
echo
echo "| | node | node, mining | Flask | Flask, mining |"
echo "|---|---|---|---|---|"
for call in post get; do
  name='`POST /transactions/new`'
  [ "$call" = post ] || name='`GET /blocks/latest`'
  echo "| $name | $(cell node-idle-$call) | $(cell node-mining-$call) | $(cell flask-idle-$call) | $(cell flask-mining-$call) |"
done
