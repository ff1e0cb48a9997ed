#include "actors/exchange/exchange_actor.hpp"
#include "runtime/argument_of.hpp"
#include "runtime/error_counts.hpp"
#include "runtime/event_merger.hpp"
#include "runtime/portfolio.hpp"
#include "runtime/report_book.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

namespace backtest {

namespace {

/// How far a run goes at a time: long enough that messages do not count, short enough that a stop
/// or a new listener is noticed soon.
constexpr instant long_range = 7 * day_ms;
constexpr instant short_range = day_ms; ///< when every minute is told

/// How many ranges ahead of the slowest run another one may be; bounds the events that wait for
/// their turn. A stream goes no further than it must.
constexpr int lookahead_ranges = 6;
constexpr int stream_lookahead_ranges = 1;

/// Ranges a run has in hand, so that it does not stand still while the last one is told.
constexpr int grants_ahead = 2;

/// A run tells its progress that often at most.
constexpr std::int64_t progress_steps = 1000;

/// Events a range may produce before it is handed back.
constexpr std::size_t range_events = 4096;

/// Events that may wait for the bus before no run is sent on.
constexpr std::size_t outbox_limit = 16'384;

/// Lists of events that are on their way through the bus at once: while the reports take in one,
/// the next is there.
constexpr std::size_t lists_in_flight = 2;

bool is_backtest_element(const event& item) {
  const auto* tick = std::get_if<tick_result>(&item.payload);
  return tick != nullptr &&
         (tick->action == tick_action::closed || tick->action == tick_action::cancelled);
}

struct portfolio_state {
  struct run_progress {
    strategy_actor client;
    risk_actor arbiter;
    std::size_t participant = 0;
    interest wanted;
    instant granted_until = 0; ///< of the last grant under way
    std::int64_t told = 0;     ///< instants its last progress event spoke of
    int grants = 0;            ///< under way
    std::optional<instant> next_from; ///< where the next grant starts, while it waits for one
    std::optional<report_run_bounds> bounds; ///< known, and its reports not told yet
    bool over = false;
    bool is_stopping = false; ///< it was told to stop, and whoever is behind does not hold it up
    run_summary summary;
    double started_ms = 0;
  };

  self_pointer<portfolio_actor, portfolio_state> self = nullptr;
  std::shared_ptr<const portfolio_setup> setup;
  timeline frame;
  exchange_actor exchange;
  std::vector<run_progress> runs;
  error_counts errors;
  std::vector<risk_key> arbiters;
  std::optional<event_merger> merger;
  std::deque<std::vector<event>> outbox; ///< in order, not told yet
  std::size_t outbox_size = 0;           ///< events
  std::set<std::pair<instant, std::size_t>> ready; ///< runs that wait for a grant, by its start
  instant range = long_range;                     ///< how far a grant goes
  /// No run goes further. It depends on the slowest run alone and never falls back, so whoever
  /// waits for the arbiter waits for runs that may all go on to where it stands.
  instant horizon = 0;
  std::size_t open_runs = 0; ///< not over yet
  std::size_t steps = 0; ///< answers still missing before the next phase
  bool failed = false;   ///< as a whole
  std::size_t publishing = 0; ///< lists on their way
  bool finishing = false;
  bool demanded = false; ///< the consumer of a stream waits for an element
  bool some_are_stopping = false;
  bool all_are_stopping = false; ///< or over
  bool may_tell = true;  ///< else a walker has not come to it yet
  bool reports_are_due = false; ///< they may hear of the runs once `may_tell`

  ~portfolio_state() {
    // However it came to an end: nobody must wait for it any more.
    if (setup && !setup->record->finished()) {
      clear_clients();
      if (setup->stream)
        setup->stream->close(std::nullopt);
      setup->release();
      setup->record->finish(std::nullopt);
    }
  }

  void init(std::shared_ptr<const portfolio_setup> given) {
    setup = std::move(given);
    runs.resize(setup->runs.size());
    for (const auto& run : setup->runs)
      errors.add(*run.identity);
    open_runs = runs.size();
    may_tell = !setup->is_walked;
  }

  portfolio_actor::behavior_type make_behavior() {
    return {
        [this](const interest_changed& message) { return note(message.masks); },
        [this](range_result& message) {
          --runs[message.run].grants;
          take(message.run, message);
          go_on();
        },
        [this](const start_portfolio&) { find_clients(); },
        [this](const tell_portfolio&) {
          may_tell = true;
          start_reports();
          go_on();
        },
        [this](const stop_portfolio&) {
          note_stops();
          go_on();
        },
        [this](const abort_portfolio&) { self->quit(caf::exit_reason::user_shutdown); },
        [this](const demand_element&) {
          demanded = true;
          go_on();
        },
        [this](const run_client_down& message) { client_gone(message.run, message.reason); },
        [this](const shared_client_down& message) {
          fail_all({error_code::actor_failed,
                    fmt::format("{} is gone: {}", message.what, message.reason)});
        },
    };
  }

  const run_identity& identity(std::size_t run) const { return *setup->runs[run].identity; }

  bool is_stream() const { return setup->stream != nullptr; }
  bool announces() const { return !is_stream() && !setup->is_walked; }

  // -- starting: clients, reports, interest, candles ------------------------------------------------

  /// Asks; the next phase starts once every answer of this one has come.
  template <class Handle, class Message, class Answer>
  void step(const Handle& to, Message message, Answer answer, void (portfolio_state::*next)()) {
    ++steps;
    request(self, to, caf::infinite, std::move(message))
        .then(
            [this, answer, next](const typename argument_of<Answer>::type& value) {
              if (failed || finishing)
                return;
              answer(value);
              if (--steps == 0 && !failed && !finishing)
                (this->*next)();
            },
            [this](const caf::error& reason) {
              fail_all({error_code::actor_failed, "a client is gone: " + text_of(reason)});
            });
  }

  void find_clients() {
    const auto& first = identity(0);
    step(setup->clients.exchanges, resolve<exchange_key>{{first.exchange_name, first.mode}},
         [this](const resolved<exchange_actor>& found) {
           if (found.problem)
             fail_all(*found.problem);
           exchange = found.client;
         },
         &portfolio_state::prepare_reports);
    step(setup->clients.frames, resolve_fresh_frame(first.frame_name),
         [this](const resolved<frame_actor>& found) {
           if (found.problem)
             return fail_all(*found.problem);
           step(
               found.client, ask_timeline{setup->awaited_by_all()},
               [this](const frame_timeline& answer) {
                 frame = answer.instants;
                 if (answer.callback_problem)
                   put_into_outbox({{topic::error, error_event{answer.callback_problem->code,
                                                               answer.callback_problem->message,
                                                               "frame", std::nullopt, nullptr}}});
                 if (answer.problem)
                   fail_all(*answer.problem);
               },
               &portfolio_state::prepare_reports);
         },
         &portfolio_state::prepare_reports);
  }

  /// A run starts with a fresh frame client, as its schema may have been overridden; another run
  /// may still be asking the old one.
  resolve<frame_key> resolve_fresh_frame(const std::string& name) {
    send(self, setup->clients.frames, forget_client<frame_key>{{name}});
    return {{name}};
  }

  void prepare_reports() {
    merger.emplace(runs.size(), frame.first);
    std::vector<shared_identity> identities;
    for (std::size_t i = 0; i < runs.size(); ++i) {
      identities.push_back(setup->runs[i].identity);
      runs[i].granted_until = frame.first;
      runs[i].started_ms = setup->stopwatch();
      runs[i].summary.identity = identities.back();
      runs[i].summary.instants = frame.count();
    }
    reports_are_due = true;
    start_reports();
    step(setup->topics, register_producer{producer_actor{portfolio_actor{self}}, identities},
         [this](const interest_list& list) { note(list.masks); },
         &portfolio_state::load_candles_of_symbols);
    find_arbiters();
  }

  /// Facts of the runs that no event carries. Whoever tells the bus afterwards is heard by the
  /// reports afterwards, so nobody waits for them.
  void start_reports() {
    if (!may_tell || !std::exchange(reports_are_due, false))
      return;
    std::vector<shared_identity> identities;
    for (const auto& run : setup->runs) {
      identities.push_back(run.identity);
      tell_reports(report_run_facts{run.identity, setup->parameters});
    }
    tell_reports(ask_report{[identities, parameters = setup->parameters](report_book& book) {
      book.combine(identities, parameters);
    }});
    for (std::size_t run = 0; run < runs.size(); ++run)
      tell_bounds(run);
  }

  void tell_bounds(std::size_t run) {
    if (!may_tell || reports_are_due)
      return;
    if (auto bounds = std::exchange(runs[run].bounds, std::nullopt))
      tell_reports(std::move(*bounds));
  }

  template <class Message> void tell_reports(Message message) {
    request(self, setup->reports, caf::infinite, std::move(message))
        .then([](const report_answer&) {}, [](const caf::error&) {});
  }

  void find_arbiters() {
    for (const auto& profiles : connected_profiles(setup->runs)) {
      arbiters.push_back({profiles, run_mode::backtest, setup->number});
      step(setup->clients.risks, resolve<risk_key>{arbiters.back()},
           [this, profiles](const resolved<risk_actor>& found) {
             if (found.problem)
               return fail_all(*found.problem);
             on_exit(found.client, [me = weak_handle<portfolio_actor>{portfolio_actor{self}}](
                                       const caf::error& reason) {
               if (auto strong = me.lock())
                 send_anonymously(strong,
                                  shared_client_down{"the risk arbiter", text_of(reason)});
             });
             // Participants come in the order of the runs.
             const auto participants = participants_of(*setup, profiles);
             std::size_t next = 0;
             for (std::size_t run = 0; run < runs.size() && next < participants.size(); ++run)
               if (setup->runs[run].identity == participants[next].identity) {
                 runs[run].arbiter = found.client;
                 runs[run].participant = next++;
               }
           },
           &portfolio_state::load_candles_of_symbols);
    }
  }

  void load_candles_of_symbols() {
    for (std::size_t run = 0; run < runs.size(); ++run)
      add_progress(run, 0);
    std::map<std::string, std::vector<std::size_t>> by_symbol;
    for (std::size_t run = 0; run < runs.size(); ++run)
      by_symbol[identity(run).symbol].push_back(run);
    for (const auto& [symbol, of_symbol] : by_symbol) {
      auto asked = history_for_run(symbol, frame.first, frame.last, setup->parameters);
      asked.awaited = setup->awaited(of_symbol);
      request(self, exchange, caf::infinite, std::move(asked))
          .then(
              [this, of_symbol = of_symbol](const candles_loaded& answer) {
                for (const auto run : of_symbol)
                  if (answer.given_up)
                    end_before_start(run);
                  else if (answer.problem)
                    end_run(run, *answer.problem);
                  else
                    prepare(run, answer);
                go_on();
              },
              [this](const caf::error& reason) {
                fail_all({error_code::actor_failed,
                          "the exchange client is gone: " + text_of(reason)});
              });
    }
  }

  void prepare(std::size_t run, const candles_loaded& answer) {
    const auto& chosen = setup->runs[run];
    const auto& minutes = answer.loaded;
    const auto prepared = clients_setup(
        *setup, run, exchange, minutes, runs[run].arbiter, runs[run].participant,
        plan_for(chosen.identity, frame, answer, rules_for(*setup->exchange, setup->parameters)),
        range_consumer_actor{portfolio_actor{self}});
    runs[run].bounds = bounds_of(chosen.identity, frame.first,
                                 std::min(frame.last, prepared->plan.data_end), *minutes.series);
    tell_bounds(run);
    const strategy_key key{chosen.identity->symbol, chosen.identity->strategy_name,
                           chosen.identity->mode};
    send(self, setup->clients.strategies, clear_client<strategy_key>{key});
    const auto gone = [this, run](const caf::error& reason) {
      client_gone(run, text_of(reason));
    };
    request(self, setup->clients.strategies, caf::infinite, resolve<strategy_key>{key})
        .then(
            [this, run, prepared, gone](const resolved<strategy_actor>& found) {
              if (found.problem) {
                end_run(run, *found.problem);
                return go_on();
              }
              runs[run].client = found.client;
              on_exit(found.client, [me = weak_handle<portfolio_actor>{portfolio_actor{self}},
                                     run](const caf::error& reason) {
                if (auto strong = me.lock())
                  send_anonymously(strong, run_client_down{run, text_of(reason)});
              });
              request(self, found.client, caf::infinite, prepare_run{prepared})
                  .then(
                      [this, run](const run_prepared&) {
                        await_grant(run);
                        go_on();
                      },
                      gone);
            },
            gone);
  }

  // -- going on ------------------------------------------------------------------------------------------

  interest_noted note(const std::vector<interest>& masks) {
    interest_noted answer;
    for (std::size_t run = 0; run < runs.size() && run < masks.size(); ++run) {
      runs[run].wanted = masks[run];
      if (is_stream())
        runs[run].wanted |=
            interest::of(tick_action::closed) | interest::of(tick_action::cancelled);
      if (!runs[run].over)
        answer.runs.push_back({identity(run), runs[run].grants > 0 ? runs[run].granted_until
                                                                   : merger->clock(run)});
    }
    choose_range();
    return answer;
  }

  /// One for all runs: as short as the most curious listener needs it.
  void choose_range() {
    if (setup->lockstep) {
      range = minute_ms;
      return;
    }
    interest wanted;
    for (const auto& run : runs)
      wanted |= run.wanted;
    const bool every_minute = wanted.has(tick_action::idle) || wanted.has(tick_action::active) ||
                              wanted.has(tick_action::waiting);
    range = every_minute || (is_stream() && runs.size() > 1) ? short_range : long_range;
    if (wanted.has(topic::progress_backtest))
      range = std::min(range,
                       align_up((frame.last - frame.first) / progress_steps + 1, minute_ms));
  }

  /// What is being told may hold the element that was asked for.
  bool stream_waits() const { return is_stream() && (!demanded || publishing > 0); }

  bool may_go_on() { return !finishing && merger && !stream_waits() && !outbox_is_full(); }

  bool outbox_is_full() {
    if (outbox_size + merger->size() < outbox_limit)
      return false;
    for (auto events = merger->take(); !events.empty(); events = merger->take())
      put_into_outbox(std::move(events));
    return outbox_size >= outbox_limit; // the rest waits for other runs
  }

  /// What is left of a run that was told to stop is short, so neither its way to the end nor, when
  /// all are, what they told wait for a subscriber.
  void note_stops() {
    all_are_stopping = true;
    for (std::size_t run = 0; run < runs.size(); ++run) {
      auto& progress = runs[run];
      progress.is_stopping = setup->runs[run].stop.stop_requested();
      some_are_stopping |= progress.is_stopping;
      all_are_stopping &= progress.is_stopping || progress.over;
    }
    if (all_are_stopping)
      send(self, setup->topics, forgo_room{});
  }

  /// They go beyond the horizon too, which others may never reach: they ask the arbiter no more.
  void grant_those_stopping() {
    if (finishing || !merger || stream_waits())
      return;
    for (std::size_t run = 0; run < runs.size(); ++run)
      if (runs[run].is_stopping && runs[run].next_from)
        grant(run, *runs[run].next_from + range);
  }

  int ranges_ahead() const {
    return setup->lockstep ? 1 : is_stream() ? stream_lookahead_ranges : lookahead_ranges;
  }

  void go_on() {
    flush();
    if (some_are_stopping && !setup->lockstep)
      grant_those_stopping();
    if (may_go_on() && !ready.empty()) {
      const auto ahead = range * ranges_ahead();
      horizon = std::max(horizon, merger->lowest_clock() + ahead);
      while (!ready.empty() && ready.begin()->first < horizon)
        grant(ready.begin()->second, horizon);
    }
    finish_if_over();
  }

  void await_grant(std::size_t run) {
    auto& progress = runs[run];
    leave_ready(run);
    if (progress.over || progress.grants == (is_stream() ? 1 : grants_ahead))
      return;
    // A range may have been handed back early.
    progress.next_from = progress.grants > 0 ? progress.granted_until : merger->clock(run);
    ready.emplace(*progress.next_from, run);
  }

  void leave_ready(std::size_t run) {
    if (const auto from = std::exchange(runs[run].next_from, std::nullopt))
      ready.erase({*from, run});
  }

  void grant(std::size_t run, instant at_most) {
    auto& progress = runs[run];
    ++progress.grants;
    progress.granted_until = std::min(*progress.next_from + range, at_most);
    advance_range message;
    message.grant = {progress.granted_until, progress.wanted,
                     is_stream() ? std::size_t{1} : range_events};
    send(self, progress.client, std::move(message));
    await_grant(run);
  }

  void take(std::size_t run, range_result& result) {
    auto& progress = runs[run];
    if (progress.over)
      return;
    progress.summary.counters = result.counters;
    progress.summary.gaps = result.gaps;
    errors.take(result.events);
    progress.summary.errors = errors.of(identity(run));
    progress.summary.minutes = result.minutes;
    progress.summary.absent = result.absent;
    merger->add(run, std::move(result.events), result.clock);
    if (!result.over) {
      tell_progress(run, result.processed);
      return await_grant(run);
    }
    if (result.problem)
      return end_run(run, *result.problem);
    progress.summary.outcome =
        result.cut_short ? run_outcome::stopped : run_outcome::completed;
    add_progress(run, result.cut_short ? result.processed : frame.count());
    close_run(run);
  }

  /// Between the first progress event of a run and its last.
  void tell_progress(std::size_t run, std::int64_t processed) {
    const auto total = frame.count();
    const auto next = runs[run].told + (total + progress_steps - 1) / progress_steps;
    if (processed >= next && processed < total)
      add_progress(run, processed);
  }

  void add_progress(std::size_t run, std::int64_t processed) {
    if (!runs[run].wanted.has(topic::progress_backtest))
      return;
    runs[run].told = processed;
    const auto total = frame.count();
    merger->add(run,
                {{topic::progress_backtest,
                  progress_backtest{setup->runs[run].identity, total, processed,
                                    static_cast<double>(processed) / static_cast<double>(total)}}},
                merger->clock(run));
  }

  void client_gone(std::size_t run, const std::string& reason) {
    end_run(run, {error_code::actor_failed,
                  fmt::format("the client of strategy {} on {} is gone: {}",
                              identity(run).strategy_name, identity(run).symbol, reason)});
    go_on();
  }

  /// The run failed.
  void end_run(std::size_t run, error problem) {
    auto& progress = runs[run];
    if (progress.over)
      return;
    progress.summary.outcome = run_outcome::failed;
    if (announces()) // else its consumer hears of it
      merger->add(run,
                  {{topic::exit, error_event{problem.code, problem.message, "backtest",
                                             std::nullopt, setup->runs[run].identity}}},
                  merger->clock(run));
    progress.summary.problem = std::move(problem);
    if (progress.arbiter)
      send(self, progress.arbiter, clock_promise{progress.participant, {}, end_of_time});
    close_run(run);
  }

  /// It was told to stop before it had candles.
  void end_before_start(std::size_t run) {
    auto& progress = runs[run];
    if (progress.over)
      return;
    progress.summary.outcome = run_outcome::stopped;
    if (progress.arbiter)
      send(self, progress.arbiter, clock_promise{progress.participant, {}, end_of_time});
    add_progress(run, 0);
    close_run(run);
  }

  void close_run(std::size_t run) {
    auto& progress = runs[run];
    progress.over = true;
    leave_ready(run);
    --open_runs;
    if (progress.wanted.has(topic::performance))
      merger->add(run,
                  {{topic::performance,
                    performance_event{setup->runs[run].identity, metric_type::backtest_total,
                                      setup->stopwatch() - progress.started_ms,
                                      setup->wall_clock(), std::nullopt}}},
                  merger->clock(run));
    merger->add(run, {}, end_of_time);
    setup->record->finish_run(run, progress.summary, setup->wall_clock());
  }

  void fail_all(const error& problem) {
    if (failed || finishing)
      return;
    failed = true;
    if (!merger)
      merger.emplace(runs.size(), frame.first);
    for (std::size_t run = 0; run < runs.size(); ++run) {
      runs[run].summary.identity = setup->runs[run].identity;
      end_run(run, problem);
    }
    go_on();
  }

  // -- telling -----------------------------------------------------------------------------------------------

  void put_into_outbox(std::vector<event> events) {
    outbox_size += events.size();
    outbox.push_back(std::move(events));
  }

  void flush() {
    if (!merger)
      return;
    while (may_tell && publishing < (is_stream() ? 1 : lists_in_flight)) {
      auto events = next_events();
      if (events.empty())
        return;
      tell(std::move(events));
    }
  }

  /// What is in order grows until it is its turn, so that a busy bus gets much at once.
  std::vector<event> next_events() {
    if (outbox.empty())
      return merger->take();
    auto events = std::move(outbox.front());
    outbox.pop_front();
    outbox_size -= events.size();
    return events;
  }

  void tell(std::vector<event> events) {
    ++publishing;
    std::vector<tick_result> elements;
    if (is_stream())
      for (const auto& item : events)
        if (is_backtest_element(item))
          elements.push_back(std::get<tick_result>(item.payload));
    request(self, setup->topics, caf::infinite, publish{std::move(events), {}, !all_are_stopping})
        .then(
            [this, elements = std::move(elements)](const published&) {
              --publishing;
              if (!elements.empty()) {
                demanded = false;
                setup->stream->push(elements);
              }
              go_on();
            },
            [this](const caf::error&) { self->quit(caf::exit_reason::user_shutdown); });
  }

  void finish_if_over() {
    if (open_runs > 0 || finishing || publishing > 0 || !may_tell || !outbox.empty() ||
        (merger && !merger->empty()))
      return;
    finishing = true;
    clear_clients();
    setup->release();
    if (is_stream()) {
      std::optional<error> problem;
      for (const auto& run : runs)
        if (run.summary.problem && !problem)
          problem = run.summary.problem;
      setup->stream->close(std::move(problem));
    }
    if (!announces())
      return finish();
    publish done; // nothing comes behind it that room would be needed for
    done.waits_for_room = false;
    for (const auto& run : runs)
      done.events.push_back({topic::done_backtest,
                             done_event{run.summary.identity, "", run.summary.outcome}});
    request(self, setup->topics, caf::infinite, std::move(done))
        .then([this](const published&) { finish(); }, [this](const caf::error&) { finish(); });
  }

  void finish() {
    send(self, setup->topics, deregister_producer{producer_actor{portfolio_actor{self}}});
    setup->record->finish(std::nullopt);
    self->quit();
  }

  /// Clients that belong to this portfolio alone; before its names are free for the next one.
  void clear_clients() {
    for (const auto& run : setup->runs)
      send_anonymously(setup->clients.strategies,
                       clear_client<strategy_key>{{run.identity->symbol,
                                                   run.identity->strategy_name,
                                                   run.identity->mode}});
    for (const auto& key : arbiters)
      send_anonymously(setup->clients.risks, clear_client<risk_key>{key});
  }
};

} // namespace

portfolio_actor spawn_portfolio(caf::actor_system& system, const shared_census& census,
                                std::shared_ptr<const portfolio_setup> setup) {
  return spawn_actor<portfolio_state, portfolio_actor>(system, census, std::move(setup));
}

} // namespace backtest
