#pragma once

#include "messages/error.hpp"
#include "storage/store.hpp"

#include <functional>

namespace backtest::testing {

/// A store whose commits fail when told to, for tests of what commits to it. It refuses until
/// `reopen`, as the real ones do. Not for several threads at once.
class faulty_store : public store {
public:
  /// What becomes of a commit: it works, it fails and is not there, or it fails and is there.
  enum class fate { works, lost, kept };

  /// `next` is asked about each commit that is tried, and about each reopen (`lost`: it fails).
  faulty_store(std::unique_ptr<store> inner, std::function<fate()> next)
      : inner_(std::move(inner)), next_(std::move(next)) {}

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

  void commit(const store_batch& batch) override {
    if (failed_)
      throw failure(error_code::store_failed, "faulty store: expected a reopen first");
    const auto what = next_();
    if (what != fate::lost)
      inner_->commit(batch);
    if (what == fate::works)
      return;
    failed_ = true;
    throw failure(error_code::store_failed, "faulty store: the commit failed");
  }

  void reopen() override {
    if (!failed_)
      return;
    if (next_() == fate::lost)
      throw failure(error_code::store_failed, "faulty store: it cannot be opened");
    failed_ = false;
  }

private:
  std::unique_ptr<store> inner_;
  std::function<fate()> next_;
  bool failed_ = false;
};

} // namespace backtest::testing
