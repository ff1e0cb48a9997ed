#!/usr/bin/env bash
# Every test: style, the whole project as released, the plain cores under other compilers and levels
# of optimisation, and everything once more under the address and undefined-behaviour sanitizers.
set -euo pipefail
cd "$(dirname "$0")/.."
tools/setup.sh
tests/style.sh
. tools/compiler_cache.sh

step() { printf '\n== %s (%s)\n' "$1" "$(date -u +%H:%M:%S)"; }

preset() {
  step "$1"
  cmake --preset "$1" >/dev/null
  cmake --build --preset "$1"
  ctest --preset "$1" -j "$(($(nproc) + 1))" # some wait for other processes
}

core() { # compiler, optimisation
  step "plain cores: $1 $2"
  local name=core-$1$2
  cmake -S . -B "build/$name" -G Ninja -DCMAKE_CXX_COMPILER="$1" -DCMAKE_CXX_FLAGS="$2" \
    -DBACKTEST_CORE_ONLY=ON -DBACKTEST_PLAIN_RUNNER_ONLY=ON -DCMAKE_UNITY_BUILD=ON \
    -DCMAKE_UNITY_BUILD_BATCH_SIZE=12 >/dev/null
  cmake --build "build/$name"
}

preset release # which is g++ -O3
core g++ -O0
core clang++-14 -O0
core clang++-14 -O3
step "plain cores: equal results"
tests/compare_builds.sh build/release build/core-g++-O0 build/core-clang++-14-O0 \
  build/core-clang++-14-O3
preset asan
