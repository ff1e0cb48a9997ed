#include "messages/json_text.hpp"
#include "tests/support/value_generator.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <random>

using namespace backtest;
using backtest::testing::generator;

namespace {

shared_identity btc_run() {
  return std::make_shared<run_identity>(
      run_identity{"BTCUSDT", "cross", "csv", "q1", run_mode::backtest});
}

shared_signal open_signal() {
  signal_row row;
  row.id = "s1";
  row.symbol = "BTCUSDT";
  row.strategy_name = "cross";
  row.exchange_name = "csv";
  row.price_open = 94260.38368932162;
  row.price_take_profit = 95014.46675883619;
  row.price_stop_loss = 93506.30061980705;
  row.minute_estimated_time = 45;
  row.scheduled_at = 1746403200000;
  row.pending_at = 1746403200000;
  return std::make_shared<signal_row>(row);
}

std::string line_of(const event& item, std::optional<std::int64_t> seq = 1) {
  std::string line;
  append_event_line(line, seq, item.on, item);
  return line;
}

constexpr std::string_view run_fields =
    R"("symbol":"BTCUSDT","strategy_name":"cross","exchange_name":"csv","frame_name":"q1","backtest":true)";
constexpr std::string_view signal_fields =
    R"("signal":{"id":"s1","symbol":"BTCUSDT","strategy_name":"cross","exchange_name":"csv","position":"long","note":"","price_open":94260.38368932162,"price_take_profit":95014.46675883619,"price_stop_loss":93506.30061980705,"minute_estimated_time":45,"scheduled_at":1746403200000,"pending_at":1746403200000,"is_scheduled":false})";

std::string joined(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (auto part : parts)
    text += part;
  return text;
}

void check_line(const event& item, const std::string& expected) {
  CHECK(line_of(item) == expected);
  CHECK(parse_event_line(expected) == event_line{1, item});
}

template <class T>
void check_text(const T& value) {
  const auto text = to_json_text(value);
  INFO(text);
  REQUIRE(from_json_text<T>(text) == value);
}

std::string failure_of(std::string_view line) {
  try {
    parse_event_line(line);
  } catch (const failure& problem) {
    CHECK(problem.code() == error_code::invalid_argument);
    return problem.what();
  }
  return "no failure";
}

} // namespace

TEST_CASE("event lines: an idle tick") {
  tick_result tick;
  tick.run = btc_run();
  tick.current_price = 100000;
  tick.timestamp = 1746403200000;
  check_line({topic::signal_backtest, tick},
             joined({R"({"seq":1,"topic":"signal_backtest","event":{"action":"idle",)", run_fields,
                     R"(,"current_price":100000,"timestamp":1746403200000}})"}));
}

TEST_CASE("event lines: an active tick has its progress") {
  tick_result tick;
  tick.action = tick_action::active;
  tick.run = btc_run();
  tick.current_price = 94300.5;
  tick.timestamp = 1746403260000;
  tick.signal = open_signal();
  tick.percent_tp = 12.5;
  check_line({topic::signal_backtest, tick},
             joined({R"({"seq":1,"topic":"signal_backtest","event":{"action":"active",)",
                     run_fields, R"(,"current_price":94300.5,"timestamp":1746403260000,)",
                     signal_fields, R"(,"percent_tp":12.5,"percent_sl":0}})"}));
}

TEST_CASE("event lines: a closed signal has reason, result and extremes") {
  tick_result tick;
  tick.action = tick_action::closed;
  tick.run = btc_run();
  tick.current_price = 95014.46675883619;
  tick.timestamp = 1746404760000;
  tick.signal = open_signal();
  tick.close_timestamp = 1746404760000;
  tick.closed_by = close_reason::take_profit;
  tick.pnl = profit_and_loss{0.3984, 94260.38368932162, 95014.46675883619};
  tick.peak_pnl = 0.3984;
  tick.fall_pnl = -0.41;
  check_line(
      {topic::signal_backtest, tick},
      joined(
          {R"({"seq":1,"topic":"signal_backtest","event":{"action":"closed",)", run_fields,
           R"(,"current_price":95014.46675883619,"timestamp":1746404760000,)", signal_fields,
           R"(,"close_reason":"take_profit","close_timestamp":1746404760000,)",
           R"("pnl":{"pnl_percentage":0.3984,"price_open":94260.38368932162,"price_close":95014.46675883619},)",
           R"("peak_pnl":0.3984,"fall_pnl":-0.41}})"}));
}

TEST_CASE("event lines: a scheduled signal has no pending_at, a cancelled one its reason") {
  auto row = *open_signal();
  row.pending_at.reset();
  row.is_scheduled = true;
  row.quantity = 0.25;
  tick_result tick;
  tick.action = tick_action::cancelled;
  tick.run = btc_run();
  tick.current_price = 1;
  tick.timestamp = 2;
  tick.signal = std::make_shared<signal_row>(row);
  tick.close_timestamp = 2;
  tick.cancelled_by = cancel_reason::timeout;
  const event item{topic::signal_backtest, tick};
  const auto line = line_of(item);
  CHECK(line.find("pending_at") == std::string::npos);
  CHECK(line.find(R"("is_scheduled":true,"quantity":0.25})") != std::string::npos);
  CHECK(line.ends_with(R"("reason":"timeout","close_timestamp":2}})"));
  CHECK(parse_event_line(line) == event_line{1, item});
}

TEST_CASE("event lines: a milestone") {
  check_line({topic::partial_profit,
              partial_event{btc_run(), open_signal(), milestone_side::profit, 10, 94352.125, 7}},
             joined({R"({"seq":1,"topic":"partial_profit","event":{)", run_fields, ",",
                     signal_fields, R"(,"current_price":94352.125,"level":10,"timestamp":7}})"}));
}

TEST_CASE("event lines: a risk rejection carries the request, without what it left open") {
  risk_event item;
  item.run = btc_run();
  item.risk_name = "cap1";
  item.pending_signal.position = position_side::short_side;
  item.pending_signal.price_take_profit = 1.5;
  item.pending_signal.price_stop_loss = 2;
  item.current_price = 1.75;
  item.active_position_count = 1;
  item.comment = "one";
  item.timestamp = 60000;
  check_line(
      {topic::risk, item},
      joined(
          {R"({"seq":1,"topic":"risk","event":{)", run_fields,
           R"(,"risk_name":"cap1","pending_signal":{"position":"short","price_take_profit":1.5,"price_stop_loss":2},)",
           R"("current_price":1.75,"active_position_count":1,"comment":"one","timestamp":60000}})"}));
}

TEST_CASE("event lines: an error inside and outside a run") {
  check_line(
      {topic::error, error_event{error_code::data_gap, "no candle", "strategy", 60000, btc_run()}},
      joined({R"({"seq":1,"topic":"error","event":{"code":"data_gap","message":"no candle",)",
              R"("source":"strategy","timestamp":60000,)", run_fields, "}}"}));
  check_line(
      {topic::exit, error_event{error_code::store_failed, "disk full", "store", {}, nullptr}},
      R"({"seq":1,"topic":"exit","event":{"code":"store_failed","message":"disk full","source":"store"}})");
}

TEST_CASE("event lines: done, progress and performance") {
  check_line({topic::done_backtest, done_event{btc_run(), "", run_outcome::completed}},
             joined({R"({"seq":1,"topic":"done_backtest","event":{)", run_fields,
                     R"(,"walker_name":"","outcome":"completed"}})"}));
  check_line({topic::progress_backtest, progress_backtest{btc_run(), 1000, 500, 0.5}},
             joined({R"({"seq":1,"topic":"progress_backtest","event":{)", run_fields,
                     R"(,"total_frames":1000,"processed_frames":500,"progress":0.5}})"}));
  check_line(
      {topic::performance,
       performance_event{btc_run(), metric_type::backtest_total, 1.25, 9, std::nullopt}},
      joined({R"({"seq":1,"topic":"performance","event":{"timestamp":9,"previous_timestamp":null,)",
              R"("metric_type":"backtest_total","duration":1.25,)", run_fields, "}}"}));
}

TEST_CASE("event lines: no number is null, and a tick may be shown on the topic signal") {
  tick_result tick;
  tick.run = btc_run();
  const event item{topic::signal_live, tick};
  std::string line = "before ";
  append_event_line(line, std::nullopt, topic::signal, item);
  CHECK(line.starts_with(R"(before {"seq":null,"topic":"signal","event":{"action":"idle",)"));
  const auto read = parse_event_line(line.substr(7));
  CHECK_FALSE(read.seq.has_value());
  CHECK(read.item.on == topic::signal);
  CHECK(read.item.payload == item.payload);
}

TEST_CASE("event lines: what is wrong is named by its path") {
  CHECK(failure_of(R"({"seq":1,"topic":"weather","event":{}})") ==
        "topic: expected a topic, got \"weather\"");
  CHECK(failure_of(R"({"topic":"progress_optimizer","event":{}})") ==
        "topic: events of the topic \"progress_optimizer\" cannot be read");
  CHECK(failure_of(R"({"topic":"walker","event":{}})") == "event.symbol: missing");
  CHECK(failure_of(R"({"topic":"walker_complete","event":{}})") == "event.walker_name: missing");
  CHECK(failure_of(R"({"topic":"risk"})") == "event: missing");
  CHECK(failure_of(R"({"seq":"1","topic":"risk","event":{}})") ==
        "seq: expected an integer, got \"1\"");
  CHECK(failure_of(R"({"topic":"error","event":{"code":"data_gap","message":1}})") ==
        "event.message: expected a string, got 1");
  CHECK(failure_of(R"({"topic":"error","event":{"code":"bad"}})") ==
        "event.code: expected an error code, got \"bad\"");
  CHECK(failure_of(joined({R"({"topic":"signal","event":{"action":"opened",)", run_fields,
                           R"(,"current_price":1,"timestamp":2}})"})) == "event.signal: missing");
  CHECK(failure_of(joined({R"({"topic":"signal","event":{"action":"opened",)", run_fields,
                           R"(,"current_price":1,"timestamp":2,"signal":{"id":7}}})"})) ==
        "event.signal.id: expected a string, got 7");
  CHECK(failure_of(joined({R"({"topic":"partial_loss","event":{)", run_fields,
                           R"(,"level":1000}})"})) == "event.level: expected 0 to 100, got 1000");
  CHECK(failure_of("[]") == "expected an object, got an array of 0 elements");
  CHECK(failure_of(R"({"seq":1)").starts_with("line 1, column 9: "));
}

TEST_CASE("event lines: every payload comes back equal") {
  generator make{1};
  for (int i = 0; i < 5000; ++i) {
    const event_line line{make.maybe_integer(), make.any()};
    const auto text = line_of(line.item, line.seq);
    INFO(text);
    REQUIRE(parse_event_line(text) == line);
  }
}

TEST_CASE("json text: every value that travels comes back equal") {
  generator make{2};
  for (int i = 0; i < 1000; ++i) {
    check_text(make.any());
    check_text(make.row());
    check_text(make.request());
    check_text(make.identity());
    check_text(error{make.pick<error_code>(error_code_count), make.text()});
    const candle bar{make.integer(), make.number(), make.number(),
                     make.number(),  make.number(), make.number()};
    check_text(bar);
    check_text(candle_series{make.text(), make.pick<interval>(interval_count), {bar, bar}});
    check_text(std::vector<event>{make.any(), make.any()});
    configuration values;
    values.percent_fee = make.number();
    values.max_report_rows = make.integer();
    values.report_show_signal_note = make.coin();
    check_text(values);
  }
}

TEST_CASE("json text: candles are compact rows") {
  const candle_series series{"BTCUSDT", interval::m15, {{900000, 1, 2, 0.5, 1.5, 10.25}}};
  CHECK(to_json_text(series) ==
        R"({"symbol":"BTCUSDT","interval":"15m","candles":[[900000,1,2,0.5,1.5,10.25]]})");
  CHECK_THROWS_WITH(from_json_text<candle_series>(
                        R"({"symbol":"X","interval":"1m","candles":[[0,1,1,1,1,1],[0,1]]})"),
                    "candles[1]: expected [open_time, open, high, low, close, volume]");
  CHECK_THROWS_WITH(from_json_text<candle_series>(R"({"symbol":"X","interval":"7m","candles":[]})"),
                    "interval: expected an interval such as \"1m\", got \"7m\"");
}
