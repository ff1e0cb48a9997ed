#include "runtime/report_views.hpp"

#include "runtime/report_access.hpp"

#include <fmt/format.h>

namespace backtest {

namespace {

/// What differs from one kind of report to the next.
template <class Report> struct kind_of;

template <> struct kind_of<schedule_report> {
  static constexpr auto kind = report_kind::schedule;
  static constexpr auto name = "schedule";
  static constexpr auto group_name = "schedule_columns";
  static constexpr auto columns = &report_columns::schedule;
  static constexpr auto find = &report_book::find_schedule;
  static constexpr auto directory = default_schedule_report_directory;
};
template <> struct kind_of<performance_report> {
  static constexpr auto kind = report_kind::performance;
  static constexpr auto name = "performance";
  static constexpr auto group_name = "performance_columns";
  static constexpr auto columns = &report_columns::performance;
  static constexpr auto find = &report_book::find_performance;
  static constexpr auto directory = default_performance_report_directory;
};
template <> struct kind_of<partial_report> {
  static constexpr auto kind = report_kind::partial;
  static constexpr auto name = "partial";
  static constexpr auto group_name = "partial_columns";
  static constexpr auto columns = &report_columns::partial;
  static constexpr auto find = &report_book::find_partial;
  static constexpr auto directory = default_partial_report_directory;
};
template <> struct kind_of<risk_report> {
  static constexpr auto kind = report_kind::risk;
  static constexpr auto name = "risk";
  static constexpr auto group_name = "risk_columns";
  static constexpr auto columns = &report_columns::risk;
  static constexpr auto find = &report_book::find_risk;
  static constexpr auto directory = default_risk_report_directory;
};

template <class Report> std::string source_of(std::string_view function) {
  return fmt::format("{}.{}", kind_of<Report>::name, function);
}

} // namespace

// -- one symbol and strategy ------------------------------------------------------------------------------

template <class Report, class Data, class Row>
template <class Work>
auto report_view<Report, Data, Row>::work_on(const std::string& symbol, const std::string& strategy,
                                             run_mode mode, Work&& work) const {
  return on_report(
      core_,
      [&](const report_book& book) { return (book.*kind_of<Report>::find)(symbol, strategy, mode); },
      [&](const configuration& parameters) {
        return Report{std::make_shared<const run_identity>(
                          run_identity{symbol, strategy, "", "", mode}),
                      parameters};
      },
      work);
}

template <class Report, class Data, class Row>
Data report_view<Report, Data, Row>::get_data(const std::string& symbol,
                                              const std::string& strategy, run_mode mode) const {
  check_strategy(core_, strategy, source_of<Report>("get_data"));
  return work_on(symbol, strategy, mode, [](const Report& report) { return report.data(); });
}

template <class Report, class Data, class Row>
std::string
report_view<Report, Data, Row>::get_report(const std::string& symbol, const std::string& strategy,
                                           run_mode mode,
                                           const std::optional<column_list<Row>>& columns) const {
  check_strategy(core_, strategy, source_of<Report>("get_report"));
  const auto chosen =
      columns_for(core_, kind_of<Report>::columns, kind_of<Report>::group_name, columns);
  return work_on(symbol, strategy, mode,
                 [&](const Report& report) { return report.markdown(chosen); });
}

template <class Report, class Data, class Row>
std::filesystem::path
report_view<Report, Data, Row>::dump(const std::string& symbol, const std::string& strategy,
                                     run_mode mode, const std::filesystem::path& directory,
                                     const std::optional<column_list<Row>>& columns) const {
  check_strategy(core_, strategy, source_of<Report>("dump"));
  const auto chosen =
      columns_for(core_, kind_of<Report>::columns, kind_of<Report>::group_name, columns);
  const auto target =
      directory.empty() ? std::filesystem::path{kind_of<Report>::directory} : directory;
  return work_on(symbol, strategy, mode,
                 [&](const Report& report) { return report.dump(target, chosen); });
}

template <class Report, class Data, class Row>
void report_view<Report, Data, Row>::clear(const std::string& symbol, const std::string& strategy,
                                           run_mode mode) {
  check_strategy(core_, strategy, source_of<Report>("clear"));
  core_.with_reports([&](report_book& book) {
    book.clear({symbol, strategy, "", "", mode}, {kind_of<Report>::kind});
  });
}

template <class Report, class Data, class Row>
void report_view<Report, Data, Row>::clear() {
  core_.with_reports([](report_book& book) { book.clear(report_set{kind_of<Report>::kind}); });
}

template class report_view<schedule_report, schedule_report_data, tick_result>;
template class report_view<performance_report, performance_report_data, metric_statistics>;
template class report_view<partial_report, partial_report_data, partial_event>;
template class report_view<risk_report, risk_report_data, risk_event>;

// -- heat ---------------------------------------------------------------------------------------------------

template <class Work>
auto heat_reports::work_on(const std::string& strategy, run_mode mode, Work&& work) const {
  return on_report(
      core_, [&](const report_book& book) { return book.find_heat(strategy, mode); },
      [&](const configuration& parameters) { return heat_report{strategy, mode, parameters}; },
      work);
}

heat_report_data heat_reports::get_data(const std::string& strategy, run_mode mode) const {
  check_strategy(core_, strategy, "heat.get_data");
  return work_on(strategy, mode, [](const heat_report& report) { return report.data(); });
}

std::string heat_reports::get_report(const std::string& strategy, run_mode mode,
                                     const std::optional<column_list<heat_row>>& columns) const {
  check_strategy(core_, strategy, "heat.get_report");
  const auto chosen = columns_for(core_, &report_columns::heat, "heat_columns", columns);
  return work_on(strategy, mode,
                 [&](const heat_report& report) { return report.markdown(chosen); });
}

std::filesystem::path
heat_reports::dump(const std::string& strategy, run_mode mode,
                   const std::filesystem::path& directory,
                   const std::optional<column_list<heat_row>>& columns) const {
  check_strategy(core_, strategy, "heat.dump");
  const auto chosen = columns_for(core_, &report_columns::heat, "heat_columns", columns);
  return work_on(strategy, mode,
                 [&](const heat_report& report) { return report.dump(directory, chosen); });
}

void heat_reports::clear(const std::string& strategy, run_mode mode) {
  check_strategy(core_, strategy, "heat.clear");
  core_.with_reports([&](report_book& book) { book.clear_heat(strategy, mode); });
}

void heat_reports::clear() {
  core_.with_reports([](report_book& book) { book.clear(report_set{report_kind::heat}); });
}

} // namespace backtest
