#include "runtime/report_kind.hpp"

namespace backtest {

namespace {

/// Actions on the signal topic of one mode; none when nobody needs them.
std::vector<tick_action> actions_for(report_set reports, run_mode mode) {
  const bool is_live = mode == run_mode::live;
  const bool wants_all = is_live && reports.has(report_kind::live);
  const bool wants_trades = wants_all || reports.has(report_kind::heat) ||
                            (!is_live && reports.has(report_kind::backtest));
  const bool wants_schedules = wants_all || reports.has(report_kind::schedule);
  std::vector<tick_action> actions;
  const auto add = [&](bool is_wanted, std::initializer_list<tick_action> more) {
    if (is_wanted)
      actions.insert(actions.end(), more);
  };
  add(wants_all, {tick_action::idle, tick_action::waiting, tick_action::active});
  add(wants_schedules, {tick_action::scheduled, tick_action::cancelled});
  add(wants_schedules || wants_trades, {tick_action::opened});
  add(wants_trades, {tick_action::closed});
  return actions;
}

} // namespace

std::vector<subscription> subscriptions_for(report_set reports) {
  std::vector<subscription> wanted;
  // One per mode: a live report's idle instants are no reason to tell those of backtests.
  for (const auto& [on, mode] : {std::pair(topic::signal_backtest, run_mode::backtest),
                                 std::pair(topic::signal_live, run_mode::live)})
    if (auto actions = actions_for(reports, mode); !actions.empty())
      wanted.push_back({{on}, std::move(actions), {}, {}});

  std::vector<topic> others;
  if (reports.has(report_kind::performance))
    others.push_back(topic::performance);
  if (reports.has(report_kind::partial))
    others.insert(others.end(), {topic::partial_profit, topic::partial_loss});
  if (reports.has(report_kind::risk))
    others.push_back(topic::risk);
  if (!others.empty())
    wanted.push_back({std::move(others), {}, {}, {}});
  return wanted;
}

} // namespace backtest
