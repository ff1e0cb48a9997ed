#include "actors/exchange/csv_source.hpp"

#include "actors/exchange/candle_writer.hpp"
#include "tests/actors/exchange/candle_fixtures.hpp"

#include <doctest/doctest.h>

using namespace backtest;
using namespace backtest::test;

TEST_CASE("csv source: loads the file of the symbol asked for, and only that") {
  const temporary_folder folder{"csv_source"};
  const auto series = flat_series({0, 1, 2});
  write_candle_csv(series, folder / "btc.csv.gz");
  csv_source source{{{"ETHUSDT", folder / "missing.csv"}, {"BTCUSDT", folder / "btc.csv.gz"}}};
  CHECK(source.symbols() == std::vector<std::string>{"BTCUSDT", "ETHUSDT"});
  CHECK(source.load("BTCUSDT", 0, 1, {}) == series);
  CHECK(error_of([&] { source.load("ETHUSDT", 0, 1, {}); })->code == error_code::io_failed);
  const auto unknown = error_of([&] { source.load("XRPUSDT", 0, 1, {}); });
  REQUIRE(unknown.has_value());
  CHECK(unknown->code == error_code::not_found);
  CHECK(unknown->message ==
        "CSV files: symbol XRPUSDT not found; expected one of BTCUSDT, ETHUSDT");
}
