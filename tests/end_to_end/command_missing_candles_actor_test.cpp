#include "tests/actors/exchange/klines_market.hpp"
#include "tests/support/command.hpp"
#include "tests/support/command_files.hpp"
#include "tests/support/contains.hpp"
#include "tests/support/http_server.hpp"

#include <doctest/doctest.h>

using namespace backtest;
using namespace backtest::testing;
using namespace backtest::test;

namespace {

/// Candles of a flat market that open from minute `first` of 2024 to before minute `end`.
std::string flat_csv_of(std::int64_t first, std::int64_t end, bool with_header = true) {
  std::string text = with_header ? "open_time,open,high,low,close,volume\n" : "";
  for (auto minute = first; minute < end; ++minute)
    text += fmt::format("{},100,100,100,100,1\n", new_year + minute * minute_ms);
  return text;
}

std::string configuration_of(const std::string& exchange, const std::string& from,
                             const std::string& to, const std::string& parameters = "") {
  return R"({ "config": { "get_candles_retry_delay_ms": 1 },
  "exchanges": [ { "name": "paper", )" +
         exchange + R"( } ],
  "frames": [ { "name": "f", "interval": "1m", "start": ")" +
         from + R"(", "end": ")" + to + R"(" } ],
  "strategies": [ { "name": "grid", "type": "time_grid", "params": {)" +
         parameters + R"(} }, { "name": "never", "type": "never" } ] })";
}

std::string binance(const std::string& url) {
  return R"("type": "binance", "base_url": ")" + url + '"';
}

const boost::json::object& run_in(const boost::json::value& summary, std::size_t index) {
  return summary.as_object().at("runs").as_array().at(index).as_object();
}

std::size_t count_of(const std::string& text, const std::string& word) {
  std::size_t count = 0;
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1))
    ++count;
  return count;
}

} // namespace

TEST_CASE("command: days kept in a data directory are enough without a network when no signal "
          "needs more") {
  const temporary_folder folder{"command_kept_days"};
  // To 23:59 of the day on which the frame ends; the grid's signals last 45 minutes.
  folder.write("BTCUSDT.csv", flat_csv_of(-60, 2 * 1440));
  REQUIRE(run_command({"candles", "import", folder / "BTCUSDT.csv", "--symbol", "BTCUSDT",
                       "--exchange", "paper", "--data-dir", folder / "data"})
              .status == 0);
  const auto run = [&](const std::string& command, const std::string& parameters = "",
                       std::vector<std::string> more = {}) {
    const auto config = folder.write(
        "config.json", configuration_of(binance(deserted_url()), "2024-01-01T00:00:00Z",
                                        "2024-01-02T23:59:00Z", parameters));
    std::vector<std::string> words{command, "--config", config, "--symbol", "BTCUSDT"};
    words.insert(words.end(), more.begin(), more.end());
    return run_command(words);
  };
  SUBCASE("every signal has ended") {
    const auto result =
        run("run", "", {"--data-dir", folder / "data", "--json", "--html", folder / "page.html"});
    REQUIRE_MESSAGE(result.status == 0, result.err);
    const auto summary = parse_json(result.out);
    CHECK(run_in(summary, 0).at("signals").as_object().at("closed") == 48);
    CHECK(run_in(summary, 0).at("signals").as_object().at("unfinished") == 0);
    CHECK(run_in(summary, 0).at("errors") == 0);
    CHECK(run_in(summary, 0).if_contains("instants_without_candles") == nullptr);
  }
  SUBCASE("one lives: it is unfinished, and the error is told") {
    const auto result =
        run("run", R"("minutes": 150)",
            {"--data-dir", folder / "data", "--json", "--events", folder / "events.jsonl"});
    REQUIRE_MESSAGE(result.status == 0, result.err);
    const auto summary = parse_json(result.out);
    CHECK(run_in(summary, 0).at("outcome") == "completed");
    CHECK(run_in(summary, 0).at("signals").as_object().at("unfinished") == 1);
    CHECK(run_in(summary, 0).at("errors") == 1);
    CHECK(run_in(summary, 1).at("errors") == 0);
    CHECK_MESSAGE(
        contains(result.err, "candles of BTCUSDT behind 2024-01-03T00:00:00Z cannot be had"),
        result.err);
    const auto events = bytes_of(folder / "events.jsonl");
    CHECK(count_of(events, R"("code":"fetch_failed")") == 1);
  }
  SUBCASE("the same live on the replay clock") {
    const auto result = run("live", R"("minutes": 150)",
                            {"--data-dir", folder / "data", "--clock", "replay", "--speed", "max",
                             "--frame", "f", "--json"});
    REQUIRE_MESSAGE(result.status == 0, result.err);
    const auto summary = parse_json(result.out);
    CHECK(run_in(summary, 0).at("outcome") == "completed");
    CHECK(run_in(summary, 0).at("signals").as_object().at("unfinished") == 1);
  }
}

TEST_CASE("command: a frame that begins years before the symbol is listed is one event, and the "
          "summary says so") {
  const temporary_folder folder{"command_listing"};
  const auto run = [&](const std::string& exchange) {
    const auto config = folder.write(
        "config.json", configuration_of(exchange, "2017-01-01T00:00:00Z", "2024-01-01T05:59:00Z"));
    return run_command({"run", "--config", config, "--symbol", "NEWUSDT", "--strategy", "never",
                        "--json", "--events", folder / "events.jsonl"});
  };
  folder.write("NEWUSDT.csv", flat_csv_of(60, 360));
  std::string expected;
  SUBCASE("from a file") {
    const auto result = run(R"("type": "csv", "files": { "NEWUSDT": "NEWUSDT.csv" })");
    REQUIRE_MESSAGE(result.status == 0, result.err);
    expected = result.out + result.err;
  }
  SUBCASE("fetched, with few requests") {
    http_server server{[](const std::string& target) {
      klines_request request{target};
      request.since = std::max(request.since, new_year + 60 * minute_ms);
      return served_answer{klines_text(request)};
    }};
    const auto result = run(binance(server.url()));
    REQUIRE_MESSAGE(result.status == 0, result.err);
    expected = result.out + result.err;
    CHECK(server.targets().size() <= 4);
  }
  const auto events = bytes_of(folder / "events.jsonl");
  CHECK(count_of(events, R"("code":"data_gap")") == 1);
  CHECK(contains(events, "they begin at 2024-01-01T01:00:00Z"));
  const std::int64_t instants = 2556 * 1440 + 61; // days from 2017 to 2024, and one hour
  CHECK_MESSAGE(contains(expected, fmt::format(R"("gaps":0,"instants_without_candles":{},)"
                                               R"("candles_begin":{})",
                                               instants, new_year + 60 * minute_ms)),
                expected);
  CHECK(
      contains(expected, fmt::format("never on NEWUSDT: no candles at the first {} of {} instants,"
                                     " they begin at 2024-01-01T01:00:00Z",
                                     instants, instants + 299)));
}

TEST_CASE("command: a frame without a single candle says so once") {
  const temporary_folder folder{"command_no_candles"};
  folder.write("NEWUSDT.csv", flat_csv_of(600, 660));
  const auto config = folder.write(
      "config.json", configuration_of(R"("type": "csv", "files": { "NEWUSDT": "NEWUSDT.csv" })",
                                      "2024-01-01T00:00:00Z", "2024-01-01T05:59:00Z"));
  const auto result = run_command(
      {"run", "--config", config, "--strategy", "never", "--events", folder / "events.jsonl"});
  REQUIRE_MESSAGE(result.status == 0, result.err);
  CHECK(count_of(bytes_of(folder / "events.jsonl"), R"("code":"data_gap")") == 1);
  CHECK_MESSAGE(contains(result.err,
                         "never on NEWUSDT: no candles at any of its 360 instants, they "
                         "begin at 2024-01-01T10:00:00Z"),
                result.err);
}

TEST_CASE("command: gaps are one event each, and ranges on the terminal and in the page") {
  const temporary_folder folder{"command_gap_ranges"};
  // The average price needs one candle of the last five minutes.
  folder.write("NEWUSDT.csv",
               flat_csv_of(-10, 100) + flat_csv_of(147, 200, false) + flat_csv_of(206, 361, false));
  const auto config = folder.write(
      "config.json", configuration_of(R"("type": "csv", "files": { "NEWUSDT": "NEWUSDT.csv" })",
                                      "2024-01-01T00:00:00Z", "2024-01-01T05:59:00Z"));
  const auto result = run_command({"run", "--config", config, "--strategy", "never", "--events",
                                   folder / "events.jsonl", "--html", folder / "page.html"});
  REQUIRE_MESSAGE(result.status == 0, result.err);
  CHECK(count_of(bytes_of(folder / "events.jsonl"), R"("code":"data_gap")") == 43 + 2);
  CHECK_MESSAGE(contains(result.err,
                         "never on NEWUSDT: candles missing at 45 instants: 2024-01-01T01:45Z - "
                         "02:27Z: 43 minutes; 2024-01-01T03:25Z - 03:26Z: 2 minutes\n"),
                result.err);
  const auto page = bytes_of(folder / "page.html");
  CHECK(contains(page, "2024-01-01T01:45Z - 02:27Z: 43 minutes"));
  CHECK(count_of(page, "no candles data of NEWUSDT") == 2);
  REQUIRE(run_command({"report", "--events", folder / "events.jsonl", "--config", config, "--html",
                       folder / "again.html"})
              .status == 0);
  CHECK(contains(bytes_of(folder / "again.html"), "2024-01-01T01:45Z - 02:27Z: 43 minutes"));
}
