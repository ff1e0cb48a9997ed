#include "tests/support/walker_fixture.hpp"

#include <map>

using namespace backtest;
using namespace backtest::testing;

namespace {

const std::vector<std::string> four_symbols{"AAA", "BBB", "CCC", "DDD"};

/// Close to what may be under way before backtests wait for a listener: about 2,400 minutes of four
/// symbols, each of which tells something.
constexpr instant busy_length = 2'300 * minute_ms;
constexpr std::size_t under_way_at_least = 9'000;

/// A listener of everything that stands still at the first event until it is let go.
class stuck_listener {
public:
  explicit stuck_listener(runtime& target) : target_(target) {
    handle_ = target.listen({{topic::signal}, {}, {}, {}}, [kept = kept_](const event&) {
      kept->held.pass();
      kept->heard.add();
    });
  }
  ~stuck_listener() {
    kept_->held.open();
    handle_.unsubscribe();
  }
  stuck_listener(const stuck_listener&) = delete;
  stuck_listener& operator=(const stuck_listener&) = delete;

  /// Lets it go; what had been under way to it.
  std::size_t let_go() {
    CHECK(kept_->heard.count() == 0);
    kept_->held.open();
    target_.flush();
    return static_cast<std::size_t>(kept_->heard.count());
  }

private:
  struct kept {
    gate held;
    tally heard;
  };
  std::shared_ptr<kept> kept_ = std::make_shared<kept>();
  runtime& target_;
  listener_handle handle_;
};

runtime_options with_all_reports() {
  auto options = quiet(4);
  options.reports = report_set::all();
  return options;
}

} // namespace

TEST_CASE("barrier: a stream's element is in every report, with 10,000 events under way") {
  const watchdog guard{};
  runtime target{with_all_reports()};
  add_basics(target, buy, busy_length);
  stuck_listener stuck{target};
  auto stream = target.backtest().run(request_of(four_symbols));
  std::map<std::string, std::int64_t> closed;
  while (const auto element = stream.next()) {
    const auto& symbol = element->run->symbol;
    const auto count = ++closed[symbol];
    REQUIRE(target.backtest().get_data(symbol, "buyer").statistics.total_signals >= count);
    std::int64_t of_heat = 0;
    for (const auto& row : target.heat().get_data("buyer", run_mode::backtest).symbols)
      of_heat += row.symbol == symbol ? row.statistics.total_signals : 0;
    REQUIRE(of_heat >= count);
  }
  CHECK(closed.size() == four_symbols.size());
  CHECK(closed["AAA"] > 30);
  CHECK(stuck.let_go() >= under_way_at_least);
}

TEST_CASE("barrier: the end of a run is told after its events are in every report") {
  const watchdog guard{};
  runtime target{with_all_reports()};
  add_basics(target, buy, busy_length);
  stuck_listener stuck{target};
  tally ended;
  std::map<std::string, std::int64_t> closed;
  auto counter = target.listen({{topic::signal_backtest}, {tick_action::closed}, {}, {}},
                               [&](const event& item) { ++closed[identity_of(item)->symbol]; });
  auto listener = target.listen_done_backtest([&](const done_event&) { ended.add(); });
  target.backtest().background(request_of(four_symbols));
  ended.wait_for(static_cast<int>(four_symbols.size()));
  std::map<std::string, std::int64_t> reported;
  for (const auto& symbol : four_symbols)
    reported[symbol] = target.backtest().get_data(symbol, "buyer").statistics.total_signals;
  CHECK(target.performance().get_data("AAA", "buyer", run_mode::backtest).total_events > 0);
  CHECK(target.partial().get_data("AAA", "buyer", run_mode::backtest).total_events > 0);
  CHECK(stuck.let_go() >= under_way_at_least); // flushes, too
  counter.unsubscribe();
  listener.unsubscribe();
  CHECK(reported == closed);
}

TEST_CASE("barrier: a walker reads what its strategies told") {
  const watchdog guard{};
  runtime target{with_all_reports()};
  add_rivals(target, busy_length);
  target.add_walker(walker_of({"buyer", "low", "middle", "silent"}));
  heard_events results{target, {topic::walker}};
  std::map<std::string, std::int64_t> closed{{"silent", 0}};
  stuck_listener stuck{target};
  auto counter =
      target.listen({{topic::signal_backtest}, {tick_action::closed}, {}, {}},
                    [&](const event& item) { ++closed[identity_of(item)->strategy_name]; });
  target.walker().background("BTC", "compare").wait();
  CHECK(stuck.let_go() >= under_way_at_least);
  counter.unsubscribe();
  std::map<std::string, std::int64_t> judged;
  for (const auto& result : results.of<walker_event>())
    judged[result.run->strategy_name] = result.statistics->total_signals;
  CHECK(judged == closed);
  CHECK(judged["buyer"] > 30);
}
