#pragma once

#include "messages/event.hpp"
#include "storage/store.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace backtest {

/// One journalled event: its number, from 1 without holes, and its event line without line feed,
/// `{"seq":N,"topic":"...","event":{...}}`.
struct journal_line {
  std::int64_t number = 0;
  std::string text;

  friend bool operator==(const journal_line&, const journal_line&) = default;
};

/// What was added to a batch.
struct journal_entry {
  std::int64_t number = 0;
  std::size_t bytes = 0; ///< of key and line
};

/// First and last number that is kept; both 0 while nothing was ever journalled.
struct journal_bounds {
  std::int64_t first = 0;
  std::int64_t last = 0;

  friend bool operator==(const journal_bounds&, const journal_bounds&) = default;
};

/// Topics with events that get a number. `signal` is every signal topic at once.
const std::vector<topic>& journalled_topics();

/// Whether events of this kind get a number: scheduled, opened, closed, cancelled, milestones,
/// rejections, validation, errors, ends of runs. The rest, and `store_failed`, is announced only.
bool is_journalled(const event& item) noexcept;

/// The key of an entry in the journal's space: 20 digits.
std::string journal_key(std::int64_t number);

/// The number of such a key; throws `failure(store_failed)` for one that is none.
std::int64_t journal_number(const std::string& key);

/// What follows the number in an event's line: it can be made before the number is known.
std::string journal_text(const event& item);

/// Numbers events. A plain value: what it numbered is durable once the batch is committed; the same
/// batch is what must be retried, not the same events.
class journal_writer {
public:
  /// `last`: the newest number in the store, as `find_journal_bounds` tells.
  explicit journal_writer(std::int64_t last = 0) noexcept : last_(last) {}

  /// Gives `item` the next number and adds its entry to `batch`.
  journal_entry append(store_batch& batch, const event& item) {
    return append(batch, journal_text(item));
  }
  /// The same of the event whose `journal_text` this is.
  journal_entry append(store_batch& batch, std::string_view text);

  std::int64_t last() const noexcept { return last_; }

private:
  std::int64_t last_;
};

/// Throws `failure(store_failed)` for a key that is no number.
journal_bounds find_journal_bounds(const store_reader& from);

/// Says that `asked` is older than what is kept.
failure journal_truncation(std::int64_t asked, std::int64_t first_kept);

/// At most `limit` entries from number `first` (1 or more) on, ascending; none when `first` is
/// beyond the last. Reads a state of its own only from a snapshot or a follower.
/// Throws `failure(journal_truncated)` naming the first number kept when `first` is older,
/// `failure(store_failed)` when a number is missing in between, `failure(invalid_argument)`.
std::vector<journal_line> read_journal(const store_reader& from, std::int64_t first,
                                       std::size_t limit = SIZE_MAX);

} // namespace backtest
