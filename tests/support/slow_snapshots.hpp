#pragma once

#include "tests/support/shared_store.hpp"

#include <functional>
#include <memory>
#include <utility>

namespace backtest::testing {

/// A store whose snapshots call `before_read` before each scan of the journal: to hold the reader up,
/// or to throw as one that cannot be read.
class slow_snapshots : public shared_store {
public:
  slow_snapshots(std::shared_ptr<store> inner, std::function<void()> before_read)
      : shared_store(std::move(inner)), before_read_(std::move(before_read)) {}

  std::unique_ptr<store_reader> snapshot() const override {
    return std::make_unique<slow_reader>(shared_store::snapshot(), before_read_);
  }

private:
  class slow_reader : public store_reader {
  public:
    slow_reader(std::unique_ptr<store_reader> inner, const std::function<void()>& before_read)
        : inner_(std::move(inner)), before_read_(before_read) {}

    std::optional<std::string> get(store_space space, std::string_view key) const override {
      return inner_->get(space, key);
    }
    std::vector<store_entry> scan(store_space space, std::string_view prefix, std::string_view from,
                                  std::size_t limit) const override {
      if (space == store_space::journal)
        before_read_();
      return inner_->scan(space, prefix, from, limit);
    }
    std::optional<store_entry> last(store_space space, std::string_view prefix) const override {
      return inner_->last(space, prefix);
    }

  private:
    std::unique_ptr<store_reader> inner_;
    const std::function<void()>& before_read_;
  };

  std::function<void()> before_read_;
};

} // namespace backtest::testing
