#include "actors/exchange/market_actor.hpp"

#include "messages/time.hpp"

#include <fmt/format.h>

namespace backtest {

namespace {

struct market_state {
  self_pointer<market_actor, market_state> self = nullptr;
  exchange_actor exchange;
  instant known = 0;
  awaited_by awaited;

  void init(exchange_actor asked, instant known_until, awaited_by by) {
    awaited = std::move(by);
    exchange = std::move(asked);
    known = known_until;
  }

  market_actor::behavior_type make_behavior() {
    return {[this](const ask_candles& message) -> caf::result<candle_list> {
      auto promise = promise_answer<candle_list>(self);
      if (message.when > known) {
        promise.deliver(candle_list{
            {},
            error{error_code::invalid_argument,
                  fmt::format("candles of {} {} at {}: expected an instant that is not behind {}, at "
                              "which the signal source is asked",
                              message.symbol, to_string(message.size), to_iso(message.when),
                              to_iso(known))}});
        return promise;
      }
      // Not passed on: the answer would bring the exchange client's own address.
      request(self, exchange, caf::infinite,
              find_candles{message.symbol, message.size, message.limit, message.when, awaited})
          .then([promise](candle_list& found) mutable { promise.deliver(std::move(found)); },
                [promise](const caf::error& reason) mutable {
                  promise.deliver(candle_list{
                      {},
                      error{error_code::fetch_failed,
                            "the exchange client is gone: " + text_of(reason)}});
                });
      return promise;
    }};
  }
};

} // namespace

market_actor spawn_market(caf::actor_system& system, const shared_census& census,
                          const exchange_actor& exchange, instant known, awaited_by awaited) {
  return spawn_actor<market_state, market_actor>(system, census, exchange, known,
                                                 std::move(awaited));
}

} // namespace backtest
