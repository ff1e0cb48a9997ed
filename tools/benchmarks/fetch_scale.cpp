#include "tools/benchmarks/fetch_scale.hpp"

#include "actors/exchange/binance_candles.hpp"
#include "actors/exchange/binance_klines.hpp"
#include "actors/exchange/exchange_actor.hpp"
#include "actors/http/http_pool.hpp"
#include "messages/own_actor_system.hpp"
#include "runtime/runtime.hpp"
#include "storage/memory_store.hpp"
#include "tools/benchmarks/klines_server.hpp"
#include "tools/benchmarks/repetitions.hpp"

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include <curl/curl.h>
#include <fmt/format.h>

namespace backtest::benchmarks {

namespace {

constexpr instant first_boundary = 1'704'081'600'000; // 2024-01-01T04:00
constexpr std::size_t fetched_symbols = 2'000;
constexpr std::size_t open_connections = 8;
constexpr int measured_boundaries = 15;

std::vector<std::string> symbol_names() {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < fetched_symbols; ++i)
    names.push_back(fmt::format("SYM{:04}", i));
  return names;
}

// -- by hand
// ---------------------------------------------------------------------------------------

std::size_t append_body(const char* data, std::size_t size, std::size_t count, void* body) {
  static_cast<std::string*>(body)->append(data, size * count);
  return size * count;
}

/// The numbers of the rows, without looking at what they mean.
double sum_of_numbers(const std::string& body) {
  double sum = 0;
  for (const char* at = body.c_str(); *at != '\0';)
    if ((*at >= '0' && *at <= '9')) {
      char* end = nullptr;
      sum += std::strtod(at, &end);
      at = end;
    } else {
      ++at;
    }
  return sum;
}

class plain_loop {
public:
  explicit plain_loop(std::string url) : url_(std::move(url)) {
    for (auto& handle : handles_)
      handle = curl_easy_init();
  }
  ~plain_loop() {
    for (auto* handle : handles_)
      curl_easy_cleanup(handle);
  }
  plain_loop(const plain_loop&) = delete;
  plain_loop& operator=(const plain_loop&) = delete;

  void fetch(instant boundary) {
    std::atomic<std::size_t> next{0};
    std::vector<std::thread> threads;
    for (auto* handle : handles_)
      threads.emplace_back([&, handle] {
        for (auto index = next++; index < fetched_symbols; index = next++) {
          std::string body;
          const auto url =
              url_ + klines_path({names_[index], interval::m1, boundary - minute_ms, boundary});
          curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
          curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
          curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &append_body);
          curl_easy_setopt(handle, CURLOPT_WRITEDATA, &body);
          if (curl_easy_perform(handle) != CURLE_OK || sum_of_numbers(body) < 1)
            std::abort();
        }
      });
    for (auto& thread : threads)
      thread.join();
  }

private:
  std::string url_;
  std::vector<std::string> names_ = symbol_names();
  std::array<CURL*, open_connections> handles_{};
};

// -- by an exchange client
// ---------------------------------------------------------------------------

exchange_schema exchange_at(const std::string& url, std::function<instant()> now) {
  exchange_schema exchange;
  exchange.exchange_name = "exchange";
  exchange.now = now;
  exchange.get_candles = binance_candles(
      url,
      [pool = std::make_shared<http_pool>()](const std::string& address,
                                             const std::stop_token& stop) {
        return pool->get(address, stop);
      },
      std::move(now));
  exchange.concurrent_fetches = open_connections;
  return exchange;
}

class client_fetch {
public:
  explicit client_fetch(const std::string& url)
      : client_(spawn_exchange_client(host_.get(), nullptr,
                                      exchange_at(url, [this] { return now_.load(); }),
                                      configuration{}, {})),
        self_(host_.get()) {}
  ~client_fetch() { end_actor(client_); }
  client_fetch(const client_fetch&) = delete;
  client_fetch& operator=(const client_fetch&) = delete;

  void fetch(instant boundary) {
    now_ = boundary + 1500;
    std::vector<std::function<void()>> open;
    for (const auto& name : names_)
      open.push_back(ask(name, boundary));
    for (const auto& receive : open)
      receive();
  }

private:
  std::function<void()> ask(const std::string& name, instant boundary) {
    auto asked = std::make_shared<decltype(request(self_, client_, caf::infinite,
                                                   std::declval<load_candles>()))>(
        request(self_, client_, caf::infinite,
                load_candles{name, interval::m1, boundary - 60 * minute_ms, boundary}));
    return [asked] {
      std::move(*asked).receive(
          [](const candles_loaded& answer) {
            if (answer.problem)
              std::abort();
          },
          [](const caf::error&) { std::abort(); });
    };
  }

  std::vector<std::string> names_ = symbol_names();
  std::atomic<instant> now_{0};
  own_actor_system host_{1};
  exchange_actor client_;
  caf::scoped_actor self_;
};

// -- by a live run
// -------------------------------------------------------------------------------------

/// Stands still until it is moved; says when the run waits for a time.
class moved_clock final : public live_clock {
public:
  explicit moved_clock(instant now) : now_(now) {}
  bool is_replay() const noexcept override { return false; }
  instant now() const override {
    const std::lock_guard lock{mutex_};
    return now_;
  }
  void wake_at(instant when, std::function<void()> ring) override {
    const std::lock_guard lock{mutex_};
    when_ = when;
    ring_ = std::move(ring);
    changed_.notify_all();
  }
  void cancel() override {}

  /// Moves on to `when` once the run waits for it.
  void move_to(instant when) {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return ring_ && when_ == when; });
    now_ = when;
    std::exchange(ring_, {})();
  }
  void wait_until_waiting_for(instant when) {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return when_ == when; });
  }

private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  instant now_;
  instant when_ = 0;
  std::function<void()> ring_;
};

class live_fetch {
public:
  explicit live_fetch(const std::string& url) : target_(options()) {
    target_.add_exchange(exchange_at(url, [clock = clock_] { return clock->now(); }));
    strategy_schema strategy;
    strategy.strategy_name = "never";
    strategy.get_signal = [](const run_context&) -> std::optional<signal_request> {
      return std::nullopt;
    };
    target_.add_strategy(std::move(strategy));
    live_request request;
    request.symbols = symbol_names();
    request.strategies = {"never"};
    request.exchange = "exchange";
    request.clock = clock_;
    handle_ = target_.live().background(std::move(request));
  }

  void fetch(instant boundary) {
    clock_->move_to(boundary + 1500);
    clock_->wait_until_waiting_for(boundary + minute_ms + 1500);
  }

private:
  static runtime_options options() {
    runtime_options chosen;
    chosen.threads = 1;
    chosen.open_store = [] { return make_memory_store(); };
    chosen.parameters.max_signal_lifetime_minutes = 60;
    chosen.parameters.schedule_await_minutes = 60;
    return chosen;
  }

  std::shared_ptr<moved_clock> clock_ = std::make_shared<moved_clock>(first_boundary - 1);
  runtime target_;
  std::optional<run_handle> handle_;
};

} // namespace

void print_fetch_ratios() {
  klines_server server;
  plain_loop loop{server.url()};
  client_fetch client{server.url()};
  live_fetch live{server.url()};
  std::vector<double> by_loop, by_client, by_live;
  for (int minute = 0; minute <= measured_boundaries; ++minute) {
    const instant boundary = first_boundary + minute * minute_ms;
    const double loop_ms = milliseconds_of([&] { loop.fetch(boundary); });
    const double client_ms = milliseconds_of([&] { client.fetch(boundary); });
    const double live_ms = milliseconds_of([&] { live.fetch(boundary); });
    if (minute == 0) // opens connections, loads the day
      continue;
    by_loop.push_back(loop_ms);
    by_client.push_back(client_ms);
    by_live.push_back(live_ms);
  }
  // The loop keeps only the newest candle. A client gives its strategies immutable series, so each
  // minute copies the two days that a symbol holds, 138 KB, which is as much work as parsing an
  // answer; a live boundary adds the strategies' turns and their commit. Between 1.9 and 2.1, and
  // 2.5 and 2.8, were measured on two cores.
  constexpr double most_of_client = 2.5, most_of_live = 3.5;
  const double base = median(std::move(by_loop));
  const auto print = [base](const std::string& name, double taken, double target) {
    print_ratio(name,
                fmt::format("{} symbols, {} connections: loop {:.1f} ms, here {:.1f} ms",
                            fetched_symbols, open_connections, base, taken),
                taken / base, bound::at_most, target);
  };
  print("newest minute over HTTP, client / loop", median(std::move(by_client)), most_of_client);
  print("live boundary over HTTP / loop", median(std::move(by_live)), most_of_live);
}

} // namespace backtest::benchmarks
