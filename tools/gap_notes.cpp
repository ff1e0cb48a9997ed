#include "tools/gap_notes.hpp"

#include "runtime/terminal_text.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace backtest::tools {

namespace {

constexpr std::size_t most_ranges = 5;

std::string absence_text(const run_summary& summary) {
  const auto& [instants, until] = summary.absent;
  if (!until || instants == summary.instants)
    return fmt::format("no candles at any of its {} instants{}", summary.instants,
                       until ? ", they begin at " + to_iso(*until) : "");
  return fmt::format("no candles at the first {} of {} instants, they begin at {}", instants,
                     summary.instants, to_iso(*until));
}

/// "" when there are none.
std::string gaps_text(const std::vector<gap_range>& ranges, const absent_candles& absent) {
  std::int64_t count = 0;
  std::size_t more = 0;
  std::vector<std::string> texts;
  for (const auto& range : ranges) {
    if (absent.instants > 0 && range.last <= absent.until.value_or(range.last))
      continue; // has a line of its own
    count += range.count;
    if (texts.size() < most_ranges)
      texts.push_back(to_text(range));
    else
      ++more;
  }
  if (texts.empty())
    return {};
  return fmt::format(
      "candles missing at {} instant{}: {}{}", count, count == 1 ? "" : "s", fmt::join(texts, "; "),
      more == 0 ? "" : fmt::format("; and {} more gap{}", more, more == 1 ? "" : "s"));
}

} // namespace

void gap_notes::hear(const event& item) {
  const auto* problem = std::get_if<error_event>(&item.payload);
  if (problem == nullptr || problem->code != error_code::data_gap || !problem->run ||
      !problem->timestamp)
    return;
  gaps_.try_emplace({problem->run->strategy_name, problem->run->symbol}, step_)
      .first->second.add(*problem->timestamp);
}

std::vector<std::string> gap_notes::lines(const portfolio_outcome& outcome) const {
  std::vector<std::string> lines;
  for (const auto& [summary, statistics] : outcome.runs) {
    const auto& names = *summary.identity;
    const auto add = [&](const std::string& text) {
      lines.push_back(fmt::format("{} on {}: {}\n", printable(names.strategy_name),
                                  printable(names.symbol), text));
    };
    if (summary.absent.instants > 0)
      add(absence_text(summary));
    const auto found = gaps_.find({names.strategy_name, names.symbol});
    if (found == gaps_.end())
      continue;
    if (const auto text = gaps_text(found->second.ranges(), summary.absent); !text.empty())
      add(text);
  }
  return lines;
}

} // namespace backtest::tools
