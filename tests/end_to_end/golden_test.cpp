#include "runtime/configuration_file.hpp"
#include "tests/support/golden.hpp"
#include "tests/support/plain_portfolio.hpp"

#include <doctest/doctest.h>

using namespace backtest;
using namespace backtest::testing;

namespace {

std::vector<fact> plain_facts(const std::filesystem::path& golden_case, instant range) {
  const auto loaded = load_configuration(golden_case / "config.json", with_built_ins());
  const auto& exchange = loaded.schemas.exchanges.front();
  plain_options options;
  options.range = range;
  auto result =
      run_plain_portfolio(loaded.schemas, loaded.parameters, exchange,
                          loaded.schemas.frames.front(), exchange.source->symbols(), options);
  auto facts = facts_of(result.events);
  for (const auto& run : result.runs)
    if (run.unfinished)
      facts.push_back(unfinished_fact(*run.unfinished, run.ended_at));
  sort_facts(facts);
  return facts;
}

} // namespace

TEST_CASE("golden: every case agrees on the plain cores, without actors") {
  for (const auto& golden_case : golden_cases()) {
    CAPTURE(golden_case.filename().string());
    const auto difference =
        first_difference(expected_facts(golden_case), plain_facts(golden_case, day_ms));
    CHECK_MESSAGE(!difference, difference.value_or(""));
  }
}

TEST_CASE("golden: how far a run goes at a time changes nothing") {
  for (const auto& golden_case : golden_cases()) {
    CAPTURE(golden_case.filename().string());
    const auto difference = first_difference(plain_facts(golden_case, 7 * minute_ms),
                                             plain_facts(golden_case, 90 * day_ms));
    CHECK_MESSAGE(!difference, difference.value_or(""));
  }
}
