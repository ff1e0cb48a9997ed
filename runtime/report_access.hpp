#pragma once

#include "runtime/report_book.hpp"
#include "runtime/report_columns.hpp"
#include "runtime/report_directory.hpp"
#include "runtime/runtime_core.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include <fmt/format.h>

namespace backtest {

/// Throws `failure{not_found}` for an unknown strategy, or one with an unknown risk profile.
inline void check_strategy(const runtime_core& core, const std::string& strategy,
                           std::string_view source) {
  core.schemas.complete_strategy(strategy, source);
}

inline void check_mode(run_mode mode, std::string_view source) {
  if (mode != run_mode::backtest && mode != run_mode::live)
    throw failure(
        error_code::invalid_argument,
        fmt::format("{}: mode must be backtest or live, got {}", source, static_cast<int>(mode)));
}

inline configuration parameters_of(const runtime_core& core) {
  const std::lock_guard lock{core.mutex};
  return core.parameters;
}

/// Works on the report that `find` finds in the book; on an empty one, made for the occasion, where
/// nothing was reported yet.
template <class Find, class Make, class Work>
auto on_report(const runtime_core& core, Find&& find, Make&& make_empty, Work&& work) {
  const auto parameters = parameters_of(core);
  std::optional<std::invoke_result_t<Work&, decltype(*find(std::declval<report_book&>()))>> result;
  core.with_reports([&](report_book& book) {
    if (const auto* report = find(book))
      result = work(*report);
    else
      result = work(make_empty(parameters));
  });
  return *std::move(result);
}

/// Of every `dump`: "" is the same as nothing.
inline std::filesystem::path report_root(const std::filesystem::path& directory) {
  return directory.empty() ? std::filesystem::path{default_report_directory} : directory;
}

/// The columns given for one call, else the runtime's.
template <class Row>
column_list<Row> columns_for(const runtime_core& core, column_list<Row> report_columns::*group,
                             std::string_view name, const std::optional<column_list<Row>>& given) {
  if (given) {
    require_valid(name, *given);
    return *given;
  }
  const std::lock_guard lock{core.mutex};
  return columns_with(core.columns, core.parameters.report_show_signal_note).*group;
}

} // namespace backtest
