#include "actors/exchange/exchange_actor.hpp"

#include "actors/exchange/candle_loader.hpp"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <vector>

#include <fmt/format.h>

namespace backtest {

namespace {

wait_function interruptible_wait(std::stop_token shutdown) {
  return [shutdown = std::move(shutdown)](std::chrono::milliseconds delay) {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock{mutex};
    never.wait_for(lock, shutdown, delay, [] { return false; });
    return !shutdown.stop_requested();
  };
}

struct worker_state {
  self_pointer<exchange_worker_actor, worker_state> self = nullptr;
  std::shared_ptr<candle_keeper> keeper; ///< null: nothing is kept
  std::optional<candle_loader> loader;
  std::optional<series_market> market; ///< for sources that are actors
  bool keeping_is_due = false;

  void init(exchange_schema schema, const configuration& parameters, std::stop_token shutdown,
            std::shared_ptr<candle_keeper> given) {
    keeper = std::move(given);
    auto formats = formats_of(schema);
    loader.emplace(std::move(schema), parameters, interruptible_wait(std::move(shutdown)), keeper);
    market.emplace("", parameters.avg_price_candles_count, std::move(formats),
                   [this](const std::string& symbol, interval size, instant from, instant until) {
                     return load(symbol, size, from, until);
                   });
  }

  loaded_series load(const std::string& symbol, interval size, instant from, instant until) {
    // None opens before 1970, and a source may be asked day by day.
    auto loaded = loader->load(symbol, size, std::max<instant>(from, 0), until);
    // Of a market that goes on, whoever comes later must ask again.
    if (loader->schema().now)
      loaded.until = std::min(loaded.until, until);
    return loaded;
  }

  exchange_worker_actor::behavior_type make_behavior() {
    return {
        [this](const load_candles& message) {
          candles_loaded answer;
          answer.problem = problem_of([&] {
            answer.loaded = load(message.symbol, message.size, message.from, message.until);
          });
          keep_later();
          return answer;
        },
        [this](const ask_candles& message) {
          candle_list answer;
          answer.problem = problem_of([&] {
            const auto found =
                market->candles(message.symbol, message.size, message.limit, message.when);
            answer.candles.assign(found.begin(), found.end());
          });
          keep_later();
          return answer;
        },
        [this](const keep_fetched&) {
          keeping_is_due = false;
          keeper->store();
        },
    };
  }

  /// Behind what waits in the mailbox by now: one write for many symbols.
  void keep_later() {
    if (keeper && keeper->has_unstored() && !std::exchange(keeping_is_due, true))
      send(self, exchange_worker_actor{self}, keep_fetched{});
  }

  template <class Work>
  std::optional<error> problem_of(Work&& work) {
    try {
      work();
      return std::nullopt;
    } catch (const failure& caught) {
      return caught.reason();
    } catch (const std::exception& caught) {
      return error{error_code::fetch_failed,
                   fmt::format("exchange {}: {}", loader->schema().exchange_name, caught.what())};
    } catch (...) {
      return error{error_code::fetch_failed,
                   fmt::format("exchange {}: the source threw something that is not a "
                               "std::exception",
                               loader->schema().exchange_name)};
    }
  }
};

/// Gives every symbol to one of several workers, so that each of them knows its own symbols'
/// candles.
struct exchange_state {
  self_pointer<exchange_actor, exchange_state> self = nullptr;
  std::vector<exchange_worker_actor> workers;
  std::map<std::string, std::size_t> worker_of; ///< by symbol, in turn

  ~exchange_state() {
    for (const auto& worker : workers)
      end_actor(worker);
  }

  void init(std::vector<exchange_worker_actor> given) {
    workers = std::move(given);
    for (const auto& worker : workers)
      on_exit(worker, [front = weak_handle<exchange_actor>{exchange_actor{self}}](
                          const caf::error&) { end_actor(front.lock()); });
  }

  exchange_actor::behavior_type make_behavior() {
    return {
        [this](const load_candles& message) -> caf::result<candles_loaded> {
          return pass_on(self, worker_for(message.symbol), message);
        },
        [this](const ask_candles& message) -> caf::result<candle_list> {
          return pass_on(self, worker_for(message.symbol), message);
        },
    };
  }

  const exchange_worker_actor& worker_for(const std::string& symbol) {
    const auto next = worker_of.size() % workers.size();
    return workers[worker_of.try_emplace(symbol, next).first->second];
  }
};

std::function<std::string(std::string_view, double)>
formatter(const std::function<std::string(std::string_view, double)>& own, int decimals) {
  if (own)
    return own;
  return [decimals](std::string_view, double value) {
    return fmt::format("{:.{}f}", value, decimals);
  };
}

} // namespace

number_formats formats_of(const exchange_schema& schema) {
  return {formatter(schema.format_price, schema.price_decimals),
          formatter(schema.format_quantity, schema.quantity_decimals)};
}

exchange_actor spawn_exchange_client(caf::actor_system& system, const shared_census& census,
                                     exchange_schema schema, configuration parameters,
                                     std::stop_token shutdown, candle_keeper_factory make_keeper) {
  std::vector<exchange_worker_actor> workers(schema.concurrent_fetches);
  for (auto& worker : workers)
    worker = spawn_actor<worker_state, exchange_worker_actor, caf::detached>(
        system, census, schema, parameters, shutdown,
        make_keeper ? make_keeper() : std::shared_ptr<candle_keeper>{});
  if (workers.size() == 1)
    return exchange_actor{workers.front()};
  return spawn_actor<exchange_state, exchange_actor>(system, census, std::move(workers));
}

} // namespace backtest
