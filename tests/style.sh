#!/usr/bin/env bash
# Rules a compiler does not check. Prints every line that breaks one.
set -euo pipefail
cd "$(dirname "$0")/.."
broken=0

forbid() { # what, pattern, files
  local what=$1 pattern=$2
  shift 2
  if grep -nE "$pattern" "$@"; then
    echo "style: $what" >&2
    broken=1
  fi
}

mapfile -t decided < <(git ls-files 'messages/*.[ch]pp' 'actors/*.[ch]pp')
forbid 'actors/ and messages/ take time and randomness from outside' \
  'system_clock|steady_clock::now|random_device|[^_]rand\(|clock_gettime|gettimeofday' "${decided[@]}"
forbid 'unordered containers have no order to rely on' 'unordered_(map|set|multimap)' "${decided[@]}"
forbid 'nothing in the library ends the process' '(std::|[^_.a-z])(exit|abort|terminate)\(' \
  $(git ls-files 'messages/*.cpp' 'storage/*.cpp' 'actors/*.cpp' 'runtime/*.cpp')
forbid 'tests wait for something that happens, not for time to pass' 'sleep_for|sleep_until|usleep' \
  $(git ls-files 'tests/*.cpp' 'tests/*.hpp')

# ctest would take such a name for two, and run neither.
if git ls-files 'tests/*.[ch]pp' | xargs perl -0777 -ne \
  'while (/TEST_CASE(?:_TEMPLATE)?\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+)/g) {
     my $name = $1; if ($name =~ /;/) { print "$ARGV: $name\n"; $found = 1 } }
   END { exit !$found }'; then
  echo 'style: the name of a test case must not have a semicolon' >&2
  broken=1
fi

# Includes point downwards only: messages <- storage <- actors <- runtime <- tools.
below() { # folder, folders it must not see
  local files
  mapfile -t files < <(git ls-files "$1/*.[ch]pp")
  [ ${#files[@]} -eq 0 ] || forbid "$1/ must not include $2" "#include \"($2)/" "${files[@]}"
}
below messages 'storage|actors|runtime|tools'
below storage 'actors|runtime|tools'
below actors 'runtime|tools'
below runtime 'tools'

# The one header that knows CAF's version.
mapfile -t others < <(git ls-files '*.[ch]pp' | grep -vx 'messages/caf.hpp')
forbid 'only messages/caf.hpp looks at the version of CAF' 'CAF_VERSION' "${others[@]}"

exit $broken
