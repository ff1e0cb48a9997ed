#include "runtime/configuration_file.hpp"
#include "runtime/runtime.hpp"
#include "tests/support/golden.hpp"

#include <mutex>

#include <doctest/doctest.h>

using namespace backtest;
using namespace backtest::testing;

namespace {

/// Facts of a golden case run through the runtime.
std::vector<fact> runtime_facts(const std::filesystem::path& golden_case, std::size_t threads) {
  const auto loaded = load_configuration(golden_case / "config.json", with_built_ins());
  runtime_options options;
  options.threads = threads;
  options.parameters = loaded.parameters;
  runtime target{options};
  backtest_request request;
  request.symbols = loaded.schemas.exchanges.front().source->symbols();
  for (const auto& strategy : loaded.schemas.strategies)
    request.strategies.push_back(strategy.strategy_name);
  request.exchange = loaded.schemas.exchanges.front().exchange_name;
  request.frame = loaded.schemas.frames.front().frame_name;
  target.add(loaded.schemas);
  std::mutex mutex;
  std::vector<event> events;
  subscription wanted;
  wanted.topics = {topic::signal_backtest, topic::error, topic::risk, topic::partial_profit,
                   topic::partial_loss, topic::done_backtest};
  bool all_done = false;
  target.listen(wanted, [&](const event& item) {
    const std::lock_guard lock{mutex};
    if (item.on == topic::done_backtest)
      all_done = true;
    events.push_back(item);
  });
  auto run = target.backtest().background(request);
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
    for (const std::size_t threads : {1, 4}) {
      CAPTURE(threads);
      const auto difference = first_difference(expected, runtime_facts(golden_case, threads));
      CHECK_MESSAGE(!difference, difference.value_or(""));
    }
  }
}
