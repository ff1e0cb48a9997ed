#pragma once

#include "tests/support/hosted_runtime.hpp"
#include "tests/support/live_fixture.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/walker_fixture.hpp"

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace backtest::testing {

/// Where a program may call the runtime from.
enum class place {
  own_thread,
  detached_actor,
  scheduled_actor,
  subscriber_actor,
  signal_function,
  strategy_callback,
  risk_function,
  risk_callback,
  frame_callback,
  sizing_callback,
  report_column,
  exchange_function,
  exchange_callback,
  blocking_signal_function,
  listener,
  predicate,
  walker_callback,
  walker_stream_callback,
  logger,
  store,
  open_store,
};

inline constexpr std::array<std::pair<place, std::string_view>, 21> all_places{{
    {place::own_thread, "own thread"},
    {place::detached_actor, "detached actor"},
    {place::scheduled_actor, "scheduled actor"},
    {place::subscriber_actor, "subscriber"},
    {place::signal_function, "get_signal"},
    {place::strategy_callback, "on_tick"},
    {place::risk_function, "validate"},
    {place::risk_callback, "on_allowed"},
    {place::frame_callback, "on_timeframe"},
    {place::sizing_callback, "on_calculate"},
    {place::report_column, "column"},
    {place::exchange_function, "get_candles"},
    {place::exchange_callback, "on_candle_data"},
    {place::blocking_signal_function, "blocking get_signal"},
    {place::listener, "listener"},
    {place::predicate, "predicate"},
    {place::walker_callback, "walker"},
    {place::walker_stream_callback, "walker stream"},
    {place::logger, "logger"},
    {place::store, "store"},
    {place::open_store, "open_store"},
}};

/// What is to be done at one place, once. Outlives whatever calls it.
class errand {
public:
  errand(place where, std::function<void()> what) : where_(where), what_(std::move(what)) {}

  void visit(place here) {
    if (here != where_ || is_done_.exchange(true))
      return;
    what_();
    what_ = nullptr;
    over_.add();
  }
  void wait() { over_.wait_for(1); }

private:
  place where_;
  std::function<void()> what_;
  std::atomic<bool> is_done_{false};
  tally over_;
};

class visiting_log final : public backtest::logger {
public:
  explicit visiting_log(std::shared_ptr<errand> job) : job_(std::move(job)) {}
  bool enabled(log_level) const noexcept override { return true; }
  void write(log_level, std::string_view, std::string_view, const log_context&) override {
    job_->visit(place::logger);
  }

private:
  std::shared_ptr<errand> job_;
};

class visiting_store final : public shared_store {
public:
  explicit visiting_store(std::shared_ptr<errand> job)
      : shared_store(std::shared_ptr<backtest::store>{make_memory_store()}), job_(std::move(job)) {}
  void commit(const store_batch& batch) override {
    job_->visit(place::store);
    shared_store::commit(batch);
  }

private:
  std::shared_ptr<errand> job_;
};

struct visiting_subscriber_state {
  self_pointer<subscriber_actor, visiting_subscriber_state> self = nullptr;
  std::shared_ptr<errand> job;

  void init(std::shared_ptr<errand> given) { job = std::move(given); }

  subscriber_actor::behavior_type make_behavior() {
    return {[this](const event_batch&) {
      job->visit(place::subscriber_actor);
      return batch_done{};
    }};
  }
};

/// A runtime whose every callback runs the errand if it is at its place.
class world_of_places {
public:
  world_of_places(host_kind kind, place where, std::function<void(world_of_places&)> what)
      : where_(where),
        job_(std::make_shared<errand>(where, [this, what = std::move(what)] { what(*this); })) {
    runtime_options options = quiet(kind.threads);
    options.network = true;
    options.reports = report_set::all();
    if (where == place::logger)
      options.log = std::make_shared<visiting_log>(job_);
    options.open_store = [job = job_]() -> std::unique_ptr<backtest::store> {
      job->visit(place::open_store);
      return std::make_unique<visiting_store>(job);
    };
    if (kind.is_foreign) {
      host_.emplace(kind.threads, prepare_network);
      target = std::make_unique<runtime>(host_->get(), std::move(options));
    } else {
      target = std::make_unique<runtime>(std::move(options));
    }
    populate();
  }
  ~world_of_places() {
    end_actor(subscriber_);
    subscriber_ = subscriber_actor{};
  }
  world_of_places(const world_of_places&) = delete;
  world_of_places& operator=(const world_of_places&) = delete;

  /// Brings the errand to its place; returns once it is done.
  void run() {
    switch (where_) {
    case place::own_thread: std::thread{[&] { job_->visit(where_); }}.join(); break;
    case place::detached_actor:
      target->system().spawn<caf::detached>(
          [job = job_](caf::event_based_actor*) { job->visit(place::detached_actor); });
      break;
    case place::scheduled_actor:
      target->system().spawn(
          [job = job_](caf::event_based_actor*) { job->visit(place::scheduled_actor); });
      break;
    case place::subscriber_actor:
      subscriber_ =
          spawn_actor<visiting_subscriber_state, subscriber_actor>(target->system(), nullptr, job_);
      target->subscribe({{topic::signal_backtest}, {}, {}, {}}, subscriber_);
      target->backtest().background(request_of());
      break;
    case place::listener:
      target->listen({{topic::signal_backtest}, {}, {}, {}},
                     [job = job_](const event&) { job->visit(place::listener); });
      target->backtest().background(request_of());
      break;
    case place::predicate:
      target->listen_once(
          {{topic::signal_backtest}, {}, {}, {}},
          [job = job_](const event&) {
            job->visit(place::predicate);
            return true;
          },
          [](const event&) {});
      target->backtest().background(request_of());
      break;
    case place::report_column: {
      run_to_end(*target);
      const column<tick_result> visiting{"visit", "visit",
                                         [job = job_](const tick_result&, std::size_t) {
                                           job->visit(place::report_column);
                                           return std::string{"x"};
                                         }};
      target->backtest().get_report("BTC", "buyer", column_list<tick_result>{visiting});
      break;
    }
    case place::walker_callback: target->walker().background("BTC", "compare"); break;
    case place::walker_stream_callback: {
      auto stream = target->walker().run("BTC", "compare");
      stream.next();
      break;
    }
    case place::store: target->live().background(one_buyer(at_full_speed())); break;
    case place::open_store: target->node(); break;
    default:
      target->backtest().background(
          request_of({"BTC"}, {where_ == place::blocking_signal_function ? "blocker" : "buyer"}));
    }
    job_->wait();
  }

  place where() const noexcept { return where_; }

  /// Blocks until nothing is left of a runtime that was destroyed.
  void wait_until_gone() { remains_->wait_for(1); }

private:
  std::shared_ptr<tally> remains_ = std::make_shared<tally>();
  std::optional<own_actor_system> host_;

public:
  std::unique_ptr<runtime> target;

private:
  void populate() {
    const auto job = job_;
    auto exchange = wave_exchange();
    // Held by whatever of the runtime may fetch.
    const std::shared_ptr<void> remains{nullptr, [told = remains_](void*) { told->add(); }};
    exchange.get_candles = [job, remains](const candle_query& query) {
      job->visit(place::exchange_function);
      return wave(query.since, query.until);
    };
    exchange.callbacks.on_candle_data = [job](auto&&...) { job->visit(place::exchange_callback); };
    target->add_exchange(exchange);
    auto frame = frame_of(4 * hour_ms);
    frame.callbacks.on_timeframe = [job](auto&&...) { job->visit(place::frame_callback); };
    target->add_frame(frame);
    risk_schema risk;
    risk.risk_name = "cap";
    risk.validations.push_back({[job](const risk_question&) -> std::optional<std::string> {
                                  job->visit(place::risk_function);
                                  return std::nullopt;
                                },
                                ""});
    risk.callbacks.on_allowed = [job](const risk_question&) { job->visit(place::risk_callback); };
    target->add_risk(risk);
    sizing_schema sizing;
    sizing.sizing_name = "one_percent";
    sizing.risk_percentage = 1;
    sizing.callbacks.on_calculate = [job](auto&&...) { job->visit(place::sizing_callback); };
    target->add_sizing(sizing);
    auto buyer = strategy_of("buyer", [job](const run_context& now) {
      job->visit(place::signal_function);
      now.size("one_percent", fixed_percentage_size{10'000, 100, 98});
      return buy(now);
    });
    buyer.risk_name = "cap";
    buyer.callbacks.on_tick = [job](const tick_result&) { job->visit(place::strategy_callback); };
    target->add_strategy(buyer);
    auto blocker = strategy_of("blocker", [job](const run_context& now) {
      job->visit(place::blocking_signal_function);
      return buy(now);
    });
    blocker.blocking = true;
    target->add_strategy(blocker);
    for (const auto* name : {"idle", "silent", "still", "calm"})
      target->add_strategy(strategy_of(name, never));
    auto walker = walker_of({"idle"});
    walker.callbacks.on_strategy_start = [job](auto&&...) {
      job->visit(place::walker_callback);
      job->visit(place::walker_stream_callback);
    };
    target->add_walker(walker);
    target->add_walker(walker_of({"silent"}, "total_pnl", "quiet"));
  }

  place where_;
  std::shared_ptr<errand> job_;
  subscriber_actor subscriber_;
};

} // namespace backtest::testing
