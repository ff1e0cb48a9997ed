#include "storage/memory_store.hpp"

#include <array>
#include <map>
#include <mutex>

namespace backtest {

namespace {

// Comparing std::string compares unsigned bytes.
using entries = std::map<std::string, std::string, std::less<>>;
using spaces = std::array<std::shared_ptr<entries>, store_space_count>;

std::size_t index_of(store_space space) noexcept { return static_cast<std::size_t>(space); }

std::optional<std::string> get_from(const entries& all, std::string_view key) {
  const auto found = all.find(key);
  return found == all.end() ? std::nullopt : std::optional{found->second};
}

std::vector<store_entry> scan_in(const entries& all, std::string_view prefix, std::string_view from,
                                 std::size_t limit) {
  std::vector<store_entry> found;
  for (auto at = all.lower_bound(std::max(prefix, from));
       at != all.end() && found.size() < limit && at->first.starts_with(prefix); ++at)
    found.push_back({at->first, at->second});
  return found;
}

std::optional<store_entry> last_in(const entries& all, std::string_view prefix) {
  const auto end = end_of_prefix(prefix);
  auto at = end ? all.lower_bound(*end) : all.end();
  if (at == all.begin() || !(--at)->first.starts_with(prefix))
    return std::nullopt;
  return store_entry{at->first, at->second};
}

/// Shares the maps with the store; neither changes a map that the other holds too.
class memory_snapshot : public store_reader {
public:
  memory_snapshot(std::mutex& mutex, const spaces& frozen) : mutex_(mutex), frozen_(frozen) {}
  ~memory_snapshot() override {
    // Under the mutex, so that a commit which finds itself the only owner sees our reads finished.
    const std::lock_guard lock{mutex_};
    frozen_ = {};
  }

  std::optional<std::string> get(store_space space, std::string_view key) const override {
    return get_from(*frozen_[index_of(space)], key);
  }
  std::vector<store_entry> scan(store_space space, std::string_view prefix, std::string_view from,
                                std::size_t limit) const override {
    return scan_in(*frozen_[index_of(space)], prefix, from, limit);
  }
  std::optional<store_entry> last(store_space space, std::string_view prefix) const override {
    return last_in(*frozen_[index_of(space)], prefix);
  }

private:
  std::mutex& mutex_;
  spaces frozen_;
};

class memory_store : public store {
public:
  memory_store() {
    for (auto& space : spaces_)
      space = std::make_shared<entries>();
  }

  std::optional<std::string> get(store_space space, std::string_view key) const override {
    const std::lock_guard lock{mutex_};
    return get_from(*spaces_[index_of(space)], key);
  }
  std::vector<store_entry> scan(store_space space, std::string_view prefix, std::string_view from,
                                std::size_t limit) const override {
    const std::lock_guard lock{mutex_};
    return scan_in(*spaces_[index_of(space)], prefix, from, limit);
  }
  std::optional<store_entry> last(store_space space, std::string_view prefix) const override {
    const std::lock_guard lock{mutex_};
    return last_in(*spaces_[index_of(space)], prefix);
  }

  void commit(const store_batch& batch) override {
    const std::lock_guard lock{mutex_};
    for (const auto& write : batch) {
      auto& space = spaces_[index_of(write.space)];
      if (space.use_count() > 1)
        space = std::make_shared<entries>(*space);
      if (write.value)
        space->insert_or_assign(std::string{write.key}, std::string{*write.value});
      else
        space->erase(std::string{write.key});
    }
  }

  void reopen() override {}

  std::unique_ptr<store_reader> snapshot() const override {
    const std::lock_guard lock{mutex_};
    return std::make_unique<memory_snapshot>(mutex_, spaces_);
  }

private:
  mutable std::mutex mutex_;
  spaces spaces_;
};

} // namespace

std::unique_ptr<store> make_memory_store() { return std::make_unique<memory_store>(); }

} // namespace backtest
