#include "runtime/argument_of.hpp"
#include "runtime/boundary_fetches.hpp"
#include "runtime/live.hpp"
#include "runtime/report_book.hpp"
#include "runtime/undurable_work.hpp"
#include "storage/journal.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <utility>

#include <fmt/format.h>

namespace backtest {

namespace {

/// An unpaced replay makes that many boundaries durable at once.
constexpr std::int64_t minutes_a_turn = 60;

/// A store that refuses is tried again after a second, then after twice as long, up to a minute.
constexpr instant first_retry_ms = 1000;
constexpr instant longest_retry_ms = minute_ms;

/// How long an instant of the system clock waits for what is asked elsewhere (a model, say) before
/// the other runs go on without it.
constexpr instant straggler_ms = 1000;

/// An exchange has that long to answer, however short candles are waited for.
constexpr instant least_patience_ms = 5000;

/// Built whether somebody listens or not: the journal holds them.
interest journalled() {
  interest mask;
  for (const auto action : {tick_action::scheduled, tick_action::opened, tick_action::closed,
                            tick_action::cancelled})
    mask |= interest::of(action);
  for (const auto on : {topic::partial_profit, topic::partial_loss, topic::risk, topic::validation,
                        topic::error, topic::control})
    mask |= interest::of(on);
  return mask;
}

/// Room for what a journal entry takes besides the text of its event: its key, its number.
constexpr std::size_t bytes_around_text = 64;

bool is_live_element(const event& item) {
  const auto* tick = std::get_if<tick_result>(&item.payload);
  return tick != nullptr &&
         (tick->action == tick_action::opened || tick->action == tick_action::closed ||
          tick->action == tick_action::cancelled);
}

struct live_state {
  struct run_progress {
    strategy_actor client;
    risk_actor arbiter;
    std::size_t participant = 0;
    interest wanted;
    instant next = 0;              ///< the first instant not examined
    instant granted_until = 0;     ///< exclusive, of the last range under way
    minute_counts due_minutes;     ///< system clock: those that were due, and did not come in time
    signal_state state = signal_state::idle;
    bool ready = false;            ///< its client is prepared
    int ranges = 0;                ///< under way
    bool late = false;             ///< system clock: the others have gone on without it
    /// System clock: since when it has no candles, asked for again at every boundary. `left_behind`:
    /// the others have been told to go on without it.
    std::optional<instant> failing_since;
    bool left_behind = false;
    bool over = false;
    bool announces = false;        ///< callbacks wait until the turn is durable
    std::size_t decisions = 0;     ///< of the turn, whose callbacks the arbiter holds back
    std::vector<event> events;     ///< of the turn
    journal_texts texts;           ///< of the events, as far as clients made them
    std::optional<idle_stretch> idle; ///< of the turn, behind its events
    store_batch rows;
    quiet_run quiet;               ///< before its end nobody asks the client
    instant passed_until = 0;      ///< exclusive; what the client does not know of that
    shared_series minutes;         ///< newest ones
    std::optional<quiet_price> price;
    run_summary summary;
    std::shared_ptr<const stored_run> ended;
    loaded_series new_minutes;     ///< system clock: what came since the last range
    instant known_until = INT64_MIN; ///< up to that boundary
    bool came_late = false;          ///< after the others had gone on
    bool misses_newest = false;      ///< its last minute did not come
    bool paused = false;             ///< or will be, with the commands
    std::vector<operator_command> commands;
    /// Operators whose commands wait for the next range, and those whose commands went with one.
    std::vector<response_promise<run_controlled>> controllers, controllers_of_range;
  };
  /// What is on its way to the store.
  struct turn {
    std::uint64_t ticket = 0;
    store_batch rows; ///< until they are sent
    std::shared_ptr<std::vector<event>> events = std::make_shared<std::vector<event>>();
    journal_texts texts; ///< until they are sent
    std::vector<idle_stretch> idle;
    std::vector<std::size_t> runs;       ///< whose events it holds
    /// Runs with callbacks that wait for it, and what those of risk profiles threw.
    std::map<std::size_t, std::vector<callback_failure>> announcing;
    /// Runs and their decisions with callbacks of risk profiles that wait for it.
    std::vector<std::pair<std::size_t, std::size_t>> decisions;
    std::vector<response_promise<run_controlled>> controllers; ///< operators who wait for it
    bool is_last = false;
  };

  self_pointer<live_actor, live_state> self = nullptr;
  std::shared_ptr<const live_setup> live;
  std::shared_ptr<const portfolio_setup> setup;
  timeline frame;
  exchange_actor exchange;
  std::vector<run_progress> runs;
  error_counts errors; ///< of everything that went into a turn
  std::vector<risk_key> arbiters;
  std::optional<turn> committing;
  std::optional<turn> turn_ahead; ///< worked out ahead: it is sent once that one is durable
  std::vector<event> late_events; ///< of callbacks, for the next turn
  store_batch quiet_rows;         ///< of the turn
  store_batch first_rows;
  std::uint64_t tickets = 0;
  std::size_t steps = 0; ///< answers still missing before the next phase
  std::size_t announcing = 0;
  std::size_t open_ranges = 0; ///< under way, but for those of late runs
  struct symbol_runs {
    std::string name;
    std::vector<std::size_t> runs;
  };
  std::vector<symbol_runs> symbols; ///< system clock
  std::optional<boundary_fetches> fetches;
  instant handled = INT64_MIN / 2; ///< system clock: the last boundary ranges were granted for
  bool collecting = false;  ///< system clock: ranges of a boundary are under way
  instant retry_after = first_retry_ms;
  std::int64_t refusals = 0; ///< by the store, one after another
  instant refused_since = 0;
  instant refusal_told = 0;
  std::string latest_refusal;
  std::optional<instant> retry_at;   ///< by the retry clock
  std::optional<instant> give_up_at; ///< the same: it was told to stop, and the store is silent
  std::int64_t last_number = 0;      ///< of the journal, durable; 0: none yet
  bool running = false;    ///< every client is prepared
  std::int64_t minutes_of_turn = 0; ///< of a stream at full speed, after its first
  bool ahead = false;      ///< ranges were granted while a turn is on its way to the store
  std::size_t telling = 0; ///< turns of a replay whose events the bus has not yet passed on
  bool demanded = false;   ///< the consumer of a replay's stream waits for an element
  bool failed = false;
  bool stopping = false;
  bool some_are_stopping = false; ///< runs that were told to stop are not over
  bool finishing = false;

  ~live_state() {
    if (!setup)
      return;
    live->clock->cancel();
    live->retry_clock->cancel();
    if (!setup->record->finished()) { // it was ended; nobody must wait for it any more
      clear_clients();
      if (setup->stream)
        setup->stream->close(std::nullopt);
      setup->release();
      setup->record->finish(std::nullopt);
    }
  }

  void init(std::shared_ptr<const live_setup> given) {
    live = std::move(given);
    setup = live->portfolio;
    runs.resize(setup->runs.size());
    first_rows = live->first_rows;
    late_events = live->first_events;
    errors = live->errors;
    for (std::size_t run = 0; run < runs.size(); ++run) {
      errors.add(identity(run));
      runs[run].summary.errors = errors.of(identity(run));
    }
  }

  live_actor::behavior_type make_behavior() {
    return {
        [this](const interest_changed& message) { return note(message.masks); },
        [this](range_result& message) {
          take(message);
          commit_if_complete();
        },
        [this](const start_live_run&) { find_clients(); },
        [this](const stop_live&) {
          stopping = some_are_stopping = true;
          send(self, setup->topics, forgo_room{});
          limit_wait_for_store();
          go_on();
        },
        [this](const boundary_reached&) {
          go_on_without_who_cannot(live->clock->now());
          if (collecting)
            go_on_without_stragglers();
          else
            go_on();
        },
        [this](const retry_turn&) { look_at_commit(); },
        [this](note_error& message) { note_problem(std::move(message.problem)); },
        [this](const control_run& message) { return control(message); },
        [this](const abort_portfolio&) {
          refuse_all_controllers({error_code::actor_failed, "the live run was let go of"});
          self->quit(caf::exit_reason::user_shutdown);
        },
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
  /// Who waits for candles of these runs: one whose signal lives follows it to its end, stopped or
  /// not.
  awaited_by awaited(const std::vector<std::size_t>& by) const {
    const bool some_live = std::any_of(by.begin(), by.end(), [this](std::size_t run) {
      return !runs[run].over && runs[run].state != signal_state::idle;
    });
    return setup->awaited(some_live ? std::vector<std::size_t>{} : by);
  }
  bool is_replay() const { return live->clock->is_replay(); }

  // -- starting ------------------------------------------------------------------------------------

  template <class Handle, class Message, class Answer>
  void step(const Handle& to, Message message, Answer answer, void (live_state::*next)()) {
    ++steps;
    request(self, to, caf::infinite, std::move(message))
        .then(
            [this, answer, next](const typename argument_of<Answer>::type& value) {
              if (failed)
                return;
              answer(value);
              if (--steps == 0 && !failed)
                (this->*next)();
            },
            [this](const caf::error& reason) {
              fail_all({error_code::actor_failed, "a client is gone: " + text_of(reason)});
            });
  }

  void find_clients() {
    const auto& first = identity(0);
    step(setup->clients.exchanges, resolve<exchange_key>{{first.exchange_name, run_mode::live}},
         [this](const resolved<exchange_actor>& found) {
           if (found.problem)
             return fail_all(*found.problem);
           exchange = found.client;
         },
         &live_state::prepare_reports);
    if (!is_replay()) {
      frame = {align_up(live->clock->now(), minute_ms), live->until.value_or(end_of_time / 2),
               minute_ms};
      frame.last = std::max(frame.first, align_down(frame.last, minute_ms));
      return;
    }
    send(self, setup->clients.frames, forget_client<frame_key>{{live->frame_name}});
    step(setup->clients.frames, resolve<frame_key>{{live->frame_name}},
         [this](const resolved<frame_actor>& found) {
           if (found.problem)
             return fail_all(*found.problem);
           step(
               found.client, ask_timeline{setup->awaited_by_all()},
               [this](const frame_timeline& answer) {
                 if (answer.problem)
                   return fail_all(*answer.problem);
                 frame = answer.instants;
                 if (live->until && *live->until < frame.last)
                   frame.last =
                       frame.first + (*live->until - frame.first) / frame.step * frame.step;
                 if (answer.callback_problem)
                   late_events.push_back(
                       {topic::error,
                        error_event{answer.callback_problem->code, answer.callback_problem->message,
                                    "frame", std::nullopt, nullptr}});
               },
               &live_state::prepare_reports);
         },
         &live_state::prepare_reports);
  }

  void prepare_reports() {
    std::vector<shared_identity> identities;
    for (std::size_t run = 0; run < runs.size(); ++run) {
      const auto& chosen = setup->runs[run];
      identities.push_back(chosen.identity);
      auto& progress = runs[run];
      progress.next = frame.first;
      if (chosen.stored) {
        progress.next = chosen.stored->memory.last_instant + minute_ms;
        progress.state = chosen.stored->memory.machine.state;
        progress.paused = chosen.stored->memory.paused;
        progress.summary.counters = chosen.stored->memory.counters;
      }
      progress.summary.identity = chosen.identity;
      progress.summary.instants = is_replay() ? frame.count() : 0;
      step(setup->reports, report_run_facts{chosen.identity, setup->parameters},
           [](const report_answer&) {}, &live_state::load_candles_of_symbols);
    }
    step(
        setup->reports, ask_report{[identities, setup = setup](report_book& book) {
          book.combine(identities, setup->parameters);
        }},
        [](const report_answer&) {}, &live_state::load_candles_of_symbols);
    if (!live->told_before.empty()) // after the reports began anew
      step(setup->reports, ask_report{[from = live](report_book& book) {
             for (const auto& item : from->told_before)
               book.apply(item);
           }},
           [](const report_answer&) {}, &live_state::load_candles_of_symbols);
    step(setup->topics, register_producer{producer_actor{live_actor{self}}, identities},
         [this](const interest_list& list) { note(list.masks); },
         &live_state::load_candles_of_symbols);
    find_arbiters();
  }

  void find_arbiters() {
    for (const auto& profiles : connected_profiles(setup->runs)) {
      arbiters.push_back({profiles, run_mode::live, setup->number});
      step(setup->clients.risks, resolve<risk_key>{arbiters.back()},
           [this, profiles](const resolved<risk_actor>& found) {
             if (found.problem)
               return fail_all(*found.problem);
             on_exit(found.client, [me = weak_handle<live_actor>{live_actor{self}}](
                                       const caf::error& reason) {
               if (auto strong = me.lock())
                 send_anonymously(strong, shared_client_down{"the risk arbiter", text_of(reason)});
             });
             const auto participants = participants_of(*setup, profiles);
             std::size_t next = 0;
             for (std::size_t run = 0; run < runs.size() && next < participants.size(); ++run)
               if (setup->runs[run].identity == participants[next].identity) {
                 runs[run].arbiter = found.client;
                 runs[run].participant = next++;
                 hold_restored_position(run);
                 // The others may be further behind.
                 send(self, found.client, clock_promise{runs[run].participant, {}, runs[run].next});
               }
           },
           &live_state::load_candles_of_symbols);
    }
  }

  void hold_restored_position(std::size_t run) {
    const auto& stored = setup->runs[run].stored;
    if (!stored || stored->memory.machine.state != signal_state::pending)
      return;
    const auto& signal = *stored->memory.machine.signal;
    send(self, runs[run].arbiter,
         hold_position{runs[run].participant,
                       {signal.strategy_name, signal.exchange_name, signal.symbol, signal.position,
                        signal.price_open, *signal.pending_at}});
  }

  void load_candles_of_symbols() {
    std::map<std::string, std::vector<std::size_t>> by_symbol;
    instant from = frame.first;
    for (std::size_t run = 0; run < runs.size(); ++run) {
      by_symbol[identity(run).symbol].push_back(run);
      from = std::min(from, runs[run].next);
    }
    if (!is_replay())
      return wait_for_boundaries(by_symbol);
    for (const auto& [symbol, of_symbol] : by_symbol)
      load_history(symbol, of_symbol, from, last_of_replay(of_symbol));
  }

  void load_history(const std::string& symbol, const std::vector<std::size_t>& of_symbol,
                    instant from, instant last) {
    auto asked = history_for_run(symbol, from, last, setup->parameters);
    asked.awaited = awaited(of_symbol);
    request(self, exchange, caf::infinite, std::move(asked))
        .then(
            [this, symbol, of_symbol, from, last](const candles_loaded& answer) {
              if (answer.problem && !answer.given_up && last > frame.last)
                return load_history(symbol, of_symbol, from,
                                    frame.last); // without what lies behind
              for (const auto run : of_symbol)
                if (answer.given_up)
                  prepare_to_end(run);
                else if (answer.problem)
                  end_run(run, *answer.problem);
                else
                  prepare(run, answer);
              start_if_ready();
            },
            [this](const caf::error& reason) {
              fail_all(
                  {error_code::actor_failed, "the exchange client is gone: " + text_of(reason)});
            });
  }

  /// It was told to stop before it had candles: its end becomes durable as any other.
  void prepare_to_end(std::size_t run) { prepare(run, {no_minutes_of(run), std::nullopt}); }

  loaded_series no_minutes_of(std::size_t run) const {
    auto none = std::make_shared<candle_series>();
    none->symbol = identity(run).symbol;
    return {std::move(none), 0, 0};
  }

  /// A signal that a run left behind may end in candles that are new since then.
  instant last_of_replay(const std::vector<std::size_t>& of_symbol) const {
    const auto left_a_signal = [this](std::size_t run) {
      const auto& stored = setup->runs[run].stored;
      return stored && stored->ended && stored->memory.machine.state != signal_state::idle;
    };
    return std::any_of(of_symbol.begin(), of_symbol.end(), left_a_signal)
               ? frame.last + followed_after(setup->parameters)
               : frame.last;
  }

  /// Nothing is left to do since then.
  static bool is_over(const stored_run& stored, const run_plan& plan) {
    const auto& ended = stored.ended;
    return ended && ended->outcome == run_outcome::completed &&
           ended->frame_last == plan.frame.last &&
           (ended->data_end == plan.data_end ||
            (stored.memory.machine.state == signal_state::idle &&
             std::min(ended->data_end, plan.data_end) >= plan.frame.last));
  }

  void prepare(std::size_t run, const candles_loaded& answer) {
    const auto& minutes = answer.loaded;
    const auto& chosen = setup->runs[run];
    auto& progress = runs[run];
    progress.minutes = minutes.series;
    auto plan =
        plan_for(chosen.identity, frame, answer, rules_for(*setup->exchange, setup->parameters));
    if (!is_replay()) {
      plan.data_end = end_of_time / 2;
      plan.candles_until = end_of_time;
    }
    if (chosen.stored) {
      plan.resumed = chosen.stored->memory;
      if (is_over(*chosen.stored, plan)) {
        // Before it was interrupted.
        progress.ended = std::make_shared<const stored_run>(*chosen.stored);
        progress.summary.outcome = run_outcome::completed;
        progress.summary.gaps = 0;
        return close_run(run);
      }
    }
    const auto prepared = clients_setup(*setup, run, exchange, minutes, progress.arbiter,
                                        progress.participant, std::move(plan),
                                        range_consumer_actor{live_actor{self}});
    const strategy_key key{chosen.identity->symbol, chosen.identity->strategy_name, run_mode::live};
    send(self, setup->clients.strategies, clear_client<strategy_key>{key});
    const auto gone = [this, run](const caf::error& reason) { client_gone(run, text_of(reason)); };
    request(self, setup->clients.strategies, caf::infinite, resolve<strategy_key>{key})
        .then(
            [this, run, prepared, gone](const resolved<strategy_actor>& found) {
              if (found.problem) {
                end_run(run, *found.problem);
                return start_if_ready();
              }
              runs[run].client = found.client;
              on_exit(found.client, [me = weak_handle<live_actor>{live_actor{self}},
                                     run](const caf::error& reason) {
                if (auto strong = me.lock())
                  send_anonymously(strong, run_client_down{run, text_of(reason)});
              });
              request(self, found.client, caf::infinite, prepare_run{prepared})
                  .then(
                      [this, run](const run_prepared&) {
                        runs[run].ready = true;
                        start_if_ready();
                      },
                      gone);
            },
            gone);
  }

  void start_if_ready() {
    if (running || !std::all_of(runs.begin(), runs.end(),
                                [](const auto& run) { return run.ready || run.over; }))
      return;
    running = true;
    instant first = end_of_time;
    for (const auto& run : runs)
      if (!run.over)
        first = std::min(first, run.next);
    if (first != end_of_time)
      live->clock->start_at(first);
    go_on();
  }

  // -- turns: ranges of every run, made durable together, then told --------------------------------------

  interest_noted note(const std::vector<interest>& masks) {
    interest_noted answer;
    for (std::size_t run = 0; run < runs.size() && run < masks.size(); ++run) {
      runs[run].wanted = masks[run] | journalled();
      if (!runs[run].over)
        answer.runs.push_back({identity(run), runs[run].ranges > 0 ? runs[run].granted_until
                                                                   : runs[run].next});
    }
    return answer;
  }

  bool turn_is_open() const {
    return committing || announcing > 0 || open_ranges > 0;
  }

  /// A replay works out the next turn while the last one becomes durable; nothing of it is told
  /// before. Not while somebody still has to take in what was told, lest that piles up. Callbacks
  /// would have to wait for two turns, so with them it waits itself. A stream goes no further than
  /// it was asked to.
  bool may_run_ahead() const {
    return is_replay() && !setup->stream && committing && !ahead && !turn_ahead && telling == 0 &&
           !committing->is_last && committing->announcing.empty() &&
           committing->decisions.empty() && open_ranges == 0 && !stopping && !failed &&
           std::any_of(runs.begin(), runs.end(), [](const auto& run) { return !run.over; });
  }

  void go_on() {
    if (!running || finishing)
      return;
    if (may_run_ahead()) {
      ahead = advance_to_boundary();
      return commit_if_complete(); // which is when every run was quiet
    }
    if (turn_is_open() || telling > 0)
      return;
    if (all_are_over())
      return finish();
    if (std::exchange(stopping, false))
      return end_idle_runs();
    if (waits_for_demand())
      return;
    if (advance_to_boundary())
      commit_if_complete(); // the same
  }

  /// The market waits for nobody.
  bool waits_for_demand() const { return is_replay() && setup->stream && !demanded; }

  /// A stop does not wait for the next minute where nothing is open.
  void end_idle_runs() {
    for (std::size_t run = 0; run < runs.size(); ++run)
      if (!runs[run].over && runs[run].ranges == 0) // a late one ends at its next instant
        advance(run, {runs[run].next, runs[run].wanted}, true);
    go_on();
  }

  /// Whether some run moved on.
  bool advance_to_boundary() {
    if (!is_replay()) {
      follow_the_market();
      return false;
    }
    const instant first = first_due();
    if (first == end_of_time)
      return false;
    if (live->clock->now() < first) {
      wake_at(first);
      return false;
    }
    const bool many = live->clock->is_unpaced() && !setup->stream && !setup->lockstep;
    const instant until = first + (many ? minutes_a_turn : 1) * minute_ms;
    for (std::size_t run = 0; run < runs.size(); ++run)
      if (!runs[run].over && runs[run].next < until)
        advance(run, {until, runs[run].wanted, SIZE_MAX, !setup->runs[run].watch_only}, false);
    return true;
  }

  /// The end of time when only late runs are left.
  instant first_due() const {
    instant first = end_of_time;
    for (const auto& run : runs)
      if (is_free(run))
        first = std::min(first, run.next);
    return first;
  }

  static bool is_free(const run_progress& run) { return !run.over && run.ranges == 0; }

  void wake_at(instant when) {
    for (const auto& run : runs)
      if (is_waited_for(run))
        when = std::min(when, waited_for_until(run));
    live->clock->wake_at(when, [me = weak_handle<live_actor>{live_actor{self}}] {
      if (auto strong = me.lock())
        send_anonymously(strong, boundary_reached{});
    });
  }

  // -- the system clock: candles as they come --------------------------------------------------------------

  /// Every boundary asks for its own candles.
  void wait_for_boundaries(const std::map<std::string, std::vector<std::size_t>>& by_symbol) {
    for (const auto& [symbol, of_symbol] : by_symbol)
      symbols.push_back({symbol, of_symbol});
    const auto& parameters = setup->parameters;
    const instant wait = parameters.candle_wait_seconds * 1000;
    fetches.emplace(symbols.size(), parameters.settle_delay_ms + wait,
                    std::max(wait, least_patience_ms));
    for (std::size_t run = 0; run < runs.size(); ++run)
      prepare(run, {no_minutes_of(run), std::nullopt});
  }

  void follow_the_market() {
    if (advance_latecomers())
      return;
    const auto now = live->clock->now();
    if (!fetches->is_open() && !begin_boundary(now))
      return;
    if (fetches->may_close(now))
      return close_boundary(now);
    for (const auto symbol : fetches->begin_again(now))
      fetch_minutes(symbol, fetches->boundary());
    wake_at(fetches->look_again_at());
  }

  /// Asks for the minutes up to the boundary that is due; false when none is.
  bool begin_boundary(instant now) {
    const instant settle = setup->parameters.settle_delay_ms;
    const instant first = first_due();
    if (first == end_of_time)
      return false;
    const instant boundary = align_down(now - settle, minute_ms);
    if (boundary < first || boundary <= handled) {
      wake_at(std::max(first, handled + minute_ms) + settle);
      return false;
    }
    std::vector<std::size_t> behind;
    for (std::size_t symbol = 0; symbol < symbols.size(); ++symbol)
      if (std::any_of(symbols[symbol].runs.begin(), symbols[symbol].runs.end(),
                      [&](std::size_t run) { return is_behind(run, boundary); }))
        behind.push_back(symbol);
    for (const auto symbol : fetches->begin(boundary, behind, now))
      fetch_minutes(symbol, boundary);
    return true;
  }

  bool is_behind(std::size_t run, instant boundary) const {
    return is_free(runs[run]) && runs[run].next <= boundary;
  }

  void fetch_minutes(std::size_t symbol, instant boundary) {
    instant from = boundary;
    for (const auto run : symbols[symbol].runs)
      if (is_behind(run, boundary))
        from = std::min(from, runs[run].next);
    auto asked = minutes_for_run(symbols[symbol].name, from, boundary, setup->parameters);
    asked.awaited = awaited(symbols[symbol].runs);
    request(self, exchange, caf::infinite, std::move(asked))
        .then(
            [this, symbol, boundary](const candles_loaded& answer) {
              take_minutes(symbol, boundary, answer);
            },
            [this](const caf::error& reason) {
              fail_all({error_code::actor_failed,
                        "the exchange client is gone: " + text_of(reason)});
            });
  }

  void take_minutes(std::size_t symbol, instant boundary, const candles_loaded& answer) {
    if (failed || finishing)
      return;
    const auto outcome = outcome_of(answer, boundary);
    const auto now = live->clock->now();
    const bool late = fetches->came(symbol, outcome, now);
    for (const auto run : symbols[symbol].runs) {
      auto& progress = runs[run];
      if (progress.over || progress.next > boundary || answer.given_up)
        continue;
      if (answer.problem) { // tried again at the next boundary
        miss(progress, now);
        tell_problem(run, *answer.problem, boundary);
        continue;
      }
      if (boundary >= handled)
        progress.failing_since.reset();
      progress.new_minutes = answer.loaded;
      progress.minutes = answer.loaded.series;
      progress.known_until = boundary;
      progress.came_late = late;
      progress.misses_newest = outcome == boundary_fetches::outcome::newest_missing;
    }
    if (answer.problem && !answer.given_up && !fetches->is_open())
      return commit_if_complete(); // told now and not with what the next boundary brings
    const bool others_wait = fetches->is_open() && fetches->boundary() == boundary &&
                             outcome != boundary_fetches::outcome::newest_missing;
    if (!others_wait || fetches->may_close(now))
      go_on();
  }

  static boundary_fetches::outcome outcome_of(const candles_loaded& answer, instant boundary) {
    if (answer.problem)
      return boundary_fetches::outcome::failed;
    const auto& candles = answer.loaded.series->candles;
    const auto newest =
        std::lower_bound(candles.begin(), candles.end(), boundary - minute_ms,
                         [](const candle& item, instant when) { return item.open_time < when; });
    return newest == candles.end() || newest->open_time != boundary - minute_ms
               ? boundary_fetches::outcome::newest_missing
               : boundary_fetches::outcome::complete;
  }

  static void miss(run_progress& progress, instant now) {
    progress.failing_since = progress.failing_since.value_or(now);
    progress.left_behind = false;
  }

  void tell_problem(std::size_t run, const error& problem, instant boundary) {
    runs[run].events.push_back({topic::error, error_event{problem.code, problem.message, "exchange",
                                                          boundary, setup->runs[run].identity}});
  }

  /// Of the exchange and not of a single run; it was found on the way to the boundary that is open.
  void note_problem(error_event problem) {
    if (const instant boundary = fetches && fetches->is_open() ? fetches->boundary() : handled;
        boundary > 0)
      problem.timestamp = boundary;
    event item{topic::error, std::move(problem)};
    if (finishing)
      return send_anonymously(setup->topics, publish{{std::move(item)}});
    late_events.push_back(std::move(item));
    if (fetches && !fetches->is_open())
      commit_if_complete();
  }

  /// The candles that are there are examined; who has none yet comes later, in order.
  void close_boundary(instant now) {
    handled = fetches->boundary();
    for (const auto symbol : fetches->close())
      for (const auto run : symbols[symbol].runs)
        if (is_behind(run, handled))
          tell_problem(run,
                       {error_code::fetch_failed,
                        fmt::format("exchange {}: {}: no candles up to {} yet, the other symbols go "
                                    "on without it",
                                    identity(run).exchange_name, symbols[symbol].name,
                                    to_iso(handled))},
                       handled);
    for (std::size_t run = 0; run < runs.size(); ++run)
      if (is_behind(run, handled)) {
        if (runs[run].known_until == handled)
          advance_to(run, handled);
        else
          miss(runs[run], now);
      }
    go_on_without_who_cannot(now);
    collect(now);
    commit_if_complete(); // when no exchange answered
  }

  /// True when there are some.
  bool advance_latecomers() {
    const auto may_advance = [this](const run_progress& run) {
      return is_free(run) && run.next <= run.known_until &&
             !(fetches->is_open() && fetches->boundary() == run.known_until);
    };
    bool moved = false;
    for (std::size_t run = 0; run < runs.size(); ++run)
      if (may_advance(runs[run])) {
        advance_to(run, runs[run].known_until);
        moved = true;
      }
    if (open_ranges > 0)
      collect(live->clock->now());
    else if (moved)
      commit_if_complete(); // every one of them was quiet
    return moved || open_ranges > 0;
  }

  void collect(instant now) {
    collecting = true;
    wake_at(now + straggler_ms);
  }

  /// It has no candles up to the last boundary, and the others' openings wait for its own.
  bool is_waited_for(const run_progress& run) const {
    return !run.over && run.failing_since && !run.left_behind && run.arbiter && run.next <= handled;
  }

  instant waited_for_until(const run_progress& run) const {
    return *run.failing_since + setup->parameters.catch_up_wait_seconds * 1000;
  }

  /// Its positions still count.
  void go_on_without_who_cannot(instant now) {
    for (auto& run : runs)
      if (is_waited_for(run) && now >= waited_for_until(run)) {
        run.left_behind = true;
        send(self, run.arbiter, go_on_without{run.participant, handled + minute_ms});
      }
  }

  /// Minutes that were missed while the node was down, then those it is late with, then the one that
  /// is due.
  void advance_to(std::size_t run, instant boundary) {
    auto& progress = runs[run];
    ++progress.due_minutes.expected;
    if (progress.misses_newest)
      ++progress.due_minutes.missing;
    const bool generates = !setup->runs[run].watch_only;
    range_grant grant{boundary + minute_ms, progress.wanted, SIZE_MAX, generates,
                      progress.came_late};
    if (progress.next < frame.first) {
      auto missed = grant;
      missed.until = std::min(frame.first, boundary + minute_ms);
      missed.generates = false;
      missed.caught_up = true;
      advance(run, missed, false);
    }
    if (std::max(progress.next, frame.first) < boundary) {
      auto behind = grant;
      behind.until = boundary;
      behind.caught_up = true;
      advance(run, behind, false);
    }
    if (frame.first <= boundary)
      advance(run, grant, false);
  }

  void go_on_without_stragglers() {
    collecting = false;
    for (auto& run : runs)
      if (!run.over && run.ranges > 0 && !run.late) {
        run.late = true;
        open_ranges -= static_cast<std::size_t>(run.ranges);
        if (run.arbiter)
          send(self, run.arbiter, go_on_without{run.participant, run.granted_until});
      }
    commit_if_complete();
  }

  // -- ranges ---------------------------------------------------------------------------------------------

  void advance(std::size_t run, const range_grant& grant, bool end_if_idle) {
    auto& progress = runs[run];
    if (!end_if_idle && stays_quiet(progress, grant))
      return pass_quietly(run, grant);
    ++progress.ranges;
    ++open_ranges;
    progress.granted_until = grant.until;
    advance_range message;
    message.grant = grant;
    message.passed_until = std::exchange(progress.passed_until, 0);
    progress.quiet = {};
    if (progress.new_minutes.series)
      message.minutes = std::exchange(progress.new_minutes, {});
    message.commands = std::exchange(progress.commands, {});
    for (auto& controller : std::exchange(progress.controllers, {}))
      progress.controllers_of_range.push_back(std::move(controller));
    message.end_if_idle = end_if_idle;
    send(self, progress.client, std::move(message));
  }

  /// Nothing would happen to it but an idle tick a minute, and nobody wants them one by one.
  static bool stays_quiet(const run_progress& progress, const range_grant& grant) {
    return progress.quiet.run && grant.until <= progress.quiet.until && progress.ranges == 0 &&
           progress.commands.empty() && grant.generates && !grant.wanted.has(tick_action::idle) &&
           !grant.wanted.has(topic::performance);
  }

  void pass_quietly(std::size_t run, const range_grant& grant) {
    auto& progress = runs[run];
    put_run_at(quiet_rows, *progress.quiet.run, grant.until - minute_ms);
    if (grant.wanted.has_newest_idle()) {
      if (!progress.price)
        progress.price.emplace(setup->parameters.avg_price_candles_count);
      if (auto idle = progress.price->newest(setup->runs[run].identity, progress.minutes,
                                             progress.next, grant.until)) {
        idle->caught_up = grant.caught_up;
        progress.idle = std::move(idle);
      }
    }
    progress.new_minutes = {};
    progress.next = progress.passed_until = progress.granted_until = grant.until;
  }

  void take(range_result& result) {
    const auto run = result.run;
    auto& progress = runs[run];
    if (progress.over)
      return;
    --progress.ranges;
    if (!progress.late)
      --open_ranges;
    else if (progress.ranges == 0)
      progress.late = false;
    progress.next = result.granted_until;
    progress.summary.counters = result.counters;
    progress.summary.gaps = is_replay() ? result.gaps : progress.due_minutes.missing;
    progress.summary.minutes = is_replay() ? result.minutes : progress.due_minutes;
    if (is_replay())
      progress.summary.absent = result.absent;
    take_events(progress, result);
    progress.rows.append(std::move(result.rows));
    progress.announces = progress.announces || result.has_announcements;
    progress.decisions += result.decisions_to_announce;
    progress.state = result.state;
    progress.quiet = std::move(result.quiet);
    if (!result.over)
      return;
    progress.ended = std::move(result.ended);
    if (result.problem)
      return end_run(run, *result.problem);
    progress.summary.outcome = result.cut_short ? run_outcome::stopped : run_outcome::completed;
    close_run(run);
  }

  template <class Item> static void append(std::vector<Item> more, std::vector<Item>& to) {
    if (to.capacity() == 0) // else somebody made room
      to = std::move(more);
    else
      to.insert(to.end(), std::make_move_iterator(more.begin()),
                std::make_move_iterator(more.end()));
  }

  static void take_events(run_progress& progress, range_result& result) {
    auto& events = progress.events;
    if (progress.idle && !result.events.empty()) // it was before them
      events.push_back({topic::signal_live, tick_of(*std::exchange(progress.idle, std::nullopt))});
    progress.texts.resize(events.size()); // those told here have none
    append(std::move(result.texts), progress.texts);
    append(std::move(result.events), events);
    if (result.idle)
      progress.idle = std::move(result.idle);
  }

  void commit_if_complete() {
    if (!running || finishing || open_ranges > 0)
      return;
    if (committing || announcing > 0) {
      if (ahead)
        turn_ahead = next_turn();
      return;
    }
    if (goes_further())
      return;
    auto next = turn_ahead ? std::exchange(turn_ahead, std::nullopt) : next_turn();
    if (next)
      commit(*std::move(next));
    go_on();
  }

  /// Whether the turn of a stream at full speed takes in one more minute. It ends with that of an
  /// element, or of a callback that waits to be called, or is as long as others.
  bool goes_further() {
    if (!setup->stream || !is_replay() || !live->clock->is_unpaced() || telling > 0)
      return false;
    while (open_ranges == 0) {
      if (++minutes_of_turn >= minutes_a_turn || stopping || failed || waits_for_demand() ||
          std::any_of(runs.begin(), runs.end(), [](const auto& run) {
            return run.announces || run.decisions > 0 ||
                   std::any_of(run.events.begin(), run.events.end(), is_live_element);
          }) ||
          !advance_to_boundary()) {
        minutes_of_turn = 0;
        return false;
      }
    }
    return true;
  }

  /// Everything that waits to become durable, if anything does.
  std::optional<turn> next_turn() {
    ahead = collecting = false;
    turn next;
    for (std::size_t run = 0; run < runs.size(); ++run)
      if (!runs[run].rows.empty() || !runs[run].events.empty() || runs[run].announces)
        next.runs.push_back(run);
    if (next.runs.empty() && late_events.empty() && first_rows.empty() && quiet_rows.empty())
      return std::nullopt;
    take_into(next);
    return next;
  }

  /// Events in line order.
  void take_into(turn& next) {
    next.ticket = (setup->number << 32) | ++tickets;
    next.rows = std::exchange(first_rows, {});
    next.rows.append(std::exchange(quiet_rows, {}));
    for (auto& run : runs)
      if (run.idle)
        next.idle.push_back(*std::exchange(run.idle, std::nullopt));
    auto& events = *next.events;
    events = std::exchange(late_events, {});
    std::size_t told = events.size(), writes = next.rows.size(), bytes = next.rows.bytes();
    for (const auto run : next.runs) {
      const auto& progress = runs[run];
      told += progress.events.size();
      writes += progress.rows.size();
      bytes += progress.rows.bytes();
      for (const auto& text : progress.texts)
        bytes += text.size() + bytes_around_text;
    }
    next.rows.reserve(writes + told + 1, bytes); // the store adds their journal entries
    events.reserve(told);
    next.texts.reserve(told);
    next.texts.resize(events.size());
    std::vector<instant> moments;
    moments.reserve(told);
    moments.resize(events.size(), INT64_MIN);
    for (const auto run : next.runs) {
      auto& progress = runs[run];
      next.rows.append(std::exchange(progress.rows, {}));
      if (std::exchange(progress.announces, false))
        next.announcing[run];
      if (const auto count = std::exchange(progress.decisions, std::size_t{0}); count > 0)
        next.decisions.emplace_back(run, count);
      append(std::exchange(progress.controllers_of_range, {}), next.controllers);
      instant latest = INT64_MIN;
      for (const auto& item : progress.events) {
        latest = std::max(latest, instant_of(item).value_or(latest));
        moments.push_back(latest);
      }
      append(std::exchange(progress.texts, {}), next.texts);
      append(std::exchange(progress.events, {}), events);
      next.texts.resize(events.size());
    }
    count_errors(next);
    if (std::is_sorted(moments.begin(), moments.end()))
      return; // a single minute
    std::vector<std::size_t> order(events.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t left, std::size_t right) {
      return moments[left] < moments[right];
    });
    put_in_order(order, events);
    put_in_order(order, next.texts);
  }

  /// They become durable together with their count.
  void count_errors(turn& next) {
    const auto changed = errors.take(*next.events);
    for (const auto& told : changed)
      put_errors(next.rows, told);
    if (changed.empty())
      return;
    for (std::size_t run = 0; run < runs.size(); ++run)
      if (const auto count = errors.of(identity(run)); count != runs[run].summary.errors) {
        runs[run].summary.errors = count;
        setup->record->count_errors(run, count);
      }
  }

  template <class Item>
  static void put_in_order(const std::vector<std::size_t>& order, std::vector<Item>& items) {
    std::vector<Item> in_order;
    in_order.reserve(items.size());
    for (const auto index : order)
      in_order.push_back(std::move(items[index]));
    items = std::move(in_order);
  }

  void commit(turn next) {
    committing = std::move(next);
    limit_wait_for_store();
    request(self, live->store, caf::infinite,
            commit_turn{committing->ticket, std::exchange(committing->rows, {}), committing->events,
                        std::exchange(committing->texts, {})})
        .then(
            [this](const turn_committed& answer) {
              if (!committing) // it was given up
                return;
              if (answer.problem)
                return may_come_back(answer.problem->code) ? try_again(*answer.problem)
                                                           : give_up(*answer.problem);
              give_up_at.reset();
              tell_recovery();
              announce(answer.first_number);
            },
            [this](const caf::error& reason) {
              // Nothing may be told that is not durable; the rest would be.
              stop_at_once({error_code::store_failed, "the store is gone: " + text_of(reason)});
            });
  }

  /// Its outcome is unknown, so nothing goes on before the same batch went through.
  void try_again(const error& problem) {
    const instant now = std::min(live->retry_clock->now(), end_of_time - retry_after); // a replay's
    tell_refusal(problem, now);
    retry_at = now + retry_after;
    retry_after = std::min(2 * retry_after, longest_retry_ms);
    set_alarm();
  }

  /// For the next attempt, or the end of the patience.
  void set_alarm() {
    if (!retry_at && !give_up_at)
      return;
    live->retry_clock->wake_at(
        std::min(retry_at.value_or(INT64_MAX), give_up_at.value_or(INT64_MAX)),
        [me = weak_handle<live_actor>{live_actor{self}}] {
          if (auto strong = me.lock())
            send_anonymously(strong, retry_turn{});
        });
  }

  void look_at_commit() {
    if (!committing)
      return;
    if (give_up_at && live->retry_clock->now() >= *give_up_at)
      return give_up(
          {error_code::store_failed,
           fmt::format("the store did not take what it was given within stop_patience_seconds ({}) "
                       "after the stop{}{}",
                       setup->parameters.stop_patience_seconds,
                       latest_refusal.empty() ? "" : ", the latest answer: ", latest_refusal)});
    if (retry_at && retry_at <= give_up_at.value_or(INT64_MAX)) {
      retry_at.reset();
      commit(*std::exchange(committing, std::nullopt));
    }
    set_alarm();
  }

  /// A portfolio that was told to stop does not wait for ever for a store that is silent or
  /// refuses.
  void limit_wait_for_store() {
    if (!committing || give_up_at || live->retry_clock->is_unpaced())
      return;
    if (!all_were_told_to_stop())
      return;
    give_up_at = live->retry_clock->now() + setup->parameters.stop_patience_seconds * 1000;
    set_alarm();
  }

  bool all_were_told_to_stop() const {
    return std::all_of(setup->runs.begin(), setup->runs.end(),
                       [](const auto& run) { return run.stop.stop_requested(); });
  }

  /// What waits to become durable never will: its runs fail, and nothing of it is told.
  void give_up(const error& cause) {
    undurable_work left;
    left.last_number = last_number;
    std::set<std::size_t> touched;
    const bool ends_all = committing->is_last;
    for (const auto* waiting : {&committing, &turn_ahead})
      if (*waiting) {
        touched.insert((*waiting)->runs.begin(), (*waiting)->runs.end());
        left.events += static_cast<std::size_t>(
            std::count_if((*waiting)->events->begin(), (*waiting)->events->end(),
                          [](const auto& item) { return is_journalled(item); }));
      }
    for (const auto run : touched)
      left.runs.push_back(setup->runs[run].identity);
    const error problem{cause.code, cause.message + "; " + to_text(left)};
    for (std::size_t run = 0; run < runs.size(); ++run)
      if (auto& progress = runs[run];
          progress.over && !progress.summary.problem && (ends_all || touched.count(run) > 0)) {
        progress.summary.outcome = run_outcome::failed; // its end is not durable
        progress.summary.problem = problem;
        setup->record->finish_run(run, progress.summary, setup->wall_clock());
      }
    send_anonymously(setup->topics,
                     publish{{{topic::error, error_event{problem.code, problem.message, "store",
                                                         std::nullopt, nullptr}}}});
    stop_at_once(problem);
    committing.reset();
    turn_ahead.reset();
    retry_at.reset();
    give_up_at.reset();
  }

  /// At once, and then once a minute.
  void tell_refusal(const error& problem, instant now) {
    latest_refusal = problem.message;
    if (refusals++ == 0)
      refused_since = now;
    else if (now - refusal_told < longest_retry_ms)
      return;
    refusal_told = now;
    auto message = problem.message;
    if (refusals > 1)
      message += fmt::format(" (tried {} times in {} s; what is to be written waits and is tried "
                             "again in {} s)",
                             refusals, (now - refused_since) / 1000, retry_after / 1000);
    publish lost;
    lost.events.push_back({topic::error, error_event{error_code::store_failed, std::move(message),
                                                     "store", std::nullopt, nullptr}});
    send_anonymously(setup->topics, std::move(lost));
  }

  void tell_recovery() {
    retry_after = first_retry_ms;
    latest_refusal.clear();
    if (refusals > 0)
      live->note(fmt::format("the store takes writes again, after {} that failed; nothing was lost",
                             refusals));
    refusals = 0;
  }

  /// Durable: callbacks first, those of risk before those of strategies, then everybody who listens.
  void announce(std::int64_t first_number) {
    for (auto& item : *committing->events)
      if (is_journalled(item))
        item.number = last_number = first_number++;
    announce_decided();
  }

  void announce_decided() {
    for (auto& [arbiter, message] : decisions_by_arbiter()) {
      ++announcing;
      request(self, arbiter, caf::infinite, std::move(message))
          .then(
              [this, arbiter = arbiter](const decisions_announced& answer) {
                for (const auto& failure : answer.failures)
                  note_failure(arbiter, failure);
                if (--announcing == 0)
                  announce_ranges();
              },
              [this](const caf::error&) { // its end is noticed elsewhere
                if (--announcing == 0)
                  announce_ranges();
              });
    }
    if (announcing == 0)
      announce_ranges();
  }

  std::vector<std::pair<risk_actor, announce_decisions>> decisions_by_arbiter() const {
    std::vector<std::pair<risk_actor, announce_decisions>> by_arbiter;
    for (const auto& [run, count] : committing->decisions) {
      const auto& arbiter = runs[run].arbiter;
      auto at = std::find_if(by_arbiter.begin(), by_arbiter.end(),
                             [&](const auto& item) { return item.first == arbiter; });
      if (at == by_arbiter.end())
        at = by_arbiter.insert(at, {arbiter, {}});
      at->second.of.push_back({runs[run].participant, count});
    }
    return by_arbiter;
  }

  /// The run tells it, among the errors of its own callbacks.
  void note_failure(const risk_actor& arbiter, const callback_failure& failure) {
    for (const auto& [run, count] : committing->decisions)
      if (runs[run].arbiter == arbiter && runs[run].participant == failure.participant)
        committing->announcing[run].push_back(failure);
  }

  void announce_ranges() {
    for (const auto& [run, failures] : committing->announcing) {
      ++announcing;
      request(self, runs[run].client, caf::infinite, announce_range{failures})
          .then(
              [this](const range_announced& answer) {
                late_events.insert(late_events.end(), answer.events.begin(), answer.events.end());
                if (--announcing == 0)
                  tell();
              },
              [this](const caf::error&) { // its end is noticed elsewhere
                if (--announcing == 0)
                  tell();
              });
    }
    if (announcing == 0)
      tell();
  }

  void tell() {
    auto done = *std::exchange(committing, std::nullopt);
    for (auto& controller : done.controllers)
      controller.deliver(run_controlled{});
    if (done.is_last)
      return tell_the_last({std::move(*done.events), std::move(done.idle)});
    if (!done.events->empty() || !done.idle.empty())
      publish_events({std::move(*done.events), std::move(done.idle)});
    commit_if_complete(); // what came in the meantime, else on
  }

  /// The minutes of a replay can wait for whoever listens; the market's cannot. The consumer of a
  /// stream hears of its elements when the reports have taken them in.
  void publish_events(publish news) {
    auto elements = elements_of(news.events);
    if (!is_replay()) {
      send_anonymously(setup->topics, std::move(news));
      if (!elements.empty())
        request(self, setup->topics, caf::infinite, publish{})
            .then([this, elements = std::move(elements)](
                      const published&) { setup->stream->push(elements); },
                  [](const caf::error&) {}); // the runtime ends
      return;
    }
    ++telling;
    news.waits_for_room = !is_stopping() && !all_are_over(); // what comes behind it is short
    request(self, setup->topics, caf::infinite, std::move(news))
        .then(
            [this, elements = std::move(elements)](const published&) {
              --telling;
              if (!elements.empty()) {
                demanded = false;
                setup->stream->push(elements);
              }
              go_on();
            },
            [](const caf::error&) {}); // the same
  }

  bool all_are_over() const {
    return std::all_of(runs.begin(), runs.end(), [](const auto& run) { return run.over; });
  }

  /// What is left of a run that was told to stop is short: until it is over, no room is waited for.
  bool is_stopping() {
    if (some_are_stopping) {
      some_are_stopping = false;
      for (std::size_t run = 0; run < runs.size(); ++run)
        some_are_stopping |= !runs[run].over && setup->runs[run].stop.stop_requested();
    }
    return some_are_stopping;
  }

  std::vector<tick_result> elements_of(const std::vector<event>& events) const {
    std::vector<tick_result> elements;
    if (setup->stream)
      for (const auto& item : events)
        if (is_live_element(item))
          elements.push_back(std::get<tick_result>(item.payload));
    return elements;
  }

  // -- operators -----------------------------------------------------------------------------------------

  caf::result<run_controlled> control(const control_run& message) {
    auto promise = promise_answer<run_controlled>(self);
    const auto answer_no = [&](std::string why) {
      promise.deliver(run_controlled{error{error_code::invalid_argument, std::move(why)}});
      return promise;
    };
    if (auto problem = message.unreadable ? message.unreadable : problem_with(message.command)) {
      promise.deliver(run_controlled{std::move(problem)});
      return promise;
    }
    for (std::size_t run = 0; run < runs.size(); ++run) {
      auto& progress = runs[run];
      if (identity(run).strategy_name != message.strategy_name ||
          identity(run).symbol != message.symbol || progress.over)
        continue;
      if (message.command == operator_command::cancel && progress.state != signal_state::scheduled)
        return answer_no(fmt::format("strategy {} on {} has no scheduled signal",
                                  message.strategy_name, message.symbol));
      if (message.command == operator_command::close && progress.state != signal_state::pending)
        return answer_no(fmt::format("strategy {} on {} has no pending signal",
                                  message.strategy_name, message.symbol));
      const bool pauses = message.command == operator_command::pause;
      if (pauses || message.command == operator_command::resume) {
        if (std::exchange(progress.paused, pauses) == pauses)
          return answer_no(fmt::format("strategy {} on {} is {}", message.strategy_name,
                                       message.symbol, pauses ? "paused already" : "not paused"));
      }
      progress.commands.push_back(message.command);
      progress.controllers.push_back(promise);
      return promise;
    }
    return answer_no(fmt::format("strategy {} on {} does not run here", message.strategy_name,
                              message.symbol));
  }

  // -- ending --------------------------------------------------------------------------------------------

  void client_gone(std::size_t run, const std::string& reason) {
    end_run(run, {error_code::actor_failed,
                  fmt::format("the client of strategy {} on {} is gone: {}",
                              identity(run).strategy_name, identity(run).symbol, reason)});
    if (running)
      commit_if_complete();
    else
      start_if_ready();
  }

  /// The run failed. What the store keeps of it stays as it is.
  void end_run(std::size_t run, error problem) {
    auto& progress = runs[run];
    if (progress.over)
      return;
    progress.summary.outcome = run_outcome::failed;
    if (!setup->stream)
      progress.events.push_back({topic::exit, error_event{problem.code, problem.message, "live",
                                                          std::nullopt, setup->runs[run].identity}});
    progress.summary.problem = std::move(problem);
    close_run(run);
  }

  void close_run(std::size_t run) {
    auto& progress = runs[run];
    progress.over = true;
    if (!progress.late)
      open_ranges -= static_cast<std::size_t>(progress.ranges);
    progress.ranges = 0;
    if (progress.arbiter)
      send(self, progress.arbiter, clock_promise{progress.participant, {}, end_of_time});
    const error reason{error_code::invalid_argument,
                       fmt::format("strategy {} on {} is over", identity(run).strategy_name,
                                   identity(run).symbol)};
    refuse(progress.controllers, reason);
    if (progress.summary.problem) // else its last range becomes durable
      refuse(progress.controllers_of_range, reason);
    setup->record->finish_run(run, progress.summary, setup->wall_clock());
  }

  static void refuse(std::vector<response_promise<run_controlled>>& controllers,
                     const error& reason) {
    for (auto& controller : std::exchange(controllers, {}))
      controller.deliver(run_controlled{reason});
  }

  void refuse_all_controllers(const error& reason) {
    for (auto& run : runs) {
      refuse(run.controllers, reason);
      refuse(run.controllers_of_range, reason);
    }
    for (auto* waiting : {&committing, &turn_ahead})
      if (*waiting)
        refuse((*waiting)->controllers, reason);
  }

  void fail_all(const error& problem) {
    if (failed || finishing)
      return;
    failed = running = true;
    for (std::size_t run = 0; run < runs.size(); ++run) {
      runs[run].summary.identity = setup->runs[run].identity;
      end_run(run, problem);
    }
    commit_if_complete();
  }

  void stop_at_once(const error& problem) {
    refuse_all_controllers(problem);
    if (setup->stream)
      setup->stream->close(problem);
    clear_clients();
    setup->release();
    setup->record->finish(problem);
    self->quit(caf::exit_reason::user_shutdown);
  }

  void finish() {
    finishing = true;
    live->clock->cancel();
    clear_clients();
    setup->release();
    turn last;
    take_into(last);
    last.is_last = true;
    if (!setup->stream)
      for (const auto& run : runs)
        if (!run.ended || !run.ended->ended || !run.ended->ended->announced)
          last.events->push_back(
              {topic::done_live, done_event{run.summary.identity, "", run.summary.outcome}});
    for (std::size_t i = 0; i < runs.size(); ++i)
      if (const auto& ended = runs[i].ended;
          ended && ended->ended && !ended->ended->announced) {
        auto announced = *ended;
        announced.ended->announced = true;
        put_run(last.rows, announced, ended.get(), profiles_of(*setup->runs[i].strategy));
      }
    commit(std::move(last));
  }

  void tell_the_last(publish news) {
    const auto end = [this, elements = elements_of(news.events)] {
      end_stream(elements);
      send(self, setup->topics, deregister_producer{producer_actor{live_actor{self}}});
      setup->record->finish(std::nullopt);
      self->quit();
    };
    if (!is_replay()) // in one line with what was told before
      send_anonymously(setup->topics, std::exchange(news, {}));
    news.waits_for_room = false; // nothing comes behind it
    request(self, setup->topics, caf::infinite, std::move(news))
        .then([end](const published&) { end(); }, [end](const caf::error&) { end(); });
  }

  void end_stream(const std::vector<tick_result>& last_elements) {
    if (!setup->stream)
      return;
    setup->stream->push(last_elements);
    std::optional<error> problem;
    for (const auto& run : runs)
      if (run.summary.problem && !problem)
        problem = run.summary.problem;
    setup->stream->close(std::move(problem));
  }

  void clear_clients() {
    for (const auto& run : setup->runs)
      send_anonymously(setup->clients.strategies,
                       clear_client<strategy_key>{{run.identity->symbol,
                                                   run.identity->strategy_name, run_mode::live}});
    for (const auto& key : arbiters)
      send_anonymously(setup->clients.risks, clear_client<risk_key>{key});
  }
};

} // namespace

live_actor spawn_live(caf::actor_system& system, const shared_census& census,
                      std::shared_ptr<const live_setup> setup) {
  return spawn_actor<live_state, live_actor>(system, census, std::move(setup));
}

} // namespace backtest
