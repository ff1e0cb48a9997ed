#pragma once

#include "messages/error.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace backtest {

/// Three ordered maps from bytes to bytes: rows of runs, numbered events, packed candles.
enum class store_space : std::uint8_t { state, journal, candles };

inline constexpr std::size_t store_space_count = 3;

std::string_view to_string(store_space space) noexcept;

struct store_entry {
  std::string key;
  std::string value;

  friend bool operator==(const store_entry&, const store_entry&) = default;
};

/// One step of a batch; without a value it erases. A view: it lasts until its batch changes.
struct store_write {
  store_space space = store_space::state;
  std::string_view key;
  std::optional<std::string_view> value;

  friend bool operator==(const store_write&, const store_write&) = default;
};

/// Writes that become durable together, applied in the order they were added. A plain value, in one
/// piece of memory: thousands of small batches are made in one thread, put together in another and
/// let go in a third.
class store_batch {
public:
  class const_iterator;

  store_batch() = default;
  store_batch(const store_batch&) = default;
  store_batch& operator=(const store_batch&) = default;
  /// Leaves `other` empty.
  store_batch(store_batch&& other) noexcept
      : packed_(std::exchange(other.packed_, {})), size_(std::exchange(other.size_, 0)) {}
  store_batch& operator=(store_batch&& other) noexcept {
    packed_ = std::exchange(other.packed_, {});
    size_ = std::exchange(other.size_, 0);
    return *this;
  }

  void put(store_space space, std::string_view key, std::string_view value);
  /// A key that is not there stays absent.
  void erase(store_space space, std::string_view key);
  /// Moves the writes of `other` behind the ones here.
  void append(store_batch&& other);
  /// Makes room for that many writes of that many bytes in all.
  void reserve(std::size_t writes, std::size_t bytes);
  void clear() noexcept;

  bool empty() const noexcept { return size_ == 0; }
  std::size_t size() const noexcept { return size_; } ///< number of writes
  std::size_t bytes() const noexcept;                 ///< of all keys and values
  const_iterator begin() const noexcept;
  const_iterator end() const noexcept;

  friend bool operator==(const store_batch&, const store_batch&) = default;

private:
  void add(store_space space, std::string_view key, std::optional<std::string_view> value);

  std::string packed_; ///< every write as a head, its key and its value
  std::size_t size_ = 0;
};

/// Unpacks a write at a time; like those, it lasts until its batch changes.
class store_batch::const_iterator {
public:
  using iterator_category = std::input_iterator_tag;
  using value_type = store_write;
  using difference_type = std::ptrdiff_t;
  using pointer = void;
  using reference = store_write;

  const_iterator() = default;
  explicit const_iterator(const char* at) noexcept : at_(at) {}
  store_write operator*() const noexcept;
  const_iterator& operator++() noexcept;
  const_iterator operator++(int) noexcept {
    const auto before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const_iterator, const_iterator) = default;

private:
  const char* at_ = nullptr;
};

inline store_batch::const_iterator store_batch::begin() const noexcept {
  return const_iterator{packed_.data()};
}

inline store_batch::const_iterator store_batch::end() const noexcept {
  return const_iterator{packed_.data() + packed_.size()};
}

/// What can be read. Keys and values are any bytes, zero included; keys are ordered bytewise,
/// unsigned. Every function throws `failure(store_failed)` when the store cannot be read, and may
/// be called from any thread.
class store_reader {
public:
  store_reader() = default;
  store_reader(const store_reader&) = delete;
  store_reader& operator=(const store_reader&) = delete;
  virtual ~store_reader() = default;

  virtual std::optional<std::string> get(store_space space, std::string_view key) const = 0;

  /// At most `limit` entries, keys ascending, whose key starts with `prefix` and is not less than
  /// `from`.
  virtual std::vector<store_entry> scan(store_space space, std::string_view prefix,
                                        std::string_view from = {},
                                        std::size_t limit = SIZE_MAX) const = 0;

  /// The greatest key that starts with `prefix`.
  virtual std::optional<store_entry> last(store_space space, std::string_view prefix) const = 0;
};

/// Every function of a store and of its readers may also throw `failure(store_lost)`: it is gone for
/// good, say because another process took over the writing, and whoever writes to it ends.
inline bool may_come_back(error_code code) noexcept { return code != error_code::store_lost; }

/// What can also be written. `commit` and `reopen` are called by one thread at a time; reads and
/// snapshots from any thread, beside a commit too.
class store : public store_reader {
public:
  /// All writes of the batch or none; durable when it returns. Throws `failure(store_failed)`:
  /// the outcome is then unknown until the same batch has been committed again. An empty batch
  /// does nothing.
  virtual void commit(const store_batch& batch) = 0;

  /// After a failed commit: makes the store usable again, or throws `failure(store_failed)`. What
  /// was acknowledged is still there. Without a failure before it does nothing. Reads of other
  /// threads wait for it; snapshots taken before it may throw `failure(store_failed)` after it.
  virtual void reopen() = 0;

  /// The store as it is now: later commits do not show in it. Usable from another thread while
  /// commits go on; the store must outlive it.
  virtual std::unique_ptr<store_reader> snapshot() const = 0;
};

/// Commits and empties a batch that has grown to 8 MiB, so that long work comes in pieces; the last
/// piece is the caller's. Throws as `store::commit`.
void commit_if_large(store& target, store_batch& batch);

/// How long a reader tries to catch up with a writer that keeps replacing its files.
inline constexpr std::chrono::milliseconds usual_follower_patience = std::chrono::seconds{60};

/// Reads beside a writer in another process: shows the store as it was at the last `refresh`, or
/// later.
class store_follower : public store_reader {
public:
  /// Catches up with the writer, for as long as the patience it was opened with. By one thread at a
  /// time; throws `failure(store_failed)`.
  virtual void refresh() = 0;
};

/// The smallest key that is greater than every key with this prefix; absent when there is none
/// (the prefix is empty or all 0xff).
std::optional<std::string> end_of_prefix(std::string_view prefix);

} // namespace backtest
