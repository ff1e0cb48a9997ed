#include "storage/store.hpp"

#include <array>
#include <iterator>

namespace backtest {

std::string_view to_string(store_space space) noexcept {
  constexpr std::array<std::string_view, store_space_count> names{"state", "journal", "candles"};
  return names[static_cast<std::size_t>(space)];
}

void store_batch::put(store_space space, std::string key, std::string value) {
  bytes_ += key.size() + value.size();
  writes_.push_back({space, std::move(key), std::move(value)});
}

void store_batch::erase(store_space space, std::string key) {
  bytes_ += key.size();
  writes_.push_back({space, std::move(key), std::nullopt});
}

void store_batch::append(store_batch&& other) {
  bytes_ += other.bytes_;
  if (writes_.capacity() == 0) // else somebody made room
    writes_ = std::move(other.writes_);
  else
    writes_.insert(writes_.end(), std::move_iterator(other.writes_.begin()),
                   std::move_iterator(other.writes_.end()));
  other.clear();
}

void store_batch::clear() noexcept {
  writes_.clear();
  bytes_ = 0;
}

void commit_if_large(store& target, store_batch& batch) {
  constexpr std::size_t large = std::size_t{8} * 1024 * 1024;
  if (batch.bytes() < large)
    return;
  target.commit(batch);
  batch.clear();
}

std::optional<std::string> end_of_prefix(std::string_view prefix) {
  std::string end{prefix};
  while (!end.empty()) {
    const auto last = static_cast<unsigned char>(end.back());
    if (last != 0xFF) {
      end.back() = static_cast<char>(last + 1);
      return end;
    }
    end.pop_back();
  }
  return std::nullopt;
}

} // namespace backtest
