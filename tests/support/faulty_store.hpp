#pragma once

#include "messages/error.hpp"
#include "tests/support/shared_store.hpp"

#include <functional>

namespace backtest::testing {

/// A store whose commits fail when told to, for tests of what commits to it. It refuses until
/// `reopen`, as the real ones do. Not for several threads at once.
class faulty_store : public shared_store {
public:
  /// What becomes of a commit: it works, it fails and is not there, or it fails and is there.
  enum class fate { works, lost, kept };

  /// `next` is asked about each commit that is tried, and about each reopen (`lost`: it fails).
  faulty_store(std::unique_ptr<store> inner, std::function<fate()> next)
      : shared_store(std::move(inner)), next_(std::move(next)) {}

  void commit(const store_batch& batch) override {
    if (failed_)
      throw failure(error_code::store_failed, "faulty store: expected a reopen first");
    const auto what = next_();
    if (what != fate::lost)
      shared_store::commit(batch);
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
  std::function<fate()> next_;
  bool failed_ = false;
};

} // namespace backtest::testing
