#pragma once

#include "runtime/error_counts.hpp"
#include "runtime/live_clock.hpp"
#include "runtime/portfolio.hpp"

#include <functional>

namespace backtest {

/// Everything a live portfolio needs beside what every portfolio needs.
struct live_setup {
  std::shared_ptr<const portfolio_setup> portfolio;
  store_actor store;
  std::shared_ptr<live_clock> clock;
  std::shared_ptr<live_clock> retry_clock; ///< real time, to wait for a store that refuses
  std::string frame_name;                  ///< replay: first and last instant and the generation instants
  std::optional<instant> until;            ///< the last instant at which signals are generated
  /// What start found out about the store, made durable with the first turn.
  store_batch first_rows;
  std::vector<event> first_events;
  /// What the store says the runs have told before.
  error_counts errors;
  /// What resumed runs told before they were interrupted, for their reports.
  std::vector<event> told_before;
  /// Tells people what is no error; called in the driver's thread.
  std::function<void(const std::string&)> note = [](const std::string&) {};
};

/// Drives the runs of one live portfolio along its clock until they are over.
live_actor spawn_live(caf::actor_system& system, const shared_census& census,
                      std::shared_ptr<const live_setup> setup);

} // namespace backtest
