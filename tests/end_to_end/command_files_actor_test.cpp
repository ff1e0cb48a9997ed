#include "actors/exchange/candle_writer.hpp"
#include "actors/exchange/synthetic_candles.hpp"
#include "tests/support/command.hpp"
#include "tests/support/command_files.hpp"
#include "tests/support/contains.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <random>
#include <sys/stat.h>
#include <thread>

using namespace backtest;
using namespace backtest::testing;
using backtest::test::bytes_of;
using backtest::test::new_year;
using backtest::test::temporary_folder;

namespace {

/// Strategy `grid` on BTCUSDT, whose files are this JSON value; the frame is 02:00 to 05:59.
std::string configuration_of(const std::string& files) {
  auto text = csv_configuration({"BTCUSDT"});
  const std::string file = "\"BTCUSDT.csv\"";
  return text.replace(text.find(file), file.size(), files);
}

std::string candles_apart(int minutes, int count) {
  std::string text = "open_time,open,high,low,close,volume\n";
  for (int i = 0; i < count; ++i)
    text += fmt::format("{},100,101,99,100,1\n", new_year + i * minutes * minute_ms);
  return text;
}

candle_series made_up(instant from, instant until) {
  return generate_candles(7, "BTCUSDT", 40'000, 0.9, from, until);
}

std::string events_without_header(const temporary_folder& folder, const std::string& config) {
  const auto result =
      run_command({"run", "--config", folder / config, "--events", folder / "events.jsonl"});
  REQUIRE_MESSAGE(result.status == 0, result.err);
  const auto text = bytes_of(folder / "events.jsonl");
  return text.substr(text.find('\n'));
}

} // namespace

TEST_CASE("command: candles of a larger interval are refused wherever they are read") {
  const temporary_folder folder{"command_coarse"};
  folder.write("BTCUSDT.csv", candles_apart(5, 300));
  const auto config = folder.write("config.json", csv_configuration({"BTCUSDT"}));
  const std::string problem = "BTCUSDT.csv: line 3: the candle lies 5m behind the one before, the "
                              "usual spacing of the file; expected 1m candles";
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"run", "--config", config},
           {"parity", "--config", config},
           {"live", "--config", config, "--data-dir", folder / "data", "--clock", "replay",
            "--speed", "max", "--frame", "hours"},
           {"check", "--config", config},
           {"candles", "check", "--config", config},
           {"candles", "check", folder / "BTCUSDT.csv"},
           {"candles", "export", "--config", config, "--symbol", "BTCUSDT", "-o", "-"},
           {"candles", "import", folder / "BTCUSDT.csv", "--symbol", "BTCUSDT", "-o", "-"}}) {
    const auto result = run_command(arguments);
    CAPTURE(arguments.front());
    CHECK(result.status == 1);
    const auto said = result.err + result.out;
    CHECK_MESSAGE(contains(said, problem), said);
  }
}

TEST_CASE("command: several files of a symbol give what one with all candles gives") {
  const temporary_folder folder{"command_several_files"};
  const instant noon = new_year + 3 * hour_ms;
  write_candle_csv(made_up(new_year, new_year + 12 * hour_ms), folder / "all.csv");
  write_candle_csv(made_up(noon, new_year + 12 * hour_ms), folder / "part-a.csv.gz");
  write_candle_csv(made_up(new_year, noon), folder / "part-b.csv");
  folder.write("one.json", configuration_of("\"all.csv\""));
  folder.write("list.json", configuration_of("[\"part-a.csv.gz\", \"part-b.csv\"]"));
  folder.write("pattern.json", configuration_of("\"part-*\""));
  const auto expected = events_without_header(folder, "one.json");
  CHECK(events_without_header(folder, "list.json") == expected);
  CHECK(events_without_header(folder, "pattern.json") == expected);

  const auto imported = run_command({"candles", "import", folder / "part-a.csv.gz",
                                     folder / "part-b.csv", "--symbol", "BTCUSDT", "-o", "-"});
  CHECK(imported.status == 0);
  CHECK(imported.out == bytes_of(folder / "all.csv"));

  folder.write("overlap.json", configuration_of("[\"all.csv\", \"part-b.csv\"]"));
  const auto overlap = run_command({"run", "--config", folder / "overlap.json"});
  CHECK(overlap.status == 1);
  CHECK(contains(overlap.err, "all.csv and "));
  CHECK(contains(overlap.err, "part-b.csv overlap: candles from 2024-01-01T00:00:00Z"));

  folder.write("none.json", configuration_of("\"2023-*.zip\""));
  const auto none = run_command({"run", "--config", folder / "none.json"});
  CHECK(none.status == 1);
  CHECK(contains(none.err, "2023-*.zip: no file matches; expected at least one"));
}

TEST_CASE("command: what is written is none of the files that are read") {
  const temporary_folder folder{"command_several_written"};
  write_candle_csv(made_up(new_year, new_year + 12 * hour_ms), folder / "part-1.csv");
  write_candle_csv(made_up(new_year + day_ms, new_year + 2 * day_ms), folder / "part-2.csv");
  const auto before = bytes_of(folder / "part-2.csv");
  const auto config = folder.write("config.json", configuration_of("\"part-*\""));
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"run", "--config", config, "--trades", folder / "part-2.csv"},
           {"candles", "export", "--config", config, "--symbol", "BTCUSDT", "-o",
            folder / "part-2.csv"},
           {"candles", "import", folder / "part-1.csv", folder / "part-2.csv", "--symbol",
            "BTCUSDT", "-o", folder / "part-2.csv"}}) {
    const auto result = run_command(arguments);
    CHECK(result.status == 2);
    CHECK_MESSAGE(contains(result.err, "part-2.csv is read"), result.err);
  }
  CHECK(bytes_of(folder / "part-2.csv") == before);
}

TEST_CASE("command: candles from a pipe are read once, also for the page of charts") {
  const temporary_folder folder{"command_pipe"};
  write_candle_csv(made_up(new_year, new_year + 12 * hour_ms), folder / "file.csv");
  const auto pipe = folder / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  std::thread writer{[&] { std::ofstream{pipe} << bytes_of(folder / "file.csv"); }};
  folder.write("pipe.json", configuration_of("\"pipe\""));
  const auto result =
      run_command({"run", "--config", folder / "pipe.json", "--html", folder / "page.html"});
  writer.join();
  CHECK_MESSAGE(result.status == 0, result.err);
  CHECK(contains(bytes_of(folder / "page.html"), "Closes of one-minute candles."));
}

TEST_CASE("command: a run most of whose minutes are gaps says so, the gaps of a few do not") {
  const temporary_folder folder{"command_mostly_gaps"};
  auto series = made_up(new_year, new_year + 12 * hour_ms);
  const auto write_without = [&](std::uint64_t of_eleven) {
    auto some = series;
    std::mt19937_64 random{3}; // what is missing at regular intervals looks like larger candles
    std::erase_if(some.candles, [&](const candle&) { return random() % 11 < of_eleven; });
    write_candle_csv(some, folder / "BTCUSDT.csv");
  };
  const auto config = folder.write("config.json", csv_configuration({"BTCUSDT"}));
  write_without(4);
  const auto few = run_command({"run", "--config", config});
  CHECK(few.status == 0);
  CHECK_FALSE(contains(few.out + few.err, "warning"));
  write_without(8);
  const auto most = run_command({"run", "--config", config, "--html", folder / "page.html"});
  CHECK(most.status == 0);
  CHECK_MESSAGE(contains(most.out, "\nwarning: grid on BTCUSDT: "), most.out);
  CHECK_MESSAGE(contains(most.out, " of 239 minutes (7"), most.out);
  CHECK(contains(most.err, "backtest: warning: grid on BTCUSDT: "));
  CHECK(contains(bytes_of(folder / "page.html"), "role=\"note\">warning: grid on BTCUSDT: "));

  auto text = csv_configuration({"BTCUSDT"});
  text.insert(text.rfind('}'), R"(, "walkers": [ { "name": "one", "exchange": "csv",
      "frame": "hours", "strategies": ["grid"], "metric": "total_pnl" } ] )");
  const auto walked = run_command({"walk", "--config", folder.write("walk.json", text), "--walker",
                                   "one", "--html", folder / "walk.html"});
  CHECK(walked.status == 0);
  CHECK(contains(walked.out, "\nwarning: grid on BTCUSDT: "));
  CHECK(contains(walked.err, "backtest: warning: grid on BTCUSDT: "));
  CHECK(contains(bytes_of(folder / "walk.html"), "role=\"note\">warning: grid on BTCUSDT: "));
}
