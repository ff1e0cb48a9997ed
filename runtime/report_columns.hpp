#pragma once

#include "runtime/heat_report.hpp"
#include "runtime/partial_report.hpp"
#include "runtime/performance_report.hpp"
#include "runtime/risk_report.hpp"
#include "runtime/walker_report.hpp"

#include <optional>
#include <type_traits>

namespace backtest {

/// The columns of every report table, one group per table; `Slot` says whether a group may be
/// absent.
template <template <class> class Slot>
struct column_groups {
  Slot<column_list<tick_result>> backtest;
  Slot<column_list<tick_result>> live;
  Slot<column_list<tick_result>> schedule;
  Slot<column_list<metric_statistics>> performance;
  Slot<column_list<partial_event>> partial;
  Slot<column_list<risk_event>> risk;
  Slot<column_list<heat_row>> heat;
  Slot<column_list<walker_result>> walker_strategy;
  Slot<column_list<tick_result>> walker_pnl;
};

using report_columns = column_groups<std::type_identity_t>;
/// Groups that replace the default ones, each as a whole.
using column_overrides = column_groups<std::optional>;

/// `show_notes`: `configuration::report_show_signal_note`.
report_columns default_report_columns(bool show_notes);

/// Throws `failure{invalid_configuration}` with what is wrong in any group as one numbered list.
void require_valid(const column_overrides& overrides);

/// Groups that `changes` has replace those of `overrides`.
column_overrides merged(column_overrides overrides, column_overrides changes);

/// The defaults with the overrides in their place.
report_columns columns_with(column_overrides overrides, bool show_notes);

} // namespace backtest
