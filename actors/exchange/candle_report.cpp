#include "actors/exchange/candle_report.hpp"

#include "actors/exchange/candle_checks.hpp"
#include "actors/exchange/candle_csv.hpp"
#include "actors/exchange/candle_spacing.hpp"

#include <algorithm>
#include <span>

#include <fmt/format.h>

namespace backtest {

namespace {

candle_report count_candles(const candle_series& series) {
  candle_report report;
  report.symbol = series.symbol;
  report.size = series.size;
  report.candles = series.candles.size();
  if (series.empty())
    return report;
  report.first = series.candles.front().open_time;
  report.last = series.candles.back().open_time;
  instant expected = *report.first;
  for (const candle& item : series.candles) {
    if (item.open_time > expected) {
      const auto minutes = (item.open_time - expected) / minute_ms;
      report.gaps.push_back({expected, item.open_time, minutes});
      report.missing_minutes += minutes;
    }
    expected = item.open_time + length_of(series.size);
  }
  return report;
}

std::string counted(std::int64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

} // namespace

candle_report report_candles(const candle_series& series, const configuration& limits) {
  candle_report report = count_candles(series);
  for (std::span<const candle> rest{series.candles}; !rest.empty();) {
    const instant midnight = align_down(rest.front().open_time, day_ms) + day_ms;
    const auto day_end = std::find_if(rest.begin(), rest.end(), [midnight](const candle& item) {
      return item.open_time >= midnight;
    });
    const auto day = rest.first(static_cast<std::size_t>(day_end - rest.begin()));
    const auto tell = [&](std::size_t index, std::string_view problem) {
      report.faults.push_back(
          fmt::format("{} {}: {}", series.symbol, to_iso(day[index].open_time), problem));
    };
    if (const auto fault = check_candles(day, series.size, limits))
      tell(fault->index, fault->message);
    else if (const auto coarse = find_coarse_batch(day, series.size))
      tell(coarse->index, describe(*coarse, series.size, "day"));
    rest = rest.subspan(day.size());
  }
  return report;
}

candle_report report_candle_csv(const candle_paths& paths, const std::string& symbol,
                                const configuration& limits) {
  std::vector<std::string> faults;
  candle_report report;
  report.symbol = symbol;
  try {
    report = count_candles(scan_candle_csv(paths, symbol, limits, faults));
  } catch (const failure& problem) {
    if (problem.code() != error_code::bad_candles)
      throw;
    faults.push_back(problem.reason().message);
  }
  report.faults = std::move(faults);
  return report;
}

candle_report report_candle_csv(const std::filesystem::path& path, const configuration& limits) {
  auto report = report_candle_csv({path}, "", limits);
  report.symbol = path.filename().string();
  return report;
}

std::string to_text(const candle_report& report) {
  std::string text = fmt::format("{} {}: {}", report.symbol, to_string(report.size),
                                 counted(static_cast<std::int64_t>(report.candles), "candle"));
  if (report.first && report.last)
    text += fmt::format(", first {}, last {}", to_iso(*report.first), to_iso(*report.last));
  text += report.gaps.empty() ? std::string{"\ngaps: none\n"}
                              : fmt::format("\ngaps: {}, {} missing\n", report.gaps.size(),
                                            counted(report.missing_minutes, "minute"));
  for (const auto& gap : report.gaps)
    text += fmt::format("  from {} to {}: {}\n", to_iso(gap.since), to_iso(gap.until),
                        counted(gap.minutes, "minute"));
  text += report.faults.empty() ? std::string{"faults: none\n"}
                                : fmt::format("faults: {}\n", report.faults.size());
  for (const auto& fault : report.faults)
    text += fmt::format("  {}\n", fault);
  return text;
}

} // namespace backtest
