#pragma once

// Messages between the clients of a run and what drives it. They hand out whole series of candles,
// so this header is not installed: what a program or a strategy may use is in actors/contracts.hpp.

#include "actors/contracts.hpp"
#include "actors/exchange/exchange_schema.hpp"
#include "actors/strategy/quiet_run.hpp"

namespace backtest {

// -- exchange client: key (exchange, mode); has its own threads -----------------------------------------

/// Candles with since <= open time < until, and whatever else the source loaded with them. Patient:
/// waits for a source that asks for it as long as a backtest does, live too.
struct load_candles {
  std::string symbol;
  interval size = interval::m1;
  instant from = 0;
  instant until = 0;
  bool patient = false;
  std::optional<candle_extent> extent = std::nullopt; ///< absent: whole UTC days are welcome
  /// When the candles end before `until`, more are looked for up to here, to tell the end of the
  /// data from a gap.
  std::optional<instant> beyond = std::nullopt;
  awaited_by awaited = {};
};

/// `problem` is set when the source failed after its retries or delivered bad candles.
struct candles_loaded {
  loaded_series loaded;
  std::optional<error> problem;
  std::optional<error> problem_beyond = std::nullopt; ///< why it was not looked there
  bool given_up = false; ///< with a problem: nobody waited for it any more
};

/// As `ask_candles` of a market, at any instant.
struct find_candles {
  std::string symbol;
  interval size = interval::m1;
  std::int64_t limit = 0;
  instant when = 0;
  awaited_by awaited = {};
};

using exchange_actor = typed_interface<caf::result<candles_loaded>(load_candles), //
                                       caf::result<candle_list>(find_candles)>;

/// Somebody's next attempt is due, nobody waits for some request any more, or the runtime ends;
/// sent by what the client's front set up itself.
struct fetch_due {};

/// The front of a client: answers from what is held, and gives the rest to its threads.
using exchange_front_actor = typed_interface<caf::result<candles_loaded>(load_candles), //
                                             caf::result<candle_list>(find_candles),    //
                                             caf::result<void>(fetch_due)>;

/// A request and the candles of its symbol, on their way to a thread and back: whoever has the
/// message may use them.
struct fetch_job;

struct run_fetch {
  std::shared_ptr<fetch_job> job;
};

struct fetch_over {
  std::shared_ptr<fetch_job> job;
};

/// What was fetched goes where candles are kept.
struct keep_fetched {};

/// One of the threads of a client.
using exchange_worker_actor = typed_interface<caf::result<fetch_over>(run_fetch), //
                                              caf::result<void>(keep_fetched)>;

// -- their supervisors ----------------------------------------------------------------------------------------

using exchange_supervisor = supervisor_actor<exchange_key, exchange_actor>;

// -- strategy client: key (symbol, strategy, mode) ----------------------------------------------------------------

/// What a range came to; sent to the run's driver. Not an answer: CAF looks for the request of an
/// answer among all that are open, and a driver has thousands.
struct range_result {
  std::size_t run = 0;             ///< of the driver
  instant granted_until = 0;       ///< of the range
  std::vector<event> events;
  instant clock = 0;
  run_counters counters;
  std::int64_t gaps = 0;           ///< once the run is over
  minute_counts minutes;           ///< once the run is over
  absent_candles absent;           ///< the same
  std::int64_t processed = 0;      ///< generation instants behind the run
  bool over = false;
  bool cut_short = false;          ///< a stop ended it early
  std::optional<error> problem;    ///< the run failed
  store_batch rows;                ///< live: what must be durable before anybody hears of the events
  journal_texts texts;             ///< live: of the events, made while the last turn becomes durable
  std::shared_ptr<const stored_run> ended; ///< live: the run's rows once it is over
  signal_state state = signal_state::idle;
  bool has_announcements = false;  ///< live: callbacks wait for `announce_range`
  std::size_t decisions_to_announce = 0; ///< live: whose callbacks wait for `announce_decisions`
  std::optional<idle_stretch> idle;      ///< live: behind the events, for who wants no more of it
  quiet_run quiet;                       ///< live: it need not be asked for a while
};

using range_consumer_actor = typed_interface<caf::result<void>(range_result)>;

/// Everything a strategy client needs for one run.
struct run_setup {
  std::shared_ptr<const strategy_schema> strategy; ///< as it was when the run was asked for
  run_plan plan;
  loaded_series minutes;
  number_formats formats;
  exchange_actor exchange;
  risk_actor risk; ///< null when the strategy names no profile
  std::size_t participant = 0;
  partial_supervisor partial;
  sizing_supervisor sizings;
  std::uint64_t portfolio = 0;
  signal_source_actor source; ///< null for a plain function
  shared_census census;
  weak_handle<range_consumer_actor> driver; ///< hears what ranges came to
  std::size_t run = 0;                      ///< the driver's number of it
};

struct prepare_run {
  std::shared_ptr<const run_setup> setup;
};

struct run_prepared {};

/// Examine instants up to `grant.until`. The rest is for live runs: minutes that are new, what an
/// operator said, whether to end at once if the run was stopped and no signal lives, and up to where
/// (exclusive) the run was quiet and not asked.
struct advance_range {
  range_grant grant;
  std::optional<loaded_series> minutes;
  std::vector<operator_command> commands;
  bool end_if_idle = false;
  instant passed_until = 0;
};

/// Live: the last range is durable; call the strategy's callbacks. `failures`: what those of risk
/// profiles threw over the run's decisions.
struct announce_range {
  std::vector<callback_failure> failures;
};

/// Errors of callbacks.
struct range_announced {
  std::vector<event> events;
};

/// Live: others have had their turn; sent by the client to itself in the middle of a range that
/// takes long.
struct continue_range {};

/// The signal source ended; sent by the client's own watch, as a source that dies with a question
/// in hand never answers.
struct source_down {
  std::uint64_t generation = 0; ///< which source of that client
  std::string reason;
};

using strategy_actor = typed_interface<caf::result<run_prepared>(prepare_run),       //
                                       caf::result<void>(advance_range),             //
                                       caf::result<range_announced>(announce_range), //
                                       caf::result<void>(continue_range),            //
                                       caf::result<void>(source_down)>;

using strategy_supervisor = supervisor_actor<strategy_key, strategy_actor>;

// -- a run of a portfolio: drives its strategy clients through time -----------------------------------------------

struct portfolio_setup;

struct start_portfolio {};
/// A run that was started ahead of its turn may be heard of from now on.
struct tell_portfolio {};
/// Some of its runs were told to stop: they end, whoever is behind with what was told.
struct stop_portfolio {};
/// The consumer of the stream went away: ends at once.
struct abort_portfolio {};
/// The consumer of a stream wants one more element.
struct demand_element {};
/// The client of a run ended; sent by the portfolio's own watch, as a client that dies within a
/// range never answers.
struct run_client_down {
  std::size_t run = 0;
  std::string reason;
};
/// The same of an actor that several runs need.
struct shared_client_down {
  std::string what;
  std::string reason;
};

using portfolio_actor = typed_interface<caf::result<interest_noted>(interest_changed), //
                                        caf::result<void>(range_result),               //
                                        caf::result<void>(start_portfolio),            //
                                        caf::result<void>(tell_portfolio),             //
                                        caf::result<void>(stop_portfolio),             //
                                        caf::result<void>(abort_portfolio),            //
                                        caf::result<void>(demand_element),             //
                                        caf::result<void>(run_client_down),            //
                                        caf::result<void>(shared_client_down)>;

// -- a live run of a portfolio: drives its strategy clients along a clock ----------------------------------------

struct start_live_run {};
/// No new signals; what is open is followed to its end.
struct stop_live {};
/// The clock's alarm rang.
struct boundary_reached {};
/// A store that refused is tried again.
struct retry_turn {};
/// Something outside of its runs that belongs into the journal, with the next turn.
struct note_error {
  error_event problem;
};

/// Of a command that is none.
std::optional<error> problem_with(operator_command command);

using live_actor = typed_interface<caf::result<interest_noted>(interest_changed), //
                                   caf::result<void>(range_result),               //
                                   caf::result<void>(start_live_run),             //
                                   caf::result<void>(stop_live),                  //
                                   caf::result<void>(boundary_reached),           //
                                   caf::result<void>(retry_turn),                 //
                                   caf::result<void>(note_error),                 //
                                   caf::result<run_controlled>(control_run),      //
                                   caf::result<void>(abort_portfolio),            //
                                   caf::result<void>(demand_element),             //
                                   caf::result<void>(run_client_down),            //
                                   caf::result<void>(shared_client_down)>;

} // namespace backtest

#define BACKTEST_CLIENT_MESSAGES(apply)                                                            \
  apply(load_candles) apply(candles_loaded) apply(find_candles) apply(prepare_run)                 \
  apply(run_prepared) apply(advance_range) apply(range_result) apply(start_portfolio)              \
  apply(abort_portfolio) apply(demand_element) apply(continue_range) apply(source_down)            \
  apply(run_client_down) apply(shared_client_down) apply(announce_range) apply(range_announced)    \
  apply(start_live_run) apply(stop_live) apply(boundary_reached) apply(retry_turn)                 \
  apply(note_error) apply(fetch_due) apply(run_fetch) apply(fetch_over) apply(keep_fetched)        \
  apply(tell_portfolio) apply(stop_portfolio)

#define BACKTEST_ALLOW_LOCAL(type) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(backtest::type)
BACKTEST_CLIENT_MESSAGES(BACKTEST_ALLOW_LOCAL)
#undef BACKTEST_ALLOW_LOCAL

#if BACKTEST_CAF_MODERN
#define BACKTEST_TYPE_ID(type) CAF_ADD_TYPE_ID(backtest_clients, (backtest::type))
#define BACKTEST_SUPERVISOR_TYPE_IDS(client)                                                       \
  BACKTEST_TYPE_ID(resolve<backtest::client##_key>)                                                \
  BACKTEST_TYPE_ID(resolved<backtest::client##_actor>)                                             \
  BACKTEST_TYPE_ID(clear_client<backtest::client##_key>)                                           \
  BACKTEST_TYPE_ID(client_down<backtest::client##_key>)                                            \
  BACKTEST_TYPE_ID(forget_client<backtest::client##_key>)
CAF_BEGIN_TYPE_ID_BLOCK(backtest_clients, caf::first_custom_type_id + 1400)
BACKTEST_CLIENT_MESSAGES(BACKTEST_TYPE_ID)
BACKTEST_SUPERVISOR_TYPE_IDS(strategy)
BACKTEST_SUPERVISOR_TYPE_IDS(exchange)
CAF_END_TYPE_ID_BLOCK(backtest_clients)
#undef BACKTEST_SUPERVISOR_TYPE_IDS
#undef BACKTEST_TYPE_ID
#endif
