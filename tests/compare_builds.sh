#!/usr/bin/env bash
# Runs the plain runner of several builds over the golden cases and over synthetic markets; all of
# them must print the same bytes.
set -euo pipefail
cd "$(dirname "$0")/.."
first=
for build in "$@"; do
  sum=$("$build/tests/plain_runner" | sha256sum)
  echo "$build: ${sum%% *}"
  [ -z "$first" ] || [ "$sum" = "$first" ] || { echo "results differ" >&2; exit 1; }
  first=$sum
done
