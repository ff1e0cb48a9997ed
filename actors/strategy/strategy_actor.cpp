#include "actors/strategy/strategy_actor.hpp"

#include "actors/exchange/market_actor.hpp"
#include "actors/strategy/blocking_source_actor.hpp"
#include "storage/journal.hpp"

#include <fmt/format.h>

namespace backtest {

namespace {

struct strategy_state {
  self_pointer<strategy_actor, strategy_state> self = nullptr;
  std::shared_ptr<const strategy_schema> schema;
  std::shared_ptr<const run_setup> setup;
  std::optional<series_market> market;
  std::optional<strategy_core> core;
  std::vector<advance_range> ranges; ///< the first is under way; hardly ever more than two
  std::vector<event> events;
  std::optional<pause_reason> ended; ///< how the run came to its end
  std::shared_ptr<const stored_run> stored; ///< live: what the store keeps of the run
  partial_actor milestones; ///< of the signal that lives
  std::string milestones_of;
  signal_source_actor source;
  std::uint64_t source_generation = 0;
  bool source_is_own = false;
  bool asking_source = false;
  bool gave_way = false;     ///< in the middle of a range, so that others get their turn
  market_actor asked_market; ///< of the question a source has that is not our own

  ~strategy_state() {
    end_source();
    forget_milestones();
  }

  void init(std::shared_ptr<const strategy_schema> strategy) { schema = std::move(strategy); }

  strategy_actor::behavior_type make_behavior() {
    return {
        [this](const prepare_run& message) {
          prepare(message.setup);
          return run_prepared{};
        },
        [this](advance_range& message) {
          ranges.push_back(std::move(message));
          if (ranges.size() == 1)
            go_on();
        },
        [this](const announce_range& message) {
          range_announced answer;
          core->announce(message.failures, answer.events);
          return answer;
        },
        [this](const continue_range&) {
          if (std::exchange(gave_way, false))
            go_on();
        },
        [this](const source_down& message) {
          if (asking_source && message.generation == source_generation)
            source_gone(message.reason);
        },
    };
  }

  void prepare(std::shared_ptr<const run_setup> next) {
    forget_milestones();
    setup = std::move(next);
    schema = setup->strategy;
    const auto& plan = setup->plan;
    core.reset();
    ranges.clear();
    events.clear();
    ended.reset();
    stored.reset();
    gave_way = false;
    market.emplace(plan.identity->symbol, plan.rules.parameters.avg_price_candles_count,
                   setup->formats, blocking_loader(self->system(), setup->exchange, awaited()));
    market->provide(setup->minutes);
    core.emplace(*schema, plan, *market);
    if (plan.resumed) {
      stored = std::make_shared<const stored_run>(
          stored_run{*plan.identity, *plan.resumed, std::nullopt});
      resume_milestones(*plan.resumed);
    }
    end_source();
    source = setup->source;
    if (!source && schema->blocking)
      spawn_source();
    else if (source)
      watch_source();
  }

  /// Whoever asks for candles to find a signal.
  awaited_by awaited() const { return {{setup->plan.stop}, setup->plan.halted}; }

  /// The tracker of a signal that lived when the node went down knows what was told before.
  void resume_milestones(const run_memory& memory) {
    if (memory.announced_profit + memory.announced_loss == 0)
      return;
    const auto& id = memory.machine.signal->id;
    const auto tell = [this, memory, id](const resolved<partial_actor>& found) {
      milestones = found.client;
      milestones_of = id;
      for (const auto side : {milestone_side::profit, milestone_side::loss})
        request(self, milestones, caf::infinite,
                reach_milestones{side, side == milestone_side::profit ? memory.announced_profit
                                                                      : memory.announced_loss})
            .then([](const milestones_reached&) {}, [](const caf::error&) {});
    };
    request(self, setup->partial, caf::infinite, resolve<partial_key>{milestone_key(id)})
        .then(tell, [this](const caf::error& reason) {
          give_up("the partial supervisor", reason);
        });
  }

  void watch_source() {
    on_exit(source,
            [client = weak_handle<strategy_actor>{strategy_actor{self}},
             generation = ++source_generation, &system = self->system()](const caf::error& reason) {
              if (auto strong = client.lock())
                send_anonymously(strong, source_down{generation, text_of(system, reason)});
            });
  }

  void spawn_source() {
    source = spawn_blocking_source(self->system(), setup->census, schema,
                                   setup->plan.rules.parameters.avg_price_candles_count,
                                   setup->formats, setup->plan.sizings, setup->exchange, awaited());
    source_is_own = true;
    watch_source();
  }

  void end_source() {
    end_question();
    if (source_is_own)
      end_actor(source);
    source = signal_source_actor{};
    source_is_own = false;
  }

  /// What a source was shown for one question says nothing any more.
  void end_question() {
    asking_source = false;
    end_actor(std::exchange(asked_market, market_actor{}));
  }

  /// The tracker lives no longer than its signal, however that came to an end.
  void forget_milestones() {
    if (milestones)
      send_anonymously(setup->partial,
                       clear_client<partial_key>{milestone_key(milestones_of)});
    milestones = partial_actor{};
    milestones_of.clear();
  }

  partial_key milestone_key(const std::string& signal_id) const {
    const auto& names = *setup->plan.identity;
    return {names.strategy_name, names.symbol, signal_id, names.mode, setup->portfolio};
  }

  void go_on() {
    while (!ranges.empty()) {
      if (!ended && !range_done())
        return; // an answer from outside is missing
      auto result = facts();
      if (!events.empty()) {
        const auto as_many = ended ? 0 : events.size(); // ranges of one run resemble each other
        result.events = std::exchange(events, {});
        events.reserve(as_many);
      }
      result.clock = core->clock();
      result.over = ended.has_value();
      const bool live = setup->plan.identity->mode == run_mode::live;
      if (ended == pause_reason::failed)
        result.problem = core->reason();
      if (live)
        keep(result);
      result.granted_until = ranges.front().grant.until;
      ranges.erase(ranges.begin());
      tell_driver(std::move(result));
    }
  }

  /// What must be durable of the range.
  void keep(range_result& result) {
    auto now = std::make_shared<stored_run>(
        stored_run{*setup->plan.identity, core->memory(), std::nullopt});
    if (ended)
      now->ended = ended_run{ended == pause_reason::failed ? run_outcome::failed
                             : core->was_cut_short()       ? run_outcome::stopped
                                                           : run_outcome::completed,
                             false, setup->plan.frame.last, core->plan().data_end};
    put_run(result.rows, *now, stored.get(), profiles_of(*schema));
    for (const auto& item : result.events)
      result.texts.push_back(is_journalled(item) ? journal_text(item) : std::string{});
    result.state = now->memory.machine.state;
    result.has_announcements = core->has_announcements();
    result.decisions_to_announce = core->take_decisions_to_announce();
    result.idle = core->take_idle();
    if (ended)
      result.ended = now;
    stored = std::move(now);
    if (const auto until = core->quiet_until())
      result.quiet = {stored, *until};
  }

  /// False while it waits for an answer.
  bool range_done() {
    if (drop_if_halted())
      return false;
    auto& wanted = ranges.front();
    if (const auto until = std::exchange(wanted.passed_until, 0); until > 0)
      core->pass_quietly(until);
    if (auto minutes = std::exchange(wanted.minutes, std::nullopt))
      core->provide(*std::move(minutes));
    for (const auto asked : std::exchange(wanted.commands, {}))
      core->command(asked);
    if (wanted.end_if_idle && core->end_if_idle()) {
      ended = pause_reason::finished;
      forget_milestones();
      promise_clock();
      return true;
    }
    const auto reason = core->advance(wanted.grant, events);
    if (drop_if_halted())
      return false;
    for (const auto& id : core->take_closed_ids())
      if (id == milestones_of) // the next signal may have the same id
        forget_milestones();
    switch (reason) {
    case pause_reason::ask_risk: ask_risk(); return false;
    case pause_reason::ask_milestones: ask_milestones(); return false;
    case pause_reason::ask_source:
      promise_clock();
      ask_source();
      return false;
    case pause_reason::ask_candles:
      promise_clock();
      ask_candles();
      return false;
    case pause_reason::range_done:
      if (must_examine_all() && core->is_handed_back_early()) {
        promise_clock();
        give_way();
        return false;
      }
      break;
    case pause_reason::finished:
    case pause_reason::failed: break;
    }
    if (reason != pause_reason::range_done) {
      ended = reason;
      forget_milestones();
    }
    promise_clock();
    return true;
  }

  /// The driver of a backtest grants what is left of a range, while others go on. That of a live
  /// run takes a range for examined, and waits with the next one until everybody is done with
  /// theirs; who asks the arbiter is not done before everybody has come to that instant.
  bool must_examine_all() const { return setup->plan.identity->mode == run_mode::live; }

  void give_way() {
    gave_way = true;
    send(self, strategy_actor{self}, continue_range{});
  }

  /// Nobody waits for what came of them, and what was not examined must not be taken for examined.
  bool drop_if_halted() {
    if (!setup->plan.halted.stop_requested())
      return false;
    ranges.clear();
    events.clear();
    return true;
  }

  void promise_clock() {
    if (setup->risk) // a run may be quiet without being asked, but never silent towards the others
      send(self, setup->risk, clock_promise{setup->participant, core->take_ends(),
                                            core->quiet_until().value_or(core->clock())});
  }

  void tell_driver(range_result result) {
    if (auto driver = setup->driver.lock())
      send(self, driver, std::move(result));
  }

  range_result facts() const {
    range_result result;
    result.run = setup->run;
    result.counters = core->counters();
    if (ended) { // it looks through the candles
      result.gaps = core->gaps();
      result.minutes = core->minutes_since_listing();
      result.absent = core->before_first_candle();
    }
    result.processed = core->processed_instants();
    result.cut_short = core->was_cut_short();
    return result;
  }

  /// An actor of ours is gone: the run cannot go on.
  void give_up(const char* whom, const caf::error& reason) {
    self->quit(caf::exit_reason::unknown);
    auto result = facts();
    result.clock = end_of_time;
    result.over = true;
    result.problem = error{error_code::actor_failed, fmt::format("{} is gone: {}", whom, text_of(reason))};
    ranges.clear();
    tell_driver(std::move(result));
  }

  void ask_risk() {
    request(self, setup->risk, caf::infinite,
            ask_risk_arbiter{setup->participant, core->take_ends(), core->query()})
        .then(
            [this](const risk_verdict& verdict) {
              core->answer(verdict);
              go_on();
            },
            [this](const caf::error& reason) { give_up("the risk arbiter", reason); });
  }

  /// All of the run's minutes, and more of them.
  void ask_candles() {
    const auto [from, until] = core->wanted_candles();
    load_candles asked{setup->plan.identity->symbol, interval::m1,
                       std::min(setup->minutes.from, setup->plan.frame.first), until, true};
    asked.extent = candle_extent{asked.from, until, false, from};
    asked.awaited.halted = setup->plan.halted; // a stopped run follows its signal to the end
    request(self, setup->exchange, caf::infinite, std::move(asked))
        .then(
            [this](const candles_loaded& answer) {
              if (answer.problem)
                core->candles_failed(*answer.problem);
              else
                core->add_candles(answer.loaded);
              go_on();
            },
            [this](const caf::error& reason) {
              core->candles_failed(
                  {error_code::fetch_failed, "the exchange client is gone: " + text_of(reason)});
              go_on();
            });
  }

  void ask_milestones() {
    const auto& query = core->reached();
    if (milestones_of == query.signal_id && milestones) {
      reach(query);
      return;
    }
    request(self, setup->partial, caf::infinite,
            resolve<partial_key>{milestone_key(query.signal_id)})
        .then(
            [this](const resolved<partial_actor>& found) {
              milestones = found.client;
              milestones_of = core->reached().signal_id;
              reach(core->reached());
            },
            [this](const caf::error& reason) { give_up("the partial supervisor", reason); });
  }

  void reach(const milestone_query& query) {
    request(self, milestones, caf::infinite, reach_milestones{query.side, query.crossed})
        .then(
            [this](const milestones_reached& answer) {
              core->answer(answer.levels);
              go_on();
            },
            [this](const caf::error& reason) { give_up("a milestone tracker", reason); });
  }

  void ask_source() {
    const auto& plan = setup->plan;
    const auto deadline =
        std::chrono::seconds{plan.rules.parameters.max_signal_generation_seconds};
    asking_source = true;
    if (!source_is_own)
      asked_market =
          spawn_market(self->system(), setup->census, setup->exchange, core->clock(), awaited());
    request(self, source, deadline,
            generate_signal{*plan.identity, core->clock(), asked_market, setup->sizings})
        .then(
            [this](const generated_signal& answer) {
              if (!asking_source)
                return; // its death overtook the answer
              end_question();
              core->note_callback_errors(answer.callback_errors);
              if (answer.problem)
                core->source_failed({known(answer.problem->code), answer.problem->message});
              else
                core->answer(answer.request);
              go_on();
            },
            [this](const caf::error& reason) {
              if (!asking_source)
                return; // known from its death
              if (reason == caf::sec::request_timeout) {
                end_question();
                const auto& names = *setup->plan.identity;
                core->source_failed(
                    {error_code::signal_timeout,
                     fmt::format("get_signal of {} on {} at {} took longer than {} s",
                                 names.strategy_name, names.symbol, to_iso(core->clock()),
                                 setup->plan.rules.parameters.max_signal_generation_seconds)});
                if (source_is_own) { // it is left to its call; the next question needs a free one
                  end_source();
                  spawn_source();
                }
                go_on();
              } else {
                source_gone(text_of(self->system(), reason));
              }
            });
  }

  void source_gone(const std::string& reason) {
    end_question();
    const auto& names = *setup->plan.identity;
    core->source_failed({error_code::signal_source_failed,
                         fmt::format("signal source of {} on {} is gone: {}",
                                     names.strategy_name, names.symbol, reason)});
    go_on();
  }
};

} // namespace

strategy_actor spawn_strategy_client(caf::actor_system& system, const shared_census& census,
                                     std::shared_ptr<const strategy_schema> schema) {
  return spawn_actor<strategy_state, strategy_actor>(system, census, std::move(schema));
}

} // namespace backtest
