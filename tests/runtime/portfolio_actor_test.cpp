#include "runtime/configuration_file.hpp"
#include "runtime/parity.hpp"
#include "runtime/runtime.hpp"
#include "tests/support/golden.hpp"
#include "tests/support/sanitizers.hpp"

#include <limits>
#include <memory>
#include <mutex>

#include <doctest/doctest.h>

using namespace backtest;
using namespace backtest::testing;

namespace {

/// A golden case in a runtime, and the request for all of it.
struct golden_runtime {
  std::unique_ptr<runtime> target;
  backtest_request request;
};

golden_runtime open_golden(const std::filesystem::path& golden_case, std::size_t threads) {
  const auto loaded = load_configuration(golden_case / "config.json", with_built_ins());
  runtime_options options;
  options.threads = threads;
  options.parameters = loaded.parameters;
  auto target = std::make_unique<runtime>(options);
  backtest_request request;
  request.symbols = loaded.schemas.exchanges.front().source->symbols();
  for (const auto& strategy : loaded.schemas.strategies)
    request.strategies.push_back(strategy.strategy_name);
  request.exchange = loaded.schemas.exchanges.front().exchange_name;
  request.frame = loaded.schemas.frames.front().frame_name;
  target->add(loaded.schemas);
  return {std::move(target), std::move(request)};
}

/// Facts of a run that `begin` starts, which ends with an event on `done`.
template <class Begin>
std::vector<fact> runtime_facts(runtime& target, topic signals, topic done, Begin begin) {
  std::mutex mutex;
  std::vector<event> events;
  subscription wanted;
  wanted.topics = {signals, topic::error, topic::risk, topic::partial_profit, topic::partial_loss,
                   done};
  bool all_done = false;
  target.listen(wanted, [&](const event& item) {
    const std::lock_guard lock{mutex};
    if (item.on == done)
      all_done = true;
    events.push_back(item);
  });
  auto run = begin();
  run.wait();
  target.flush();
  const std::lock_guard lock{mutex};
  CHECK(all_done);
  return facts_of(events);
}

} // namespace

TEST_CASE("golden: every case agrees through the runtime, on one thread and on four") {
  for (const auto& golden_case : golden_cases()) {
    CAPTURE(golden_case.filename().string());
    auto expected = expected_facts(golden_case);
    std::erase_if(expected, [](const fact& item) { return item.action == "unfinished"; });
    for (const std::size_t threads : {1U, 4U}) {
      if (is_sanitized && threads == 4) // the command runs them so
        continue;
      CAPTURE(threads);
      auto opened = open_golden(golden_case, threads);
      const auto difference = first_difference(
          expected, runtime_facts(*opened.target, topic::signal_backtest, topic::done_backtest,
                                  [&] { return opened.target->backtest().background(opened.request); }));
      CHECK_MESSAGE(!difference, difference.value_or(""));
    }
  }
}

TEST_CASE("golden: every case agrees through a live run on the replay clock, and in parity") {
  std::size_t place = 0;
  for (const auto& golden_case : golden_cases()) {
    if (is_sanitized && place++ % 3 != 0) // they take the same paths
      continue;
    CAPTURE(golden_case.filename().string());
    auto expected = expected_facts(golden_case);
    std::erase_if(expected, [](const fact& item) { return item.action == "unfinished"; });
    auto opened = open_golden(golden_case, 2);
    live_request replay;
    replay.symbols = opened.request.symbols;
    replay.strategies = opened.request.strategies;
    replay.exchange = opened.request.exchange;
    replay.frame = opened.request.frame;
    replay.clock = make_replay_clock(std::numeric_limits<double>::infinity());
    const auto difference = first_difference(
        expected, runtime_facts(*opened.target, topic::signal_live, topic::done_live,
                                [&] { return opened.target->live().background(replay); }));
    CHECK_MESSAGE(!difference, difference.value_or(""));
    auto other = open_golden(golden_case, 2);
    const auto parity = compare_drivers(*other.target, other.request);
    CHECK_MESSAGE(!parity.difference, parity.difference.value_or(""));
  }
}
