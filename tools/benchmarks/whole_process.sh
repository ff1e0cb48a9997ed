#!/usr/bin/env bash
# Times `backtest run` of sma_cross over 43,200 one-minute bars of a plain CSV, process start
# included, against 2 P + 30 ms, where P is the baseline parser on the same file.
# usage: whole_process.sh [BUILD_DIRECTORY] [CSV]
set -euo pipefail
tools="$(realpath "${1:-build/release}")/tools"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
csv=${2:+$(realpath "$2")}
if [ -z "$csv" ]; then
  csv=$work/btc.csv
  "$tools/benchmarks/benchmarks" --write-csv="$csv" 43200
fi
# The first half day warms up the 30 candles of 15 minutes.
cat > "$work/config.json" <<JSON
{ "exchanges": [{ "name": "csv", "type": "csv", "files": { "BTCUSDT": "$csv" } }],
  "frames": [{ "name": "month", "interval": "1m",
               "start": "2024-01-01T12:00:00Z", "end": "2024-01-30T23:59:00Z" }],
  "strategies": [{ "name": "cross", "type": "sma_cross" }] }
JSON
run() { "$tools/backtest" run --config "$work/config.json" --quiet > /dev/null; }
run # warms the cache
times=()
for _ in $(seq 11); do
  from=${EPOCHREALTIME/./}
  run
  times+=($((${EPOCHREALTIME/./} - from)))
done
median=$(printf '%s\n' "${times[@]}" | sort -n | sed -n 6p)
parser=$("$tools/benchmarks/benchmarks" --parse-csv="$csv")
awk -v t="$median" -v p="$parser" 'BEGIN {
  limit = 2 * p + 30; ms = t / 1000
  printf "whole process %.1f ms, P %.2f ms, target <= %.1f ms   %s\n", ms, p, limit,
         ms <= limit ? "ok" : "over" }'
