#include "runtime/live_history.hpp"

#include "messages/event_json.hpp"

#include <fmt/format.h>

namespace backtest {

live_history::live_history(const std::vector<run_identity>& runs) {
  for (const auto& run : runs)
    runs_.emplace(run.exchange_name, run.strategy_name, run.symbol);
}

void live_history::add(const std::vector<journal_line>& lines) {
  for (const auto& line : lines)
    try {
      auto item = parse_event_line(line.text).item;
      if (concerns(item))
        events_.push_back(std::move(item));
    } catch (const failure&) {
      if (unreadable_++ == 0)
        first_unreadable_ = line.number;
    }
}

void live_history::give_up(std::string_view why) { given_up_ = why; }

std::optional<std::string> live_history::problem() const {
  constexpr std::string_view consequence = "reports and statistics of resumed runs are incomplete";
  if (!given_up_.empty())
    return fmt::format("{}: the journal cannot be read: {}", consequence, given_up_);
  if (unreadable_ > 0)
    return fmt::format("{}: {} journal entries cannot be read, the first is number {}", consequence,
                       unreadable_, first_unreadable_);
  return std::nullopt;
}

bool live_history::concerns(const event& item) const {
  if (!std::holds_alternative<tick_result>(item.payload) &&
      !std::holds_alternative<partial_event>(item.payload) &&
      !std::holds_alternative<risk_event>(item.payload))
    return false;
  const auto& told_by = identity_of(item);
  return told_by &&
         runs_.count({told_by->exchange_name, told_by->strategy_name, told_by->symbol}) > 0;
}

} // namespace backtest
