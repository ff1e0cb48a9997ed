#include "runtime/live_start.hpp"

#include "storage/quarantine.hpp"

#include <algorithm>
#include <set>
#include <tuple>

#include <fmt/format.h>

namespace backtest {

namespace {

std::string name_of(const stored_run& run) {
  return fmt::format("{} signal of {} on {} at {}",
                     run.memory.machine.state == signal_state::pending ? "pending" : "scheduled",
                     run.identity.strategy_name, run.identity.symbol, run.identity.exchange_name);
}

event told(error_code code, std::string message, shared_identity run = nullptr) {
  return {topic::error, error_event{code, std::move(message), "store", std::nullopt, std::move(run)}};
}

bool is_included(const std::vector<shared_identity>& included, const run_identity& run) {
  return std::any_of(included.begin(), included.end(), [&](const auto& item) {
    return item->exchange_name == run.exchange_name && item->strategy_name == run.strategy_name &&
           item->symbol == run.symbol;
  });
}

} // namespace

live_start prepare_live_start(
    const stored_runs& found, const std::vector<shared_identity>& included, orphan_policy policy,
    instant now,
    const std::function<std::vector<std::string>(const std::string&)>& profiles_of_strategy) {
  if (!found.mismatched.empty()) {
    std::string rows;
    for (const auto& item : found.mismatched)
      rows += fmt::format("\n  {}: {}", item.row.key, item.reason);
    throw failure(error_code::state_mismatch,
                  fmt::format("stored rows do not belong to their keys and were left untouched:{}",
                              rows));
  }
  live_start start;
  for (const auto& item : found.corrupt) {
    quarantine_row(start.rows, item.row, item.reason, now);
    start.events.push_back(told(error_code::corrupt_state,
                                fmt::format("the row {} was moved to the quarantine: {}",
                                            item.row.key, item.reason)));
  }
  for (const auto& item : found.stale_positions) {
    start.rows.erase(store_space::state, item.key);
    start.events.push_back(
        told(error_code::stale_position,
             fmt::format("a position of {} on {} in risk profile {} has no signal behind it and was "
                         "dropped",
                         item.run.strategy_name, item.run.symbol, item.profile),
             std::make_shared<const run_identity>(item.run)));
  }
  std::set<std::tuple<std::string, std::string, std::string>> dropped;
  const auto names_of = [](const run_identity& run) {
    return std::tuple{run.exchange_name, run.strategy_name, run.symbol};
  };
  std::string names;
  for (const auto& run : found.runs) {
    if (run.memory.machine.state == signal_state::idle || is_included(included, run.identity))
      continue;
    const bool elsewhere =
        !included.empty() && run.identity.exchange_name != included.front()->exchange_name;
    if (policy == orphan_policy::refuse || (policy == orphan_policy::watch && elsewhere)) {
      names += fmt::format("\n  {}{}", name_of(run),
                           policy == orphan_policy::watch ? " (another exchange: cannot be watched)" : "");
    } else if (policy == orphan_policy::watch) {
      start.orphans.push_back(run);
    } else {
      dropped.insert(names_of(run.identity));
      erase_run(start.rows, run, profiles_of_strategy(run.identity.strategy_name));
      start.events.push_back(told(error_code::orphaned_signals,
                                  fmt::format("dropped as asked: {}", name_of(run)),
                                  std::make_shared<const run_identity>(run.identity)));
    }
  }
  if (!names.empty())
    throw failure(error_code::orphaned_signals,
                  fmt::format("the store holds signals that this start does not include (watch or "
                              "drop them, or include their runs):{}",
                              names));
  for (const auto& item : found.errors) // a run that was dropped begins anew, with all its counts
    if (dropped.count(names_of(item.run)) == 0)
      start.errors.add(item.run, item.count);
  for (const auto& run : found.runs)
    if (dropped.count(names_of(run.identity)) == 0)
      start.errors.add(run.identity);
  return start;
}

} // namespace backtest
