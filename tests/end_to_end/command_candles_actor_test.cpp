#include "tests/support/command.hpp"
#include "tests/support/command_files.hpp"

#include <doctest/doctest.h>

using namespace backtest;
using namespace backtest::testing;
using backtest::test::bytes_of;
using backtest::test::temporary_folder;

TEST_CASE("command: candles synth, import and export give back the same candles") {
  const temporary_folder folder{"command_candles"};
  const auto made = run_command({"candles", "synth", "--symbol", "AAAUSDT", "--seed", "5", "--from",
                                 "2024-01-01", "--to", "2024-01-02", "--start-price", "40000",
                                 "--volatility", "0.9", "-o", folder / "made.csv.gz"});
  CHECK(made.status == 0);
  CHECK(made.out.starts_with("AAAUSDT 1m: 1440 candles, first 2024-01-01T00:00:00Z, last "
                             "2024-01-01T23:59:00Z\ngaps: none\n"));
  CHECK(run_command({"candles", "import", folder / "made.csv.gz", "--symbol", "AAAUSDT", "-o",
                     folder / "imported.csv"})
            .status == 0);
  const auto config = folder.write("config.json", small_configuration());
  const auto exported = run_command({"candles", "export", "--config", config, "--symbol", "AAAUSDT",
                                     "--from", "2024-01-01", "--to", "2024-01-02", "-o", "-"});
  CHECK(exported.status == 0);
  CHECK(exported.out == bytes_of(folder / "imported.csv"));
  CHECK(exported.out.starts_with("open_time,open,high,low,close,volume\n1704067200000,"));
}

TEST_CASE("command: candles export of no candle is a failure and leaves no file") {
  const temporary_folder folder{"command_export_nothing"};
  folder.write("BTCUSDT.csv", flat_csv(3));
  const auto config = folder.write("config.json", csv_configuration({"BTCUSDT"}));
  const auto result = run_command({"candles", "export", "--config", config, "--symbol", "BTCUSDT",
                                   "--from", "2030-01-01", "-o", folder / "out.csv"});
  CHECK(result.status == 1);
  CHECK_MESSAGE(result.err.find("exchange csv has no candles of BTCUSDT") != std::string::npos,
                result.err);
  CHECK(!std::filesystem::exists(folder / "out.csv"));
}

TEST_CASE("command: candles import refuses a bad row and leaves no file") {
  const temporary_folder folder{"command_import"};
  const auto file = folder.write("bad.csv", flat_csv(3) + "1704067380000,1,2\n");
  const auto result =
      run_command({"candles", "import", file, "--symbol", "X", "-o", folder / "out.csv"});
  CHECK(result.status == 1);
  CHECK_MESSAGE(result.err.find("bad.csv: line 5") != std::string::npos, result.err);
  CHECK(!std::filesystem::exists(folder / "out.csv"));
}

TEST_CASE("command: candles check tells gaps, and fails for faults") {
  const temporary_folder folder{"command_candle_check"};
  auto text = flat_csv(2) + fmt::format("{},100,101,99,100,1\n", test::new_year + 5 * minute_ms);
  const auto gap = run_command({"candles", "check", folder.write("gap.csv", text)});
  CHECK(gap.status == 0);
  CHECK_MESSAGE(gap.out.find("gaps: 1, 3 minutes missing") != std::string::npos, gap.out);
  text += fmt::format("{},100,90,99,100,1\n", test::new_year + 6 * minute_ms);
  const auto fault = run_command({"candles", "check", folder.write("fault.csv", text)});
  CHECK(fault.status == 1);
  CHECK_MESSAGE(fault.out.find("fault.csv: line 5") != std::string::npos, fault.out);
  folder.write("GAPUSDT.csv", flat_csv(3));
  CHECK(run_command({"candles", "check", "--config",
                     folder.write("config.json", csv_configuration({"GAPUSDT"}))})
            .out.starts_with("GAPUSDT 1m: 3 candles"));
  CHECK(run_command({"candles", "check"}).status == 2);
}

TEST_CASE("command: check says how far candles cover frame and warm-up") {
  const temporary_folder folder{"command_check"};
  folder.write("LONGUSDT.csv", flat_csv(420));
  folder.write("SHORTUSDT.csv", flat_csv(200));
  const auto config = folder.write("config.json", csv_configuration({"LONGUSDT", "SHORTUSDT"}));
  const auto result = run_command({"check", "--config", config});
  CHECK(result.status == 0);
  CHECK_MESSAGE(result.out.find("frame hours, LONGUSDT: 239 of 239 minutes; warm-up from "
                                "2024-01-01T01:55:00Z: 5 of 5 minutes\n") != std::string::npos,
                result.out);
  CHECK_MESSAGE(result.out.find("frame hours, SHORTUSDT: 80 of 239 minutes, missing: 159 at the "
                                "end") != std::string::npos,
                result.out);
}

TEST_CASE("command: list shows what exists, as text and as JSON") {
  const auto text = run_command({"list"});
  CHECK(text.status == 0);
  for (const char* part :
       {"sma_cross", "max_positions", "kelly-criterion", "percent_fee", "signal_backtest"})
    CHECK_MESSAGE(text.out.find(part) != std::string::npos, part);
  const auto strategies = parse_json(run_command({"list", "strategies", "--json"}).out);
  const auto& first = strategies.as_object().at("strategies").as_array().front().as_object();
  CHECK(first.at("type") == "sma_cross");
  CHECK(first.at("interval") == "15m");
  CHECK(first.at("parameters").as_array().front() ==
        boost::json::value{{"name", "window"},
                           {"default", 30},
                           {"meaning", "candles asked for, at least slow + 1"}});
  const auto sizings = parse_json(run_command({"list", "sizings", "--json"}).out);
  const auto& kelly = sizings.as_object().at("sizings").as_array().at(1).as_object();
  CHECK(kelly.at("method") == "kelly-criterion");
  CHECK(kelly.at("parameters").as_array().front().as_object().at("default") == 0.25);
  const auto all = parse_json(run_command({"list", "--json"}).out);
  CHECK(all.as_object().size() == 5);
  CHECK(run_command({"list", "everything"}).status == 2);
}
