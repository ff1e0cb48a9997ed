#include "storage/store.hpp"

#include "messages/enum_names.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace backtest {

std::string_view to_string(store_space space) noexcept {
  constexpr std::array<std::string_view, store_space_count> names{"state", "journal", "candles"};
  return name_of(names, space);
}

namespace {

constexpr std::uint64_t erases = UINT64_MAX;

/// Stands before the key and the value of a write.
struct write_head {
  std::uint64_t space = 0;
  std::uint64_t key_size = 0;
  std::uint64_t value_size = erases;

  std::size_t bytes() const noexcept { return key_size + (value_size == erases ? 0 : value_size); }
};

write_head head_at(const char* at) noexcept {
  write_head head;
  std::memcpy(&head, at, sizeof head);
  return head;
}

} // namespace

void store_batch::put(store_space space, std::string_view key, std::string_view value) {
  add(space, key, value);
}

void store_batch::erase(store_space space, std::string_view key) { add(space, key, std::nullopt); }

void store_batch::add(store_space space, std::string_view key,
                      std::optional<std::string_view> value) {
  const write_head head{static_cast<std::uint64_t>(space), key.size(),
                        value ? value->size() : erases};
  const std::size_t needed = packed_.size() + sizeof head + head.bytes();
  if (needed > packed_.capacity()) // a single write takes what it needs and no more
    packed_.reserve(packed_.empty() ? needed : std::max(needed, 2 * packed_.capacity()));
  packed_.append(reinterpret_cast<const char*>(&head), sizeof head);
  packed_.append(key);
  packed_.append(value.value_or(std::string_view{}));
  ++size_;
}

void store_batch::append(store_batch&& other) {
  if (packed_.empty() && packed_.capacity() < other.packed_.size()) // else somebody made room
    packed_.swap(other.packed_);
  else
    packed_.append(other.packed_);
  size_ += other.size_;
  other.clear();
}

void store_batch::reserve(std::size_t writes, std::size_t bytes) {
  packed_.reserve(writes * sizeof(write_head) + bytes);
}

void store_batch::clear() noexcept {
  packed_.clear();
  size_ = 0;
}

std::size_t store_batch::bytes() const noexcept {
  return packed_.size() - size_ * sizeof(write_head);
}

store_write store_batch::const_iterator::operator*() const noexcept {
  const auto head = head_at(at_);
  const char* key = at_ + sizeof head;
  store_write write{static_cast<store_space>(head.space), {key, head.key_size}, std::nullopt};
  if (head.value_size != erases)
    write.value.emplace(key + head.key_size, head.value_size);
  return write;
}

store_batch::const_iterator& store_batch::const_iterator::operator++() noexcept {
  const auto head = head_at(at_);
  at_ += sizeof head + head.bytes();
  return *this;
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
