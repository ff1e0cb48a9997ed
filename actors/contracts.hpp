#pragma once

// The map of the system: what programs, signal sources, subscribers and taps say to it, and its own
// actors to each other. What clients of a run and its drivers say to each other, which includes whole
// series of candles, is in actors/client_contracts.hpp.

#include "actors/exchange/awaited_by.hpp"
#include "actors/frame/timeline.hpp"
#include "actors/publisher/journal_tap.hpp"
#include "actors/publisher/run_control.hpp"
#include "actors/risk/risk_arbiter.hpp"
#include "actors/runtime/run_requests.hpp"
#include "actors/runtime/run_status.hpp"
#include "actors/topics/listener_gate.hpp"
#include "actors/topics/subscription_filter.hpp"
#include "messages/caf.hpp"
#include "messages/candle.hpp"
#include "messages/configuration.hpp"
#include "messages/idle_stretch.hpp"
#include "messages/interest.hpp"
#include "messages/position_size.hpp"
#include "messages/trade_statistics.hpp"
#include "storage/group_commit.hpp"

#include <chrono>
#include <functional>
#include <stop_token>
#include <tuple>

namespace backtest {

// -- frame client: key (frame) ---------------------------------------------------------------------------

struct ask_timeline {
  awaited_by awaited = {}; ///< nobody: the schema's callback is not called
};

struct frame_timeline {
  timeline instants;
  std::optional<error> problem;
  std::optional<error> callback_problem; ///< the schema's callback threw; the instants are good
};

using frame_actor = typed_interface<caf::result<frame_timeline>(ask_timeline)>;

// -- risk client: one arbiter per set of profiles that strategies name together, per portfolio or mode ------

/// `ends`: when its positions ended since it spoke last.
struct ask_risk_arbiter {
  std::size_t participant = 0;
  std::vector<instant> ends;
  risk_query query;
};

/// The participant asks and ends nothing before `clock` any more.
struct clock_promise {
  std::size_t participant = 0;
  std::vector<instant> ends;
  instant clock = 0;
};

/// Live: a position that was open when the node went down.
struct hold_position {
  std::size_t participant = 0;
  active_position position;
};

/// Live: the others go on to `clock` without a participant that is late; its positions still count.
/// Of no effect on one that waits for an answer.
struct go_on_without {
  std::size_t participant = 0;
  instant clock = 0;
};

/// Live: decisions that are durable now; the callbacks that wait for them are called, in the order
/// in which risk decided.
struct announce_decisions {
  std::vector<durable_decisions> of;
};

struct decisions_announced {
  std::vector<callback_failure> failures;
};

using risk_actor = typed_interface<caf::result<risk_verdict>(ask_risk_arbiter),          //
                                   caf::result<void>(clock_promise),                     //
                                   caf::result<void>(hold_position),                     //
                                   caf::result<void>(go_on_without),                     //
                                   caf::result<decisions_announced>(announce_decisions)>;

// -- partial client: key (signal id, mode); lives as long as its signal --------------------------------------

struct reach_milestones {
  milestone_side side = milestone_side::profit;
  int crossed = 0; ///< whole tens of percent, 1..10
};

struct milestones_reached {
  std::vector<int> levels; ///< new ones, ascending
};

using partial_actor = typed_interface<caf::result<milestones_reached>(reach_milestones)>;

// -- sizing client: key (sizing) ------------------------------------------------------------------------------

struct ask_position_size {
  std::string symbol;
  size_request request;
};

/// `problem`: another method than the sizing's, or inputs out of range.
struct sized_position {
  double quantity = 0; ///< base units; 0: do not open
  std::optional<error> problem;
};

using sizing_actor = typed_interface<caf::result<sized_position>(ask_position_size)>;

// -- supervisors: cached clients, one per key ------------------------------------------------------------------

struct strategy_key {
  std::string symbol;
  std::string strategy_name;
  run_mode mode = run_mode::backtest;
  friend auto operator<=>(const strategy_key&, const strategy_key&) = default;
};

struct exchange_key {
  std::string exchange_name;
  run_mode mode = run_mode::backtest;
  friend auto operator<=>(const exchange_key&, const exchange_key&) = default;
};

struct frame_key {
  std::string frame_name;
  friend auto operator<=>(const frame_key&, const frame_key&) = default;
};

/// `portfolio`: 0 in live, else the number of the backtest whose positions these are.
struct risk_key {
  std::vector<std::string> profiles;
  run_mode mode = run_mode::backtest;
  std::uint64_t portfolio = 0;
  friend auto operator<=>(const risk_key&, const risk_key&) = default;
};

struct partial_key {
  std::string strategy_name;
  std::string symbol;
  std::string signal_id; ///< a user's own ids may repeat across strategies and symbols
  run_mode mode = run_mode::backtest;
  std::uint64_t portfolio = 0;
  friend auto operator<=>(const partial_key&, const partial_key&) = default;
};

struct sizing_key {
  std::string sizing_name;
  friend auto operator<=>(const sizing_key&, const sizing_key&) = default;
};

/// The cached client of `key`, spawned when there is none.
template <class Key> struct resolve {
  Key key;
};

/// Null handle: `problem` says why there is no client.
template <class Interface> struct resolved {
  Interface client;
  std::optional<error> problem;
};

/// Forget the client of `key` and end it.
template <class Key> struct clear_client {
  Key key;
};

/// Forget and end every client.
struct clear_all {};

/// Forget the client of `key`: the next `resolve` spawns a fresh one, and whoever holds the old one
/// may go on with it; it ends once nobody does.
template <class Key> struct forget_client {
  Key key;
};

/// The same for every client.
struct forget_all {};

/// A client ended; sent by the supervisor's own watch.
template <class Key> struct client_down {
  Key key;
  std::uint64_t generation = 0; ///< which spawn of that key
  std::string reason;           ///< "" when it was asked to end
};

struct ask_client_count {};
struct client_count {
  std::size_t count = 0;
};

template <class Key, class Interface>
using supervisor_actor = typed_interface<caf::result<resolved<Interface>>(resolve<Key>), //
                                         caf::result<void>(clear_client<Key>),           //
                                         caf::result<void>(clear_all),                   //
                                         caf::result<void>(forget_client<Key>),          //
                                         caf::result<void>(forget_all),                  //
                                         caf::result<void>(client_down<Key>),            //
                                         caf::result<client_count>(ask_client_count)>;

using frame_supervisor = supervisor_actor<frame_key, frame_actor>;
using risk_supervisor = supervisor_actor<risk_key, risk_actor>;
using partial_supervisor = supervisor_actor<partial_key, partial_actor>;
using sizing_supervisor = supervisor_actor<sizing_key, sizing_actor>;

// -- signal sources that are actors ---------------------------------------------------------------------------

/// Exactly `limit` candles, oldest first, the newest closed at `when` (aligned to the interval);
/// any symbol of the exchange. `problem`: `data_gap` where some are missing, `invalid_argument` for a
/// limit below 1, an interval above 1d, or a `when` behind the instant of the question, `not_found`.
struct ask_candles {
  std::string symbol;
  interval size = interval::m1;
  std::int64_t limit = 0;
  instant when = 0;
};

struct candle_list {
  std::vector<candle> candles; ///< behind them stand some whose every figure is not a number
  std::optional<error> problem;
};

/// The market up to the instant one question was asked at. Ends with the question: once it is
/// answered, or was not in time.
using market_actor = typed_interface<caf::result<candle_list>(ask_candles)>;

/// Asked with the generation deadline as time-out.
struct generate_signal {
  run_identity run;
  instant when = 0;
  market_actor market;
  sizing_supervisor sizings;
};

struct generated_signal {
  std::optional<signal_request> request; ///< nothing: no signal
  std::optional<error> problem;          ///< the source failed
  std::vector<std::string> callback_errors = {}; ///< what callbacks of sizings threw meanwhile
};

using signal_source_actor = typed_interface<caf::result<generated_signal>(generate_signal)>;

/// What a function that may block came to; sent by its thread to its actor.
struct signal_made {
  generated_signal answer;
};

using blocking_source_actor = typed_interface<caf::result<generated_signal>(generate_signal), //
                                              caf::result<void>(signal_made)>;

// -- store: its own thread; the commits of one turn of its mailbox become one synced batch -------------------

/// Rows and events that become durable together; journalled events get numbers. After a problem the
/// same ticket is sent again, without rows and texts, until it is answered without one.
struct commit_turn {
  std::uint64_t ticket = 0;
  store_batch rows;
  shared_events events;
  journal_texts texts = {};
};

struct turn_committed {
  std::int64_t first_number = 0; ///< of its journalled events; 0 when there are none
  std::optional<error> problem;  ///< nothing may be announced; the outcome is unknown
};

/// The end of a turn; sent by the store actor to itself.
struct flush_commits {};

/// Works on the store inside its actor; what it throws comes back.
struct ask_store {
  std::function<void(store&)> work;
};

struct store_answer {
  std::optional<error> problem;
};

/// Works on the store as it is now, on a thread that commits nothing: no commit waits for it. What
/// it throws comes back.
struct read_snapshot {
  std::function<void(const store_reader&)> work;
};

using snapshot_reader_actor = typed_interface<caf::result<store_answer>(read_snapshot)>;

/// The journal has new numbers, which are durable. The next one is sent once this one was noted, so
/// a busy watcher hears of many commits at once.
struct journal_grown {};
struct growth_noted {};

using journal_watcher_actor = typed_interface<caf::result<growth_noted>(journal_grown)>;

/// Tells `watcher` from now on, until it ends.
struct watch_journal {
  weak_handle<journal_watcher_actor> watcher;
};

using store_actor = typed_interface<caf::result<turn_committed>(commit_turn), //
                                    caf::result<void>(flush_commits),         //
                                    caf::result<store_answer>(ask_store),     //
                                    caf::result<void>(watch_journal)>;

// -- topics: one bus, so that a run's events keep their order across topics --------------------------------------

/// Events in order, behind them where idle runs have come to; the answer is the credit for the next
/// batch.
struct event_batch {
  std::vector<event> events;
  shared_idle_stretches idle = {};
};

struct batch_done {};

using subscriber_actor = typed_interface<caf::result<batch_done>(event_batch)>;

using subscription_id = std::uint64_t;

/// `built_in`: publishers wait until this subscriber has applied what they published, and of a live
/// run's idle ticks it gets the newest of each stretch, as an `idle_stretch` if nobody wants them all.
/// It names no symbols and no strategies. `gate`: of a listener of ours; says how far it is within a
/// batch, and is closed when it is dropped.
struct subscribe {
  subscription wanted;
  subscriber_actor subscriber;
  bool built_in = false;
  std::shared_ptr<listener_gate> gate = nullptr;
};

/// From which instant on a running run tells the new subscriber.
struct effective_from {
  run_identity run;
  instant from = 0;
};

struct subscribed {
  subscription_id id = 0;
  std::vector<effective_from> runs;
};

struct unsubscribe {
  subscription_id id = 0;
};

/// A subscriber ended; sent by the bus's own watch.
struct subscriber_gone {
  subscription_id id = 0;
  std::string problem; ///< "" when somebody wanted it
};

/// How long a subscriber may owe an answer before it is told of; 0: for ever.
struct set_patience {
  std::chrono::seconds of_subscribers{0};
};

/// Somebody owes an answer; sent by the bus to itself.
struct look_at_subscribers {};

/// Events of one producer, in its order. Answered once every built-in subscriber has applied them
/// and nobody who got some of them is further behind than the high-water mark; one that is empty, or
/// does not wait for room, waits only for the former.
struct publish {
  std::vector<event> events;
  std::vector<idle_stretch> idle = {}; ///< live: behind the events
  bool waits_for_room = true;
};

struct published {};

/// The sender was told to end: what it published by now waits for no room any more.
struct forgo_room {};

/// Where live events are kept for subscribers that fall far behind.
struct use_journal {
  snapshot_reader_actor reader;
};

/// Answered once every subscriber is done with everything published before.
struct flush_topics {};
struct topics_flushed {};

/// Masks per run of the asking producer, in its order.
struct interest_list {
  std::vector<interest> masks;
};

/// The bus tells a producer that somebody came or went; the answer says from when that counts.
struct interest_changed {
  std::vector<interest> masks;
};

struct interest_noted {
  std::vector<effective_from> runs;
};

using producer_actor = typed_interface<caf::result<interest_noted>(interest_changed)>;

struct register_producer {
  producer_actor producer;
  std::vector<shared_identity> runs;
};

struct deregister_producer {
  producer_actor producer;
};

using topics_actor = typed_interface<caf::result<subscribed>(subscribe),             //
                                     caf::result<void>(unsubscribe),                 //
                                     caf::result<void>(subscriber_gone),             //
                                     caf::result<void>(set_patience),                //
                                     caf::result<void>(look_at_subscribers),         //
                                     caf::result<void>(use_journal),                 //
                                     caf::result<published>(publish),                //
                                     caf::result<void>(forgo_room),                  //
                                     caf::result<topics_flushed>(flush_topics),      //
                                     caf::result<interest_list>(register_producer),  //
                                     caf::result<void>(deregister_producer)>;

/// The callback of a listener threw; sent by the listener's thread to its actor.
struct listener_threw {
  event complaint;
};
/// The thread is done with the oldest batch; the same.
struct batch_heard {};

using listener_actor = typed_interface<caf::result<batch_done>(event_batch), //
                                       caf::result<void>(listener_threw),    //
                                       caf::result<void>(batch_heard)>;

// -- reports: one built-in subscriber keeps them all ------------------------------------------------------------------

/// Facts of a run that no event carries, told before the run's first event; also clears the run's
/// reports, as every start does.
struct report_run_facts {
  shared_identity run;
  configuration parameters;
};

/// Facts known once the candles are loaded.
struct report_run_bounds {
  shared_identity run;
  instant start = 0;
  instant end = 0;
  std::optional<double> first_close;
  std::optional<double> last_close;
};

/// Works on the reports inside their actor; what it returns is up to the caller.
struct ask_report {
  std::function<void(class report_book&)> work;
};

struct report_answer {};

struct clear_report {
  shared_identity run; ///< null: everything
};

using report_actor = typed_interface<caf::result<batch_done>(event_batch),       //
                                     caf::result<report_answer>(report_run_facts), //
                                     caf::result<report_answer>(report_run_bounds), //
                                     caf::result<report_answer>(ask_report),     //
                                     caf::result<void>(clear_report)>;

// -- publisher: the journal for taps and the runs for operators, also those of other processes ------------------
//
// A tap is an actor of yours. It sends `follow_journal` to the node (see runtime/network.hpp for how
// to find one) and monitors it; the node monitors the tap. Lines come in `journal_batch`es, each line
// once and in the order of numbers, never more than there is credit for: grant as many as you are done
// with. A tap without credit costs the node nothing and misses nothing, short of the journal's
// retention. When the node goes away, follow again from the `next` of the last batch.
//
// What crosses to other processes is text: JSON, of batches JSON lines. Members may be added; whatever
// else changes gets a new name, and CAF's check of interfaces then refuses the connection. A question
// or an answer whose text is something else arrives with a problem that says why; the other messages
// do not arrive, and CAF is told why.

using tap_id = std::uint64_t;

/// `next`: the number to follow from after these lines. Without lines: there was nothing for you up
/// to there; such a batch costs a credit too.
struct journal_batch {
  tap_id id = 0;
  std::int64_t next = 1;
  std::vector<journal_line> lines;

  friend bool operator==(const journal_batch&, const journal_batch&) = default;
};

/// Nothing more comes: the end that was asked for, or a problem - `journal_truncated`, `store_failed`.
struct journal_ended {
  tap_id id = 0;
  std::int64_t next = 1;
  std::optional<error> problem;

  friend bool operator==(const journal_ended&, const journal_ended&) = default;
};

using tap_actor = typed_interface<caf::result<void>(journal_batch), //
                                  caf::result<void>(journal_ended)>;

struct follow_journal {
  tap_actor tap;
  tap_request request;
};

/// With a problem - `invalid_argument`, `journal_truncated`, `store_failed` - nothing comes.
struct journal_followed {
  tap_id id = 0;
  journal_bounds bounds; ///< as they are now
  std::optional<error> problem;

  friend bool operator==(const journal_followed&, const journal_followed&) = default;
};

/// Lines a tap takes beyond those granted before; at most `most_tap_credit` together.
struct grant_credit {
  tap_id id = 0;
  std::int64_t lines = 0;

  friend bool operator==(const grant_credit&, const grant_credit&) = default;
};

/// What is on its way still comes.
struct unfollow_journal {
  tap_id id = 0;

  friend bool operator==(const unfollow_journal&, const unfollow_journal&) = default;
};

/// What a node offers.
using node_actor = typed_interface<caf::result<journal_followed>(follow_journal), //
                                   caf::result<void>(grant_credit),               //
                                   caf::result<void>(unfollow_journal),           //
                                   caf::result<run_controlled>(control_run)>;

/// Entries wait for taps with credit; sent by the publisher to itself.
struct read_journal_on {};

/// A tap ended; sent by the publisher's own watch.
struct tap_gone {
  tap_id id = 0;
};

using publisher_actor = typed_interface<caf::result<journal_followed>(follow_journal), //
                                        caf::result<void>(grant_credit),               //
                                        caf::result<void>(unfollow_journal),           //
                                        caf::result<run_controlled>(control_run),      //
                                        caf::result<growth_noted>(journal_grown),      //
                                        caf::result<void>(read_journal_on),            //
                                        caf::result<void>(tap_gone)>;

// -- runtime: its facade as messages, for actors, which must not block -------------------------------------------
//
// `runtime::actor()` answers them; it lives as long as the runtime. An answer has a `problem` where
// the function of the facade would throw `failure`. A caf::error comes in place of an answer when
// the runtime ends. None of them keeps a thread of the scheduler waiting, and a question that waits
// for a run or for an operator's command holds up no other.

enum class report_kind : std::uint8_t;
struct backtest_report_data;
struct walker_report_data;
class walk;

/// `walker`: the walker's name stands for the strategy.
enum class run_kind : std::uint8_t { backtest, live, walker };

/// Starts at once, as `background` of the facade.
struct begin_backtest {
  backtest_request request;
};
struct begin_live {
  live_request request;
};
struct begin_walker {
  std::string symbol;
  std::string walker_name;
};

struct run_begun {
  std::uint64_t id = 0;
  std::optional<error> problem;
};

/// The same, answered when the run is over.
struct run_backtest {
  backtest_request request;
};
struct run_walker {
  std::string symbol;
  std::string walker_name;
};
/// Answered when the latest run is over that this one belongs to, at once when it is.
struct await_run {
  run_kind kind = run_kind::backtest;
  std::string symbol;
  std::string name;
};

/// By strategy, then symbol; of a walker, its backtests in their order. A run that failed has its
/// problem in its summary.
struct run_ended {
  std::uint64_t id = 0;
  std::vector<run_summary> summaries;
  std::optional<error> problem;
};

/// As `stop` of the facade: answered at once, and no problem when it does not run.
struct stop_run {
  run_kind kind = run_kind::backtest;
  std::string symbol;
  std::string name;
};
struct run_stop_told {
  std::optional<error> problem;
};

/// The latest run of every symbol and name, by start.
struct ask_runs {
  run_kind kind = run_kind::backtest;
};
struct run_list {
  std::vector<run_status> runs;
  std::optional<error> problem;
};
struct ask_run_status {
  run_kind kind = run_kind::backtest;
  std::string symbol;
  std::string name;
};
struct run_status_told {
  run_status status;
  std::optional<error> problem;
};

/// Markdown with the runtime's columns. Reports of backtests and live runs ignore `mode`, heat
/// reports the symbol.
struct ask_report_text {
  report_kind kind{};
  std::string symbol;
  std::string strategy_name;
  run_mode mode = run_mode::backtest;
};
struct ask_walker_text {
  std::string symbol;
  std::string walker_name;
};
struct report_text {
  std::string markdown;
  std::optional<error> problem;
};

struct ask_backtest_data {
  std::string symbol;
  std::string strategy_name;
};
struct backtest_data {
  std::shared_ptr<const backtest_report_data> data; ///< null: `problem` says why
  std::optional<error> problem;
};
struct ask_walker_data {
  std::string symbol;
  std::string walker_name;
};
struct walker_data {
  std::shared_ptr<const walker_report_data> data; ///< null: `problem` says why
  std::optional<error> problem;
};
struct ask_run_statistics {
  std::string symbol;
  std::string strategy_name;
  run_mode mode = run_mode::backtest;
};
struct run_statistics {
  trade_statistics statistics;
  std::optional<error> problem;
};

/// Quantity by a registered sizing.
struct size_position {
  std::string sizing_name;
  std::string symbol;
  size_request request;
};

/// `control_run` as above, answered once it is durable.
using runtime_actor = typed_interface<caf::result<run_begun>(begin_backtest),          //
                                      caf::result<run_begun>(begin_live),              //
                                      caf::result<run_begun>(begin_walker),            //
                                      caf::result<run_ended>(run_backtest),            //
                                      caf::result<run_ended>(run_walker),              //
                                      caf::result<run_ended>(await_run),               //
                                      caf::result<run_stop_told>(stop_run),            //
                                      caf::result<run_list>(ask_runs),                 //
                                      caf::result<run_status_told>(ask_run_status),    //
                                      caf::result<report_text>(ask_report_text),       //
                                      caf::result<report_text>(ask_walker_text),       //
                                      caf::result<backtest_data>(ask_backtest_data),   //
                                      caf::result<walker_data>(ask_walker_data),       //
                                      caf::result<run_statistics>(ask_run_statistics), //
                                      caf::result<run_controlled>(control_run),        //
                                      caf::result<sized_position>(size_position)>;

/// A run that somebody awaits is over; sent by its record.
struct run_over {
  std::uint64_t number = 0; ///< of the question
};

/// The runtime ends: whoever waits for an answer is told.
struct end_facade {};

/// Answers what needs no wait, and gives the rest to its threads.
using runtime_front_actor = typed_interface<caf::result<run_begun>(begin_backtest),          //
                                            caf::result<run_begun>(begin_live),              //
                                            caf::result<run_begun>(begin_walker),            //
                                            caf::result<run_ended>(run_backtest),            //
                                            caf::result<run_ended>(run_walker),              //
                                            caf::result<run_ended>(await_run),               //
                                            caf::result<run_stop_told>(stop_run),            //
                                            caf::result<run_list>(ask_runs),                 //
                                            caf::result<run_status_told>(ask_run_status),    //
                                            caf::result<report_text>(ask_report_text),       //
                                            caf::result<report_text>(ask_walker_text),       //
                                            caf::result<backtest_data>(ask_backtest_data),   //
                                            caf::result<walker_data>(ask_walker_data),       //
                                            caf::result<run_statistics>(ask_run_statistics), //
                                            caf::result<run_controlled>(control_run),        //
                                            caf::result<sized_position>(size_position),      //
                                            caf::result<void>(run_over),                     //
                                            caf::result<void>(end_facade)>;

struct walker_begun {
  std::shared_ptr<walk> begun; ///< null: `problem` says why
  std::optional<error> problem;
};

/// The thread of it that may block on the store.
using runtime_starter_actor = typed_interface<caf::result<run_begun>(begin_live), //
                                              caf::result<walker_begun>(run_walker)>;

/// The thread of it that asks the reports, and calls what a user has to say about sizes.
using runtime_reporter_actor = typed_interface<caf::result<report_text>(ask_report_text),       //
                                               caf::result<report_text>(ask_walker_text),       //
                                               caf::result<backtest_data>(ask_backtest_data),   //
                                               caf::result<walker_data>(ask_walker_data),       //
                                               caf::result<run_statistics>(ask_run_statistics), //
                                               caf::result<sized_position>(size_position)>;

#define BACKTEST_PUBLISHED_TEXT(type)                                                              \
  std::string to_json_text(const type& message);                                                   \
  /* why the text is none of these; nothing when it is */                                          \
  std::optional<std::string> read_json_text(std::string_view text, type& message);                 \
  BACKTEST_INSPECT_AS_JSON(type)
BACKTEST_PUBLISHED_TEXT(tap_request)
BACKTEST_PUBLISHED_TEXT(journal_batch)
BACKTEST_PUBLISHED_TEXT(journal_ended)
BACKTEST_PUBLISHED_TEXT(journal_followed)
BACKTEST_PUBLISHED_TEXT(grant_credit)
BACKTEST_PUBLISHED_TEXT(unfollow_journal)
BACKTEST_PUBLISHED_TEXT(control_run)
BACKTEST_PUBLISHED_TEXT(run_controlled)
#undef BACKTEST_PUBLISHED_TEXT
BACKTEST_INSPECT_TWO(follow_journal, tap, request)

} // namespace backtest

// -- what CAF must know about the messages ---------------------------------------------------------------------------

// What crosses to other processes. Not a change of order, not a name: these are the wire format.
#define BACKTEST_PUBLISHED_MESSAGES(apply)                                                         \
  apply(follow_journal) apply(journal_followed) apply(grant_credit) apply(unfollow_journal)        \
  apply(journal_batch) apply(journal_ended) apply(control_run) apply(run_controlled)

// All others stay inside one process.
namespace caf {

#define BACKTEST_LOCAL_TEMPLATE(name)                                                              \
  template <class T> struct allowed_unsafe_message_type<backtest::name<T>> : std::true_type {};
BACKTEST_LOCAL_TEMPLATE(resolve)
BACKTEST_LOCAL_TEMPLATE(resolved)
BACKTEST_LOCAL_TEMPLATE(clear_client)
BACKTEST_LOCAL_TEMPLATE(forget_client)
BACKTEST_LOCAL_TEMPLATE(client_down)
#undef BACKTEST_LOCAL_TEMPLATE

} // namespace caf

#define BACKTEST_LOCAL_MESSAGES(apply)                                                             \
  apply(ask_candles) apply(candle_list) apply(ask_timeline) apply(frame_timeline)                  \
  apply(ask_risk_arbiter) apply(clock_promise) apply(risk_verdict) apply(reach_milestones)         \
  apply(milestones_reached) apply(generate_signal) apply(generated_signal) apply(clear_all)        \
  apply(forget_all) apply(ask_client_count) apply(client_count) apply(event_batch)                 \
  apply(batch_done) apply(subscribe) apply(subscribed) apply(unsubscribe) apply(publish)           \
  apply(published) apply(flush_topics) apply(topics_flushed) apply(interest_list)                  \
  apply(interest_changed) apply(interest_noted) apply(register_producer)                           \
  apply(deregister_producer) apply(ask_report) apply(report_answer) apply(clear_report)            \
  apply(report_run_facts) apply(report_run_bounds) apply(hold_position) apply(go_on_without)       \
  apply(announce_decisions) apply(decisions_announced) apply(commit_turn) apply(turn_committed)    \
  apply(flush_commits) apply(ask_store) apply(store_answer) apply(ask_position_size)               \
  apply(sized_position) apply(use_journal) apply(watch_journal) apply(subscriber_gone)             \
  apply(set_patience) apply(look_at_subscribers) apply(forgo_room) apply(listener_threw)           \
  apply(batch_heard) apply(signal_made) apply(journal_grown) apply(growth_noted)                   \
  apply(read_journal_on) apply(tap_gone) apply(read_snapshot) apply(begin_backtest)                \
  apply(begin_live) apply(begin_walker) apply(run_begun) apply(run_backtest) apply(run_walker)     \
  apply(await_run) apply(run_ended) apply(stop_run) apply(run_stop_told) apply(ask_runs)           \
  apply(run_list) apply(ask_run_status) apply(run_status_told) apply(ask_report_text)              \
  apply(ask_walker_text) apply(report_text) apply(ask_backtest_data) apply(backtest_data)          \
  apply(ask_walker_data) apply(walker_data) apply(ask_run_statistics) apply(run_statistics)        \
  apply(size_position) apply(run_over) apply(walker_begun) apply(end_facade)

#define BACKTEST_ALLOW_LOCAL(type) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(backtest::type)
BACKTEST_LOCAL_MESSAGES(BACKTEST_ALLOW_LOCAL)
#undef BACKTEST_ALLOW_LOCAL

#if BACKTEST_CAF_MODERN
// Positions are the wire format of 1.x: those of the published messages are kept by a block of their own.
#define BACKTEST_TYPE_ID(type) CAF_ADD_TYPE_ID(backtest_published, (backtest::type))
CAF_BEGIN_TYPE_ID_BLOCK(backtest_published, caf::first_custom_type_id + 1150)
BACKTEST_PUBLISHED_MESSAGES(BACKTEST_TYPE_ID)
CAF_END_TYPE_ID_BLOCK(backtest_published)
#undef BACKTEST_TYPE_ID

#define BACKTEST_TYPE_ID(type) CAF_ADD_TYPE_ID(backtest_caf, (backtest::type))
#define BACKTEST_SUPERVISOR_TYPE_IDS(client)                                                       \
  BACKTEST_TYPE_ID(resolve<backtest::client##_key>)                                                \
  BACKTEST_TYPE_ID(resolved<backtest::client##_actor>)                                             \
  BACKTEST_TYPE_ID(clear_client<backtest::client##_key>)                                           \
  BACKTEST_TYPE_ID(client_down<backtest::client##_key>)                                            \
  BACKTEST_TYPE_ID(forget_client<backtest::client##_key>)
CAF_BEGIN_TYPE_ID_BLOCK(backtest_caf, caf::first_custom_type_id + 1200)
BACKTEST_LOCAL_MESSAGES(BACKTEST_TYPE_ID)
BACKTEST_SUPERVISOR_TYPE_IDS(frame)
BACKTEST_SUPERVISOR_TYPE_IDS(risk)
BACKTEST_SUPERVISOR_TYPE_IDS(partial)
BACKTEST_SUPERVISOR_TYPE_IDS(sizing)
CAF_END_TYPE_ID_BLOCK(backtest_caf)
#undef BACKTEST_SUPERVISOR_TYPE_IDS
#undef BACKTEST_TYPE_ID
#endif
