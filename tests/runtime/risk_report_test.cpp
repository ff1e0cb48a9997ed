#include "runtime/risk_report.hpp"

#include "tests/runtime/sample_ticks.hpp"

#include <doctest/doctest.h>

using namespace backtest;
using namespace backtest::testing;

namespace {

const auto risk_columns = default_risk_columns(false);

risk_event rejection(const shared_identity& run, std::string comment, int minutes = 0) {
  risk_event result;
  result.run = run;
  result.risk_name = "cap2";
  result.pending_signal.position = position_side::short_side;
  result.pending_signal.price_take_profit = 41000;
  result.pending_signal.price_stop_loss = 43000;
  result.current_price = 42000.5;
  result.active_position_count = 2;
  result.comment = std::move(comment);
  result.timestamp = t0 + minutes * minute_ms;
  return result;
}

using counts = std::vector<named_count>;

} // namespace

TEST_CASE("risk report: empty") {
  const risk_report report(identity(), {});
  CHECK(report.markdown(risk_columns) == "# Risk Rejection Report: BTCUSDT:cross\n"
                                         "\n"
                                         "**Mode:** backtest · **Exchange:** csv · **Frame:** q1\n"
                                         "\n"
                                         "No risk rejections yet.\n");
  const auto data = report.data();
  CHECK(data.event_list.empty());
  CHECK(data.total_rejections == 0);
  CHECK(data.by_symbol.empty());
  CHECK(data.by_strategy.empty());
  CHECK(data.by_reason.empty());
}

TEST_CASE("risk report: a small run, word for word") {
  const auto run = identity();
  risk_report report(run, {});
  report.apply(rejection(run, "late", 1));
  report.apply(rejection(run, "at most two positions", 2));
  auto complete = rejection(run, "at most two positions", 3);
  complete.pending_signal.id = "id3";
  complete.pending_signal.price_open = 42100;
  report.apply(complete);
  CHECK(report.markdown(risk_columns) ==
        "# Risk Rejection Report: BTCUSDT:cross\n"
        "\n"
        "**Mode:** backtest · **Exchange:** csv · **Frame:** q1\n"
        "\n"
        "| Symbol | Strategy | Signal ID | Position | Exchange | Open Price | Take Profit | Stop "
        "Loss | Current Price | Active Positions | Reason | Timestamp |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
        "| BTCUSDT | cross | id3 | SHORT | csv | 42100.00000000 USD | 41000.00000000 USD | "
        "43000.00000000 USD | 42000.50000000 USD | 2 | at most two positions | "
        "2024-01-01T00:03:00Z |\n"
        "| BTCUSDT | cross | N/A | SHORT | csv | N/A | 41000.00000000 USD | 43000.00000000 USD | "
        "42000.50000000 USD | 2 | at most two positions | 2024-01-01T00:02:00Z |\n"
        "| BTCUSDT | cross | N/A | SHORT | csv | N/A | 41000.00000000 USD | 43000.00000000 USD | "
        "42000.50000000 USD | 2 | late | 2024-01-01T00:01:00Z |\n"
        "\n"
        "**Total rejections:** 3  \n"
        "\n"
        "## Rejections by Symbol\n"
        "\n"
        "- BTCUSDT: 3\n"
        "\n"
        "## Rejections by Strategy\n"
        "\n"
        "- cross: 3\n"
        "\n"
        "## Rejections by Reason\n"
        "\n"
        "- at most two positions: 2\n"
        "- late: 1\n");
  const auto data = report.data();
  CHECK(data.total_rejections == 3);
  CHECK(data.event_list.front().pending_signal.id == "id3");
  CHECK(data.by_symbol == counts{{"BTCUSDT", 3}});
  CHECK(data.by_strategy == counts{{"cross", 3}});
  CHECK(data.by_reason == counts{{"at most two positions", 2}, {"late", 1}});
}

TEST_CASE("risk report: an event that lacks what it should carry") {
  risk_report report(identity(), {});
  report.apply({});
  const std::string text = report.markdown(risk_columns);
  CHECK(contains(text, "| N/A | N/A | N/A | LONG | N/A | N/A | 0.00000000 USD |"));
  CHECK(contains(text, "## Rejections by Reason\n\n- N/A: 1\n"));
}

TEST_CASE("risk report: notes, hostile names and reasons") {
  const auto run = identity("BTC|USDT\n# pwned", "../näive\r\nname");
  risk_report report(run, {});
  auto item = rejection(run, "too | late\n## pwned");
  item.pending_signal.note = "**why** a|b";
  report.apply(item);
  const std::string text = report.markdown(default_risk_columns(true));
  CHECK(text.starts_with("# Risk Rejection Report: BTC|USDT # pwned:../näive name\n\n"));
  CHECK(contains(text, "| BTC\\|USDT # pwned | ../näive name | N/A | SHORT | why a\\|b | csv |"));
  CHECK(contains(text, "| too \\| late ## pwned |"));
  CHECK(contains(text, "\n- too | late ## pwned: 1\n"));
  CHECK_FALSE(contains(text, "\n## pwned"));
  CHECK_FALSE(contains(report.markdown(risk_columns), "Note"));
  CHECK(is_plain_name(report.file_name()));
}

TEST_CASE("risk report: rows and reasons are bounded, counts are not") {
  const auto run = identity();
  risk_report report(run, {});
  for (int i = 0; i < 100'000; ++i)
    report.apply(rejection(run, "price " + std::to_string(i)));
  const auto data = report.data();
  CHECK(data.event_list.size() == 250);
  CHECK(data.event_list.front().comment == "price 99999");
  CHECK(data.total_rejections == 100'000);
  CHECK(data.by_symbol == counts{{"BTCUSDT", 100'000}});
  CHECK(data.by_reason.size() == 251);
  CHECK(data.by_reason.front() == named_count{"(other)", 99'750});
  report.clear();
  CHECK(report.data().total_rejections == 0);
  CHECK(report.data().by_reason.empty());
  CHECK(contains(report.markdown(risk_columns), "No risk rejections yet."));
}

TEST_CASE("risk report: default risk_columns and file") {
  require_valid("risk_columns", risk_columns);
  CHECK(keys_of(risk_columns) ==
        std::vector<std::string>{"symbol", "strategy_name", "signal_id", "position", "note",
                                 "exchange_name", "open_price", "take_profit", "stop_loss",
                                 "current_price", "active_position_count", "comment", "timestamp"});
  const auto run = identity();
  risk_report report(run, {});
  report.apply(rejection(run, "late"));
  CHECK(is_written_as(report, "risk/BTCUSDT_cross_backtest.md", risk_columns));
  CHECK(risk_report(live_identity(), {}).file_name() == "BTCUSDT_cross_live.md");
}

TEST_CASE("name counts: by count, then name, beyond the limit names count together") {
  name_counts names(2);
  for (const char* name : {"b", "a", "a", "c", "b", "d", "a"})
    names.add(name);
  CHECK(names.sorted() == counts{{"a", 3}, {"(other)", 2}, {"b", 2}});
  CHECK(bullet_list({{"x\ny", 2}, {"", 1}}) == "- x y: 2\n- N/A: 1\n");
  CHECK(bullet_list({}) == "");
}
