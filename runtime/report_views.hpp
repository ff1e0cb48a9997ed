#pragma once

#include "runtime/heat_report.hpp"
#include "runtime/partial_report.hpp"
#include "runtime/performance_report.hpp"
#include "runtime/report_directory.hpp"
#include "runtime/risk_report.hpp"
#include "runtime/schedule_report.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace backtest {

class runtime_core;

/// The front-end for one kind of report, by symbol, strategy and mode. Every function checks the
/// strategy's name first and throws `failure{not_found}` for an unknown one; none may be called
/// from a scheduled actor, see `runtime`. What was not enabled, or never ran, is empty.
template <class Report, class Data, class Row>
class report_view {
public:
  explicit report_view(runtime_core& core) : core_(core) {}

  Data get_data(const std::string& symbol, const std::string& strategy, run_mode mode) const;
  /// Markdown; `columns` replaces the runtime's own for this call.
  std::string get_report(const std::string& symbol, const std::string& strategy, run_mode mode,
                         const std::optional<column_list<Row>>& columns = {}) const;
  /// Writes the markdown into the kind's own folder of `directory` ("": ./dump), see
  /// runtime/report_directory.hpp, and returns the file's path; throws `failure{io_failed}`.
  std::filesystem::path dump(const std::string& symbol, const std::string& strategy, run_mode mode,
                             const std::filesystem::path& directory = default_report_directory,
                             const std::optional<column_list<Row>>& columns = {}) const;
  void clear(const std::string& symbol, const std::string& strategy, run_mode mode);
  /// Of every run.
  void clear();

private:
  runtime_core& core_;
};

using schedule_reports = report_view<schedule_report, schedule_report_data, tick_result>;
using performance_reports =
    report_view<performance_report, performance_report_data, metric_statistics>;
using partial_reports = report_view<partial_report, partial_report_data, partial_event>;
using risk_reports = report_view<risk_report, risk_report_data, risk_event>;

extern template class report_view<schedule_report, schedule_report_data, tick_result>;
extern template class report_view<performance_report, performance_report_data, metric_statistics>;
extern template class report_view<partial_report, partial_report_data, partial_event>;
extern template class report_view<risk_report, risk_report_data, risk_event>;

/// The same for heat reports: one for all symbols of a strategy.
class heat_reports {
public:
  explicit heat_reports(runtime_core& core) : core_(core) {}

  heat_report_data get_data(const std::string& strategy, run_mode mode) const;
  std::string get_report(const std::string& strategy, run_mode mode,
                         const std::optional<column_list<heat_row>>& columns = {}) const;
  std::filesystem::path dump(const std::string& strategy, run_mode mode,
                             const std::filesystem::path& directory = default_report_directory,
                             const std::optional<column_list<heat_row>>& columns = {}) const;
  void clear(const std::string& strategy, run_mode mode);
  void clear();

private:
  runtime_core& core_;
};

} // namespace backtest
