#include "runtime/html_report.hpp"

#include "messages/json.hpp"
#include "runtime/html_report_series.hpp"
#include "runtime/html_report_text.hpp"
#include "tests/runtime/sample_walk.hpp"

#include <limits>

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace backtest;
using namespace backtest::testing;

namespace {

constexpr std::size_t most_bytes = 5'000'000;

html_report report_of(const shared_identity& run, const std::vector<double>& returns) {
  html_report report;
  report.gates = gates_of({});
  for (const auto& trade : trades_of(returns))
    report.apply({topic::signal_backtest, closed_trade(run, trade)});
  return report;
}

/// So many trades on four symbols, a minute apart, each with a note.
html_report large_report(int trades) {
  html_report report;
  report.gates = gates_of({});
  const std::vector<shared_identity> runs{identity("AAA"), identity("BBB"), identity("CCC", "grid"),
                                          identity("DDD", "grid")};
  for (int i = 0; i < trades; ++i) {
    const instant open = t0 + i * minute_ms;
    const trade_record trade{open, open + 30 * minute_ms,        (i * 7919 % 401 - 200) / 173.0, {},
                             {},   static_cast<std::uint64_t>(i)};
    report.apply({topic::signal_backtest,
                  closed_trade(runs[static_cast<std::size_t>(i % 4)], trade, "a note")});
  }
  return report;
}

std::size_t count_of(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1))
    ++count;
  return count;
}

std::string tile(std::string_view key, std::string_view css, std::string_view text) {
  return fmt::format("<dd class=\"{}\" data-key=\"{}\">{}</dd>", css, key, text);
}

risk_event refusal(const shared_identity& run, std::string comment) {
  risk_event refused;
  refused.run = run;
  refused.risk_name = "cap";
  refused.comment = std::move(comment);
  refused.timestamp = t0;
  return refused;
}

} // namespace

TEST_CASE("html report: an empty run is a whole page that says so") {
  const auto page = html_page({});
  CHECK(page.starts_with("<!DOCTYPE html>"));
  CHECK(page.ends_with("</html>\n"));
  for (const auto* sentence :
       {"No trade has closed.", "There are no runs.", "No signal was refused.",
        "Nothing went wrong.", "The events do not say how the run was configured."})
    CHECK_MESSAGE(contains(page, sentence), sentence);
  CHECK(contains(page, tile("total_signals", "", "0")));
  CHECK_FALSE(contains(page, "nan"));
  CHECK_FALSE(contains(page, "<figure"));
}

TEST_CASE("html report: the page shows the figures of the statistics") {
  const auto run = identity();
  const auto report = report_of(run, returns_a);
  const auto page = html_page(report);
  CHECK(contains(page, tile("total_signals", "", "12")));
  CHECK(contains(page, "7 won · 4 lost · 1 even"));
  CHECK(contains(page, tile("total_pnl", "up", "+6.30%")));
  CHECK(contains(page, tile("win_rate", "", "63.64%")));
  CHECK(contains(page, "<h1><bdi>cross</bdi> on <bdi>BTCUSDT</bdi></h1>"));
  CHECK(count_of(page, "<g class=\"t ") == 12); // every trade is drawn
  CHECK(contains(page, "<td class=\"text\">–</td><td>0</td><td>0</td><td>12</td>"));
}

TEST_CASE("html report: curves end where the statistics do") {
  auto trades = trades_of(returns_a);
  trades[3].fall = -4.5;
  const auto statistics = compute_trade_statistics(trades, gates_of({}));
  const auto curves = html::curves_of(trades);
  CHECK(curves.equity.back().value == doctest::Approx(*statistics.compounded_return));
  double lowest = 0;
  for (const auto& at : curves.drawdown)
    lowest = std::min(lowest, at.value);
  CHECK(-lowest == doctest::Approx(*statistics.max_drawdown));
  CHECK(curves.equity.front().value == 0);
  CHECK(curves.equity.size() == trades.size() + 1);
}

TEST_CASE("html report: equity and drawdown of the portfolio and of each symbol") {
  const auto page = html_page(large_report(40));
  for (const auto* symbol : {"Portfolio", "AAA", "BBB", "CCC", "DDD"})
    CHECK_MESSAGE(count_of(page, fmt::format("data-name=\"{}\"", symbol)) >= 2, symbol);
  const auto one = html_page(report_of(identity("AAA"), returns_a));
  CHECK(count_of(one, "data-name=\"Portfolio\"") == 2);
}

TEST_CASE("html report: the figures of the run go before those of its events") {
  auto report = report_of(identity(), {1, 2});
  report.portfolio.emplace();
  report.portfolio->total_signals = 77;
  report.portfolio->exposure = 12.5;
  const auto page = html_page(report);
  CHECK(contains(page, tile("total_signals", "", "77")));
  CHECK(contains(page, "<td>12.50%</td></tr></tfoot>") == false); // buy and hold follows
  CHECK(contains(page, "<td>12.50%</td>"));
}

TEST_CASE("html report: trades that closed before the page began are told where they are missing") {
  auto report = report_of(identity(), {1, -2, 0});
  CHECK_FALSE(contains(html_page(report), "before this page began"));
  CHECK(contains(html_page(report), "1 won · 1 lost · 1 even<"));
  report.portfolio = compute_trade_statistics(trades_of({1, 1, -1, 1, -2, 0}), report.gates);
  auto page = html_page(report);
  CHECK(contains(page, "<li><span>Closed trades</span><b>6</b></li>"));
  CHECK(contains(page, "3 won · 2 lost · 1 even<"));
  CHECK(count_of(page, " 3 trades that closed before this page began count in the figures, but are "
                       "not shown here: what is shown starts anew behind them.") == 4);
  report.runs.begin()->second.trades.clear();
  page = html_page(report);
  CHECK(contains(page, "No trade has closed. 6 trades that closed before this page began count in "
                       "the figures, but are not shown here.<"));
  auto invalid = report_of(identity(), {1, 2});
  invalid.runs.begin()->second.trades[0].record.pnl = std::numeric_limits<double>::infinity();
  CHECK(contains(html_page(invalid), "1 won · 0 lost · 0 even · 1 invalid<"));
}

TEST_CASE("html report: exposure counts a position that is still open at the end") {
  const auto run = identity();
  auto report = report_of(run, {2}); // ten hours from t0
  const instant opened = t0 + 30 * 60 * minute_ms;
  report.apply({topic::signal_backtest, opened_tick(run, opened, signal_of(*run, "id", opened))});
  report.bounds = {t0, t0 + 40 * 60 * minute_ms};
  CHECK(contains(html_page(report), "<td>50.00%</td>"));
}

TEST_CASE("html report: nothing a user wrote becomes markup or script") {
  const std::string hostile =
      "</script><script>alert(1)</script><img src=x onerror=\"alert('2')\">& \" ' <!-- \u202e";
  const auto run = identity(hostile, hostile);
  html_report report;
  report.gates = gates_of({});
  report.facts.configuration = hostile;
  report.facts.exchange = hostile;
  report.facts.version = hostile;
  for (const auto& trade : trades_of({1, -1}))
    report.apply({topic::signal_backtest, closed_trade(run, trade, hostile)});
  report.apply({topic::risk, refusal(run, hostile)});
  report.apply({topic::error, error_event{error_code::data_gap, hostile, "", t0, run}});
  const auto page = html_page(report);
  CHECK_FALSE(contains(page, "<script>alert"));
  CHECK_FALSE(contains(page, "<img"));
  CHECK_FALSE(contains(page, "onerror=\""));
  CHECK_FALSE(contains(page, "<!--"));
  CHECK(count_of(page, "</script>") == 2);
  CHECK(count_of(page, "<script") == 2);
  CHECK(contains(page, "&lt;/script&gt;&lt;script&gt;alert(1)"));
  CHECK(contains(page, "\\u003c/script>"));
}

TEST_CASE("html report: text is escaped, and always UTF-8") {
  CHECK(html::escaped("a<b>&\"c'") == "a&lt;b&gt;&amp;&quot;c&#39;");
  CHECK(html::escaped("Zürich 東京 🚀") == "Zürich 東京 🚀");
  CHECK(html::escaped(std::string_view{"\0\x1b\x7f", 3}) == "\uFFFD\uFFFD\uFFFD");
  CHECK(html::escaped("\xff\xc3") == "\uFFFD\uFFFD");
  CHECK(html::escaped("a\n\tb") == "a\n\tb");
  CHECK(html::shortened("東京東京", 7) == "東京…");
  CHECK(html::shortened("short", 5) == "short");
  CHECK(html::script_data("[\"</script>\"]") == "[\"\\u003c/script>\"]");
}

TEST_CASE("html report: numbers and times as people read them") {
  CHECK(html::grouped(1234567) == "1,234,567");
  CHECK(html::grouped(-1234) == "-1,234");
  CHECK(html::grouped(-123) == "-123");
  CHECK(html::price(43210.5) == "43,210.50");
  CHECK(html::price(1.5) == "1.5000");
  CHECK(html::price(0.00001234) == "0.00001234");
  CHECK(html::price(0.000012345678) == "0.000012345678");
  CHECK(html::price(0.001) == "0.00100000");
  CHECK(html::price(__builtin_nan("")) == "N/A");
  CHECK(html::moment(t0) == "2024-01-01 00:00");
  CHECK(html::moment(t0 + 1000) == "2024-01-01 00:00:01");
  CHECK(html::duration(45) == "45 min");
  CHECK(html::duration(200) == "3 h 20 min");
  CHECK(html::duration(3000) == "2 d 02 h");
}

TEST_CASE("html report: JSON over several lines") {
  const auto tree = parse_json(R"({"a":{"b":[1,0.1]},"c":[],"d":"</pre>"})");
  CHECK(html::indented_json(tree) ==
        "{\n  \"a\": {\"b\":[1,0.1]},\n  \"c\": [],\n  \"d\": \"</pre>\"\n}");
  CHECK(html::indented_json(parse_json("{}")) == "{}");
  const auto indented =
      html::indented_json(parse_json(R"({"list":[{"name":")" + std::string(100, 'x') + R"("}]})"));
  CHECK(indented == "{\n  \"list\": [\n    {\n      \"name\": \"" + std::string(100, 'x') +
                        "\"\n    }\n  ]\n}");
}

TEST_CASE("html report: axes have round marks that cover the values") {
  const auto axis = html::axis_of(-3.2, 7.9, 7);
  CHECK(axis.low == -4);
  CHECK(axis.high == 8);
  CHECK(axis.step == 2);
  CHECK(axis.marks() == std::vector<double>{-4, -2, 0, 2, 4, 6, 8});
  const auto flat = html::axis_of(5, 5, 5);
  CHECK(flat.low < 5);
  CHECK(flat.high > 5);
  CHECK(flat.digits == 2);
  const auto marks = html::time_marks(t0, t0 + 3 * day_ms, 7);
  REQUIRE(marks.size() == 7);
  CHECK(marks[0].label == "1 Jan");
  CHECK(marks[1].label == "12:00");
  const auto years = html::time_marks(t0, t0 + 800 * day_ms, 7);
  REQUIRE(years.size() == 5);
  CHECK(years[1].label == "Jul 2024");
}

TEST_CASE("html report: thinning keeps the ends and the extremes") {
  std::vector<html::point> points;
  for (int i = 0; i < 10'000; ++i)
    points.push_back({t0 + i, static_cast<double>(i * 7919 % 1000)});
  points[4321].value = 5000;
  points[1234].value = -5000;
  const auto thin = html::thinned(points, 500);
  CHECK(thin.size() <= 500);
  CHECK(thin.front().when == points.front().when);
  CHECK(thin.back().when == points.back().when);
  const auto has = [&](double value) {
    return std::any_of(thin.begin(), thin.end(), [&](const auto& at) { return at.value == value; });
  };
  CHECK(has(5000));
  CHECK(has(-5000));
  CHECK(std::is_sorted(thin.begin(), thin.end(),
                       [](const auto& left, const auto& right) { return left.when < right.when; }));
}

TEST_CASE("html report: months are compounded") {
  const auto months = html::monthly_returns(trades_of(returns_a));
  REQUIRE(months.size() == 2); // a trade every three days from January on
  CHECK(months[0].trades == 11);
  CHECK(months[1].month == 2);
  CHECK(months[1].percent == doctest::Approx(2.2));
}

TEST_CASE("html report: no bar of the distribution mixes gains and losses") {
  const auto bars = html::distribution_of(trades_of(returns_a));
  std::int64_t below = 0, all = 0;
  for (std::size_t i = 0; i < bars.counts.size(); ++i) {
    all += bars.counts[i];
    if (bars.low + static_cast<double>(i) * bars.width < -bars.width / 2)
      below += bars.counts[i];
  }
  CHECK(all == 12);
  CHECK(below == 4);
}

TEST_CASE("html report: what was counted is shown for each run") {
  const auto run = identity();
  html_report report;
  report.apply(
      {topic::signal_backtest, tick_of(run, tick_action::scheduled, t0, signal_of(*run, "a", t0))});
  report.apply({topic::signal_backtest, opened_tick(run, t0, signal_of(*run, "a", t0))});
  report.apply({topic::signal_backtest, cancelled_tick(run, t0, signal_of(*run, "b", t0))});
  report.apply({topic::risk, refusal(run, "two at most")});
  report.apply({topic::risk, refusal(run, "two at most")});
  report.apply({topic::error, error_event{error_code::data_gap, "gap", "", t0, run}});
  report.apply({topic::error, error_event{error_code::store_failed, "no run", "", {}, nullptr}});
  report.apply({topic::done_backtest, done_event{run, "", run_outcome::stopped}});
  const auto page = html_page(report);
  CHECK(contains(page, "<td class=\"text\">stopped</td><td>1</td><td>1</td><td>0</td><td>1</td>"
                       "<td>2</td><td>1</td>"));
  CHECK(contains(page, "<bdi>two at most</bdi></td><td>2</td>"));
  CHECK(contains(page, "<span>Refused by risk</span><b>2</b>"));
  CHECK(contains(page, "<span>Errors</span><b>2</b>"));
  CHECK(contains(page, "<bdi>no run</bdi>"));
}

TEST_CASE("html report: candles are drawn where they are known") {
  const auto run = identity();
  auto report = report_of(run, returns_a);
  CHECK(contains(html_page(report), "Prices as far as entries and exits tell them."));
  candle_series minutes{"BTCUSDT", interval::m1, {}};
  for (int i = 0; i < 5000; ++i)
    minutes.candles.push_back({t0 + i * minute_ms, 42000, 42100, 41900, 42000.0 + i, 1});
  report.candles["BTCUSDT"] = std::make_shared<const candle_series>(minutes);
  CHECK(contains(html_page(report), "Closes of one-minute candles."));
}

TEST_CASE("html report: large runs are thinned below five megabytes, and the page says so") {
  const auto ten_thousand = html_page(large_report(10'000));
  CHECK(ten_thousand.size() < most_bytes);
  CHECK(contains(ten_thousand, tile("total_signals", "", "10,000")));
  CHECK(contains(ten_thousand, "Click on a column to sort by it.")); // all of them are listed
  const auto large = html_page(large_report(100'000));
  CHECK(large.size() < most_bytes);
  CHECK(contains(large, tile("total_signals", "", "100,000")));
  CHECK(contains(large, " of 100,000 trades; all of them count in the figures above."));
  MESSAGE(fmt::format("10,000 trades: {} bytes; 100,000: {}", ten_thousand.size(), large.size()));
}

TEST_CASE("html report: many symbols, refusals and errors stay below five megabytes") {
  html_report report;
  report.gates = gates_of({});
  for (int i = 0; i < 3'000; ++i) {
    const auto run = identity(fmt::format("SYMBOL{:04}", i), std::string(200, 's'));
    for (auto trade : trades_of(returns_a))
      report.apply({topic::signal_backtest, closed_trade(run, trade, std::string(500, 'n'))});
    report.apply({topic::risk, refusal(run, std::string(5'000, 'c'))});
    report.apply(
        {topic::error, error_event{error_code::data_gap, std::string(5'000, 'e'), "", t0, run}});
  }
  const auto page = html_page(report);
  CHECK(page.size() < most_bytes);
  CHECK(contains(page, "400 of 6,000 rows are shown.") == false); // one strategy each
  CHECK(contains(page, "400 of 3,000 rows are shown."));
  CHECK(contains(page, "200 of 3,000 refused signals are shown."));
}

TEST_CASE("html report: the same bytes for the same events") {
  CHECK(html_page(large_report(500)) == html_page(large_report(500)));
}

TEST_CASE("html report: the page needs no network") {
  const auto page = html_page(report_of(identity(), returns_a));
  CHECK_FALSE(contains(page, "http://"));
  CHECK_FALSE(contains(page, "https://"));
  CHECK_FALSE(contains(page, "url("));
  CHECK(contains(page, "default-src 'none'"));
}

TEST_CASE("html report: values that are no numbers do no harm") {
  html_report report;
  const auto run = identity();
  auto bad = closed_trade(run, {t0, t0 + minute_ms, __builtin_nan(""), {}, {}, 0});
  bad.pnl->price_close = __builtin_nan("");
  report.apply({topic::signal_backtest, bad});
  report.apply({topic::signal_backtest, closed_trade(run, {t0, t0 + minute_ms, -150, {}, {}, 1})});
  const auto page = html_page(report);
  CHECK_FALSE(contains(page, "nan"));
  CHECK_FALSE(contains(page, "inf,"));
  CHECK(contains(page, tile("total_signals", "", "2")));
}

TEST_CASE("html report: a walk shows the ranking, and then the winner alone") {
  const auto page =
      html_page(walk_report_of("BTC", {{"slow", {1, 1}}, {"quick", {2, 1, -0.5}}, {"idle", {}}}));
  CHECK(contains(page, "<p class=\"eyebrow\">Walker report</p><h1><bdi>compare</bdi> on "
                       "<bdi>BTC</bdi></h1>"));
  CHECK(contains(page, "<a href=\"#ranking\">Ranking</a>"));
  CHECK(contains(page, "Winner: <bdi>quick</bdi>, total_pnl 2.500. 3 of 3 strategies tested."));
  const auto first = page.find("<td>1</td><th scope=\"row\" class=\"text\"><bdi>quick</bdi></th>"
                               "<td>2.500</td>");
  const auto second = page.find("<td>2</td><th scope=\"row\" class=\"text\"><bdi>slow</bdi></th>"
                                "<td>2.000</td>");
  REQUIRE(first != std::string::npos);
  CHECK(first < second);
  CHECK(contains(page, "title=\"not available: no_trades\">–</span>"));
  // Both that traded are in one chart; everything below it is about the winner.
  CHECK(contains(page, tile("total_signals", "", "3")));
  CHECK(contains(page, tile("total_pnl", "up", "+2.50%")));
  CHECK(count_of(page, "<g class=\"t ") == 3);
  CHECK(contains(page, "<h2 id=\"winners-title\">The winner</h2>"));
}

TEST_CASE("html report: a walk without a winner says so") {
  auto report = walk_report_of("BTC", {{"idle", {}}});
  const auto page = html_page(report);
  CHECK(contains(page, "No winner: no strategy that ran to its end has a total_pnl. 1 of 1 "
                       "strategies tested."));
  CHECK(contains(page, "Nobody won."));
  report.walks.front().strategy_results.clear();
  CHECK(contains(html_page(report), "No strategy came to a result."));
}

TEST_CASE("html report: each symbol of a walk has its ranking, partial results have no rank") {
  auto report = walk_report_of("AAA", {{"one", {1}}, {"two", {2}}});
  auto other = walk_report_of("</script>", {{"<b>one", {3}}, {"two", {2}}});
  for (auto& [key, run] : other.runs)
    report.runs[key] = run;
  other.walks.front().strategy_results.back().partial = true;
  other.walks.front().stopped = true;
  report.walks.push_back(other.walks.front());
  const auto page = html_page(report);
  CHECK(contains(page, "<h1><bdi>compare</bdi> on 2 symbols</h1>"));
  CHECK(contains(page, "<section id=\"ranking\""));
  CHECK(contains(page, "<section id=\"ranking-2\""));
  CHECK(contains(page, "<h2 id=\"winners-title\">The winners</h2>"));
  CHECK(contains(page, "<td>–</td><th scope=\"row\" class=\"text\"><bdi>two</bdi> (partial)</th>"));
  CHECK(contains(page, "stopped before the end."));
  CHECK_FALSE(contains(page, "<b>one"));
  CHECK(contains(page, tile("total_signals", "", "2"))); // a winner on each
}
