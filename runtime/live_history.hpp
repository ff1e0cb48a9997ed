#pragma once

#include "messages/error.hpp"
#include "messages/event.hpp"
#include "storage/journal.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace backtest {

/// What the reports of resumed runs are made from: what these runs told before they were
/// interrupted, as far as the journal still holds it.
class live_history {
public:
  /// Exchange, strategy and symbol of the runs that resume.
  explicit live_history(const std::vector<run_identity>& runs);

  bool is_wanted() const noexcept { return !runs_.empty(); }
  /// The journal's next entries, in order.
  void add(const std::vector<journal_line>& lines);

  /// So many signals of a run were closed, by its own count.
  void expect_closed(const run_identity& run, std::int64_t count);
  /// The rest of the journal cannot be read.
  void give_up(std::string_view why);

  /// Events that reports know what to do with, in the order of the journal.
  std::vector<event> take_events() { return std::move(events_); }
  /// What is missing, absent when nothing is: `corrupt_state` for what cannot be read,
  /// `journal_truncated` for closed signals that the journal no longer holds.
  std::optional<error> problem() const;

private:
  using key = std::tuple<std::string, std::string, std::string>; ///< exchange, strategy, symbol
  struct closed_count {
    std::int64_t expected = 0;
    std::int64_t told = 0;
  };

  static key key_of(const run_identity& run) {
    return {run.exchange_name, run.strategy_name, run.symbol};
  }
  closed_count* run_of(const event& item);

  std::map<key, closed_count> runs_;
  std::vector<event> events_;
  std::size_t unreadable_ = 0; ///< entries
  std::int64_t first_unreadable_ = 0;
  std::string given_up_; ///< why; "" unless so
};

} // namespace backtest
