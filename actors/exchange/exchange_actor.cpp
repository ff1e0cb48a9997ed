#include "actors/exchange/exchange_actor.hpp"

#include "actors/alarm_thread.hpp"
#include "actors/exchange/candle_loader.hpp"
#include "actors/exchange/fetch_failure.hpp"
#include "actors/exchange/fetch_queue.hpp"
#include "messages/calling_place.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <variant>
#include <vector>

#include <fmt/format.h>

namespace backtest {

struct fetch_job {
  std::string symbol;
  std::variant<load_candles, find_candles> asked;
  held_candles held;
  awaited_by awaited;
  std::stop_source unwanted; ///< what the source sees: no other request waits for the symbol either
  load_progress progress;
  std::variant<candles_loaded, candle_list> answer;
  std::optional<std::chrono::milliseconds> retry_after; ///< to be tried again, `answer` says why
  bool given_up = false;                                ///< nobody waits for it any more
  bool keeps = false; ///< the thread that had it holds candles that are to be kept
};

namespace {

/// So many candles are kept at once, however much there is to fetch.
constexpr std::size_t most_unstored = 100'000;

/// What a client's front and its threads have in common.
struct client_setup {
  exchange_schema schema;
  configuration parameters;
  std::stop_token shutdown;
  std::chrono::seconds longest_wait;
  const void* runtime; ///< for marks of where functions are called

  candle_loader make_loader(std::shared_ptr<candle_keeper> keeper) const {
    return {schema, parameters, {}, std::move(keeper)};
  }

  error given_up(const std::string& symbol) const {
    return {error_code::fetch_failed,
            fmt::format("exchange {}: {} given up {}", schema.exchange_name, symbol,
                        shutdown.stop_requested() ? "while shutting down"
                                                  : "as whoever asked for it was stopped")};
  }
};

/// None opens before 1970, and a source may be asked day by day.
load_candles legal(load_candles asked) {
  asked.from = std::max<instant>(asked.from, 0);
  if (asked.extent)
    asked.extent->welcome_from = std::max<instant>(asked.extent->welcome_from, 0);
  return asked;
}

/// Of a market that goes on, whoever comes later must ask again.
loaded_series as_asked(loaded_series loaded, const load_candles& asked,
                       const exchange_schema& schema) {
  if (schema.now)
    loaded.until = std::min(loaded.until, asked.until);
  return loaded;
}

/// Answers a request by what `load` gives, which may throw.
class answering {
public:
  using loading = std::function<loaded_series(const load_candles&)>;

  answering(const client_setup& setup, loading load) : setup_(setup), load_(std::move(load)) {}

  std::variant<candles_loaded, candle_list> operator()(load_candles asked) const {
    if (setup_.schema.source && asked.beyond) // it loads a symbol once, whatever is asked for
      asked.until = std::max(asked.until, *asked.beyond);
    candles_loaded answer{load_(asked), std::nullopt};
    if (asked.beyond)
      look_beyond(asked, answer);
    return answer;
  }
  std::variant<candles_loaded, candle_list> operator()(const find_candles& asked) const {
    series_market market{
        "", setup_.parameters.avg_price_candles_count, formats_of(setup_.schema),
        [this](const std::string& symbol, interval size, instant from, instant until) {
          return load_(load_candles{symbol, size, from, until});
        }};
    const auto found = market.candles(asked.symbol, asked.size, asked.limit, asked.when);
    return candle_list{guarded_copy(found), std::nullopt};
  }

private:
  /// A day at a time, until a candle is found: then the missing ones before it are a gap.
  void look_beyond(const load_candles& asked, candles_loaded& answer) const {
    auto more = asked;
    while (answer.loaded.series->end(INT64_MIN) < asked.until &&
           answer.loaded.until < *asked.beyond) {
      more.until = std::min(align_down(answer.loaded.until, day_ms) + day_ms, *asked.beyond);
      try {
        auto longer = load_(more);
        if (longer.until <= answer.loaded.until)
          return;
        answer.loaded = std::move(longer);
      } catch (const postponed_failure&) {
        throw;
      } catch (const failure& caught) {
        answer.problem_beyond = caught.reason();
        return;
      }
    }
  }

  const client_setup& setup_;
  loading load_;
};

std::variant<candles_loaded, candle_list>
refusal(const std::variant<load_candles, find_candles>& asked, error problem) {
  if (std::holds_alternative<load_candles>(asked))
    return candles_loaded{{}, std::move(problem)};
  return candle_list{{}, std::move(problem)};
}

std::variant<candles_loaded, candle_list>
given_up_answer(const std::variant<load_candles, find_candles>& asked, error problem) {
  auto answer = refusal(asked, std::move(problem));
  if (auto* loading = std::get_if<candles_loaded>(&answer))
    loading->given_up = true;
  return answer;
}

bool is_refusal(const std::variant<candles_loaded, candle_list>& answer) {
  return std::visit([](const auto& given) { return given.problem.has_value(); }, answer);
}

struct worker_state {
  self_pointer<exchange_worker_actor, worker_state> self = nullptr;
  std::shared_ptr<const client_setup> setup;
  std::shared_ptr<candle_keeper> keeper; ///< null: nothing is kept
  std::optional<candle_loader> loader;

  /// Its end may overtake `keep_fetched`, and what was fetched must not be fetched again.
  ~worker_state() {
    if (keeper && keeper->unstored() > 0)
      keeper->store();
  }

  void init(std::shared_ptr<const client_setup> given, std::shared_ptr<candle_keeper> keeps) {
    setup = std::move(given);
    keeper = std::move(keeps);
    loader.emplace(setup->make_loader(keeper));
  }

  exchange_worker_actor::behavior_type make_behavior() {
    return {
        [this](const run_fetch& message) {
          work_on(*message.job);
          return fetch_over{message.job};
        },
        [this](const keep_fetched&) { keeper->store(); },
    };
  }

  void work_on(fetch_job& job) {
    const place_mark inside{calling_place::exchange, setup->runtime, setup->schema.exchange_name};
    job.retry_after.reset();
    job.given_up = false;
    loader->work_for(
        [this, &job] { return setup->shutdown.stop_requested() || job.awaited.is_nobody(); },
        job.unwanted.get_token());
    const auto* loading = std::get_if<load_candles>(&job.asked);
    loader->limit_waiting(loading && loading->patient ? longest_fetch_wait : setup->longest_wait);
    if (auto problem = problem_of(
            [&] {
              job.answer = std::visit(
                  answering{*setup,
                            [&](const load_candles& wanted) {
                              const auto asked = legal(wanted);
                              return as_asked(loader->load(asked.symbol, job.held, job.progress,
                                                           asked.size, asked.from, asked.until,
                                                           asked.extent),
                                              asked, setup->schema);
                            }},
                  job.asked);
            },
            job))
      job.answer = job.given_up ? given_up_answer(job.asked, *std::move(problem))
                                : refusal(job.asked, *std::move(problem));
    loader->work_for({}, {}); // it lives longer than the job
    if (keeper && keeper->unstored() >= most_unstored)
      keeper->store();
    job.keeps = keeper && keeper->unstored() > 0;
  }

  template <class Work>
  std::optional<error> problem_of(Work&& work, fetch_job& job) {
    const auto& name = setup->schema.exchange_name;
    try {
      work();
      return std::nullopt;
    } catch (const fetch_given_up&) {
      job.given_up = true;
      return setup->given_up(job.symbol);
    } catch (const postponed_failure& caught) {
      job.retry_after = caught.retry_after();
      return caught.reason();
    } catch (const failure& caught) {
      return caught.reason();
    } catch (const std::exception& caught) {
      return error{error_code::fetch_failed, fmt::format("exchange {}: {}", name, caught.what())};
    } catch (...) {
      return error{error_code::fetch_failed,
                   fmt::format("exchange {}: the source threw something that is not a "
                               "std::exception",
                               name)};
    }
  }
};

/// Knows every symbol's candles and whose turn it is. Has a thread of its own, as scheduled actors
/// wait for its answers and may take up every other one.
struct front_state {
  using stop_watch = std::stop_callback<std::function<void()>>;

  struct open_request {
    std::shared_ptr<fetch_job> job;
    std::variant<response_promise<candles_loaded>, response_promise<candle_list>> promise;
    bool under_way = false; ///< a thread has the job
    std::vector<std::unique_ptr<stop_watch>> watches; ///< of those who wait for it

    void answer(std::variant<candles_loaded, candle_list> what) {
      if (auto* loading = std::get_if<response_promise<candles_loaded>>(&promise))
        loading->deliver(std::get<candles_loaded>(std::move(what)));
      else
        std::get<response_promise<candle_list>>(promise).deliver(
            std::get<candle_list>(std::move(what)));
    }
  };
  struct not_held {};

  self_pointer<exchange_front_actor, front_state> self = nullptr;
  std::shared_ptr<const client_setup> setup;
  std::optional<candle_loader> shelf; ///< finds what is held
  std::vector<exchange_worker_actor> workers;
  std::vector<std::size_t> idle; ///< the last one worked last
  std::optional<fetch_queue> queue;
  std::map<fetch_queue::ticket, open_request> requests;
  fetch_queue::ticket last_ticket = 0;
  std::map<std::string, held_candles> held; ///< by symbol, as of its last fetch
  std::optional<alarm_thread> alarm;        ///< once there is something to wait for
  std::optional<instant> wakes_at;
  std::optional<stop_watch> at_shutdown;
  /// A stop is on its way here: those of many runs at once are looked at together.
  std::shared_ptr<std::atomic<bool>> stop_told = std::make_shared<std::atomic<bool>>(false);

  ~front_state() {
    at_shutdown.reset();
    alarm.reset();
    for (auto& [ticket, request] : requests)
      request.job->unwanted.request_stop();
    for (const auto& worker : workers)
      end_actor(worker);
    give_up_all([](const open_request&) { return true; });
  }

  void init(std::shared_ptr<const client_setup> given, std::vector<exchange_worker_actor> threads) {
    setup = std::move(given);
    shelf.emplace(setup->make_loader(nullptr));
    workers = std::move(threads);
    queue.emplace(workers.size());
    for (std::size_t worker = workers.size(); worker-- > 0;)
      idle.push_back(worker);
    for (const auto& worker : workers)
      on_exit(worker, [front = myself()](const caf::error&) { end_actor(front.lock()); });
    at_shutdown.emplace(setup->shutdown, [front = myself()] {
      if (auto strong = front.lock())
        send_anonymously(strong, fetch_due{});
    });
  }

  weak_handle<exchange_front_actor> myself() {
    return weak_handle<exchange_front_actor>{exchange_front_actor{self}};
  }

  exchange_front_actor::behavior_type make_behavior() {
    return {
        [this](const load_candles& message) { return take<candles_loaded>(message); },
        [this](const find_candles& message) { return take<candle_list>(message); },
        [this](const fetch_due&) {
          wakes_at.reset();
          stop_told->store(false);
          drop_unwanted();
          hand_out();
        },
    };
  }

  template <class Answer, class Message>
  caf::result<Answer> take(const Message& message) {
    open_request request;
    request.job = std::make_shared<fetch_job>();
    request.job->symbol = message.symbol;
    request.job->asked = message;
    request.job->awaited = message.awaited;
    auto promise = promise_answer<Answer>(self);
    request.promise = promise;
    if (!is_candle_interval(message.size)) {
      request.answer(refusal(
          request.job->asked,
          {error_code::invalid_argument,
           fmt::format(
               "exchange {}: candles of {}: interval {} is not a candle interval (1m to 1d)",
               setup->schema.exchange_name, message.symbol, to_string(message.size))}));
      return promise;
    }
    if (is_held(*request.job)) {
      request.answer(std::move(request.job->answer));
    } else if (request.job->awaited.is_nobody()) {
      give_up(request);
    } else {
      watch(request);
      queue->add(++last_ticket, message.symbol);
      requests.emplace(last_ticket, std::move(request));
      hand_out();
    }
    return promise;
  }

  void watch(open_request& request) {
    const auto tell = [front = myself(), told = stop_told] {
      if (told->exchange(true))
        return;
      if (auto strong = front.lock())
        send_anonymously(strong, fetch_due{});
    };
    const auto& awaited = request.job->awaited;
    for (const auto& run : awaited.runs)
      request.watches.push_back(std::make_unique<stop_watch>(run, tell));
    if (awaited.halted.stop_possible())
      request.watches.push_back(std::make_unique<stop_watch>(awaited.halted, tell));
  }

  /// Answers at once, also while more of the symbol is being fetched.
  bool is_held(fetch_job& job) {
    auto& known = held[job.symbol];
    try {
      job.answer = std::visit(answering{*setup,
                                        [&](const load_candles& wanted) {
                                          const auto asked = legal(wanted);
                                          auto found = shelf->find(known, asked.size, asked.from,
                                                                   asked.until);
                                          if (!found)
                                            throw not_held{};
                                          return as_asked(*std::move(found), asked, setup->schema);
                                        }},
                              job.asked);
      return true;
    } catch (const not_held&) {
      return false;
    } catch (const failure& caught) {
      job.answer = refusal(job.asked, caught.reason());
      return true;
    }
  }

  /// Whoever waits for the same symbol goes on with what has come.
  void drop_unwanted() {
    for (auto next = requests.begin(); next != requests.end();) {
      auto& [ticket, request] = *next;
      if (request.under_way || !request.job->awaited.is_nobody()) {
        ++next;
        continue;
      }
      const auto job = request.job;
      queue->remove(ticket, job->symbol);
      give_up(request);
      next = requests.erase(next);
      hand_over(*job);
    }
    std::map<std::string_view, std::size_t> waiting;
    for (const auto& [ticket, request] : requests)
      ++waiting[request.job->symbol];
    for (auto& [ticket, request] : requests)
      if (request.job->awaited.is_nobody() && waiting[request.job->symbol] == 1)
        request.job->unwanted.request_stop();
  }

  void hand_over(fetch_job& from) {
    if (const auto next = queue->first_of(from.symbol))
      from.progress.hand_over(requests.at(*next).job->progress);
  }

  void hand_out() {
    if (setup->shutdown.stop_requested()) {
      for (auto& [ticket, request] : requests)
        request.job->unwanted.request_stop();
      return give_up_all([](const open_request& request) { return !request.under_way; });
    }
    while (const auto ticket = queue->next(now())) {
      auto& request = requests.at(*ticket);
      if (is_held(*request.job)) // it came with what was fetched before
        end(*ticket);
      else
        fetch(*ticket, request);
    }
    if (const auto due = queue->next_due())
      wake_at(*due);
  }

  void fetch(fetch_queue::ticket ticket, open_request& request) {
    const auto worker = idle.back();
    idle.pop_back();
    request.under_way = true;
    request.job->held = held[request.job->symbol];
    backtest::request(self, workers[worker], caf::infinite, run_fetch{request.job})
        .then([this, ticket,
               worker](const fetch_over& message) { take_back(ticket, worker, *message.job); },
              [](const caf::error&) {}); // its end is the end of the client
  }

  void take_back(fetch_queue::ticket ticket, std::size_t worker, fetch_job& job) {
    idle.push_back(worker);
    held[job.symbol] = std::move(job.held);
    if (job.awaited.is_nobody() && is_refusal(job.answer)) {
      job.given_up = true;
      job.answer = given_up_answer(job.asked, setup->given_up(job.symbol));
    }
    if (job.retry_after && !job.given_up && !setup->shutdown.stop_requested()) {
      requests.at(ticket).under_way = false;
      queue->postpone(job.symbol, now() + job.retry_after->count());
    } else {
      end(ticket);
    }
    hand_out();
    if (job.keeps && !idle.empty() && idle.back() == worker)
      send(self, workers[worker], keep_fetched{});
  }

  void end(fetch_queue::ticket ticket) {
    auto request = requests.extract(ticket);
    auto& job = *request.mapped().job;
    queue->done(job.symbol, !job.given_up && is_refusal(job.answer));
    request.mapped().answer(std::move(job.answer));
    if (job.given_up)
      hand_over(job);
  }

  void give_up(open_request& request) {
    const auto& job = *request.job;
    request.answer(given_up_answer(job.asked, setup->given_up(job.symbol)));
  }

  /// Nobody must wait for an answer that never comes.
  template <class Condition>
  void give_up_all(Condition condition) {
    for (auto next = requests.begin(); next != requests.end();) {
      auto& [ticket, request] = *next;
      if (!condition(request)) {
        ++next;
        continue;
      }
      give_up(request);
      next = requests.erase(next);
    }
  }

  instant now() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               self->system().clock().now().time_since_epoch())
        .count();
  }

  void wake_at(instant when) {
    if (wakes_at && *wakes_at <= when)
      return;
    wakes_at = when;
    if (!alarm)
      alarm.emplace([&clock = self->system().clock()](instant due) {
        return std::chrono::milliseconds{due} - clock.now().time_since_epoch();
      });
    alarm->wake_at(when, [front = myself()] {
      if (auto strong = front.lock())
        send_anonymously(strong, fetch_due{});
    });
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
                                     std::stop_token shutdown, std::chrono::seconds longest_wait,
                                     candle_keeper_factory make_keeper) {
  std::vector<exchange_worker_actor> workers(schema.concurrent_fetches);
  if (schema.now)
    schema.now = [now = std::move(schema.now), runtime = static_cast<const void*>(census.get()),
                  name = schema.exchange_name] {
      const place_mark inside{calling_place::exchange, runtime, name};
      return now();
    };
  const auto setup = std::make_shared<const client_setup>(client_setup{
      std::move(schema), std::move(parameters), std::move(shutdown), longest_wait, census.get()});
  for (auto& worker : workers)
    worker = spawn_actor<worker_state, exchange_worker_actor, caf::detached>(
        system, census, setup, make_keeper ? make_keeper() : std::shared_ptr<candle_keeper>{});
  return exchange_actor{spawn_actor<front_state, exchange_front_actor, caf::detached>(
      system, census, setup, std::move(workers))};
}

} // namespace backtest
