#pragma once

#include "actors/topics/subscription_filter.hpp"
#include "storage/journal.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace backtest {

/// What a tap wants of the journal. Empty lists: every topic, symbol, strategy. `signal` stands for
/// `signal_live`.
struct journal_filter {
  std::vector<topic> topics;
  std::vector<std::string> symbols;
  std::vector<std::string> strategies;

  friend bool operator==(const journal_filter&, const journal_filter&) = default;
};

/// What a tap asks for.
struct tap_request {
  journal_filter wanted;
  std::optional<std::int64_t> from;     ///< the first number; absent: the first that is kept
  std::int64_t credit = 0;              ///< lines it takes before it is asked again
  bool ends = false;                    ///< with the journal as it is now, instead of going on
  std::optional<error> unreadable = {}; ///< another process sent something else

  friend bool operator==(const tap_request&, const tap_request&) = default;
};

/// Throws `failure(invalid_argument)` for a topic without numbers, listing those that have some.
void require_journalled(const std::vector<topic>& topics);
/// The same by name, also for one that is none.
topic journalled_topic(std::string_view name);
/// "signal, signal_live, ..."
std::string journalled_topic_names();

/// The most lines that may be on their way to one tap; what is granted beyond is dropped.
inline constexpr std::int64_t most_tap_credit = 10'000;

/// Lines for a tap, and the number it goes on with after them.
struct journal_piece {
  std::vector<journal_line> lines;
  std::int64_t next = 0;
};

/// One reader of the journal: where it stands, what it wants and what it may be sent. Holds no
/// events. A plain value.
class journal_tap {
public:
  /// At most these in one piece: entries looked at, lines, and (but for a single line) bytes.
  static constexpr std::size_t most_entries = 1000;
  static constexpr std::size_t most_lines = 256;
  static constexpr std::size_t most_bytes = 1 << 20;

  /// Begins within `bounds`. Throws `failure`: `invalid_argument` (topics, credit below 0, a number
  /// below 1 or behind the next one to come, an unreadable request), `journal_truncated`.
  journal_tap(tap_request wanted, journal_bounds bounds);

  /// More lines; what is below 1 is ignored.
  void grant(std::int64_t lines) noexcept;

  /// It has credit, and there are entries it has not seen in a journal that ends at `newest`.
  bool may_read(std::int64_t newest) const noexcept;
  /// Throws `failure(store_lost)` when the journal ends before what was read from it already.
  void require_still_there(const journal_bounds& bounds) const;
  /// Everything it asked for was read.
  bool is_over() const noexcept { return last_ && next_ > *last_; }
  std::int64_t next() const noexcept { return next_; }
  std::int64_t credit() const noexcept { return credit_; }

  /// The next piece, nothing when none of the entries it looked at is wanted. One without lines, as
  /// a sign of life, when many were not; it costs as much as a line.
  /// Throws as `read_journal`, and `failure(store_failed)` for an entry that is no event line.
  std::optional<journal_piece> read(const store_reader& from);

private:
  bool wants(const journal_line& line) const;

  subscription_filter filter_;
  bool wants_everything_;
  std::int64_t next_ = 1;
  std::int64_t told_ = 1; ///< the tap knows that it is past these
  std::optional<std::int64_t> last_;
  std::int64_t credit_ = 0;
};

} // namespace backtest
