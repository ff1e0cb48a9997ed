#!/usr/bin/env bash
# Installs the Debian packages that are missing. Does nothing, and needs no rights, when none is.
# Of redis-server the tests need the program alone; they start it themselves, beside the service.
set -euo pipefail

packages=(
  g++ clang-14 libclang-rt-14-dev llvm-14 cmake ninja-build ccache
  libcaf-dev librocksdb-dev libhiredis-dev redis-server libcurl4-openssl-dev libssl-dev
  libboost1.81-dev libboost-json1.81-dev libfmt-dev libspdlog-dev libcli11-dev zlib1g-dev libzip-dev
  doctest-dev libbenchmark-dev
)

missing=()
for package in "${packages[@]}"; do
  dpkg-query --show --showformat='${Status}\n' "$package" 2>/dev/null |
    grep -q '^install ok installed$' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

echo "installing: ${missing[*]}"
as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo)
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
