#include "tests/support/command.hpp"
#include "tests/support/command_files.hpp"
#include "tests/support/contains.hpp"

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

TEST_CASE("command: a file that cannot be read does not keep candles check from the others") {
  const temporary_folder folder{"command_candle_check_all"};
  const auto first = folder.write("AUSDT.csv", flat_csv(2));
  const auto last = folder.write("CUSDT.csv", flat_csv(3));
  const auto files = run_command({"candles", "check", first, folder / "BUSDT.csv", last});
  CHECK(files.status == 1);
  CHECK_MESSAGE(contains(files.out, "AUSDT.csv 1m: 2 candles"), files.out);
  CHECK_MESSAGE(contains(files.out, "CUSDT.csv 1m: 3 candles"), files.out);
  CHECK_MESSAGE(contains(files.err, "BUSDT.csv: cannot open the file"), files.err);

  const auto config = folder.write("config.json", csv_configuration({"AUSDT", "BUSDT", "CUSDT"}));
  const auto configured = run_command({"candles", "check", "--config", config});
  CHECK(configured.status == 1);
  CHECK_MESSAGE(contains(configured.out, "AUSDT 1m: 2 candles"), configured.out);
  CHECK_MESSAGE(contains(configured.out, "CUSDT 1m: 3 candles"), configured.out);
  CHECK_MESSAGE(contains(configured.err, "BUSDT.csv: cannot open the file"), configured.err);
  const auto chosen = run_command({"candles", "check", "--config", config, "--symbol", "CUSDT"});
  CHECK(chosen.status == 0);
  CHECK_MESSAGE(chosen.out.starts_with("CUSDT 1m: 3 candles"), chosen.out);
  CHECK(run_command({"candles", "check", first, "--symbol", "CUSDT"}).status == 2);
  CHECK(run_command({"candles", "check", first, "--plugin", "p.so"}).status == 2);
}

TEST_CASE("command: the configured limits of the checks hold for every candles command") {
  const temporary_folder folder{"command_candle_limits"};
  // A redenomination: from one minute to the next a millionth of the price.
  std::string text = "open_time,open,high,low,close,volume\n";
  for (int minute = 0; minute < 10; ++minute) {
    const auto price = minute < 6 ? "2000000" : "2";
    text += fmt::format("{},{},{},{},{},1\n", test::new_year + minute * minute_ms, price, price,
                        price, price);
  }
  const auto file = folder.write("OLDUSDT.csv", text);
  const std::string parameters =
      R"("config": { "get_candles_price_anomaly_threshold_factor": 10000000 }, )";
  const auto limits = folder.write("limits.json", "{" + parameters + "\"frames\": [] }");
  const auto config =
      folder.write("config.json", "{" + parameters + csv_configuration({"OLDUSDT"}).substr(1));
  const std::string data = folder / "data";

  const auto refused = run_command(
      {"candles", "import", file, "--symbol", "OLDUSDT", "--exchange", "csv", "--data-dir", data});
  CHECK(refused.status == 1);
  CHECK_MESSAGE(contains(refused.err, "OLDUSDT.csv: line 8: open 2 is an anomaly"), refused.err);
  const auto kept =
      run_command({"candles", "import", file, "--symbol", "OLDUSDT", "--exchange", "csv",
                   "--data-dir", data, "-o", folder / "imported.csv", "--config", limits});
  CHECK_MESSAGE(kept.status == 0, kept.err);
  CHECK_MESSAGE(contains(kept.out, "faults: none"), kept.out);

  CHECK(run_command({"candles", "check", file}).status == 1);
  const auto checked = run_command({"candles", "check", file, "--config", limits});
  CHECK(checked.status == 0);
  CHECK_MESSAGE(contains(checked.out, "OLDUSDT.csv 1m: 10 candles"), checked.out);
  CHECK(run_command({"candles", "check", "--config", config}).status == 0);
  const auto exported = run_command({"candles", "export", "--config", config, "--symbol", "OLDUSDT",
                                     "-o", folder / "exported.csv"});
  CHECK(exported.status == 0);
  CHECK_MESSAGE(contains(exported.out, "faults: none"), exported.out);

  // Fewer candles than that: the mean decides, of which 1000 are no thousandth.
  const auto few =
      folder.write("FEWUSDT.csv", flat_csv(6) + fmt::format("{},1,1,1,1,1\n{},0.09,"
                                                            "0.09,0.09,0.09,1\n",
                                                            test::new_year + 6 * minute_ms,
                                                            test::new_year + 7 * minute_ms));
  CHECK(run_command({"candles", "check", few}).status == 1);
  const auto mean =
      folder.write("mean.json", R"({ "config": { "get_candles_min_candles_for_median": 9 } })");
  CHECK(run_command({"candles", "check", few, "--config", mean}).status == 0);
}

TEST_CASE("command: candles synth names times as dates") {
  const auto result = run_command({"candles", "synth", "--symbol", "A", "--seed", "1", "--from",
                                   "1950-01-01", "--to", "2024-01-01", "-o", "-"});
  CHECK(result.status == 2);
  CHECK_MESSAGE(contains(result.err, "range 1950-01-01T00:00:00Z to 2024-01-01T00:00:00Z"),
                result.err);
}

TEST_CASE("command: check reads the candles of every symbol, with or without a frame") {
  const temporary_folder folder{"command_check_all"};
  folder.write("AUSDT.csv", flat_csv(420));
  folder.write("CUSDT.csv", flat_csv(420));
  auto text = csv_configuration({"AUSDT", "BUSDT", "CUSDT"});
  const auto checked = run_command({"check", "--config", folder.write("config.json", text)});
  CHECK(checked.status == 1);
  CHECK_MESSAGE(contains(checked.out, "AUSDT: 239 of 239"), checked.out);
  CHECK_MESSAGE(contains(checked.out, "CUSDT: 239 of 239"), checked.out);
  CHECK_MESSAGE(contains(checked.err, "BUSDT.csv: cannot open the file"), checked.err);
  const auto begin = text.find("  \"frames\"");
  text.erase(begin, text.find("  \"strategies\"") - begin);
  const auto frameless = run_command({"check", "--config", folder.write("frameless.json", text)});
  CHECK(frameless.status == 1);
  CHECK_MESSAGE(contains(frameless.out, "AUSDT: there is no frame to compare with; candles from "
                                        "2024-01-01T00:00:00Z to 2024-01-01T07:00:00Z\n"),
                frameless.out);
  CHECK_MESSAGE(contains(frameless.err, "BUSDT.csv: cannot open the file"), frameless.err);
}

TEST_CASE("command: a frame that lies wholly in the future says so, and where candles are") {
  const temporary_folder folder{"command_future"};
  folder.write("AUSDT.csv", flat_csv(420));
  auto text = csv_configuration({"AUSDT"});
  for (auto at = text.find("2024-01-01T"); at != std::string::npos; at = text.find("2024-01-01T"))
    text.replace(at, 4, "2094");
  const auto config = folder.write("config.json", text);
  const std::string note = "note: frame hours lies wholly in the future, it is now 2";
  for (const char* command : {"run", "parity"}) {
    const auto result = run_command({command, "--config", config});
    CHECK(result.status == 0);
    CHECK_MESSAGE(contains(result.err, note), result.err);
  }
  CHECK(!contains(run_command({"run", "--config", config, "--quiet"}).err, note));
  const auto checked = run_command({"check", "--config", config});
  CHECK_MESSAGE(contains(checked.out, "AUSDT: 0 of 239 minutes, missing: all; warm-up from "
                                      "2094-01-01T01:55:00Z: 0 of 5 minutes, missing: all; candles "
                                      "from 2024-01-01T00:00:00Z to 2024-01-01T07:00:00Z; the "
                                      "frame lies wholly in the future\n"),
                checked.out);
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
                                "end; warm-up from 2024-01-01T01:55:00Z: 5 of 5 minutes; candles "
                                "from 2024-01-01T00:00:00Z to 2024-01-01T03:20:00Z\n") !=
                    std::string::npos,
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
