#!/usr/bin/env bash
# Kills a live node again and again and compares what it left with an undisturbed run: with
# RocksDB, and with a Redis server of its own where one is installed.
# usage: crash_loop.sh [KILLS] [BUILD_DIRECTORY]
set -euo pipefail
cd "$(dirname "$0")/.."
export BACKTEST_CRASH_KILLS="${1:-200}"
exec "${2:-build/release}/tests/actor_tests" --test-case="*killed at *"
