#pragma once

#include "actors/client_contracts.hpp"
#include "messages/logger.hpp"
#include "runtime/run_record.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace backtest {

/// The supervisors a run resolves its clients through.
struct client_supervisors {
  strategy_supervisor strategies;
  exchange_supervisor exchanges;
  frame_supervisor frames;
  risk_supervisor risks;
  partial_supervisor partials;
  sizing_supervisor sizings;
};

struct portfolio_run {
  shared_identity identity;
  std::shared_ptr<const strategy_schema> strategy;
  signal_source_actor source; ///< null for a plain function
  std::stop_token stop;
  std::optional<stored_run> stored; ///< live: where it stood
  bool watch_only = false;          ///< live: its signal is followed to its end, nothing else
};

/// Everything a portfolio run needs, captured when it was asked for.
struct portfolio_setup {
  std::uint64_t number = 0;
  configuration parameters;
  std::shared_ptr<const exchange_schema> exchange;
  std::vector<portfolio_run> runs; ///< by strategy, then symbol, bytewise
  std::vector<std::shared_ptr<const risk_schema>> risks; ///< every profile the strategies name
  shared_sizings sizings; ///< every one there is: a source names them as it goes
  topics_actor topics;
  report_actor reports;
  client_supervisors clients;
  shared_census census;
  std::shared_ptr<portfolio_record> record;
  std::shared_ptr<stream_channel> stream; ///< null: a background run, which announces `done`
  /// A walker runs it, holds its names, and tells of its end itself. It may work ahead of its turn:
  /// nobody hears of it, nor do the reports, before `tell_portfolio`.
  bool is_walked = false;
  bool lockstep = false; ///< no run examines an instant before every other one has come to it
  std::shared_ptr<run_alarm> alarm; ///< of the walker; null else
  std::shared_ptr<const std::atomic<std::int64_t>> steady_clock; ///< milliseconds, for deadlines
  std::function<double()> stopwatch;          ///< milliseconds, for performance events
  std::function<instant()> wall_clock;
  std::function<void()> release; ///< frees the names the portfolio holds
  /// It was let go of, or the runtime ends: requested before `stop` of every run, see `run_plan`.
  std::stop_token halted;
  /// Halts it when the runtime ends.
  std::shared_ptr<std::stop_callback<std::function<void()>>> at_end;

  /// For whom these runs ask.
  awaited_by awaited(const std::vector<std::size_t>& by) const;
  awaited_by awaited_by_all() const;
};

/// Drives the runs of one portfolio from the frame's first instant to their ends.
portfolio_actor spawn_portfolio(caf::actor_system& system, const shared_census& census,
                                std::shared_ptr<const portfolio_setup> setup);

/// Sets of profiles that some strategy names together, each in order of names.
std::vector<std::vector<std::string>> connected_profiles(const std::vector<portfolio_run>& runs);

/// What a run asks for that has to examine `first` to `last`: the minutes its prices are made of,
/// and, if they can be had, a day before them that signal sources may look back at.
load_candles minutes_for_run(const std::string& symbol, instant first, instant last,
                             const configuration& parameters);
/// The same for a run over history, which also has to know whether the data ends before `last`.
load_candles history_for_run(const std::string& symbol, instant first, instant last,
                             const configuration& parameters);

/// The plan of a run over history on the candles that came of that.
run_plan plan_for(shared_identity identity, const timeline& frame, const candles_loaded& minutes,
                  trading_rules rules);

/// What a strategy client needs of a portfolio for one run, but for its plan.
std::shared_ptr<run_setup> clients_setup(const portfolio_setup& setup, std::size_t run,
                                         const exchange_actor& exchange,
                                         const loaded_series& minutes, const risk_actor& arbiter,
                                         std::size_t participant, run_plan plan,
                                         const range_consumer_actor& driver);

/// A run's bounds in time and price, for its reports.
report_run_bounds bounds_of(const shared_identity& run, instant start, instant end,
                            const candle_series& minutes);

/// Participants of the arbiter of `profiles` within a portfolio, in the order of its runs.
std::vector<risk_participant> participants_of(const portfolio_setup& setup,
                                              const std::vector<std::string>& profiles);

} // namespace backtest
