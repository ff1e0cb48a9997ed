#!/usr/bin/env bash
# Installs what is missing, builds the command and runs a backtest on synthetic candles.
set -euo pipefail
cd "$(dirname "$0")/.."
tools/setup.sh
. tools/compiler_cache.sh
cmake --preset release >/dev/null
cmake --build --preset release --target backtest
exec build/release/tools/backtest demo "$@"
