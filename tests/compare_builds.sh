#!/usr/bin/env bash
# Runs the plain runner of several builds over the golden cases and over synthetic markets; all of
# them must print the same bytes.
set -euo pipefail
cd "$(dirname "$0")/.."
sums=$(printf '%s\n' "$@" | xargs -P "$(nproc)" -I BUILD bash -c \
  'set -o pipefail; sum=$("$1/tests/plain_runner" | sha256sum); echo "${sum%% *} $1"' - BUILD)
sort -k 2 <<<"$sums"
[ "$(wc -l <<<"$sums")" -eq $# ]
[ "$(cut -d ' ' -f 1 <<<"$sums" | sort -u | wc -l)" -eq 1 ] || { echo "results differ" >&2; exit 1; }
