#pragma once

#include "messages/event.hpp"
#include "storage/journal.hpp"

#include <optional>
#include <set>
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

  /// The rest of the journal cannot be read.
  void give_up(std::string_view why);

  /// Events that reports know what to do with, in the order of the journal.
  std::vector<event> take_events() { return std::move(events_); }
  /// What is missing, absent when nothing is.
  std::optional<std::string> problem() const;

private:
  bool concerns(const event& item) const;

  std::set<std::tuple<std::string, std::string, std::string>> runs_;
  std::vector<event> events_;
  std::size_t unreadable_ = 0; ///< entries
  std::int64_t first_unreadable_ = 0;
  std::string given_up_; ///< why; "" unless so
};

} // namespace backtest
