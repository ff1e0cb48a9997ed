#include "tests/support/deterministic_portfolio.hpp"
#include "tests/support/interleaving_world.hpp"
#include "tests/support/golden.hpp"
#include "tests/support/plain_portfolio.hpp"

#if !BACKTEST_CAF_MODERN

#include <set>

using namespace backtest;
using namespace backtest::testing;

namespace {

subscription facts_wanted(deterministic_system& system) {
  subscription wanted{{topic::signal_backtest, topic::error, topic::validation, topic::risk,
                       topic::partial_profit, topic::partial_loss, topic::done_backtest},
                      {tick_action::scheduled, tick_action::opened, tick_action::closed,
                       tick_action::cancelled},
                      {},
                      {}};
  if (system.one_in(2)) // short ranges: many more turns
    wanted.topics.push_back(topic::progress_backtest);
  if (system.one_in(4))
    wanted.actions.push_back(tick_action::active);
  return wanted;
}

std::size_t count_done(const std::vector<event>& events, run_outcome outcome) {
  return static_cast<std::size_t>(std::count_if(events.begin(), events.end(), [&](const event& x) {
    const auto* done = std::get_if<done_event>(&x.payload);
    return done != nullptr && done->outcome == outcome;
  }));
}

/// Every opened signal closed once, every scheduled one opened or cancelled, but for those alive.
void check_complete(const deterministic_portfolio& portfolio) {
  for (const auto& run : portfolio.record->summaries()) {
    const auto& c = run.counters;
    CHECK(c.opened - c.closed >= 0);
    CHECK(c.opened - c.closed <= 1);
  }
}

} // namespace

TEST_CASE("portfolio: facts equal those of the plain cores, in 1,000 interleavings") {
  std::size_t facts = 0, rejections = 0;
  with_seeds(1000, [&](deterministic_system& system) {
    const auto schemas = schemas_for(system);
    std::vector<std::string> symbols = small_world().symbols;
    symbols.resize(1 + system.choose(symbols.size()));
    const auto expected = plain_facts(schemas, symbols);
    deterministic_portfolio portfolio{system, schemas, small_world().candles, symbols,
                                      facts_wanted(system)};
    portfolio.start();
    portfolio.run_to_end();
    const auto difference = first_difference(expected, facts_of(portfolio.events));
    CHECK_MESSAGE(!difference, difference.value_or(""));
    CHECK(count_done(portfolio.events, run_outcome::completed) ==
          symbols.size() * schemas.strategies.size());
    CHECK(portfolio.reported.empty());
    facts += expected.size();
    for (const auto& item : expected)
      rejections += item.action == "risk_rejected";
  });
  CHECK(facts > random_cases(100'000)); // something happened
  CHECK(rejections > random_cases(10'000));
}

TEST_CASE("portfolio: strategies that take their time change no fact, in 100 interleavings") {
  with_seeds(100, [](deterministic_system& system) {
    auto schemas = schemas_for(system);
    const auto& symbols = small_world().symbols;
    const auto expected = plain_facts(schemas, symbols);
    std::atomic<std::int64_t>* clock = nullptr;
    slow_down(schemas, 50 + static_cast<std::int64_t>(system.choose(100)), clock);
    deterministic_portfolio portfolio{system, schemas, small_world().candles, symbols,
                                      facts_wanted(system)};
    clock = portfolio.steady_clock.get();
    portfolio.start();
    portfolio.run_to_end();
    const auto difference = first_difference(expected, facts_of(portfolio.events));
    CHECK_MESSAGE(!difference, difference.value_or(""));
  });
}

TEST_CASE("portfolio: a symbol without candles fails its runs, the others do as if it was not there") {
  with_seeds(300, [](deterministic_system& system) {
    const auto schemas = schemas_for(system);
    const auto expected = plain_facts(schemas, {"AAA", "CCC"});
    deterministic_portfolio portfolio{system, schemas, small_world().candles,
                                      {"AAA", "MISSING", "CCC"}, facts_wanted(system)};
    portfolio.start();
    portfolio.run_to_end();
    const auto difference = first_difference(expected, facts_of(portfolio.events));
    CHECK_MESSAGE(!difference, difference.value_or(""));
    for (const auto& run : portfolio.record->summaries()) {
      CHECK((run.outcome == run_outcome::failed) == (run.identity->symbol == "MISSING"));
      CHECK((run.problem && run.problem->code == error_code::fetch_failed) ==
            (run.identity->symbol == "MISSING"));
    }
    CHECK(count_done(portfolio.events, run_outcome::failed) == schemas.strategies.size());
  });
}

TEST_CASE("portfolio: a strategy client that dies takes nobody with it, in 1,000 interleavings") {
  std::size_t failed = 0;
  with_seeds(1000, [&](deterministic_system& system) {
    const auto schemas = schemas_for(system);
    const auto& symbols = small_world().symbols;
    deterministic_portfolio portfolio{system, schemas, small_world().candles, symbols,
                                      facts_wanted(system)};
    portfolio.start();
    system.steps(60 + system.choose(400));
    if (portfolio.strategies.empty())
      return portfolio.run_to_end();
    auto victim = portfolio.strategies.begin();
    std::advance(victim, system.choose(portfolio.strategies.size()));
    const auto names = victim->first;
    caf::anon_send_exit(victim->second, caf::exit_reason::kill);
    portfolio.run_to_end();
    for (const auto& run : portfolio.record->summaries()) {
      const bool killed = run.identity->strategy_name == names.first &&
                          run.identity->symbol == names.second;
      if (run.outcome == run_outcome::failed) {
        ++failed;
        CHECK(killed);
        CHECK(run.problem->code == error_code::actor_failed);
      } else {
        CHECK(run.outcome == run_outcome::completed);
      }
    }
    CHECK(count_done(portfolio.events, run_outcome::completed) +
              count_done(portfolio.events, run_outcome::failed) ==
          symbols.size() * schemas.strategies.size());
  });
  CHECK(failed > random_cases(100)); // it did happen in the middle of runs
}

TEST_CASE("portfolio: an arbiter that dies fails the runs, and nobody hangs") {
  with_seeds(200, [](deterministic_system& system) {
    const auto schemas = schemas_for(system);
    deterministic_portfolio portfolio{system, schemas, small_world().candles,
                                      small_world().symbols, facts_wanted(system)};
    portfolio.start();
    system.steps(100 + system.choose(300));
    if (!portfolio.arbiters.empty())
      caf::anon_send_exit(portfolio.arbiters.front(), caf::exit_reason::kill);
    portfolio.run_to_end();
    CHECK(count_done(portfolio.events, run_outcome::stopped) == 0);
  });
}

TEST_CASE("portfolio: stopped at any point it follows what is open and ends, in 1,000 interleavings") {
  std::size_t stopped = 0;
  with_seeds(1000, [&](deterministic_system& system) {
    const auto schemas = schemas_for(system);
    const auto& symbols = small_world().symbols;
    deterministic_portfolio portfolio{system, schemas, small_world().candles, symbols,
                                      facts_wanted(system)};
    portfolio.start();
    system.steps(system.choose(600));
    const bool all = system.one_in(2);
    const auto chosen = system.choose(portfolio.stops.size());
    for (std::size_t i = 0; i < portfolio.stops.size(); ++i)
      if (all || i == chosen)
        portfolio.stops[i].request_stop();
    portfolio.run_to_end();
    std::size_t runs_stopped = 0;
    for (const auto& run : portfolio.record->summaries()) {
      CHECK(run.outcome != run_outcome::failed);
      CHECK(run.counters.unfinished == 0);
      runs_stopped += run.outcome == run_outcome::stopped;
    }
    CHECK((all || runs_stopped <= 1));
    stopped += runs_stopped;
    check_complete(portfolio);
    CHECK(count_done(portfolio.events, run_outcome::stopped) == runs_stopped);
  });
  CHECK(stopped > random_cases(500));
}

TEST_CASE("portfolio: ended from outside at any point it lets go of everything") {
  with_seeds(300, [](deterministic_system& system) {
    const auto schemas = schemas_for(system);
    deterministic_portfolio portfolio{system, schemas, small_world().candles,
                                      small_world().symbols, facts_wanted(system)};
    portfolio.start();
    system.steps(system.choose(500));
    portfolio.abort();
    portfolio.run_to_end();
  });
}

TEST_CASE("portfolio: a listener of one symbol alone does not hold up the others") {
  // It shortens ranges while runs wait for each other in virtual time.
  with_seeds(300, [](deterministic_system& system) {
    const auto schemas = schemas_for(system);
    subscription wanted{{topic::progress_backtest, topic::signal_backtest}, {}, {"BBB"}, {}};
    deterministic_portfolio portfolio{system, schemas, small_world().candles,
                                      small_world().symbols, wanted};
    portfolio.start();
    system.steps(system.choose(500));
    portfolio.listen({{topic::progress_backtest}, {}, {"AAA"}, {}});
    portfolio.run_to_end();
    for (const auto& run : portfolio.record->summaries())
      CHECK(run.outcome == run_outcome::completed);
  });
}

TEST_CASE("portfolio: stopped while a subscriber never answers it comes to its end") {
  with_seeds(20, [&](deterministic_system& system) {
    auto schemas = schemas_for(system);
    schemas.frames = long_world().schemas.frames;
    deterministic_portfolio portfolio{system, schemas, long_world().candles, long_world().symbols,
                                      facts_wanted(system)};
    const auto silent = portfolio.join_silent({{topic::signal_backtest}, {}, {}, {}});
    system.run();
    portfolio.start();
    system.run();
    CHECK(!portfolio.record->finished()); // it waits
    for (std::size_t run = 0; run < portfolio.stops.size(); ++run) {
      portfolio.stop(run);
      system.steps(system.choose(100));
    }
    portfolio.run_to_end();
    for (const auto& run : portfolio.record->summaries()) {
      CHECK(run.outcome != run_outcome::failed);
      CHECK(run.counters.unfinished == 0);
    }
    check_complete(portfolio);
    CHECK(count_done(portfolio.events, run_outcome::stopped) > 0);
    end_actor(silent);
    system.run();
  });
}

TEST_CASE("portfolio: one run is stopped while a subscriber never answers, the others wait on") {
  with_seeds(20, [&](deterministic_system& system) {
    auto schemas = long_world().schemas;
    schemas.strategies = {grid("grid-1", interval::m5, 20), grid("grid-2", interval::m3, 35)};
    deterministic_portfolio portfolio{system, schemas, long_world().candles, long_world().symbols,
                                      facts_wanted(system)};
    const auto silent = portfolio.join_silent({{topic::signal_backtest}, {}, {}, {}});
    system.run();
    portfolio.start();
    system.run();
    const auto running = [&] {
      std::size_t count = 0;
      for (const auto& status : portfolio.record->statuses())
        count += status.is_running();
      return count;
    };
    const auto before = running();
    REQUIRE(before > 1);
    std::size_t chosen = 0;
    while (!portfolio.record->statuses()[chosen].is_running())
      ++chosen;
    portfolio.stop(chosen);
    system.run();
    CHECK(!portfolio.record->statuses()[chosen].is_running());
    CHECK(running() == before - 1);
    end_actor(silent); // nobody is waited for any more
    portfolio.run_to_end();
    CHECK(count_done(portfolio.events, run_outcome::stopped) == 1);
  });
}

TEST_CASE(
    "portfolio: a subscriber that never answers does not hold up a portfolio it hears nothing "
    "of") {
  with_seeds(20, [&](deterministic_system& system) {
    auto schemas = long_world().schemas;
    schemas.strategies = {grid("grid-1", interval::m5, 20)};
    deterministic_portfolio portfolio{system,
                                      schemas,
                                      long_world().candles,
                                      long_world().symbols,
                                      {{topic::signal_backtest}, {}, {}, {}}}; // every minute
    const auto silent = portfolio.join_silent({{topic::error}, {}, {}, {}});
    publish news;
    for (int i = 0; i < 12'000; ++i)
      news.events.push_back({topic::error, error_event{error_code::data_gap, "", "another's",
                                                       std::nullopt, nullptr}});
    send_anonymously(portfolio.topics, std::move(news)); // of somebody else
    system.run();
    portfolio.start();
    portfolio.run_to_end();
    end_actor(silent);
    system.run();
  });
}

#endif
