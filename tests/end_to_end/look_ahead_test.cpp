#include "tests/support/random_scenario.hpp"
#include "tests/support/sanitizers.hpp"

#include "messages/event_json.hpp"
#include "messages/json.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

#include <doctest/doctest.h>

using namespace backtest;
using namespace backtest::testing;

namespace {

/// Everything a strategy can be shown at one instant, as text.
struct sight {
  instant when = 0;
  std::string text;
};

void write_down(std::string& text, std::span<const candle> list) {
  for (const auto& item : list)
    text += fmt::format("{} {} {} {} {} {};", item.open_time, number_text(item.open),
                        number_text(item.high), number_text(item.low), number_text(item.close),
                        number_text(item.volume));
}

/// Asks for all there is: every interval, every symbol, with and without gaps, the prices.
std::string everything_visible(const run_context& context, const texts& symbols) {
  auto text = fmt::format("{} {} {}|", context.symbol(), context.strategy_name(), context.when());
  for (const auto& symbol : symbols)
    for (const auto size :
         {interval::m1, interval::m3, interval::m5, interval::m15, interval::m30, interval::h1,
          interval::h2, interval::h4, interval::h6, interval::h8, interval::h12, interval::d1}) {
      write_down(text, context.candles_present(symbol, size, 3));
      try {
        write_down(text, context.candles(symbol, size, 2));
        text += number_text(context.average_price(symbol));
      } catch (const failure& gap) {
        text += gap.what();
      }
    }
  return text;
}

struct story {
  std::vector<sight> seen; ///< by instant, strategy, symbol
  texts events;            ///< up to and including the cut
  texts later_events;
};

/// What was seen and told up to and including `cut`, and what came later.
story split_at(instant cut, scenario world) {
  std::vector<std::tuple<instant, std::string>> seen;
  texts symbols;
  for (const auto& [symbol, candles] : world.market())
    symbols.push_back(symbol);
  for (auto& strategy : world.schemas.strategies)
    strategy.get_signal = [&seen, &symbols,
                           trade = strategy.get_signal](const run_context& context) {
      seen.emplace_back(context.when(), everything_visible(context, symbols));
      return trade(context);
    };
  const auto result = world.run();
  // Runs advance in turns, so the order of the calls is not the order of time.
  std::sort(seen.begin(), seen.end());
  story told;
  for (auto& [when, text] : seen)
    if (when <= cut)
      told.seen.push_back({when, std::move(text)});
  for (const auto& item : result.events)
    append_event_line(
        (instant_of(item).value_or(0) <= cut ? told.events : told.later_events).emplace_back(),
        std::nullopt, item.on, item);
  return told;
}

/// Another future: no candle that opens at or after `cut` stays as it was, some go, some come; only
/// where the data begins and ends stays, since a run may know that.
void change_future(scenario& world, instant cut, std::uint64_t seed) {
  mixer random{seed, 3};
  for (const auto& [symbol, old] : world.market()) {
    auto& candles = world.candles(symbol);
    if (candles.empty())
      continue;
    const instant first = candles.front().open_time;
    const instant last = candles.back().open_time;
    std::vector<candle> changed;
    for (const auto& item : candles)
      if (item.open_time < cut)
        changed.push_back(item);
    const double drift = random.real(0.5, 2);
    for (instant open_time = std::max(cut, first); open_time <= last; open_time += minute_ms) {
      if (open_time != first && open_time != last && random.chance(0.1))
        continue;
      const double close = 100 * drift * random.real(0.97, 1.03);
      changed.push_back({open_time, close, close * random.real(1, 1.05),
                         close * random.real(0.95, 1), close, random.real(0, 9)});
    }
    candles = std::move(changed);
  }
}

/// A copy with candles of its own: scenarios share their source.
scenario with_own_candles(std::uint64_t seed) { return random_scenario(seed); }

} // namespace

TEST_CASE("look-ahead: another future changes nothing that was seen, decided or told before it") {
  std::size_t seen = 0, told = 0, worlds_that_differ = 0;
  for (std::uint64_t seed = 1001; seed <= 1000 + random_cases<std::uint64_t>(120); ++seed) {
    CAPTURE(seed);
    const auto world = with_own_candles(seed);
    mixer random{seed, 4};
    const instant cut = align_down(
        world.frame.start + random.between(0, world.frame.end - world.frame.start), minute_ms);
    CAPTURE(to_iso(cut));
    auto other = with_own_candles(seed);
    change_future(other, cut, seed);
    const auto before = split_at(cut, world);
    const auto after = split_at(cut, other);
    REQUIRE(before.seen.size() == after.seen.size());
    for (std::size_t i = 0; i < before.seen.size(); ++i)
      REQUIRE_MESSAGE(before.seen[i].text == after.seen[i].text, to_iso(before.seen[i].when));
    REQUIRE(before.events == after.events);
    seen += before.seen.size();
    told += before.events.size();
    worlds_that_differ += before.later_events != after.later_events;
  }
  CHECK(seen > random_cases(5000));
  CHECK(told > random_cases(10'000));
  CHECK(worlds_that_differ >= random_cases(90));
}

namespace {

/// What a source reads when it runs past the end of what it was given.
bool nothing_is_behind(std::span<const candle> given) {
  for (const auto further : {0U, 1U, 2U, 600U}) {
    const candle& read = given.data()[given.size() + further];
    if (read.open_time > 0 || !std::isnan(read.open) || !std::isnan(read.high) ||
        !std::isnan(read.low) || !std::isnan(read.close) || !std::isnan(read.volume))
      return false;
  }
  return true;
}

} // namespace

TEST_CASE("look-ahead: behind the newest candle of any interval and symbol nothing can be read") {
  std::int64_t asked = 0;
  for (std::uint64_t seed = 3001; seed <= 3020; ++seed) {
    CAPTURE(seed);
    auto world = random_scenario(seed);
    texts symbols;
    for (const auto& [symbol, candles] : world.market())
      symbols.push_back(symbol);
    for (auto& strategy : world.schemas.strategies)
      strategy.get_signal =
          [&](const run_context& context) -> std::optional<signal_request> {
        std::span<const candle> newest;
        for (const auto& symbol : symbols)
          for (std::size_t i = 0; i < interval_count - 1; ++i)
            newest = context.candles_present(symbol, static_cast<interval>(i), 4);
        REQUIRE(nothing_is_behind(newest));
        for (const std::int64_t limit : {1, 30, 2000})
          REQUIRE(nothing_is_behind(context.candles_present(interval::m1, limit)));
        ++asked;
        return std::nullopt;
      };
    for (const auto& item : world.run().events)
      if (const auto* problem = std::get_if<error_event>(&item.payload))
        REQUIRE_MESSAGE(
            (problem->code == error_code::data_gap || problem->code == error_code::data_ended),
            problem->message);
  }
  CHECK(asked > 1000);
}

TEST_CASE("look-ahead: the newest candle shown is never younger than the instant") {
  for (std::uint64_t seed = 2001; seed <= 2020; ++seed) {
    CAPTURE(seed);
    auto world = random_scenario(seed);
    for (auto& strategy : world.schemas.strategies)
      strategy.get_signal = [](const run_context& context) -> std::optional<signal_request> {
        for (std::size_t i = 0; i < interval_count - 1; ++i) {
          const auto size = static_cast<interval>(i);
          for (const auto& item : context.candles_present(size, 4)) {
            REQUIRE(item.open_time + length_of(size) <= context.when());
            REQUIRE(item.open_time % length_of(size) == 0);
          }
        }
        return std::nullopt;
      };
    // A failed REQUIRE is thrown through the core, which would call it a failing source.
    for (const auto& item : world.run().events)
      if (const auto* problem = std::get_if<error_event>(&item.payload))
        REQUIRE_MESSAGE(
            (problem->code == error_code::data_gap || problem->code == error_code::data_ended),
            problem->message);
  }
}
