#include "actors/exchange/candle_report.hpp"

#include "actors/exchange/candle_writer.hpp"
#include "tests/actors/exchange/candle_fixtures.hpp"
#include "tests/support/paths.hpp"

#include <doctest/doctest.h>

using namespace backtest;
using namespace backtest::test;

TEST_CASE("candle report: gaps with their ends and lengths") {
  const auto report = report_candles(flat_series({0, 1, 3, 10}), {});
  CHECK(report.gaps ==
        std::vector<candle_gap>{{new_year + 2 * minute_ms, new_year + 3 * minute_ms, 1},
                                {new_year + 4 * minute_ms, new_year + 10 * minute_ms, 6}});
  CHECK(report.is_sound());
  CHECK(to_text(report) ==
        "BTCUSDT 1m: 4 candles, first 2024-01-01T00:00:00Z, last 2024-01-01T00:10:00Z\n"
        "gaps: 2, 7 minutes missing\n"
        "  from 2024-01-01T00:02:00Z to 2024-01-01T00:03:00Z: 1 minute\n"
        "  from 2024-01-01T00:04:00Z to 2024-01-01T00:10:00Z: 6 minutes\n"
        "faults: none\n");
}

TEST_CASE("candle report: nothing to report") {
  CHECK(to_text(report_candles(flat_series({5}), {})) ==
        "BTCUSDT 1m: 1 candle, first 2024-01-01T00:05:00Z, last 2024-01-01T00:05:00Z\n"
        "gaps: none\nfaults: none\n");
  CHECK(to_text(report_candles(flat_series({}), {})) ==
        "BTCUSDT 1m: 0 candles\ngaps: none\nfaults: none\n");
}

TEST_CASE("candle report: the first bad candle of every day, of a series and of a file") {
  const temporary_folder folder{"candle_report"};
  auto series = flat_series({0, 1, 2, 3, 4, 5, 1440, 1441, 2880});
  series.candles[2].low = 0.01;
  series.candles[3].low = 0.01;
  series.candles[7].volume = -1;
  const std::string anomaly = "low 0.01 is an anomaly; expected at least 0.1 (the median of the "
                              "batch's 24 prices, 100, divided by 1000)";
  const std::string negative = "volume is -1; expected a finite number >= 0";
  CHECK(report_candles(series, {}).faults ==
        std::vector<std::string>{"BTCUSDT 2024-01-01T00:02:00Z: " + anomaly,
                                 "BTCUSDT 2024-01-02T00:01:00Z: " + negative});

  const auto path = folder / "c.csv";
  write_candle_csv(series, path);
  const auto report = report_candle_csv({path}, "BTCUSDT", {});
  CHECK(report.candles == 9);
  CHECK(report.gaps.size() == 2);
  CHECK_FALSE(report.is_sound());
  CHECK(report.faults == std::vector<std::string>{path.string() + ": line 4: " + anomaly,
                                                  path.string() + ": line 9: " + negative});
  CHECK(to_text(report).ends_with("faults: 2\n  " + report.faults[0] + "\n  " + report.faults[1] +
                                  "\n"));
}

TEST_CASE("candle report: a malformed row is a fault, an unreadable file an error") {
  const temporary_folder folder{"candle_report_malformed"};
  const auto path = folder.write("c.csv", to_csv(flat_series({0, 1})) + "text\n");
  const auto report = report_candle_csv({path}, "BTCUSDT", {});
  CHECK(report.candles == 0);
  CHECK(report.faults ==
        std::vector<std::string>{path.string() +
                                 ": line 4: 1 fields in \"text\"; expected 6, as in line 1"});
  CHECK(error_of([&] { report_candle_csv({folder / "none.csv"}, "X", {}); })->code ==
        error_code::io_failed);
}

TEST_CASE("candle report: candles of a larger interval are one fault, a day of them too") {
  const temporary_folder folder{"candle_report_coarse"};
  candle_series coarse{"BTCUSDT", interval::m1, {}};
  for (int i = 0; i < 2 * 288; ++i)
    coarse.candles.push_back(flat_candle(5 * i));
  const std::string problem = "the candle lies 5m behind the one before, the usual spacing of the ";
  const auto path = folder.write("c.csv", to_csv(coarse));
  const auto report = report_candle_csv(path, {});
  CHECK(report.symbol == "c.csv");
  CHECK(report.faults == std::vector<std::string>{path.string() + ": line 3: " + problem +
                                                  "file; expected 1m candles"});
  CHECK(report_candles(coarse, {}).faults ==
        std::vector<std::string>{
            "BTCUSDT 2024-01-01T00:05:00Z: " + problem + "day; expected 1m candles",
            "BTCUSDT 2024-01-02T00:05:00Z: " + problem + "day; expected 1m candles"});
}

TEST_CASE("candle report: several files of a symbol are one series, an overlap is a fault") {
  const temporary_folder folder{"candle_report_several"};
  const auto first = folder.write("b.csv", to_csv(flat_series({0, 1, 2})));
  const auto second = folder.write("a.csv", to_csv(flat_series({3, 4, 6, 7})));
  const auto report = report_candle_csv({second, first}, "BTCUSDT", {});
  CHECK(report.candles == 7);
  CHECK(report.missing_minutes == 1);
  CHECK(report.is_sound());
  const auto twice = report_candle_csv({first, first}, "BTCUSDT", {});
  REQUIRE(twice.faults.size() == 1);
  CHECK(twice.faults[0].find("overlap") != std::string::npos);
}

TEST_CASE("candle report: the gaps of recorded data") {
  const auto path = backtest::testing::shared_directory() / "data" / "gaps-BTCUSDT-1m.csv.gz";
  if (!std::filesystem::exists(path)) {
    MESSAGE("no recorded data at " << path.string() << ", nothing compared");
    return;
  }
  const auto report = report_candle_csv({path}, "BTCUSDT", {});
  CHECK(report.candles == 19'726);
  CHECK(report.is_sound());
  CHECK(static_cast<std::int64_t>(report.candles) + report.missing_minutes ==
        (*report.last - *report.first) / minute_ms + 1);
  CHECK(report.gaps.size() == 72);
  CHECK(report.missing_minutes == 434);
}
