#pragma once

#include <cstdint>
#include <sstream>
#include <string>

namespace backtest::benchmarks {

/// A line of /proc/self/status in KiB.
std::int64_t status_kib(const std::string& name);
inline std::int64_t resident_kib() { return status_kib("VmRSS"); }

/// Runs this program again; what it printed.
std::istringstream run_again(const std::string& arguments);

} // namespace backtest::benchmarks
