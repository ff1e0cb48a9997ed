#pragma once

#include "actors/strategy/run_rows.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

namespace backtest {

/// Counts the error events that are told with the names of each run: what `errors` means wherever
/// it is shown. It hears of them where they are handed on, so those of the strategy, of its
/// callbacks and of whoever drives the run count alike. `store_failed` belongs to no run and is not
/// counted. A plain value.
class error_counts {
public:
  /// Events of that run count from now on, beginning with `before`. A run that is known stays as it
  /// is.
  void add(const run_identity& run, std::int64_t before = 0);
  /// What is told next; gives the runs whose counts changed, by exchange, strategy, symbol.
  std::vector<told_errors> take(const std::vector<event>& told);
  /// 0 for a run that was not added.
  std::int64_t of(const run_identity& run) const noexcept;

private:
  using run_names = std::tuple<std::string, std::string, std::string>;

  static std::tuple<const std::string&, const std::string&, const std::string&>
  names_of(const run_identity& run) noexcept;

  std::map<run_names, told_errors, std::less<>> counts_;
};

} // namespace backtest
