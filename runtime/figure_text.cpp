#include "runtime/figure_text.hpp"

#include "runtime/number_text.hpp"
#include "runtime/report_text.hpp"

#include <fmt/format.h>

namespace backtest {

namespace figure_text {

std::string number1(double value) { return fixed_text(value, 1); }
std::string ratio3(double value) { return fixed_text(value, 3); }
std::string percent2(double value) { return percent_text(value, 2); }
std::string percent3(double value) { return percent_text(value, 3); }
std::string negative_percent2(double value) { return percent_text(-value, 2); }
std::string signed_percent2(double value) { return signed_percent_text(value, 2); }
std::string signed_percent3(double value) { return signed_percent_text(value, 3); }
std::string minutes1(double value) { return with_unit(fixed_text(value, 1), " min"); }

} // namespace figure_text

namespace {

bool is_there(const statistic_value& value) noexcept {
  const auto* figure = std::get_if<std::optional<double>>(&value);
  return figure == nullptr || figure->has_value();
}

bool was_measured(const trade_statistics& statistics, const statistic_member& member) noexcept {
  const auto reason = reason_unavailable(statistics, key_of(member));
  return reason != "not_measured" && reason != "not_recorded";
}

/// "63.64% (7W / 4L)", "N/A (min_trades_ratio)"; empty when the line is left out.
std::string line_value(const trade_statistics& statistics, const figure_line& line) {
  const std::string text = figure_of(statistics, line.member, line.format);
  if (!is_there(value_of(statistics, line.member)))
    return line.when == line_shown::when_measured && !was_measured(statistics, line.member) ? ""
                                                                                            : text;
  const bool is_win_rate = line.member == statistic_member(&trade_statistics::win_rate);
  return text +
         (is_win_rate ? fmt::format(" ({}W / {}L)", statistics.win_count, statistics.loss_count)
                      : "") +
         std::string(line.hint);
}

} // namespace

std::string figure_of(const trade_statistics& statistics, const statistic_member& member,
                      figure_format format) {
  const statistic_value value = value_of(statistics, member);
  if (const auto* count = std::get_if<std::int64_t>(&value))
    return fmt::format("{}", *count);
  if (const auto& figure = std::get<std::optional<double>>(value)) {
    const auto* sampled = find_sampled(statistics, key_of(member));
    return sampled == nullptr ? format(*figure)
                              : fmt::format("{} (latest {} of {} trades)", format(*figure),
                                            sampled->trades, sampled->of);
  }
  return fmt::format("{} ({})", not_available, reason_unavailable(statistics, key_of(member)));
}

std::string figure_lines(const trade_statistics& statistics, std::span<const figure_line> lines) {
  std::string block;
  for (const figure_line& line : lines)
    if (const std::string value = line_value(statistics, line); !value.empty())
      block += labelled_line(line.label, value);
  return block;
}

} // namespace backtest
