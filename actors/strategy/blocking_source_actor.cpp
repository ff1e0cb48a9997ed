#include "actors/strategy/blocking_source_actor.hpp"

#include "actors/leavable_thread.hpp"
#include "actors/strategy/source_error.hpp"
#include "messages/calling_place.hpp"

#include <deque>
#include <exception>
#include <optional>
#include <utility>

namespace backtest {

namespace {

/// For a thread that may outlive the exchange client, and everything else.
series_loader visiting_loader(shared_census census, weak_handle<exchange_actor> exchange,
                              awaited_by awaited) {
  return [census = std::move(census), exchange = std::move(exchange), awaited = std::move(awaited)](
             const std::string& symbol, interval size, instant from, instant until) {
    const census_visit visit{census};
    const auto client = visit ? exchange.lock() : exchange_actor{};
    if (!client)
      throw failure(error_code::fetch_failed, "the exchange client is gone: the runtime ends");
    auto& system = client->home_system();
    const calling_thread caller{system};
    return blocking_loader(system, client, awaited)(symbol, size, from, until);
  };
}

/// What the thread of a source works with. It holds no actor and no actor system.
struct signal_work {
  std::shared_ptr<const strategy_schema> schema;
  std::int64_t price_candles = 0;
  number_formats formats;
  awaited_by awaited;
  std::optional<run_sizer> sizer;
  shared_census census;
  weak_handle<blocking_source_actor> actor;
  weak_handle<exchange_actor> exchange;
  std::optional<series_market> market; ///< of the first question

  void answer(const run_identity& run, instant when) {
    if (!market)
      market.emplace(run.symbol, price_candles, formats,
                     visiting_loader(census, exchange, awaited));
    generated_signal made;
    try {
      const place_mark inside{calling_place::blocking_strategy, census.get(),
                              schema->strategy_name};
      made.request = schema->get_signal(run_context{run, when, *market, &*sizer});
    } catch (...) {
      made.problem = error_of_source();
    }
    market->end_question();
    made.callback_errors = sizer->take_callback_errors();
    const census_visit visit{census};
    if (!visit)
      return;
    if (const auto strong = actor.lock()) {
      const calling_thread caller{strong->home_system()};
      send_anonymously(strong, signal_made{std::move(made)});
    }
  }
};

struct blocking_source_state {
  self_pointer<blocking_source_actor, blocking_source_state> self = nullptr;
  std::shared_ptr<signal_work> work;
  std::optional<leavable_thread> thread;
  std::deque<response_promise<generated_signal>> asked;

  void init(std::shared_ptr<signal_work> given) {
    work = std::move(given);
    work->actor = weak_handle<blocking_source_actor>{blocking_source_actor{self}};
  }

  blocking_source_actor::behavior_type make_behavior() {
    return {
        [this](const generate_signal& message) -> caf::result<generated_signal> {
          auto promise = promise_answer<generated_signal>(self);
          try {
            if (!thread)
              thread.emplace();
            thread->run([held = work, run = message.run, when = message.when] {
              held->answer(run, when);
            });
            asked.push_back(promise);
          } catch (const std::exception& caught) { // no thread, or no memory
            promise.deliver(generated_signal{
                std::nullopt, error{error_code::signal_source_failed, caught.what()}, {}});
          }
          return promise;
        },
        [this](signal_made& message) {
          asked.front().deliver(std::move(message.answer));
          asked.pop_front();
        },
    };
  }
};

} // namespace

series_loader blocking_loader(caf::actor_system& system, exchange_actor exchange,
                              awaited_by awaited) {
  return [&system, exchange = std::move(exchange), awaited = std::move(awaited)](
             const std::string& symbol, interval size, instant from, instant until) {
    caf::scoped_actor self{system};
    candles_loaded answer;
    load_candles asked{symbol, size, from, until};
    asked.awaited = awaited;
    request(self, exchange, caf::infinite, std::move(asked))
        .receive([&](const candles_loaded& loaded) { answer = loaded; },
                 [&](const caf::error& reason) {
                   answer.problem = error{error_code::fetch_failed,
                                          "the exchange client is gone: " + text_of(reason)};
                 });
    if (answer.problem)
      throw failure(*answer.problem);
    return answer.loaded;
  };
}

signal_source_actor spawn_blocking_source(caf::actor_system& system, const shared_census& census,
                                          std::shared_ptr<const strategy_schema> schema,
                                          std::int64_t avg_price_candles_count,
                                          number_formats formats, shared_sizings sizings,
                                          const exchange_actor& exchange, awaited_by awaited) {
  const auto work = std::make_shared<signal_work>();
  work->schema = std::move(schema);
  work->price_candles = avg_price_candles_count;
  work->formats = std::move(formats);
  work->awaited = std::move(awaited);
  work->sizer.emplace(std::move(sizings));
  work->census = census;
  work->exchange = weak_handle<exchange_actor>{exchange};
  return spawn_actor<blocking_source_state, blocking_source_actor>(system, census, work);
}

} // namespace backtest
