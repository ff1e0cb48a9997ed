#include "actors/exchange/candle_writer.hpp"

#include "actors/exchange/candle_csv.hpp"
#include "tests/actors/exchange/candle_fixtures.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <random>

using namespace backtest;
using namespace backtest::test;

namespace {

/// Prices and volumes with all their 53 bits.
candle_series ragged_series(std::size_t count) {
  std::mt19937_64 random{1};
  candle_series series{"BTCUSDT", interval::m1, {}};
  const auto draw = [&] { return 1e-3 + static_cast<double>(random() >> 11) * 1e-13; };
  for (std::size_t i = 0; i < count; ++i) {
    std::array<double, 4> p{100 + draw(), 100 + draw(), 100 + draw(), 100 + draw()};
    std::sort(p.begin(), p.end());
    series.candles.push_back(
        {new_year + static_cast<instant>(i) * minute_ms, p[1], p[3], p[0], p[2], draw()});
  }
  return series;
}

} // namespace

TEST_CASE("candle writer: a header and shortest numbers") {
  const candle_series series{
      "X", interval::m1, {{1704067200000, 95505.4, 96000, 0.1, 95502.7, 1e-7}}};
  CHECK(to_csv(series) == "open_time,open,high,low,close,volume\n"
                          "1704067200000,95505.4,96000,0.1,95502.7,1e-07\n");
  CHECK(to_csv({}) == "open_time,open,high,low,close,volume\n");
}

TEST_CASE("candle writer: what is written reads back equal, plain and gzip") {
  const temporary_folder folder{"candle_writer"};
  const auto series = ragged_series(5000);
  CHECK(parse_candle_csv(to_csv(series), "f", "BTCUSDT", {}) == series);
  for (const auto* name : {"c.csv", "c.csv.gz"}) {
    write_candle_csv(ragged_series(3), folder / name);
    write_candle_csv(series, folder / name);
    CHECK(read_candle_csv(folder / name, "BTCUSDT", {}) == series);
    CHECK_FALSE(std::filesystem::exists(folder / (std::string{name} + ".tmp")));
  }
  CHECK(bytes_of(folder / "c.csv") == to_csv(series));
  CHECK(bytes_of(folder / "c.csv.gz").starts_with("\x1f\x8b"));
}

TEST_CASE("candle writer: a file that cannot be written is named and leaves nothing behind") {
  const temporary_folder folder{"candle_writer_failing"};
  const auto missing = folder / "no_such_folder" / "c.csv";
  const auto problem = error_of([&] { write_candle_csv(ragged_series(1), missing); });
  REQUIRE(problem.has_value());
  CHECK(problem->code == error_code::io_failed);
  CHECK(problem->message ==
        missing.string() + ": cannot create the file: No such file or directory");

  std::filesystem::create_directories(folder / "taken.csv" / "inside");
  CHECK(error_of([&] { write_candle_csv(ragged_series(1), folder / "taken.csv"); })->code ==
        error_code::io_failed);
  CHECK_FALSE(std::filesystem::exists(folder / "taken.csv.tmp"));
}

TEST_CASE("candle writer: links stay links, devices are written in place") {
  const temporary_folder folder{"candle_writer_links"};
  const auto series = ragged_series(3);
  write_candle_csv(ragged_series(1), folder / "real.csv");
  std::filesystem::create_symlink("real.csv", folder / "link.csv");
  write_candle_csv(series, folder / "link.csv");
  CHECK(std::filesystem::is_symlink(folder / "link.csv"));
  CHECK(bytes_of(folder / "real.csv") == to_csv(series));

  std::filesystem::create_symlink("/dev/full", folder / "full.csv");
  const auto problem =
      error_of([&] { write_candle_csv(ragged_series(5000), folder / "full.csv"); });
  REQUIRE(problem.has_value());
  CHECK(problem->message ==
        (folder / "full.csv").string() + ": cannot write the file: No space left on device");
  CHECK(std::filesystem::is_symlink(folder / "full.csv"));
}
