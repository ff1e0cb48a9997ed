#pragma once

#include "actors/exchange/candle_loader.hpp"
#include "actors/frame/frame_actor.hpp"
#include "actors/partial/partial_actor.hpp"
#include "actors/risk/risk_actor.hpp"
#include "actors/strategy/strategy_actor.hpp"
#include "actors/supervisor.hpp"
#include "actors/topics/topics_actor.hpp"
#include "actors/store/store_actor.hpp"
#include "runtime/live.hpp"
#include "runtime/portfolio.hpp"
#include "runtime/report_actor.hpp"
#include "runtime/schemas.hpp"
#include "tests/support/deterministic_system.hpp"
#include "tests/support/manual_clock.hpp"

#include <limits>

#if !BACKTEST_CAF_MODERN

namespace backtest::testing {

/// Candles that were made before, from a scheduled actor: the exchange client without its thread.
struct ready_exchange_state {
  using candles = std::map<std::string, loaded_series>;
  self_pointer<exchange_actor, ready_exchange_state> self = nullptr;
  std::shared_ptr<const candles> held;

  void init(std::shared_ptr<const candles> series) { held = std::move(series); }

  exchange_actor::behavior_type make_behavior() {
    return {
        [this](const load_candles& message) {
          candles_loaded answer;
          if (const auto found = held->find(message.symbol); found != held->end())
            answer.loaded = found->second;
          else
            answer.problem = error{error_code::fetch_failed, "no candles of " + message.symbol};
          return answer;
        },
        [](const find_candles&) {
          return candle_list{{}, error{error_code::fetch_failed, "not here"}};
        },
    };
  }
};

/// What makes a portfolio a live one, replayed at full speed.
struct live_parts {
  std::unique_ptr<store> target;
  std::vector<stored_run> stored; ///< where it was interrupted
};

/// Everything a portfolio run is made of, on a deterministic system.
class deterministic_portfolio {
public:
  deterministic_portfolio(deterministic_system& on, const schema_set& schemas,
                          std::shared_ptr<const ready_exchange_state::candles> candles,
                          const std::vector<std::string>& symbols, const subscription& wanted,
                          const configuration& parameters = {},
                          std::optional<live_parts> live = std::nullopt)
      : system(on), setup_(std::make_shared<portfolio_setup>()) {
    const auto mode = live ? run_mode::live : run_mode::backtest;
    const auto frame_name = live ? std::string{} : schemas.frames.front().frame_name;
    auto& host = system.get();
    setup_->number = 1;
    setup_->parameters = parameters;
    setup_->exchange = std::make_shared<const exchange_schema>(schemas.exchanges.front());
    for (const auto& strategy : schemas.strategies)
      for (const auto& symbol : symbols) {
        stops.emplace_back();
        setup_->runs.push_back({std::make_shared<const run_identity>(run_identity{
                                    symbol, strategy.strategy_name,
                                    setup_->exchange->exchange_name,
                                    frame_name, mode}),
                                std::make_shared<const strategy_schema>(strategy),
                                {},
                                stops.back().get_token(),
                                stored_in(live, symbol, strategy.strategy_name)});
      }
    std::sort(setup_->runs.begin(), setup_->runs.end(), [](const auto& a, const auto& b) {
      return std::tie(a.identity->strategy_name, a.identity->symbol) <
             std::tie(b.identity->strategy_name, b.identity->symbol);
    });
    topics = setup_->topics = spawn_topics(host, nullptr);
    setup_->reports = spawn_reports(host, nullptr);
    spawn_supervisors(schemas, std::move(candles));
    setup_->steady_clock = steady_clock;
    setup_->stopwatch = [] { return 0.0; };
    setup_->wall_clock = [] { return instant{0}; };
    setup_->release = [this] { released = true; };
    std::vector<shared_identity> identities;
    for (const auto& run : setup_->runs)
      identities.push_back(run.identity);
    record = setup_->record = std::make_shared<portfolio_record>(1, identities, 0);
    listen(wanted);
    system.run();
    if (live)
      spawn_live_driver(std::move(*live), schemas);
    else
      driver_ = spawn_portfolio(host, nullptr, setup_);
  }

  ~deterministic_portfolio() {
    end_actor(driver_);
    end_actor(live_driver_);
    for (const auto& end : ends_)
      end();
    topics = topics_actor{};
    system.run(); // actors refer to this object
  }

  void listen(const subscription& wanted) {
    join(wanted, spawn_actor<recorder_state, subscriber_actor>(system.get(), nullptr, &events));
  }
  void join(const subscription& wanted, const subscriber_actor& subscriber) {
    system.ask<subscribed>(topics, subscribe{wanted, subscriber, false});
  }

  /// A subscriber that never answers; to be ended.
  subscriber_actor join_silent(const subscription& wanted) {
    const subscriber_actor silent =
        spawn_actor<silent_state, subscriber_actor>(system.get(), nullptr);
    join(wanted, silent);
    return silent;
  }

  /// Run `index`, as `runtime_core::stop` does.
  void stop(std::size_t index) {
    stops[index].request_stop();
    if (live_driver_)
      send_anonymously(live_driver_, stop_live{});
    else
      send_anonymously(driver_, stop_portfolio{});
  }

  /// Of a live run: asks the driver, as an operator would.
  std::shared_ptr<std::optional<run_controlled>> control(const std::string& strategy,
                                                         const std::string& symbol,
                                                         operator_command command) {
    return system.ask<run_controlled>(live_driver_, control_run{strategy, symbol, command});
  }

  void abort() { send_anonymously(driver_, abort_portfolio{}); }

  void start() {
    if (live_driver_)
      send_anonymously(live_driver_, start_live_run{});
    else
      send_anonymously(driver_, start_portfolio{});
  }

  /// The driver must be over; a seed that leaves it hanging has nothing left to do.
  void run_to_end() {
    system.run();
    REQUIRE(record->finished());
    CHECK(released);
  }

  deterministic_system& system;
  topics_actor topics;
  std::shared_ptr<portfolio_record> record;
  std::vector<std::stop_source> stops;
  std::vector<event> events;
  std::map<std::pair<std::string, std::string>, strategy_actor> strategies; ///< by strategy, symbol
  std::vector<risk_actor> arbiters;
  std::vector<error> reported;
  /// Stands still unless a test moves it on, as a strategy that takes its time would.
  const std::shared_ptr<std::atomic<std::int64_t>> steady_clock =
      std::make_shared<std::atomic<std::int64_t>>(0);
  bool released = false;

private:
  struct recorder_state {
    self_pointer<subscriber_actor, recorder_state> self = nullptr;
    std::vector<event>* out = nullptr;
    void init(std::vector<event>* to) { out = to; }
    subscriber_actor::behavior_type make_behavior() {
      return {[this](const event_batch& batch) {
        out->insert(out->end(), batch.events.begin(), batch.events.end());
        return batch_done{};
      }};
    }
  };

  struct silent_state {
    self_pointer<subscriber_actor, silent_state> self = nullptr;
    std::vector<response_promise<batch_done>> owed;
    void init() {}
    subscriber_actor::behavior_type make_behavior() {
      return {[this](const event_batch&) -> caf::result<batch_done> {
        owed.push_back(promise_answer<batch_done>(self));
        return owed.back();
      }};
    }
  };

  template <class Key, class Interface, class Make>
  supervisor_actor<Key, Interface> supervise(const char* name, Make make) {
    auto handle = spawn_supervisor<Key, Interface>(
        system.get(), nullptr, name, std::move(make),
        [this](error reason) { reported.push_back(std::move(reason)); });
    ends_.push_back([handle] { end_actor(handle); });
    return handle;
  }

  void spawn_supervisors(const schema_set& schemas,
                         std::shared_ptr<const ready_exchange_state::candles> candles) {
    auto& host = system.get();
    auto& clients = setup_->clients;
    clients.strategies = supervise<strategy_key, strategy_actor>(
        "strategy", [this, &host](const strategy_key& key) {
          for (const auto& run : setup_->runs)
            if (run.identity->strategy_name == key.strategy_name)
              return strategies[{key.strategy_name, key.symbol}] =
                         spawn_strategy_client(host, nullptr, run.strategy);
          throw failure(error_code::not_found, key.strategy_name);
        });
    clients.exchanges = supervise<exchange_key, exchange_actor>(
        "exchange", [candles, &host](const exchange_key&) {
          return spawn_actor<ready_exchange_state, exchange_actor>(host, nullptr, candles);
        });
    clients.frames = supervise<frame_key, frame_actor>(
        "frame", [frame = schemas.frames.front(), &host](const frame_key&) {
          return spawn_frame_client(host, nullptr, frame);
        });
    clients.risks = supervise<risk_key, risk_actor>(
        "risk", [this, profiles = schemas.risks, &host](const risk_key& key) {
          std::vector<risk_schema> chosen;
          for (const auto& profile : profiles)
            if (std::find(key.profiles.begin(), key.profiles.end(), profile.risk_name) !=
                key.profiles.end())
              chosen.push_back(profile);
          arbiters.push_back(spawn_risk_client(host, nullptr, std::move(chosen),
                                               participants_of(*setup_, key.profiles), key.mode));
          return arbiters.back();
        });
    clients.partials = supervise<partial_key, partial_actor>(
        "partial", [&host](const partial_key&) { return spawn_partial_client(host, nullptr); });
    ends_.push_back([to = setup_->reports] { end_actor(to); });
    ends_.push_back([to = topics] { end_actor(to); });
  }

  static std::optional<stored_run> stored_in(const std::optional<live_parts>& live,
                                             const std::string& symbol,
                                             const std::string& strategy) {
    if (live)
      for (const auto& run : live->stored)
        if (run.identity.symbol == symbol && run.identity.strategy_name == strategy)
          return run;
    return std::nullopt;
  }

  void spawn_live_driver(live_parts parts, const schema_set& schemas) {
    const auto setup = std::make_shared<live_setup>();
    setup->portfolio = setup_;
    setup->store =
        spawn_scheduled_store(system.get(), nullptr, {std::move(parts.target), {0, 0}});
    setup->clock = make_replay_clock(std::numeric_limits<double>::infinity());
    setup->retry_clock = std::make_shared<impatient_clock>();
    setup->frame_name = schemas.frames.front().frame_name;
    ends_.push_back([to = setup->store] { end_actor(to); });
    live_driver_ = spawn_live(system.get(), nullptr, setup);
  }

  std::shared_ptr<portfolio_setup> setup_;
  portfolio_actor driver_;
  live_actor live_driver_;
  std::vector<std::function<void()>> ends_;
};

} // namespace backtest::testing

#endif
