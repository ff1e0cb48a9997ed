#pragma once

#include "messages/logger.hpp"
#include "runtime/runtime.hpp"
#include "tests/support/sanitizers.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

namespace backtest::testing {

/// Ends the program with a message when a test hangs, as nothing else would end it.
class watchdog {
public:
  explicit watchdog(std::chrono::seconds limit = std::chrono::seconds{60})
      : name_(doctest::getContextOptions()->currentTest->m_name),
        thread_([this, limit] { watch(is_sanitized ? 10 * limit : limit); }) {}
  ~watchdog() {
    {
      const std::lock_guard lock{mutex_};
      over_ = true;
    }
    ended_.notify_all();
    thread_.join();
  }

private:
  void watch(std::chrono::seconds limit) {
    std::unique_lock lock{mutex_};
    if (!ended_.wait_for(lock, limit, [this] { return over_; })) {
      std::fprintf(stderr, "hung: %s\n", name_.c_str());
      std::abort();
    }
  }

  std::mutex mutex_;
  std::condition_variable ended_;
  bool over_ = false;
  std::string name_;
  std::thread thread_;
};

/// Holds whoever passes until it is opened; says when somebody came.
class gate {
public:
  void pass() {
    std::unique_lock lock{mutex_};
    ++arrived_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
  }
  void open() {
    const std::lock_guard lock{mutex_};
    open_ = true;
    changed_.notify_all();
  }
  void wait_for_arrival(int count = 1) {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return arrived_ >= count; });
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int arrived_ = 0;
  bool open_ = false;
};

/// A counter one thread raises and others wait for.
class tally {
public:
  int add() {
    const std::lock_guard lock{mutex_};
    changed_.notify_all();
    return ++count_;
  }
  int count() const {
    const std::lock_guard lock{mutex_};
    return count_;
  }
  void wait_for(int count) {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return count_ >= count; });
  }

private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  int count_ = 0;
};

/// Keeps what is logged, or nothing, and prints nothing.
class kept_log final : public logger {
public:
  bool enabled(log_level level) const noexcept override { return level >= lowest_; }
  explicit kept_log(log_level lowest = log_level::warn) : lowest_(lowest) {}
  void write(log_level, std::string_view topic, std::string_view payload,
             const log_context& context) override {
    const std::lock_guard lock{mutex_};
    lines_.push_back(format_log_line(topic, payload, context));
  }
  std::vector<std::string> lines() const {
    const std::lock_guard lock{mutex_};
    return lines_;
  }
  bool has(const std::string& text) const {
    for (const auto& line : lines())
      if (line.find(text) != std::string::npos)
        return true;
    return false;
  }

private:
  log_level lowest_;
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

inline runtime_options quiet(std::size_t threads = 2) {
  runtime_options options;
  options.threads = threads;
  options.log = std::make_shared<kept_log>();
  options.parameters.get_candles_retry_delay_ms = 0;
  return options;
}

inline constexpr instant first_instant = 1'704'067'200'000; // 2024-01-01T00:00:00Z

/// A price that goes from 100 up to 103 and back within two hours.
inline double wave_price(instant open_time) {
  const auto phase = open_time / minute_ms % 120;
  return 100 + 0.05 * static_cast<double>(phase < 60 ? phase : 120 - phase);
}

inline std::vector<candle> wave(instant since, instant until) {
  std::vector<candle> candles;
  for (instant at = since; at < until; at += minute_ms) {
    const double price = wave_price(at);
    candles.push_back({at, price, price, price, price, 1});
  }
  return candles;
}

inline exchange_schema wave_exchange(const std::string& name = "exchange") {
  exchange_schema schema;
  schema.exchange_name = name;
  schema.get_candles = [](const candle_query& query) { return wave(query.since, query.until); };
  return schema;
}

inline frame_schema frame_of(instant length, const std::string& name = "frame",
                             interval size = interval::m1) {
  frame_schema schema;
  schema.frame_name = name;
  schema.size = size;
  schema.start = first_instant;
  schema.end = first_instant + length;
  return schema;
}

/// Buys at the average price, whenever asked: out at +0.8 %, at -2 % or after an hour.
inline std::optional<signal_request> buy(const run_context& context) {
  const double price = context.average_price();
  signal_request request;
  request.price_take_profit = price * 1.008;
  request.price_stop_loss = price * 0.98;
  request.minute_estimated_time = 60;
  return request;
}

inline std::optional<signal_request> never(const run_context&) { return std::nullopt; }

inline strategy_schema strategy_of(const std::string& name, signal_function source = buy) {
  strategy_schema schema;
  schema.strategy_name = name;
  schema.size = interval::m15;
  schema.get_signal = std::move(source);
  return schema;
}

/// An exchange, a frame of one day and the strategy "buyer".
inline void add_basics(runtime& target, signal_function source = buy, instant length = day_ms) {
  target.add_exchange(wave_exchange());
  target.add_frame(frame_of(length));
  target.add_strategy(strategy_of("buyer", std::move(source)));
}

inline backtest_request request_of(std::vector<std::string> symbols = {"BTC"},
                                   std::vector<std::string> strategies = {"buyer"}) {
  return {std::move(symbols), std::move(strategies), "exchange", "frame"};
}

/// Events of the topics chosen, in the order heard.
class heard_events {
public:
  heard_events(runtime& target, std::vector<topic> topics) : target_(target) {
    handle_ = target.listen({std::move(topics), {}, {}, {}}, [kept = kept_](const event& item) {
      const std::lock_guard lock{kept->mutex};
      kept->events.push_back(item);
    });
  }
  ~heard_events() { handle_.unsubscribe(); }
  heard_events(const heard_events&) = delete;
  heard_events& operator=(const heard_events&) = delete;

  /// Everything published so far.
  std::vector<event> all() {
    target_.flush();
    const std::lock_guard lock{kept_->mutex};
    return kept_->events;
  }
  template <class Payload> std::vector<Payload> of() {
    std::vector<Payload> found;
    for (auto& item : all())
      if (auto* payload = std::get_if<Payload>(&item.payload))
        found.push_back(*payload);
    return found;
  }
  std::size_t count(error_code code) {
    std::size_t found = 0;
    for (const auto& item : of<error_event>())
      found += item.code == code;
    return found;
  }

private:
  struct kept_events {
    std::mutex mutex;
    std::vector<event> events;
  };
  std::shared_ptr<kept_events> kept_ = std::make_shared<kept_events>();
  runtime& target_;
  listener_handle handle_;
};

inline run_summary run_to_end(runtime& target, const backtest_request& request = request_of()) {
  auto run = target.backtest().background(request);
  run.wait();
  return run.summaries().front();
}

template <class Action> error failure_of(Action&& action) {
  try {
    action();
  } catch (const failure& caught) {
    return caught.reason();
  }
  return {error_code::invalid_argument, "nothing was thrown"};
}

} // namespace backtest::testing
