#include "runtime/report_book.hpp"

#include "tests/runtime/sample_ticks.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace backtest;
using namespace backtest::testing;

namespace {

topic topic_of(const run_identity& run) {
  return run.mode == run_mode::live ? topic::signal_live : topic::signal_backtest;
}

void tell(report_book& book, tick_result tick) {
  const topic on = topic_of(*tick.run);
  book.apply({on, std::move(tick)});
}

void tell_trades(report_book& book, const shared_identity& run,
                 const std::vector<double>& returns) {
  for (const auto& trade : trades_of(returns))
    tell(book, closed_trade(run, trade));
}

/// One event for every report there is.
void tell_everything(report_book& book, const shared_identity& run) {
  tell(book, tick_of(run, tick_action::scheduled, t0, signal_of(*run, "a", t0)));
  tell_trades(book, run, {1});
  partial_event milestone;
  milestone.run = run;
  book.apply({topic::partial_profit, milestone});
  risk_event rejection;
  rejection.run = run;
  book.apply({topic::risk, rejection});
  book.apply({topic::performance, performance_event{run, metric_type::live_tick, 1, t0, {}}});
}

/// What a run of that mode would tell: actions, and topics other than those of signals.
std::vector<std::string> told_for(report_set reports, run_mode mode) {
  interest wanted;
  for (const auto& item : subscriptions_for(reports))
    wanted |= subscription_filter(item).interest_in(*identity("BTCUSDT", "cross", mode));
  std::vector<std::string> told;
  for (std::size_t i = 0; i < tick_action_count; ++i)
    if (wanted.has(static_cast<tick_action>(i)))
      told.emplace_back(to_string(static_cast<tick_action>(i)));
  for (auto on = topic::error; on <= topic::risk; on = static_cast<topic>(static_cast<int>(on) + 1))
    if (wanted.has(on))
      told.emplace_back(to_string(on));
  return told;
}

using told = std::vector<std::string>;

} // namespace

TEST_CASE("report book: a backtest report alone needs the openings and closes of backtests") {
  const auto wanted = subscriptions_for({report_kind::backtest});
  REQUIRE(wanted.size() == 1);
  CHECK(wanted[0].topics == std::vector{topic::signal_backtest});
  CHECK(wanted[0].actions == std::vector{tick_action::opened, tick_action::closed});
  CHECK(subscriptions_for({}).empty());
}

TEST_CASE("report book: each report asks for what it needs, no topic twice") {
  const auto past = run_mode::backtest, live = run_mode::live;
  CHECK(told_for({report_kind::live}, past) == told{});
  CHECK(told_for({report_kind::backtest, report_kind::live}, past) == told{"opened", "closed"});
  CHECK(told_for({report_kind::backtest}, live) == told{});
  CHECK(told_for({report_kind::heat}, past) == told{"opened", "closed"});
  CHECK(told_for({report_kind::heat}, live) == told{"opened", "closed"});
  CHECK(told_for({report_kind::live}, live) ==
        told{"idle", "scheduled", "waiting", "opened", "active", "closed", "cancelled"});
  CHECK(told_for({report_kind::schedule}, past) == told{"scheduled", "opened", "cancelled"});
  CHECK(told_for({report_kind::partial}, live) == told{"partial_profit", "partial_loss"});
  CHECK(told_for({report_kind::risk}, live) == told{"risk"});
  CHECK(told_for({report_kind::performance}, live) == told{"performance"});
  CHECK(told_for(report_set::all(), past) == told{"scheduled", "opened", "closed", "cancelled",
                                                  "performance", "partial_profit", "partial_loss",
                                                  "risk"});

  std::vector<topic> seen;
  for (const auto& item : subscriptions_for(report_set::all()))
    seen.insert(seen.end(), item.topics.begin(), item.topics.end());
  CHECK(seen == std::vector{topic::signal_backtest, topic::signal_live, topic::performance,
                            topic::partial_profit, topic::partial_loss, topic::risk});
}

TEST_CASE("report book: an idle stretch is the tick it stands for") {
  const auto run = identity("BTCUSDT", "cross", run_mode::live);
  report_book by_event, by_stretch;
  for (auto* book : {&by_event, &by_stretch})
    book->start(run, {});
  const idle_stretch stretch{run, t0, 42'500, true};
  for (const auto& later : {stretch, idle_stretch{run, t0 + 1, 42'600, false}}) {
    tell(by_event, tick_of(later));
    by_stretch.apply(later);
  }
  const auto rows = by_stretch.find_live("BTCUSDT", "cross")->data();
  CHECK(rows.event_list == by_event.find_live("BTCUSDT", "cross")->data().event_list);
  REQUIRE(rows.event_list.size() == 1);
  CHECK(rows.event_list[0].timestamp == t0 + 1);
  CHECK(rows.event_list[0].current_price == 42'600);
  CHECK(rows.total_events == 1);
  by_stretch.apply({identity("ETHUSDT", "cross", run_mode::live), t0, 1, false}); // never started
  CHECK(by_stretch.find_live("ETHUSDT", "cross") == nullptr);
}

TEST_CASE("report book: the trades of both modes unless told otherwise") {
  report_book book;
  CHECK(book.enabled() == report_set{report_kind::backtest, report_kind::live});
  for (const auto mode : {run_mode::backtest, run_mode::live}) {
    const auto run = identity("BTCUSDT", "cross", mode);
    book.start(run, {});
    tell_everything(book, run);
    REQUIRE(book.find_ledger("BTCUSDT", "cross", mode));
    CHECK(book.find_ledger("BTCUSDT", "cross", mode)->statistics().total_signals == 1);
    CHECK_FALSE(book.find_ledger("ETHUSDT", "cross", mode));
    CHECK_FALSE(book.find_schedule("BTCUSDT", "cross", mode));
    CHECK_FALSE(book.find_performance("BTCUSDT", "cross", mode));
    CHECK_FALSE(book.find_partial("BTCUSDT", "cross", mode));
    CHECK_FALSE(book.find_risk("BTCUSDT", "cross", mode));
    CHECK_FALSE(book.find_heat("cross", mode));
  }
  CHECK(book.find_backtest("BTCUSDT", "cross")->statistics().total_signals == 1);
  CHECK(book.find_live("BTCUSDT", "cross")->statistics().total_signals == 1);
}

TEST_CASE("report book: every event reaches the reports of its run, and no others") {
  report_book book(report_set::all());
  for (const auto mode : {run_mode::backtest, run_mode::live}) {
    const auto run = identity("BTCUSDT", "cross", mode), other = identity("ETHUSDT", "cross", mode);
    book.start(run, {});
    book.start(other, {});
    tell_everything(book, run);
    CHECK(book.find_schedule("BTCUSDT", "cross", mode)->data().statistics.total_events == 1);
    CHECK(book.find_performance("BTCUSDT", "cross", mode)->data().total_events == 1);
    CHECK(book.find_partial("BTCUSDT", "cross", mode)->data().total_events == 1);
    CHECK(book.find_risk("BTCUSDT", "cross", mode)->data().total_rejections == 1);
    CHECK(book.find_heat("cross", mode)->data().portfolio.total_signals == 1);
    CHECK(book.find_heat("cross", mode)->data().total_symbols == 1);
    CHECK(book.find_schedule("ETHUSDT", "cross", mode)->data().statistics.total_events == 0);
    CHECK(book.find_risk("ETHUSDT", "cross", mode)->data().total_rejections == 0);
  }
  CHECK(book.find_backtest("BTCUSDT", "cross")->statistics().total_signals == 1);
  CHECK(book.find_live("BTCUSDT", "cross")->data().total_events == 2);
  CHECK_FALSE(book.find_heat("other", run_mode::live));
  CHECK_FALSE(book.find_backtest("BTCUSDT", "other"));
}

TEST_CASE("report book: a start clears the reports of its key, and its symbol in the heat") {
  report_book book(report_set::all());
  const auto run = identity(), other = identity("ETHUSDT"), live = live_identity();
  for (const auto& each : {run, other, live}) {
    book.start(each, {});
    tell_everything(book, each);
  }
  book.start(run, {});
  const auto mode = run_mode::backtest;
  CHECK(book.find_backtest("BTCUSDT", "cross")->statistics().total_signals == 0);
  CHECK(book.find_schedule("BTCUSDT", "cross", mode)->data().statistics.total_events == 0);
  CHECK(book.find_performance("BTCUSDT", "cross", mode)->data().total_events == 0);
  CHECK(book.find_partial("BTCUSDT", "cross", mode)->data().total_events == 0);
  CHECK(book.find_risk("BTCUSDT", "cross", mode)->data().total_rejections == 0);
  const auto heat = book.find_heat("cross", mode)->data();
  REQUIRE(heat.total_symbols == 1);
  CHECK(heat.symbols[0].symbol == "ETHUSDT");
  CHECK(book.find_backtest("ETHUSDT", "cross")->statistics().total_signals == 1);
  CHECK(book.find_live("BTCUSDT", "cross")->data().total_events == 2);
  CHECK(book.find_heat("cross", run_mode::live)->data().total_symbols == 1);
  // A run begun again counts once.
  tell_trades(book, run, {1, 2});
  CHECK(book.find_heat("cross", mode)->data().portfolio.total_signals == 3);
}

TEST_CASE("report book: what is enabled counts for the runs that start then") {
  report_book book;
  const auto run = identity();
  book.start(run, {});
  book.enable({report_kind::heat});
  tell_trades(book, run, {1});
  CHECK(book.find_backtest("BTCUSDT", "cross")->statistics().total_signals == 1);
  book.start(run, {});
  tell_trades(book, run, {1});
  CHECK_FALSE(book.find_backtest("BTCUSDT", "cross"));
  CHECK(book.find_heat("cross", run_mode::backtest)->data().total_symbols == 1);
  book.enable({report_kind::backtest});
  book.start(run, {});
  CHECK(book.find_heat("cross", run_mode::backtest)->data().total_symbols == 0);
}

TEST_CASE("report book: events of runs that never started, or of none, are ignored") {
  report_book book(report_set::all());
  const auto run = identity();
  tell_everything(book, run);
  CHECK_FALSE(book.find_backtest("BTCUSDT", "cross"));
  CHECK_FALSE(book.find_heat("cross", run_mode::backtest));
  book.start(run, {});
  tell_trades(book, run, {1});
  book.apply({topic::signal, closed_trade(run, trades_of({1})[0])}); // a copy for its subscribers
  book.apply({topic::signal_backtest, tick_result{}});
  book.apply({topic::performance, performance_event{}});
  book.apply({topic::error, error_event{}});
  CHECK(book.find_backtest("BTCUSDT", "cross")->statistics().total_signals == 1);
  book.clear();
  tell_trades(book, run, {1});
  CHECK_FALSE(book.find_backtest("BTCUSDT", "cross"));
}

TEST_CASE("report book: names are told by value, however often they are made anew") {
  report_book book(report_set::all());
  for (int i = 0; i < 100; ++i)
    book.start(identity(fmt::format("S{}", i)), {});
  for (int round = 0; round < 10; ++round)
    for (int i = 0; i < 100; ++i)
      tell_trades(book, identity(fmt::format("S{}", i)), {static_cast<double>(i)});
  for (int i = 0; i < 100; ++i)
    CHECK(*book.find_backtest(fmt::format("S{}", i), "cross")->statistics().avg_pnl == i);
}

TEST_CASE("report book: one run, or one of its reports, can be cleared") {
  report_book book(report_set::all());
  const auto run = identity(), other = identity("ETHUSDT");
  for (const auto& each : {run, other}) {
    book.start(each, {});
    tell_everything(book, each);
  }
  const auto mode = run_mode::backtest;
  book.clear(*run, {report_kind::risk, report_kind::heat});
  CHECK(book.find_risk("BTCUSDT", "cross", mode)->data().total_rejections == 0);
  CHECK(book.find_heat("cross", mode)->data().total_symbols == 1);
  CHECK(book.find_partial("BTCUSDT", "cross", mode)->data().total_events == 1);
  book.clear(*run);
  CHECK(book.find_backtest("BTCUSDT", "cross")->statistics().total_signals == 0);
  CHECK(book.find_partial("BTCUSDT", "cross", mode)->data().total_events == 0);
  CHECK(book.find_performance("BTCUSDT", "cross", mode)->data().total_events == 0);
  CHECK(book.find_schedule("BTCUSDT", "cross", mode)->data().statistics.total_events == 0);
  CHECK(book.find_partial("ETHUSDT", "cross", mode)->data().total_events == 1);
  book.clear(*identity("unknown"));
  tell_trades(book, run, {1}); // a run goes on after its reports were cleared
  CHECK(book.find_heat("cross", mode)->data().total_symbols == 2);
}

TEST_CASE(
    "report book: a position still open at the end counts for exposure, and for nothing else") {
  report_book book(report_set::all());
  const auto first = identity("A"), second = identity("B");
  const auto open = [&](const shared_identity& run, int hour) {
    const instant when = t0 + hour * 60 * minute_ms;
    book.apply({topic::signal_backtest, opened_tick(run, when, signal_of(*run, "id", when))});
  };
  for (const auto& run : {first, second}) {
    book.start(run, {});
    open(run, 0);
    tell_trades(book, run, {2}); // ten hours
    book.set_bounds(*run, {t0, t0 + 40 * 60 * minute_ms, {}, {}});
  }
  open(first, 30);
  open(second, 36);
  const auto* ended = book.find_backtest("A", "cross");
  CHECK(*ended->statistics().exposure == doctest::Approx(50));
  CHECK(ended->statistics().total_signals == 1);
  CHECK(*book.find_backtest("B", "cross")->statistics().exposure == doctest::Approx(35));
  const auto heat = book.find_heat("cross", run_mode::backtest)->data();
  CHECK(*heat.symbols.at(0).statistics.exposure == doctest::Approx(50));
  CHECK(*heat.portfolio.exposure == doctest::Approx(50)); // at the same time
  CHECK(*book.portfolio_statistics({first, second}, {}).exposure == doctest::Approx(50));
}

TEST_CASE("report book: bounds and portfolio figures, in both modes") {
  report_book book(report_set::all());
  const auto first = identity("A"), second = identity("B"), live = live_identity("A");
  for (const auto& run : {first, second, live})
    book.start(run, {});
  tell_trades(book, first, {2});
  tell_trades(book, second, {-1, 1});
  tell_trades(book, live, {5});
  book.set_bounds(*first, {t0, t0 + 20 * 60 * minute_ms, 100.0, 110.0});
  book.set_bounds(*live, {t0, t0 + 40 * 60 * minute_ms, 100.0, 120.0});
  book.set_bounds(*identity("unknown"), {});
  CHECK(*book.find_backtest("A", "cross")->statistics().exposure == doctest::Approx(50));
  CHECK(*book.find_live("A", "cross")->statistics().exposure == doctest::Approx(25));
  CHECK(*book.find_heat("cross", run_mode::live)->data().symbols[0].statistics.exposure ==
        doctest::Approx(25));
  CHECK(*book.portfolio_statistics({first, second, identity("unknown")}, {}).total_pnl ==
        doctest::Approx(2));
  CHECK(*book.portfolio_statistics({live}, {}).total_pnl == doctest::Approx(5));
  CHECK(book.portfolio_statistics({}, {}).total_signals == 0);
}
