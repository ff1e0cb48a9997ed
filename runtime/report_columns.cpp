#include "runtime/report_columns.hpp"

#include "runtime/live_report.hpp"
#include "runtime/schedule_report.hpp"

namespace backtest {

namespace {

/// Calls visit(name, group...) for every group, with that group of each argument.
template <class Visitor, class... Groups>
void for_each_group(Visitor&& visit, Groups&... groups) {
  visit("backtest_columns", groups.backtest...);
  visit("live_columns", groups.live...);
  visit("schedule_columns", groups.schedule...);
  visit("performance_columns", groups.performance...);
  visit("partial_columns", groups.partial...);
  visit("risk_columns", groups.risk...);
  visit("heat_columns", groups.heat...);
  visit("walker_strategy_columns", groups.walker_strategy...);
  visit("walker_pnl_columns", groups.walker_pnl...);
}

constexpr auto take_over = [](std::string_view, auto& target, auto& changed) {
  if (changed)
    target = *std::move(changed);
};

} // namespace

report_columns default_report_columns(bool show_notes) {
  return {default_backtest_columns(show_notes),
          default_live_columns(show_notes),
          default_schedule_columns(show_notes),
          default_performance_columns(),
          default_partial_columns(),
          default_risk_columns(show_notes),
          default_heat_columns(),
          default_walker_strategy_columns(),
          default_walker_pnl_columns()};
}

void require_valid(const column_overrides& overrides) {
  std::vector<std::string> violations;
  const auto check = [&](std::string_view name, const auto& group) {
    if (!group)
      return;
    const auto found = violations_of(name, *group);
    violations.insert(violations.end(), found.begin(), found.end());
  };
  for_each_group(check, overrides);
  require_no_column_violations(violations);
}

column_overrides merged(column_overrides overrides, column_overrides changes) {
  for_each_group(take_over, overrides, changes);
  return overrides;
}

report_columns columns_with(column_overrides overrides, bool show_notes) {
  report_columns columns = default_report_columns(show_notes);
  for_each_group(take_over, columns, overrides);
  return columns;
}

} // namespace backtest
