#include "messages/logger.hpp"

#include <doctest/doctest.h>

using namespace backtest;

namespace {

std::string log_line_of(std::string_view topic, std::string_view payload) {
  return format_log_line(topic, payload, {});
}

} // namespace

TEST_CASE("log line: topic, payload, and the run it belongs to") {
  const auto run = std::make_shared<const run_identity>(
      run_identity{"BTCUSDT", "grid", "csv", "", run_mode::backtest});
  CHECK(format_log_line("signal", "opened", {run, 1'704'067'200'000}) ==
        "signal opened grid csv BTCUSDT 2024-01-01T00:00:00Z backtest");
  CHECK(log_line_of("store", "") == "store");
}

TEST_CASE("log line: a payload that begins with the topic's word does not hear it twice") {
  CHECK(log_line_of("exchange", "exchange paper: no candles") == "exchange paper: no candles");
  CHECK(log_line_of("frame", "frame days: start is late") == "frame days: start is late");
  CHECK(log_line_of("exchange", "exchanges are closed") == "exchange exchanges are closed");
  CHECK(log_line_of("store", "store") == "store store"); // one word is no name
}
