#include "storage/memory_store.hpp"
#include "tests/support/faulty_store.hpp"
#include "tests/support/interleaving_world.hpp"
#include "tests/support/shared_store.hpp"

#include "storage/journal.hpp"

#if !BACKTEST_CAF_MODERN

using namespace backtest;
using namespace backtest::testing;
using fate = faulty_store::fate;

namespace {

subscription nothing() { return {{topic::progress_walker}, {}, {}, {}}; }

std::vector<std::string> journal_of(const store& from) {
  std::vector<std::string> lines;
  for (auto& line : read_journal(from, 1))
    lines.push_back(std::move(line.text));
  return lines;
}

/// One life of a node on what `disk` holds; `steps`: it is gone after so many messages.
bool live_on(deterministic_system& system, const schema_set& schemas,
             const std::vector<std::string>& symbols, const std::shared_ptr<store>& disk,
             std::size_t steps, std::size_t fails_one_in) {
  auto target = std::make_unique<faulty_store>(
      std::make_unique<shared_store>(disk), [&system, fails_one_in] {
        if (fails_one_in == 0 || !system.one_in(fails_one_in))
          return fate::works;
        return system.one_in(2) ? fate::lost : fate::kept;
      });
  auto found = read_runs(*disk);
  deterministic_portfolio node{system,   schemas, small_world().candles,
                               symbols,  nothing(), {},
                               live_parts{std::move(target), std::move(found.runs)}};
  node.start();
  system.steps(steps);
  return node.record->finished();
}

} // namespace

TEST_CASE("lifecycle 10, crash: interrupted anywhere, on a store that fails, the journal is that "
          "of an undisturbed run, in 1,000 interleavings") {
  std::size_t lines = 0, lives = 0;
  for (std::uint64_t seed = 1; seed <= random_cases<std::uint64_t>(1000); ++seed) {
    CAPTURE(seed);
    auto expected_disk = std::shared_ptr<store>{make_memory_store()};
    auto disk = std::shared_ptr<store>{make_memory_store()};
    schema_set schemas;
    auto symbols = small_world().symbols;
    {
      deterministic_system system{seed};
      schemas = schemas_for(system);
      symbols.resize(1 + system.choose(symbols.size()));
      REQUIRE(live_on(system, schemas, symbols, expected_disk, SIZE_MAX, 0));
    }
    deterministic_system system{seed + 1'000'000};
    for (int life = 0; life < 3; ++life, ++lives)
      live_on(system, schemas, symbols, disk, system.choose(2'000), 4);
    REQUIRE(live_on(system, schemas, symbols, disk, SIZE_MAX, 5));
    const auto expected = journal_of(*expected_disk);
    REQUIRE(journal_of(*disk) == expected);
    lines += expected.size();
  }
  CHECK(lines > random_cases(10'000));
  CHECK(lives == 3 * random_cases(1000));
}

TEST_CASE("lifecycle 10, operator: hears that a command took effect once it is durable, not "
          "before, in 500 interleavings") {
  int effective = 0;
  with_seeds(500, [&](deterministic_system& system) {
    const auto disk = std::shared_ptr<store>{make_memory_store()};
    auto schemas = small_world().schemas;
    schemas.strategies = {grid("grid", interval::m5, 20)};
    deterministic_portfolio node{
        system, schemas,   small_world().candles,
        {"AAA"}, nothing(), {},
        live_parts{std::make_unique<shared_store>(disk), {}}};
    node.start();
    system.steps(system.choose(120));
    const auto answer = node.control("grid", "AAA", operator_command::pause);
    while (!answer->has_value() && system.step()) {
    }
    REQUIRE(answer->has_value());
    if ((*answer)->problem)
      return; // it came before the run began, or after its end
    ++effective;
    bool told = false;
    for (const auto& line : journal_of(*disk))
      told = told || line.find("\"command\":\"pause\"") != std::string::npos;
    CHECK(told);
  });
  CHECK(effective > random_cases(100));
}

TEST_CASE("live: a replay whose strategies take their time comes to its end, and its journal is "
          "that of quick ones, in 50 interleavings") {
  std::size_t lines = 0;
  for (std::uint64_t seed = 1; seed <= random_cases<std::uint64_t>(50); ++seed) {
    CAPTURE(seed);
    const auto journal_with = [seed](std::int64_t milliseconds_a_question) {
      deterministic_system system{seed};
      auto schemas = small_world().schemas;
      schemas.strategies = {grid("grid", interval::m5, 20), pullback("pullback")};
      schemas.risks = {at_most("cap", 1)};
      for (auto& strategy : schemas.strategies)
        strategy.risk_name = "cap";
      std::atomic<std::int64_t>* clock = nullptr;
      slow_down(schemas, milliseconds_a_question, clock);
      const auto disk = std::shared_ptr<store>{make_memory_store()};
      deterministic_portfolio node{system,
                                   schemas,
                                   small_world().candles,
                                   small_world().symbols,
                                   nothing(),
                                   {},
                                   live_parts{std::make_unique<shared_store>(disk), {}}};
      clock = node.steady_clock.get();
      node.start();
      node.run_to_end();
      return journal_of(*disk);
    };
    const auto expected = journal_with(0);
    REQUIRE(journal_with(150) == expected); // some of an hour was left after every question
    lines += expected.size();
  }
  CHECK(lines > random_cases(500));
}

TEST_CASE("live: a replay that waits for a subscriber that never answers is stopped, one run and "
          "all, in 10 interleavings") {
  with_seeds(10, [](deterministic_system& system) {
    auto schemas = long_world().schemas;
    schemas.strategies = {grid("grid-1", interval::m5, 20), grid("grid-2", interval::m3, 35)};
    deterministic_portfolio node{system,
                                 schemas,
                                 long_world().candles,
                                 long_world().symbols,
                                 {{topic::done_live}, {}, {}, {}},
                                 {},
                                 live_parts{make_memory_store(), {}}};
    const auto silent = node.join_silent({{topic::signal_live}, {}, {}, {}});
    system.run();
    node.start();
    system.run();
    REQUIRE(!node.record->finished());
    node.stop(0);
    system.run();
    CHECK(!node.record->statuses()[0].is_running());
    CHECK(node.record->statuses()[1].is_running());
    for (std::size_t run = 1; run < node.stops.size(); ++run)
      node.stop(run);
    node.run_to_end();
    CHECK(node.events.size() == node.stops.size());
    end_actor(silent);
    system.run();
  });
}

#endif
