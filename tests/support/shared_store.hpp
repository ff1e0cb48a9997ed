#pragma once

#include "storage/store.hpp"

#include <functional>
#include <memory>

namespace backtest::testing {

/// A store that outlives the runtimes that hold it, one after the other: what a data directory is to
/// processes.
class shared_store : public store {
public:
  explicit shared_store(std::shared_ptr<store> inner) : inner_(std::move(inner)) {}

  std::optional<std::string> get(store_space space, std::string_view key) const override {
    return inner_->get(space, key);
  }
  std::vector<store_entry> scan(store_space space, std::string_view prefix, std::string_view from,
                                std::size_t limit) const override {
    return inner_->scan(space, prefix, from, limit);
  }
  std::optional<store_entry> last(store_space space, std::string_view prefix) const override {
    return inner_->last(space, prefix);
  }
  std::unique_ptr<store_reader> snapshot() const override { return inner_->snapshot(); }
  void commit(const store_batch& batch) override { inner_->commit(batch); }
  void reopen() override { inner_->reopen(); }

private:
  std::shared_ptr<store> inner_;
};

} // namespace backtest::testing
