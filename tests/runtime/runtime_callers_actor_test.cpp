#include "tests/support/calling_places.hpp"

#include <map>
#include <set>

#include <fmt/format.h>

using namespace backtest;
using namespace backtest::testing;

namespace {

enum class wait_of { nobody, actors, store, subscribers, runs, walkers };

struct facade_call {
  std::string name;
  wait_of waits;
  std::function<void(runtime&)> call;
};

constexpr fixed_percentage_size fifty_units{10'000, 100, 98};

backtest_request request_for(const std::string& strategy, const std::string& symbol = "Z") {
  return request_of({symbol}, {strategy});
}

live_request live_request_for(const std::string& strategy) {
  live_request request;
  request.symbols = {"L"};
  request.strategies = {strategy};
  request.exchange = "exchange";
  request.clock = std::make_shared<manual_clock>(first_instant);
  return request;
}

/// Stands still until it is let go, and jumps from alarm to alarm then.
class jumping_clock final : public live_clock {
public:
  explicit jumping_clock(bool replays) : replays_(replays) {}

  bool is_replay() const noexcept override { return replays_; }
  instant now() const override {
    const std::lock_guard lock{mutex_};
    return now_;
  }
  void wake_at(instant when, std::function<void()> ring) override {
    {
      const std::lock_guard lock{mutex_};
      if (!is_let_go_) {
        when_ = when;
        ring_ = std::move(ring);
        return;
      }
      now_ = std::max(now_, when);
    }
    ring();
  }
  void cancel() override {
    const std::lock_guard lock{mutex_};
    ring_ = {};
  }
  void let_go() {
    std::function<void()> ring;
    {
      const std::lock_guard lock{mutex_};
      is_let_go_ = true;
      if (ring_)
        now_ = std::max(now_, when_);
      ring.swap(ring_);
    }
    if (ring)
      ring();
  }

private:
  mutable std::mutex mutex_;
  bool replays_;
  bool is_let_go_ = false;
  instant now_ = first_instant + settled;
  instant when_ = 0;
  std::function<void()> ring_;
};

template <class Reports>
void add_reports(std::vector<facade_call>& calls, const std::string& name, Reports reports) {
  const auto mode = run_mode::backtest;
  calls.push_back({name + ".get_data", wait_of::actors,
                   [=](runtime& r) { reports(r).get_data("BTC", "buyer", mode); }});
  calls.push_back({name + ".get_report", wait_of::actors,
                   [=](runtime& r) { reports(r).get_report("BTC", "buyer", mode); }});
  calls.push_back({name + ".dump", wait_of::actors, [=](runtime& r) {
                     reports(r).dump("BTC", "buyer", mode, temporary_directory{}.path());
                   }});
  calls.push_back({name + ".clear", wait_of::actors,
                   [=](runtime& r) { reports(r).clear("BTC", "buyer", mode); }});
  calls.push_back({name + ".clear all", wait_of::actors, [=](runtime& r) { reports(r).clear(); }});
}

/// Every public function of a runtime and of what it hands out.
std::vector<facade_call> facade_calls() {
  using w = wait_of;
  const auto mode = run_mode::backtest;
  std::vector<facade_call> calls{
      {"add_frame", w::nobody, [](runtime& r) { r.add_frame(frame_of(hour_ms, "another")); }},
      {"list", w::nobody,
       [](runtime& r) {
         r.list_exchanges();
         r.list_frames();
         r.list_risks();
         r.list_sizings();
         r.list_strategies();
         r.list_walkers();
       }},
      {"get", w::nobody,
       [](runtime& r) {
         r.get_exchange("exchange");
         r.get_frame("frame");
         r.get_risk("cap");
         r.get_sizing("one_percent");
         r.get_strategy("buyer");
         r.get_walker("compare");
       }},
      {"override", w::nobody,
       [](runtime& r) {
         r.override_exchange("exchange", [](exchange_schema&) {});
         r.override_frame("frame", [](frame_schema&) {});
         r.override_risk("cap", [](risk_schema&) {});
         r.override_sizing("one_percent", [](sizing_schema&) {});
         r.override_strategy("calm", [&](strategy_schema&) { r.get_strategy("buyer"); });
         r.override_walker("quiet", [](walker_schema&) {});
       }},
      {"config", w::nobody,
       [](runtime& r) {
         r.set_config(r.get_config());
         r.set_columns({});
         r.get_columns();
         r.get_default_columns();
         r.enabled_reports();
       }},
      {"position_size", w::nobody,
       [](runtime& r) { CHECK(r.position_size("one_percent", "BTC", fifty_units) == 50); }},
      {"handles", w::nobody,
       [](runtime& r) {
         r.topics();
         r.system();
         r.actor_count();
         r.actor();
       }},
      {"backtest.list", w::nobody,
       [](runtime& r) {
         r.backtest().list();
         r.backtest().status("BTC", "buyer");
         r.backtest().stop("Y", "calm");
       }},
      {"backtest.run", w::nobody,
       [](runtime& r) {
         auto stream = r.backtest().run(request_for("silent"));
         stream.stop();
         stream.summaries();
       }},
      {"backtest.background", w::nobody,
       [](runtime& r) {
         auto run = r.backtest().background(request_for("calm"));
         run.finished();
         run.summaries();
         run.id();
         run.cancel();
       }},
      {"live.list", w::nobody,
       [](runtime& r) {
         r.live().list();
         r.live().status("BTC", "buyer");
         r.live().stop("Y", "calm");
       }},
      {"live.run", w::nobody, [](runtime& r) { r.live().run(live_request_for("calm")); }},
      {"live.background", w::store,
       [](runtime& r) { r.live().background(live_request_for("calm")).cancel(); }},
      {"walker.list", w::nobody,
       [](runtime& r) {
         r.walker().list();
         r.walker().status("BTC", "compare");
         r.walker().stop("Y", "quiet");
         r.walker().get_data("BTC", "compare");
         r.walker().get_report("BTC", "compare");
         r.walker().dump("BTC", "compare", temporary_directory{}.path());
       }},
      {"walker.run", w::nobody, [](runtime& r) { r.walker().run("Y", "quiet"); }},
      {"walker.background", w::nobody,
       [](runtime& r) {
         auto walk = r.walker().background("Z", "quiet");
         walk.finished();
         walk.data();
         walk.status();
         walk.summaries();
         walk.cancel();
       }},
      {"walker_handle.wait", w::walkers,
       [](runtime& r) { r.walker().background("X", "quiet").wait(); }},
      {"walker_stream.next", w::walkers,
       [](runtime& r) {
         auto stream = r.walker().run("W", "quiet");
         stream.next();
       }},
      {"node", w::store, [](runtime& r) { r.node(); }},
      {"publish", w::store, [](runtime& r) { r.publish().close(); }},
      {"backtest.get_data", w::actors, [](runtime& r) { r.backtest().get_data("BTC", "buyer"); }},
      {"backtest.get_report", w::actors,
       [](runtime& r) { r.backtest().get_report("BTC", "buyer"); }},
      {"backtest.dump", w::actors,
       [](runtime& r) { r.backtest().dump("BTC", "buyer", temporary_directory{}.path()); }},
      {"backtest.portfolio_statistics", w::actors,
       [](runtime& r) { r.backtest().portfolio_statistics({}); }},
      {"live.get_data", w::actors, [](runtime& r) { r.live().get_data("BTC", "buyer"); }},
      {"live.get_report", w::actors, [](runtime& r) { r.live().get_report("BTC", "buyer"); }},
      {"live.dump", w::actors,
       [](runtime& r) { r.live().dump("BTC", "buyer", temporary_directory{}.path()); }},
      {"live.statistics", w::actors, [](runtime& r) { r.live().statistics("BTC", "buyer"); }},
      {"heat.get_data", w::actors, [=](runtime& r) { r.heat().get_data("buyer", mode); }},
      {"heat.get_report", w::actors, [=](runtime& r) { r.heat().get_report("buyer", mode); }},
      {"heat.dump", w::actors,
       [=](runtime& r) { r.heat().dump("buyer", mode, temporary_directory{}.path()); }},
      {"heat.clear", w::actors, [=](runtime& r) { r.heat().clear("buyer", mode); }},
      {"heat.clear all", w::actors, [](runtime& r) { r.heat().clear(); }},
      {"listen", w::actors,
       [](runtime& r) { r.listen_done_live([](const done_event&) {}).unsubscribe(); }},
      {"listen_once", w::actors,
       [](runtime& r) {
         r.listen_once({{topic::done_live}, {}, {}, {}}, {}, [](const event&) {}).unsubscribe();
       }},
      {"subscribe", w::actors,
       [](runtime& r) {
         const auto subscriber = spawn_actor<visiting_subscriber_state, subscriber_actor>(
             r.system(), nullptr,
             std::make_shared<errand>(place::own_thread, std::function<void()>{}));
         // it may throw
         const std::shared_ptr<void> ending{nullptr, [&](void*) { end_actor(subscriber); }};
         r.subscribe({{topic::done_live}, {}, {}, {}}, subscriber).unsubscribe();
       }},
      {"flush", w::subscribers, [](runtime& r) { r.flush(); }},
      {"run_handle.wait", w::runs,
       [](runtime& r) { r.backtest().background(request_for("still", "X")).wait(); }},
      {"signal_stream.next", w::runs,
       [](runtime& r) {
         auto stream = r.backtest().run(request_for("still", "W"));
         stream.next();
       }},
  };
  add_reports(calls, "schedule", [](runtime& r) { return r.schedule(); });
  add_reports(calls, "performance", [](runtime& r) { return r.performance(); });
  add_reports(calls, "partial", [](runtime& r) { return r.partial(); });
  add_reports(calls, "risk", [](runtime& r) { return r.risk(); });
  return calls;
}

/// What a place may wait for, beside nobody.
std::set<wait_of> waits_allowed(place where) {
  using w = wait_of;
  switch (where) {
  case place::own_thread:
  case place::detached_actor: return {w::actors, w::store, w::subscribers, w::runs, w::walkers};
  case place::walker_callback:
  case place::walker_stream_callback: return {w::actors, w::store, w::subscribers, w::runs};
  case place::exchange_function:
  case place::exchange_callback:
  case place::blocking_signal_function: return {w::actors, w::store, w::subscribers};
  case place::listener:
  case place::predicate: return {w::actors, w::store};
  case place::logger:
  case place::store:
  case place::open_store: return {};
  default: // on the one thread of the scheduler
    return {w::store};
  }
}

std::string outcome_of(const std::function<void(runtime&)>& call, runtime& target) {
  try {
    call(target);
    return "returns";
  } catch (const failure& thrown) {
    const std::string text = thrown.what();
    return text.find("called from") != std::string::npos ? "refuses" : "fails: " + text;
  } catch (const std::exception& thrown) {
    return fmt::format("throws {}", thrown.what());
  }
}

std::map<std::string, std::string> outcomes_at(place where, host_kind kind) {
  std::map<std::string, std::string> outcomes;
  world_of_places world{kind, where, [&](world_of_places& here) {
                          for (const auto& item : facade_calls())
                            outcomes[item.name] = outcome_of(item.call, *here.target);
                        }};
  world.run();
  return outcomes;
}

/// What the call throws at a place.
std::string refusal_at(place where, std::function<void(runtime&)> call) {
  std::string text;
  world_of_places world{host_kind{}, where, [&](world_of_places& here) {
                          try {
                            call(*here.target);
                          } catch (const failure& thrown) {
                            CHECK(thrown.code() == error_code::invalid_argument);
                            text = thrown.what();
                          }
                        }};
  world.run();
  return text;
}

} // namespace

TEST_CASE("callers: every function returns or refuses at every place") {
  const watchdog guard{std::chrono::seconds{240}};
  const auto kind = every_host();
  for (const auto& [where, name] : all_places) {
    const std::string at{name};
    CAPTURE(at);
    const auto allowed = waits_allowed(where);
    const auto outcomes = outcomes_at(where, kind);
    for (const auto& item : facade_calls()) {
      const bool may = item.waits == wait_of::nobody || allowed.count(item.waits) > 0;
      CHECK_MESSAGE(outcomes.at(item.name) == (may ? "returns" : "refuses"), item.name);
    }
  }
}

TEST_CASE("callers: a refusal says which function, from where, and what to use") {
  const watchdog guard{};
  const auto get_data = [](runtime& r) { r.backtest().get_data("BTC", "buyer"); };
  CHECK(refusal_at(place::signal_function, get_data) ==
        "backtest.get_data: called from a function of strategy buyer, where it may not wait for an "
        "actor; expected a thread of your own or a detached actor, or a message to "
        "runtime::actor()");
  CHECK(refusal_at(place::scheduled_actor, get_data) ==
        "backtest.get_data: called from an actor that shares its thread with others, where it may "
        "not wait for an actor; expected a thread of your own or a detached actor, or a message to "
        "runtime::actor()");
  CHECK(refusal_at(place::listener, [](runtime& r) { r.flush(); }) ==
        "flush: called from the callback of a listener, where it may not wait for every "
        "subscriber; expected a thread of your own or a detached actor, or a message to "
        "runtime::actor()");
}

TEST_CASE("callers: a runtime of another actor system may be waited for") {
  const watchdog guard{};
  for (const auto where : {place::signal_function, place::scheduled_actor, place::listener,
                           place::exchange_function, place::logger}) {
    runtime other{quiet(1)};
    add_basics(other);
    bool has_data = false;
    world_of_places world{host_kind{}, where, [&](world_of_places&) {
                            has_data = outcome_of(
                                           [](runtime& r) {
                                             r.backtest().get_data("BTC", "buyer");
                                             r.listen_error([](const error_event&) {});
                                           },
                                           other) == "returns";
                          }};
    world.run();
    CHECK(has_data);
  }
}

TEST_CASE(
    "callers: an actor of another system may ask, but not wait for whom the runtime waits for") {
  const watchdog guard{};
  own_actor_system elsewhere{1};
  runtime target{quiet(1)};
  add_basics(target);
  std::string asked, flushed, of_detached;
  tally over;
  const auto flush = [](runtime& r) { r.flush(); };
  elsewhere.get().spawn([&](caf::event_based_actor* self) {
    asked = outcome_of([](runtime& r) { r.backtest().get_data("BTC", "buyer"); }, target);
    flushed = outcome_of(flush, target);
    self->spawn<caf::detached>([&](caf::event_based_actor*) {
      of_detached = outcome_of(flush, target);
      over.add();
    });
  });
  over.wait_for(1);
  CHECK(asked == "returns");
  CHECK(flushed == "refuses");
  CHECK(of_detached == "returns");
}

TEST_CASE("callers: a thread that a scheduled actor started may call everything") {
  const watchdog guard{};
  std::string outcome;
  std::thread started;
  world_of_places world{host_kind{}, place::scheduled_actor, [&](world_of_places& here) {
                          started = std::thread{[&outcome, target = here.target.get()] {
                            outcome = outcome_of(
                                [](runtime& r) {
                                  run_to_end(r);
                                  r.flush();
                                },
                                *target);
                          }};
                        }};
  world.run();
  started.join();
  CHECK(outcome == "returns");
}

TEST_CASE("callers: a runtime may be destroyed at every place, and is gone then") {
  const watchdog guard{std::chrono::seconds{120}};
  const auto kind = every_host();
  for (const auto& [where, name] : all_places) {
    // Where somebody waits inside of a function of the runtime it cannot go.
    if (where == place::report_column || where == place::walker_stream_callback ||
        where == place::open_store || where == place::logger)
      continue;
    const std::string at{name};
    CAPTURE(at);
    tally after;
    world_of_places world{kind, where, [&](world_of_places& here) {
                            here.target.reset();
                            after.add();
                          }};
    world.run();
    world.wait_until_gone();
    CHECK(after.count() == 1);
    CHECK(world.target == nullptr);
  }
}

TEST_CASE("callers: streams may be let go of at every place") {
  const watchdog guard{};
  for (const auto where : {place::scheduled_actor, place::signal_function, place::listener,
                           place::walker_callback, place::blocking_signal_function}) {
    std::optional<signal_stream> signals;
    std::optional<walker_stream> walks;
    world_of_places world{host_kind{}, where, [&](world_of_places&) {
                            signals.reset();
                            walks.reset();
                          }};
    world.target->override_walker("quiet", [](walker_schema& schema) {
      schema.strategies = {"silent", "still"};
    });
    world.target->add_strategy(strategy_of("trader"));
    signals.emplace(world.target->backtest().run(request_of({"V"}, {"trader"})));
    walks.emplace(world.target->walker().run("V", "quiet"));
    REQUIRE(signals->next());
    REQUIRE(walks->next());
    world.run();
    CHECK(!signals);
    CHECK(!walks);
  }
}

TEST_CASE("callers: commands wait for a run on the market, not for one that replays") {
  const watchdog guard{};
  for (const bool replays : {false, true}) {
    CAPTURE(replays);
    for (const auto where : {place::own_thread, place::detached_actor, place::scheduled_actor,
                             place::signal_function, place::listener, place::exchange_function}) {
      CAPTURE(static_cast<int>(where));
      const auto clock = std::make_shared<jumping_clock>(replays);
      std::string outcome;
      world_of_places world{host_kind{}, where, [&](world_of_places& here) {
                              clock->let_go();
                              outcome = outcome_of([](runtime& r) { r.live().pause("L", "calm"); },
                                                   *here.target);
                            }};
      auto request = live_request_for("calm");
      request.clock = clock;
      if (replays)
        request.frame = "frame";
      auto run = world.target->live().background(request);
      world.run();
      run.cancel();
      run.wait();
      const bool is_free = where == place::own_thread || where == place::detached_actor;
      const bool may = is_free || (where == place::listener && !replays);
      CHECK(outcome == (may ? "returns" : "refuses"));
    }
  }
}
