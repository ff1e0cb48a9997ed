#include "runtime/live_history.hpp"

#include "messages/event_json.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace backtest {

live_history::live_history(const std::vector<run_identity>& runs) {
  for (const auto& run : runs)
    runs_.emplace(key_of(run), closed_count{});
}

void live_history::add(const std::vector<journal_line>& lines) {
  for (const auto& line : lines)
    try {
      auto item = parse_event_line(line.text).item;
      auto* const run = run_of(item);
      if (run == nullptr)
        continue;
      const auto* tick = std::get_if<tick_result>(&item.payload);
      if (tick != nullptr && tick->action == tick_action::closed && item.on != topic::signal)
        ++run->told;
      events_.push_back(std::move(item));
    } catch (const failure&) {
      if (unreadable_++ == 0)
        first_unreadable_ = line.number;
    }
}

void live_history::expect_closed(const run_identity& run, std::int64_t count) {
  if (const auto found = runs_.find(key_of(run)); found != runs_.end())
    found->second.expected = count;
}

void live_history::give_up(std::string_view why) { given_up_ = why; }

std::optional<error> live_history::problem() const {
  constexpr std::string_view consequence = "reports and statistics of resumed runs are incomplete";
  if (!given_up_.empty())
    return error{error_code::corrupt_state,
                 fmt::format("{}: the journal cannot be read: {}", consequence, given_up_)};
  if (unreadable_ > 0)
    return error{error_code::corrupt_state,
                 fmt::format("{}: {} journal entries cannot be read, the first is number {}",
                             consequence, unreadable_, first_unreadable_)};
  std::int64_t closed = 0, missing = 0;
  for (const auto& [run, count] : runs_) {
    closed += count.expected;
    missing += std::max<std::int64_t>(0, count.expected - count.told);
  }
  if (missing > 0)
    return error{error_code::journal_truncated,
                 fmt::format("{}: {} of {} closed signals are older than the journal keeps "
                             "(journal_max_age_days, journal_max_bytes)",
                             consequence, missing, closed)};
  return std::nullopt;
}

/// Null for what no report knows what to do with, and for other runs.
live_history::closed_count* live_history::run_of(const event& item) {
  if (!std::holds_alternative<tick_result>(item.payload) &&
      !std::holds_alternative<partial_event>(item.payload) &&
      !std::holds_alternative<risk_event>(item.payload))
    return nullptr;
  const auto& told_by = identity_of(item);
  const auto found = told_by ? runs_.find(key_of(*told_by)) : runs_.end();
  return found == runs_.end() ? nullptr : &found->second;
}

} // namespace backtest
