#include "runtime/error_counts.hpp"

#include "storage/journal.hpp"

#include <set>

namespace backtest {

std::tuple<const std::string&, const std::string&, const std::string&>
error_counts::names_of(const run_identity& run) noexcept {
  return std::tie(run.exchange_name, run.strategy_name, run.symbol);
}

void error_counts::add(const run_identity& run, std::int64_t before) {
  counts_.try_emplace(run_names{names_of(run)}, told_errors{run, before});
}

std::vector<told_errors> error_counts::take(const std::vector<event>& told) {
  std::set<run_names> changed;
  for (const auto& item : told) {
    if (item.on != topic::error || !is_journalled(item) || !identity_of(item))
      continue;
    const auto found = counts_.find(names_of(*identity_of(item)));
    if (found == counts_.end())
      continue;
    ++found->second.count;
    changed.insert(found->first);
  }
  std::vector<told_errors> counts;
  for (const auto& names : changed)
    counts.push_back(counts_.at(names));
  return counts;
}

std::int64_t error_counts::of(const run_identity& run) const noexcept {
  const auto found = counts_.find(names_of(run));
  return found == counts_.end() ? 0 : found->second.count;
}

} // namespace backtest
