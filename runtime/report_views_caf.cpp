#include "runtime/report_views.hpp"

#include "runtime/report_access.hpp"

#include <fmt/format.h>

namespace backtest {

namespace {

/// What differs from one kind of report to the next.
template <class Report>
struct kind_of;

template <>
struct kind_of<schedule_report> {
  static constexpr auto kind = report_kind::schedule;
  static constexpr auto name = "schedule";
  static constexpr auto group_name = "schedule_columns";
  static constexpr auto columns = &report_columns::schedule;
  static constexpr auto find = &report_book::find_schedule;
};
template <>
struct kind_of<performance_report> {
  static constexpr auto kind = report_kind::performance;
  static constexpr auto name = "performance";
  static constexpr auto group_name = "performance_columns";
  static constexpr auto columns = &report_columns::performance;
  static constexpr auto find = &report_book::find_performance;
};
template <>
struct kind_of<partial_report> {
  static constexpr auto kind = report_kind::partial;
  static constexpr auto name = "partial";
  static constexpr auto group_name = "partial_columns";
  static constexpr auto columns = &report_columns::partial;
  static constexpr auto find = &report_book::find_partial;
};
template <>
struct kind_of<heat_report> {
  static constexpr auto name = "heat";
  static constexpr auto group_name = "heat_columns";
  static constexpr auto columns = &report_columns::heat;
  static constexpr auto find = &report_book::find_heat;
};
template <>
struct kind_of<risk_report> {
  static constexpr auto kind = report_kind::risk;
  static constexpr auto name = "risk";
  static constexpr auto group_name = "risk_columns";
  static constexpr auto columns = &report_columns::risk;
  static constexpr auto find = &report_book::find_risk;
};

/// What a report is kept under; one of its kind that nothing was told yet.
struct run_key {
  const std::string& symbol;
  const std::string& strategy;
  run_mode mode;

  template <class Report>
  const Report* find_in(const report_book& book) const {
    return (book.*kind_of<Report>::find)(symbol, strategy, mode);
  }
  template <class Report>
  Report empty_report(const configuration& parameters) const {
    return Report{
        std::make_shared<const run_identity>(run_identity{symbol, strategy, "", "", mode}),
        parameters};
  }
};
struct heat_key {
  const std::string& strategy;
  run_mode mode;

  template <class Report>
  const Report* find_in(const report_book& book) const {
    return (book.*kind_of<Report>::find)(strategy, mode);
  }
  template <class Report>
  Report empty_report(const configuration& parameters) const {
    return Report{strategy, mode, parameters};
  }
};

template <class Report>
std::string check_may_wait(const runtime_core& core, std::string_view function) {
  auto source = fmt::format("{}.{}", kind_of<Report>::name, function);
  core.callers->require_may_wait(source, waiting_for::actors);
  return source;
}

template <class Report>
void check_names_of(const runtime_core& core, const std::string& strategy, run_mode mode,
                    std::string_view function) {
  const auto source = check_may_wait<Report>(core, function);
  check_mode(mode, source);
  check_strategy(core, strategy, source);
}

template <class Report, class Key, class Work>
auto work_on(const runtime_core& core, const Key& key, Work&& work) {
  return on_report(
      core, [&](const report_book& book) { return key.template find_in<Report>(book); },
      [&](const configuration& parameters) {
        return key.template empty_report<Report>(parameters);
      },
      work);
}

template <class Report, class Key>
auto data_of(const runtime_core& core, const Key& key) {
  check_names_of<Report>(core, key.strategy, key.mode, "get_data");
  return work_on<Report>(core, key, [](const Report& report) { return report.data(); });
}

template <class Report, class Columns>
auto chosen_columns(const runtime_core& core, const Columns& given) {
  return columns_for(core, kind_of<Report>::columns, kind_of<Report>::group_name, given);
}

template <class Report, class Key, class Columns>
std::string markdown_of(const runtime_core& core, const Key& key, const Columns& given) {
  check_names_of<Report>(core, key.strategy, key.mode, "get_report");
  const auto columns = chosen_columns<Report>(core, given);
  return work_on<Report>(core, key, [&](const Report& report) { return report.markdown(columns); });
}

template <class Report, class Key, class Columns>
std::filesystem::path dump_to(const runtime_core& core, const Key& key,
                              const std::filesystem::path& directory, const Columns& given) {
  check_names_of<Report>(core, key.strategy, key.mode, "dump");
  const auto columns = chosen_columns<Report>(core, given);
  const auto root = report_root(directory);
  return work_on<Report>(core, key,
                         [&](const Report& report) { return report.dump(root, columns); });
}

} // namespace

// -- one symbol and strategy
// ------------------------------------------------------------------------------

template <class Report, class Data, class Row>
Data report_view<Report, Data, Row>::get_data(const std::string& symbol,
                                              const std::string& strategy, run_mode mode) const {
  return data_of<Report>(core_, run_key{symbol, strategy, mode});
}

template <class Report, class Data, class Row>
std::string
report_view<Report, Data, Row>::get_report(const std::string& symbol, const std::string& strategy,
                                           run_mode mode,
                                           const std::optional<column_list<Row>>& columns) const {
  return markdown_of<Report>(core_, run_key{symbol, strategy, mode}, columns);
}

template <class Report, class Data, class Row>
std::filesystem::path
report_view<Report, Data, Row>::dump(const std::string& symbol, const std::string& strategy,
                                     run_mode mode, const std::filesystem::path& directory,
                                     const std::optional<column_list<Row>>& columns) const {
  return dump_to<Report>(core_, run_key{symbol, strategy, mode}, directory, columns);
}

template <class Report, class Data, class Row>
void report_view<Report, Data, Row>::clear(const std::string& symbol, const std::string& strategy,
                                           run_mode mode) {
  check_names_of<Report>(core_, strategy, mode, "clear");
  core_.with_reports([&](report_book& book) {
    book.clear({symbol, strategy, "", "", mode}, {kind_of<Report>::kind});
  });
}

template <class Report, class Data, class Row>
void report_view<Report, Data, Row>::clear() {
  check_may_wait<Report>(core_, "clear");
  core_.with_reports([](report_book& book) { book.clear(report_set{kind_of<Report>::kind}); });
}

template class report_view<schedule_report, schedule_report_data, tick_result>;
template class report_view<performance_report, performance_report_data, metric_statistics>;
template class report_view<partial_report, partial_report_data, partial_event>;
template class report_view<risk_report, risk_report_data, risk_event>;

// -- heat
// ---------------------------------------------------------------------------------------------------

heat_report_data heat_reports::get_data(const std::string& strategy, run_mode mode) const {
  return data_of<heat_report>(core_, heat_key{strategy, mode});
}

std::string heat_reports::get_report(const std::string& strategy, run_mode mode,
                                     const std::optional<column_list<heat_row>>& columns) const {
  return markdown_of<heat_report>(core_, heat_key{strategy, mode}, columns);
}

std::filesystem::path
heat_reports::dump(const std::string& strategy, run_mode mode,
                   const std::filesystem::path& directory,
                   const std::optional<column_list<heat_row>>& columns) const {
  return dump_to<heat_report>(core_, heat_key{strategy, mode}, directory, columns);
}

void heat_reports::clear(const std::string& strategy, run_mode mode) {
  check_names_of<heat_report>(core_, strategy, mode, "clear");
  core_.with_reports([&](report_book& book) { book.clear_heat(strategy, mode); });
}

void heat_reports::clear() {
  check_may_wait<heat_report>(core_, "clear");
  core_.with_reports([](report_book& book) { book.clear(report_set{report_kind::heat}); });
}

} // namespace backtest
