#include "actors/exchange/csv_source.hpp"

#include "actors/exchange/candle_writer.hpp"
#include "tests/actors/exchange/candle_fixtures.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <sys/stat.h>
#include <thread>

using namespace backtest;
using namespace backtest::test;

TEST_CASE("csv source: loads the file of the symbol asked for, and only that") {
  const temporary_folder folder{"csv_source"};
  const auto series = flat_series({0, 1, 2});
  write_candle_csv(series, folder / "btc.csv.gz");
  csv_source source{{{"ETHUSDT", {folder / "missing.csv"}}, {"BTCUSDT", {folder / "btc.csv.gz"}}}};
  CHECK(source.symbols() == std::vector<std::string>{"BTCUSDT", "ETHUSDT"});
  CHECK(source.load("BTCUSDT", 0, 1, {}) == series);
  CHECK(error_of([&] { source.load("ETHUSDT", 0, 1, {}); })->code == error_code::io_failed);
  const auto unknown = error_of([&] { source.load("XRPUSDT", 0, 1, {}); });
  REQUIRE(unknown.has_value());
  CHECK(unknown->code == error_code::not_found);
  CHECK(unknown->message ==
        "CSV files: symbol XRPUSDT not found; expected one of BTCUSDT, ETHUSDT");
}

TEST_CASE("csv source: patterns become files when it is made") {
  const temporary_folder folder{"csv_source_patterns"};
  write_candle_csv(flat_series({3, 4}), folder / "btc-1.csv");
  write_candle_csv(flat_series({0, 1}), folder / "btc-2.csv");
  csv_source source{{{"BTCUSDT", {folder / "btc-*.csv"}}, {"ETHUSDT", {folder / "eth-*.csv"}}}};
  write_candle_csv(flat_series({0, 1}), folder / "btc-3.csv"); // would overlap
  CHECK(source.files().at("BTCUSDT") == candle_paths{folder / "btc-1.csv", folder / "btc-2.csv"});
  CHECK(source.load("BTCUSDT", 0, 1, {}) == flat_series({0, 1, 3, 4}));
  CHECK(source.files().at("ETHUSDT") == candle_paths{folder / "eth-*.csv"});
  CHECK(error_of([&] { source.load("ETHUSDT", 0, 1, {}); }) ==
        error{error_code::io_failed,
              (folder / "eth-*.csv").string() + ": no file matches; expected at least one"});
}

TEST_CASE("csv source: what comes through a pipe is read once and remembered") {
  const temporary_folder folder{"csv_source_pipe"};
  const auto pipe = folder / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  const auto series = flat_series({0, 1, 2});
  std::thread writer{[&] { std::ofstream{pipe} << to_csv(series); }};
  csv_source source{{{"BTCUSDT", {pipe}}}};
  CHECK(source.load("BTCUSDT", 0, 1, {}) == series);
  writer.join();
  CHECK(source.load("BTCUSDT", 0, 1, {}) == series);
}
