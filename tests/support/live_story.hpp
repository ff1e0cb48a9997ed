#pragma once

#include "tests/support/live_fixture.hpp"

#include <fmt/format.h>

namespace backtest::testing {

/// What was heard of a live run, in order: "error AAA", "opened BBB 0" (minutes since `from`),
/// "opened BBB 0 caught up".
class live_story {
public:
  live_story(runtime& target, instant from) {
    handle_ =
        target.listen({{topic::error, topic::signal_live}, {tick_action::opened}, {}, {}},
                      [kept = kept_, from](const event& item) {
                        const std::lock_guard lock{kept->mutex};
                        if (const auto* tick = std::get_if<tick_result>(&item.payload)) {
                          kept->lines.push_back(fmt::format("opened {} {}{}", tick->run->symbol,
                                                            (tick->timestamp - from) / minute_ms,
                                                            tick->caught_up ? " caught up" : ""));
                        } else {
                          kept->lines.push_back("error " + identity_of(item)->symbol);
                          kept->errors.push_back(std::get<error_event>(item.payload).message);
                        }
                        kept->changed.notify_all();
                      });
  }
  ~live_story() { handle_.unsubscribe(); }
  live_story(const live_story&) = delete;
  live_story& operator=(const live_story&) = delete;

  std::vector<std::string> wait_for(std::size_t lines) {
    std::unique_lock lock{kept_->mutex};
    kept_->changed.wait(lock, [&] { return kept_->lines.size() >= lines; });
    return kept_->lines;
  }
  /// Texts of the errors so far.
  std::vector<std::string> errors() const {
    const std::lock_guard lock{kept_->mutex};
    return kept_->errors;
  }

private:
  struct kept_lines {
    mutable std::mutex mutex;
    std::condition_variable changed;
    std::vector<std::string> lines, errors;
  };
  std::shared_ptr<kept_lines> kept_ = std::make_shared<kept_lines>();
  listener_handle handle_;
};

/// "buyer" on AAA and BBB, a minute before their first boundary, on a clock a test moves.
struct two_symbols {
  instant boundary = first_instant + 60 * minute_ms;
  instant first = boundary + 1500; ///< it has settled
  std::shared_ptr<manual_clock> clock = std::make_shared<manual_clock>(boundary - 1);

  runtime_options options(std::int64_t catch_up_wait_seconds) const {
    auto chosen = quiet();
    chosen.parameters.get_candles_retry_count = 1;
    chosen.parameters.catch_up_wait_seconds = catch_up_wait_seconds;
    return chosen;
  }

  void add_to(runtime& target, candle_function source, bool share_profile) const {
    auto exchange = wave_exchange();
    exchange.get_candles = std::move(source);
    exchange.concurrent_fetches = 2;
    exchange.now = [clock = clock] { return clock->now(); };
    target.add_exchange(std::move(exchange));
    risk_schema open_to_all;
    open_to_all.risk_name = "shared";
    open_to_all.validations.push_back(
        {[](const risk_question&) -> std::optional<std::string> { return std::nullopt; }, ""});
    target.add_risk(std::move(open_to_all));
    auto buyer = strategy_of("buyer");
    if (share_profile)
      buyer.risk_name = "shared";
    target.add_strategy(std::move(buyer));
  }

  run_handle start(runtime& target) const {
    auto request = one_buyer(clock);
    request.symbols = {"AAA", "BBB"};
    clock->cancel(); // that of a run before this one
    auto handle = target.live().background(std::move(request));
    clock->wait_until_watched();
    return handle;
  }
};

} // namespace backtest::testing
