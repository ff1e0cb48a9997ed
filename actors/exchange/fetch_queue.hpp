#pragma once

#include "messages/time.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace backtest {

/// Whose turn it is on the threads of one exchange client. Requests of one symbol are fetched one
/// after the other, in order of arrival; a request that waits for its next attempt holds up its own
/// symbol alone. Symbols whose last fetch failed come after the others, and take half of the
/// threads at most, so that those that hang leave some for those that do not. Plain code: times are
/// of the caller's clock.
class fetch_queue {
public:
  using ticket = std::uint64_t;

  explicit fetch_queue(std::size_t threads);

  void add(ticket request, const std::string& symbol);
  /// What a free thread fetches now; nothing when none is free or nobody is due.
  std::optional<ticket> next(instant now);
  /// The symbol's fetch is over; `failed`: without candles.
  void done(const std::string& symbol, bool failed);
  /// The symbol's fetch failed for now and is tried again at `when`.
  void postpone(const std::string& symbol, instant when);

  /// The request, which is not being fetched, is not wanted any more.
  void remove(ticket request, const std::string& symbol);
  /// The request of the symbol that is fetched, or comes next.
  std::optional<ticket> first_of(const std::string& symbol) const;

  /// When somebody who waits for the next attempt is due.
  std::optional<instant> next_due() const;

private:
  struct line {
    std::deque<ticket> waiting; ///< the first is under way, or comes next
    bool ailing = false;        ///< its last fetch failed
  };

  void line_up(const std::string& symbol, const line& of);
  void leave(line& of, bool failed);

  std::size_t threads_;
  std::size_t busy_ = 0;
  std::size_t busy_with_ailing_ = 0;
  std::map<std::string, line> lines_;
  std::deque<std::string> sound_, ailing_; ///< symbols that can be fetched
  std::set<std::pair<instant, std::string>> postponed_;
};

} // namespace backtest
