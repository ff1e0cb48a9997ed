#pragma once

#include "messages/interest.hpp"

#include <string>
#include <vector>

namespace backtest {

/// What a subscriber wants. Empty lists: every topic, action, symbol, strategy, as for a
/// `journal_filter`. Where no topic is named a tick comes once, under its own and not as `signal`.
struct subscription {
  std::vector<topic> topics;
  std::vector<tick_action> actions; ///< of the signal topics
  std::vector<std::string> symbols;
  std::vector<std::string> strategies;
  std::string name = {}; ///< the subscriber's, for people who read of it in errors
  /// Once it has owed an answer for `subscriber_patience_seconds` its subscription ends; else it is
  /// waited for.
  bool drop_when_overdue = false;
};

/// `"charts" (topics signal_backtest, error; symbols BTC)`.
std::string text_of(const subscription& wanted);

/// Throws `failure{invalid_argument}` for a topic or an action that is none.
void require_valid(const subscription& wanted);

/// A subscription made quick to test.
class subscription_filter {
public:
  explicit subscription_filter(subscription wanted);

  const subscription& wanted() const noexcept { return wanted_; }

  /// What a run of these names should build for this subscriber.
  interest interest_in(const run_identity& run) const;

  /// It lists symbols or strategies; else it is about every run.
  bool chooses_by_name() const noexcept {
    return !wanted_.symbols.empty() || !wanted_.strategies.empty();
  }

  /// A tick may then be wanted twice, under its own topic and as a signal.
  bool wants_signals() const noexcept { return topics_.has(topic::signal); }

  bool wants(const event& item) const;
  /// Of runs that are chosen by no name.
  bool wants_idle_of(run_mode mode) const;
  /// Appends an event that is wanted under every topic it is wanted under: a tick first under its
  /// own, then under `signal`.
  void deliver(event item, std::vector<event>& out) const;

private:
  bool has_signals_of(run_mode mode) const;
  bool accepts(const shared_identity& run) const;

  subscription wanted_;
  interest topics_;
  interest actions_;
};

} // namespace backtest
