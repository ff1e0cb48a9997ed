#pragma once

#include "messages/calling_place.hpp"
#include "storage/store.hpp"

#include <memory>
#include <utility>

namespace backtest {

/// A store of a user's: whatever it does, it must not wait for the runtime whose thread calls it.
class marked_store final : public store {
public:
  /// `runtime`: as in `place_mark`.
  marked_store(std::unique_ptr<store> inner, const void* runtime)
      : inner_(std::move(inner)), runtime_(runtime) {}

  std::optional<std::string> get(store_space space, std::string_view key) const override {
    const place_mark inside{calling_place::store, runtime_};
    return inner_->get(space, key);
  }
  std::vector<store_entry> scan(store_space space, std::string_view prefix, std::string_view from,
                                std::size_t limit) const override {
    const place_mark inside{calling_place::store, runtime_};
    return inner_->scan(space, prefix, from, limit);
  }
  std::optional<store_entry> last(store_space space, std::string_view prefix) const override {
    const place_mark inside{calling_place::store, runtime_};
    return inner_->last(space, prefix);
  }
  std::unique_ptr<store_reader> snapshot() const override {
    const place_mark inside{calling_place::store, runtime_};
    return inner_->snapshot();
  }
  void commit(const store_batch& batch) override {
    const place_mark inside{calling_place::store, runtime_};
    inner_->commit(batch);
  }
  void reopen() override {
    const place_mark inside{calling_place::store, runtime_};
    inner_->reopen();
  }

private:
  std::unique_ptr<store> inner_;
  const void* runtime_;
};

} // namespace backtest
