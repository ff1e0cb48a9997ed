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

served_answer serve_klines(const std::string& target) {
  const klines_request request{target};
  if (request.symbol != "BTCUSDT")
    return {R"({"code":-1121,"msg":"Invalid symbol."})", 400};
  return {klines_text(request)};
}

/// Two strategies over the first hours of 2024 on an exchange called "paper".
std::string configuration_with(const std::string& exchange) {
  return R"({ "exchanges": [ { "name": "paper", )" + exchange + R"( } ],
  "frames": [ { "name": "hours", "interval": "1m", "start": "2024-01-01T02:00:00Z",
                "end": "2024-01-01T09:59:00Z" } ],
  "strategies": [ { "name": "grid", "type": "time_grid" },
                  { "name": "limit", "type": "marketable_limit" } ],
  "walkers": [ { "name": "both", "exchange": "paper", "frame": "hours",
                 "strategies": ["grid", "limit"], "metric": "total_pnl" } ] })";
}

std::string binance_at(const http_server& server) {
  return configuration_with(R"("type": "binance", "base_url": ")" + server.url() + '"');
}

/// The event file without its first line, which holds the configuration.
std::vector<std::string> events_of_run(const temporary_folder& folder,
                                       const std::filesystem::path& config) {
  const auto result = run_command({"run", "--config", config, "--symbol", "BTCUSDT", "--threads",
                                   "2", "--events", folder / "events.jsonl"});
  REQUIRE_MESSAGE(result.status == 0, result.err);
  auto lines = lines_of(bytes_of(folder / "events.jsonl"));
  lines.erase(lines.begin());
  return lines;
}

} // namespace

TEST_CASE("command: a run on fetched candles says what a run on the same candles in a file says") {
  const temporary_folder folder{"command_binance"};
  http_server server{&serve_klines};
  const auto config = folder.write("binance.json", binance_at(server));
  const auto exported =
      run_command({"candles", "export", "--config", config, "--symbol", "BTCUSDT", "--from",
                   "2023-12-31", "--to", "2024-01-03", "-o", folder / "btc.csv"});
  REQUIRE_MESSAGE(exported.status == 0, exported.err);
  const auto requests = server.targets().size();
  CHECK(requests == 6); // two pages a day
  const auto fetched = events_of_run(folder, config);
  // Once for both strategies: a day before the frame, the frame, and behind it the rest of the day
  // and the next one up to the end of a signal.
  CHECK(server.targets().size() - requests == 5);
  CHECK(server.connections() == 2);               // one for each command
  const auto from_file = events_of_run(
      folder, folder.write("csv.json", configuration_with(
                                           R"("type": "csv", "files": {"BTCUSDT": "btc.csv"})")));
  CHECK(fetched.size() > 10);
  CHECK(fetched == from_file);
}

TEST_CASE("command: a symbol the exchange does not have fails its run at once") {
  const temporary_folder folder{"command_binance_symbol"};
  http_server server{&serve_klines};
  const auto config = folder.write("binance.json", binance_at(server));
  const auto result = run_command({"run", "--config", config, "--symbol", "NOPE"});
  CHECK(result.status == 1);
  CHECK_MESSAGE(result.err.find("symbol NOPE not found") != std::string::npos, result.err);
  CHECK_MESSAGE(result.err.find("Invalid symbol. (code -1121)") != std::string::npos, result.err);
  CHECK(server.targets().size() == 1);
}

TEST_CASE("command: without a candle none is named, and a frame in the future is told of") {
  const temporary_folder folder{"command_binance_future"};
  http_server server{[](const std::string&) { return served_answer{"[]"}; }};
  auto text = binance_at(server);
  const auto errors = [&] {
    const auto result =
        run_command({"run", "--config", folder.write("config.json", text), "--symbol", "BTCUSDT"});
    CHECK(result.status == 0);
    return result.err;
  };
  const auto past = errors();
  CHECK_MESSAGE(contains(past, "there are no candles of BTCUSDT, the frame goes from "
                               "2024-01-01T02:00:00Z to 2024-01-01T09:59:00Z (data_ended"),
                past);
  for (auto at = text.find("2024-01-01T"); at != std::string::npos; at = text.find("2024-01-01T"))
    text.replace(at, 4, "2094");
  const auto future = errors();
  CHECK_MESSAGE(contains(future, "2094-01-01T02:00:00Z to 2094-01-01T09:59:00Z (data_ended"),
                future);
  CHECK_MESSAGE(contains(future, "note: frame hours lies wholly in the future"), future);
}

TEST_CASE("command: run, walk and export with a data directory fetch nothing that is kept there") {
  const temporary_folder folder{"command_binance_kept"};
  http_server server{&serve_klines};
  const auto config = folder.write("binance.json", binance_at(server));
  const auto run_kept = [&] {
    const auto result = run_command({"run", "--config", config, "--symbol", "BTCUSDT", "--data-dir",
                                     folder / "data", "--events", folder / "events.jsonl"});
    REQUIRE_MESSAGE(result.status == 0, result.err);
    auto lines = lines_of(bytes_of(folder / "events.jsonl"));
    lines.erase(lines.begin());
    return lines;
  };
  SUBCASE("of an earlier run") {
    const auto first = run_kept();
    const auto asked = server.targets().size();
    CHECK(asked > 0);
    CHECK(run_kept() == first);
    CHECK(server.targets().size() == asked);
  }
  SUBCASE("of a walk") {
    const auto walk = [&] {
      const auto result = run_command({"walk", "--config", config, "--walker", "both", "--symbol",
                                       "BTCUSDT", "--data-dir", folder / "data", "--json"});
      REQUIRE_MESSAGE(result.status == 0, result.err);
    };
    walk();
    const auto asked = server.targets().size();
    CHECK(asked > 0);
    walk();
    run_kept();
    CHECK(server.targets().size() == asked);
  }
  SUBCASE("of an export") {
    const auto exported = [&](const std::filesystem::path& file) {
      const auto result = run_command({"candles", "export", "--config", config, "--symbol",
                                       "BTCUSDT", "--from", "2023-12-31", "--to", "2024-01-03",
                                       "--data-dir", folder / "data", "-o", file});
      REQUIRE_MESSAGE(result.status == 0, result.err);
      return bytes_of(file);
    };
    const auto first = exported(folder / "first.csv");
    const auto asked = server.targets().size();
    CHECK(asked == 6); // two pages a day
    CHECK(exported(folder / "second.csv") == first);
    run_kept();
    CHECK(server.targets().size() == asked);
  }
  SUBCASE("of an import") {
    REQUIRE(run_command({"candles", "export", "--config", config, "--symbol", "BTCUSDT", "--from",
                         "2023-12-31", "--to", "2024-01-03", "-o", folder / "btc.csv"})
                .status == 0);
    const auto expected = events_of_run(folder, config);
    const auto asked = server.targets().size();
    const auto imported =
        run_command({"candles", "import", folder / "btc.csv", "--symbol", "BTCUSDT", "--exchange",
                     "paper", "--data-dir", folder / "data"});
    REQUIRE_MESSAGE(imported.status == 0, imported.err);
    CHECK(imported.out.find("4320 candles of BTCUSDT kept for exchange paper") !=
          std::string::npos);
    CHECK(run_kept() == expected);
    CHECK(server.targets().size() == asked);
  }
}

TEST_CASE("command: candles import wants to know where to") {
  const temporary_folder folder{"command_import_where"};
  const auto file = folder.write("a.csv", flat_csv(3));
  const auto run = [&](std::vector<std::string> more) {
    std::vector<std::string> words{"candles", "import", file, "--symbol", "X"};
    words.insert(words.end(), more.begin(), more.end());
    return run_command(words).status;
  };
  CHECK(run({}) == 2);
  CHECK(run({"--data-dir", folder / "data"}) == 2);
  CHECK(run({"--exchange", "paper", "-o", folder / "b.csv"}) == 2);
}
