#include "tests/support/command.hpp"
#include "tests/support/command_files.hpp"
#include "tests/support/contains.hpp"
#include "tests/support/paths.hpp"

#include <cstdlib>

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <zlib.h>

using namespace backtest;
using namespace backtest::testing;
using backtest::test::bytes_of;
using backtest::test::temporary_folder;

namespace {

void check_refusal(const command_result& result, int status, const std::string& message) {
  CHECK(result.status == status);
  CHECK_MESSAGE(contains(result.err, message), result.err);
}

/// A run over candles of this text; BTCUSDT is bad, ETHUSDT is sound.
command_result run_with_candles(const temporary_folder& folder, const std::string& csv) {
  folder.write("BTCUSDT.csv", csv);
  folder.write("ETHUSDT.csv", flat_csv(420));
  return run_command(
      {"run", "--config", folder.write("config.json", csv_configuration({"BTCUSDT", "ETHUSDT"}))});
}

/// Sound rows with this one as physical line 4.
std::string with_fourth_line(const std::string& row) { return flat_csv(2) + row + "\n"; }

std::string row_at(int minute, const std::string& rest) {
  return fmt::format("{},{}", test::new_year + minute * minute_ms, rest);
}

} // namespace

TEST_CASE("command: bad candles fail their runs with file and line, the other symbol finishes") {
  const temporary_folder folder{"command_bad_candles"};
  const std::vector<std::pair<std::string, std::string>> cases{
      {"", "BTCUSDT.csv"},
      {"open_time,open,high,low,close,volume\n", "BTCUSDT.csv"},
      {with_fourth_line(row_at(0, "100,101,99,100,1")), "BTCUSDT.csv: line 4"},
      {with_fourth_line(row_at(1, "100,101,99,100,1")), "BTCUSDT.csv: line 4"},
      {with_fourth_line(row_at(2, "100,101,99")), "BTCUSDT.csv: line 4"},
      {with_fourth_line(row_at(2, "nan,101,99,100,1")), "BTCUSDT.csv: line 4"},
      {with_fourth_line(row_at(2, "100,101,-99,100,1")), "BTCUSDT.csv: line 4"},
      {with_fourth_line(row_at(2, "100,101,99,abc,1")), "BTCUSDT.csv: line 4"},
      {with_fourth_line(row_at(2, "100,101,99,100,-1")), "BTCUSDT.csv: line 4"}};
  for (const auto& wrong : cases) {
    const auto& csv = wrong.first;
    const auto& place = wrong.second;
    CAPTURE(csv);
    const auto result = run_with_candles(folder, csv);
    check_refusal(result, 1, place);
    CHECK(contains(result.err, "grid on BTCUSDT failed"));
    CHECK(lines_of(result.err).size() == 1);
    CHECK(!contains(result.err, "ETHUSDT failed"));
    CHECK(contains(result.out, "failed"));
    CHECK(contains(result.out, "completed"));
  }
}

TEST_CASE("command: missing and truncated candle files") {
  const temporary_folder folder{"command_missing_candles"};
  folder.write("ETHUSDT.csv", flat_csv(420));
  const auto config = folder.write("config.json", csv_configuration({"BTCUSDT", "ETHUSDT"}));
  check_refusal(run_command({"run", "--config", config}), 1, "BTCUSDT.csv");
  check_refusal(run_command({"check", "--config", config}), 1, "BTCUSDT.csv");
  check_refusal(run_command({"candles", "check", folder / "none.csv"}), 1, "none.csv");

  const std::string whole = folder / "BTCUSDT.csv";
  gzFile file = gzopen(whole.c_str(), "wb");
  const auto text = flat_csv(420);
  gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
  gzclose(file);
  CHECK(run_command({"run", "--config", config}).status == 0);
  const auto bytes = bytes_of(whole);
  folder.write("BTCUSDT.csv", bytes.substr(0, bytes.size() / 2));
  check_refusal(run_command({"run", "--config", config}), 1, "BTCUSDT.csv");
}

TEST_CASE("command: a configuration that is wrong names the file and the JSON path") {
  const temporary_folder folder{"command_bad_configuration"};
  const std::vector<std::pair<std::string, std::string>> cases{
      {"", "config.json"},
      {"{ \"exchanges\": [ }", "config.json"},
      {small_configuration(R"("surprise": 1,)"), "surprise"},
      {small_configuration(R"("config": {"percent_fee": "high"},)"), "config.percent_fee"},
      {small_configuration(R"("config": {"avg_price_candles_count": 0},)"),
       "avg_price_candles_count"},
      {small_configuration(R"("walkers": 5,)"), "walkers"},
      {R"({ "exchanges": [ { "name": "x", "type": "synthetic", "symbols": ["A"],
            "start_price": 1e12 } ] })",
       "exchanges[0]: synthetic candles: start_price"}};
  for (const auto& wrong : cases) {
    const auto& text = wrong.first;
    const auto& place = wrong.second;
    CAPTURE(text);
    const auto config = folder.write("config.json", text);
    for (const char* command : {"run", "check"}) {
      const auto result = run_command({command, "--config", config});
      check_refusal(result, 2, place);
      CHECK(contains(result.err, "config.json"));
      CHECK(result.out.empty());
    }
  }
  check_refusal(run_command({"run", "--config", folder / "none.json"}), 2, "none.json");
}

TEST_CASE("command: check knows the names walkers give") {
  const temporary_folder folder{"command_check_walkers"};
  const auto with_walker = [&](const std::string& walker) {
    auto text = small_configuration();
    text.erase(text.rfind('}'));
    return folder.write("config.json",
                        text + R"(, "walkers": [ { "name": "w", )" + walker + "} ] }");
  };
  const auto refused = [&](const std::string& walker, const std::string& message) {
    check_refusal(run_command({"check", "--config", with_walker(walker)}), 2, message);
  };
  refused(R"("exchange": "who", "frame": "days", "strategies": ["grid"])",
          "config.json: walkers[0].exchange: exchange \"who\" not found, expected one of: made_up");
  refused(R"("exchange": "made_up", "frame": "who", "strategies": ["grid"])",
          "walkers[0].frame: frame \"who\" not found, expected one of: days");
  refused(R"("exchange": "made_up", "frame": "days", "strategies": ["grid", "who"])",
          "walkers[0].strategies[1]: strategy \"who\" not found, expected one of: grid, cross");
  const auto config =
      with_walker(R"("exchange": "made_up", "frame": "days", "strategies": ["grid"])");
  CHECK(run_command({"check", "--config", config}).status == 0);
}

TEST_CASE("command: a strategy that wants an endless past is answered, not made up") {
  const temporary_folder folder{"command_check_window"};
  folder.write("BTCUSDT.csv", flat_csv(420));
  auto text = csv_configuration({"BTCUSDT"});
  const std::string grid = R"("type": "time_grid")";
  text.replace(text.find(grid), grid.size(),
               R"("type": "sma_cross", "params": { "window": 1000000000000 })");
  const auto result = run_command({"check", "--config", folder.write("config.json", text)});
  CHECK(result.status == 0);
  CHECK_MESSAGE(contains(result.out, "warm-up from 1970-01-01T00:00:00Z: 120 of "), result.out);
}

TEST_CASE("command: unknown names are refused with the known ones") {
  const temporary_folder folder{"command_unknown_names"};
  const auto config = folder.write("config.json", small_configuration());
  const auto refused = [&](const std::vector<std::string>& flags, const std::string& message) {
    std::vector<std::string> words{"run", "--config", config};
    words.insert(words.end(), flags.begin(), flags.end());
    check_refusal(run_command(words), 2, message);
  };
  refused({"--symbol", "XUSDT"}, "--symbol: there is no symbol \"XUSDT\", expected one of AAAUSDT, "
                                 "BBBUSDT");
  refused({"--strategy", "x"},
          "--strategy: there is no strategy \"x\", expected one of grid, cross");
  refused({"--exchange", "x"}, "--exchange: there is no exchange \"x\", expected one of made_up");
  refused({"--frame", "x"}, "--frame: there is no frame \"x\", expected one of days");
  refused({"--from", "yesterday"}, "--from: expected a UTC time");
  refused({"--from", "2024-01-03"}, "start 2024-01-03T00:00:00Z (--from) is after end "
                                    "2024-01-02T23:59:00Z (of frame days)");
  refused({"--from", "2024-01-01T00:00:30"}, "--from: expected a whole minute");
  refused({"--events", folder / "events.jsonl", "--topics", "signals"},
          "--topics: unknown topic \"signals\", expected some of signal, ");
  refused({"--unheard-of"}, "--unheard-of");
  refused({"--threads", "0"}, "--threads");
  refused({"--threads", "many"}, "--threads");
  refused({"--log-level", "loud"}, "--log-level");
  check_refusal(run_command({"candles", "synth", "--symbol", "A", "--seed", "-1", "--from",
                             "2024-01-01", "--to", "2024-01-02", "-o", "-"}),
                2, "--seed");
  check_refusal(run_command({"run"}), 2, "--config");
  check_refusal(run_command({"fly"}), 2,
                "A subcommand is required, got \"fly\"; expected one of run, live, walk, ");
  check_refusal(run_command({"candles", "fly"}), 2,
                "got \"fly\"; expected one of import, export, check, synth");
  refused({"--events=", "--json"}, "--events=: expected a value behind it");
  check_refusal(run_command({}), 2, "subcommand");
}

TEST_CASE("command: a file with several exchanges or frames needs the flag, and lists them") {
  const temporary_folder folder{"command_several"};
  const auto config = folder.write("config.json", R"({
    "exchanges": [ { "name": "one", "type": "synthetic", "symbols": ["A"] },
                   { "name": "two", "type": "synthetic", "symbols": ["A"] } ],
    "frames": [
      { "name": "x", "interval": "1m", "start": "2024-01-01", "end": "2024-01-01T00:10" },
      { "name": "y", "interval": "1m", "start": "2024-01-01", "end": "2024-01-01T00:20" } ],
    "strategies": [ { "name": "none", "type": "never" } ] })");
  check_refusal(run_command({"run", "--config", config, "--frame", "x"}), 2,
                "--exchange is required: the configuration has more than one exchange: one, two");
  check_refusal(run_command({"run", "--config", config, "--exchange", "one"}), 2,
                "--frame is required: the configuration has more than one frame: x, y");
  CHECK(run_command({"run", "--config", config, "--exchange", "two", "--frame", "y"}).status == 0);
}

TEST_CASE("command: a file that cannot be written is an error, the results are still told") {
  const temporary_folder folder{"command_full"};
  const auto config = folder.write("config.json", small_configuration());
  const auto full = run_command({"run", "--config", config, "--events", "/dev/full"});
  check_refusal(full, 1, "cannot write /dev/full: No space left on device");
  CHECK(contains(full.out, "portfolio"));
  check_refusal(run_command({"run", "--config", config, "--trades", "/dev/full"}), 1, "/dev/full");
  const auto nowhere = run_command({"run", "--config", config, "--events", folder / "no/events"});
  check_refusal(nowhere, 1, "no/events: No such file or directory");
  CHECK(nowhere.out.empty());
  folder.write("taken", "");
  check_refusal(run_command({"run", "--config", config, "--reports", folder / "taken"}), 1,
                "taken");
  // Before the run, not after it.
  for (const auto& [flag, path] : std::vector<std::pair<std::string, std::string>>{
           {"--reports", folder / "taken"},
           {"--html", folder / "taken" / "page.html"},
           {"--html", std::filesystem::path{config}.parent_path()}}) {
    const auto early = run_command({"run", "--config", config, flag, path});
    check_refusal(early, 1, "cannot write ");
    CHECK(early.out.empty());
  }
}

TEST_CASE("command: error events are counted and the first one is shown, unless --quiet") {
  const temporary_folder folder{"command_error_events"};
  folder.write("BTCUSDT.csv", flat_csv(200)); // the frame goes on until minute 359
  const auto config = folder.write("config.json", csv_configuration({"BTCUSDT"}));
  const auto result = run_command({"run", "--config", config});
  CHECK(result.status == 0);
  CHECK_MESSAGE(contains(result.err, "grid on BTCUSDT: 1 error event, the first: "), result.err);
  CHECK(contains(result.err, "data_ended"));
  CHECK(run_command({"run", "--config", config, "--quiet"}).err.empty());
}

TEST_CASE("command: an output never overwrites what is read, or another output") {
  const temporary_folder folder{"command_distinct_files"};
  const auto candles = folder.write("BTCUSDT.csv", flat_csv(420));
  const std::string config = folder.write("config.json", csv_configuration({"BTCUSDT"}));
  const auto refused = [&](const std::vector<std::string>& flags, const std::string& message) {
    std::vector<std::string> words{"run", "--config", config};
    words.insert(words.end(), flags.begin(), flags.end());
    const auto result = run_command(words);
    check_refusal(result, 2, message);
    CHECK(result.out.empty());
    CHECK(bytes_of(config) == csv_configuration({"BTCUSDT"}));
    CHECK(bytes_of(candles) == flat_csv(420));
  };
  refused({"--events", config},
          "--events: expected a file of its own, " + config + " is read (--config)");
  std::filesystem::create_symlink("BTCUSDT.csv", folder / "link.csv");
  refused({"--trades", folder / "link.csv"}, "is read (candles of BTCUSDT)");
  refused({"--html", folder / "." / "BTCUSDT.csv"}, "is read (candles of BTCUSDT)");
  const std::string same = folder / "same";
  refused({"--trades", same, "--events", same},
          "--trades: expected a file of its own, --events is written to " + same);
  CHECK(!std::filesystem::exists(same));
  refused({"--trades", "-", "--events", "-"},
          "--trades: expected a file of its own, --events is written to stdout");

  const std::string events = folder / "events.jsonl";
  REQUIRE(run_command({"run", "--config", config, "--events", events}).status == 0);
  const auto saved = bytes_of(events);
  check_refusal(run_command({"report", "--events", events, "--html", events}), 2,
                "is read (--events)");
  CHECK(bytes_of(events) == saved);
  CHECK(run_command({"run", "--config", config, "--events", "/dev/null", "--trades", "/dev/null"})
            .status == 0);
}

TEST_CASE("command: trades and the page go to stdout for -, the table to stderr") {
  const temporary_folder folder{"command_dash"};
  const auto config = folder.write("config.json", small_configuration());
  const auto trades = run_command({"run", "--config", config, "--trades", "-"});
  CHECK(trades.status == 0);
  CHECK(trades.out.starts_with("strategy,symbol,id,"));
  CHECK(!contains(trades.out, "portfolio"));
  CHECK(contains(trades.err, "portfolio"));
  const auto page = run_command({"run", "--config", config, "--html", "-", "--json"});
  CHECK(page.status == 0);
  CHECK(page.out.starts_with("<!DOCTYPE html>"));
  CHECK(page.out.ends_with("</html>\n"));
  CHECK(contains(page.err, "\"portfolio\":"));
}

TEST_CASE("command: a stderr that is full, closed or not read any more ends nothing") {
  const temporary_folder folder{"command_stderr"};
  const auto config = folder.write("config.json", small_configuration());
  const auto status_of = [&](const std::string& arguments) {
    const auto line = fmt::format("'{}' {}", backtest::testing::command_path(), arguments);
    return WEXITSTATUS(std::system(line.c_str()));
  };
  const auto expected = run_command({"run", "--config", config}).out;
  const auto run =
      fmt::format("run --config '{}' > '{}' ", config.string(), (folder / "out").string());
  for (const char* where : {"2>/dev/full", "2>&-"}) {
    CAPTURE(where);
    CHECK(status_of(run + where) == 0);
    CHECK(bytes_of(folder / "out") == expected);
  }
  CHECK(status_of(fmt::format("live --config '{}' --data-dir '{}' --clock replay --speed max "
                              "--frame days > '{}' 2>/dev/full",
                              config.string(), (folder / "data").string(),
                              (folder / "out").string())) == 0);
  CHECK(contains(bytes_of(folder / "out"), "portfolio"));
  // What has no number of its own must not end up in the file that took it.
  const auto events = folder / "events";
  CHECK(status_of(fmt::format("run --config '{}' --events '{}' >&- 2>/dev/null", config.string(),
                              events.string())) == 1);
  CHECK(!contains(bytes_of(events), "portfolio"));
}

TEST_CASE("command: help and version that cannot be printed are failures") {
  for (const char* words : {"--help", "--version", "run --help"})
    CHECK(WEXITSTATUS(std::system(fmt::format("'{}' {} > /dev/full 2>/dev/null",
                                              backtest::testing::command_path(), words)
                                      .c_str())) == 1);
}
