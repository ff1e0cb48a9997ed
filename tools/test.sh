#!/usr/bin/env bash
# Every test: style, the plain cores under two compilers and two levels of optimisation, and the
# whole project as released. With --sanitizers everything once more under the address and
# undefined-behaviour sanitizers, which takes about as long again.
set -euo pipefail
cd "$(dirname "$0")/.."
tools/setup.sh
tests/style.sh

case "${1:-}" in
  '' | --sanitizers) ;;
  *) echo "usage: tools/test.sh [--sanitizers]" >&2; exit 2 ;;
esac
. tools/compiler_cache.sh

step() { printf '\n== %s (%s)\n' "$1" "$(date -u +%H:%M:%S)"; }

core() { # compiler, optimisation
  local name=core-$1$2
  cmake -S . -B "build/$name" -G Ninja -DCMAKE_CXX_COMPILER="$1" -DCMAKE_CXX_FLAGS="$2" \
    -DBACKTEST_CORE_ONLY=ON -DBACKTEST_PLAIN_RUNNER_ONLY=ON -DCMAKE_UNITY_BUILD=ON \
    -DCMAKE_UNITY_BUILD_BATCH_SIZE=12 >/dev/null
  cmake --build "build/$name"
  ctest --test-dir "build/$name" --output-on-failure -j "$(nproc)"
}
for compiler in g++ clang++-14; do
  for level in -O0 -O3; do
    step "plain cores: $compiler $level"
    core "$compiler" "$level"
  done
done
step "plain cores: equal results"
tests/compare_builds.sh build/core-g++-O0 build/core-g++-O3 build/core-clang++-14-O0 \
  build/core-clang++-14-O3

step release
cmake --preset release >/dev/null
cmake --build --preset release
ctest --preset release -j "$(nproc)"

if [ "${1:-}" = --sanitizers ]; then
  step sanitizers
  cmake --preset asan >/dev/null
  cmake --build --preset asan
  ctest --preset asan -j "$(nproc)"
fi
