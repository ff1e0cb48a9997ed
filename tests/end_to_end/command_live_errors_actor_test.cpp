// What a live node shows of errors, and how it counts them, against exchanges that refuse.

#include "actors/strategy/run_rows.hpp"
#include "storage/rocksdb_store.hpp"
#include "tests/actors/exchange/klines_market.hpp"
#include "tests/support/command.hpp"
#include "tests/support/command_files.hpp"
#include "tests/support/contains.hpp"
#include "tests/support/http_server.hpp"
#include "tests/support/runtime_fixture.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>

#include <doctest/doctest.h>

using namespace backtest;
using namespace backtest::testing;
using namespace backtest::test;

namespace {

std::string live_configuration(const std::string& url) {
  return R"({ "config": { "get_candles_retry_count": 1, "candle_wait_seconds": 5 },
  "exchanges": [ { "name": "paper", "type": "binance", "base_url": ")" +
         url + R"(" } ],
  "strategies": [ { "name": "grid", "type": "time_grid" } ] })";
}

/// As if the node had been down for three minutes: it asks for candles at once, not at the next
/// boundary.
void leave_behind(const std::filesystem::path& data, const std::string& symbol) {
  const instant now = std::chrono::duration_cast<std::chrono::milliseconds>(
                          std::chrono::system_clock::now().time_since_epoch())
                          .count();
  stored_run run;
  run.identity = {symbol, "grid", "paper", "", run_mode::live};
  run.memory.last_instant = align_down(now, minute_ms) - 3 * minute_ms;
  store_batch batch;
  put_run(batch, run, nullptr, {});
  open_rocksdb_store(data)->commit(batch);
}

std::int64_t errors_of_first_run(const std::string& json) {
  const auto document = parse_json(json);
  return json_reader{document}.member("runs").elements().front().integer("errors");
}

std::int64_t count_errors(const std::vector<event_line>& lines, const std::string& symbol) {
  return std::count_if(lines.begin(), lines.end(), [&](const event_line& line) {
    return line.item.on == topic::error && identity_of(line.item) &&
           identity_of(line.item)->symbol == symbol;
  });
}

/// Runs until stderr says so, is interrupted, and must have shown and counted what its events tell.
void check_live_errors(const std::string& name, const std::string& url, const std::string& symbol,
                       const std::string& code, const std::string& said) {
  CAPTURE(name);
  const temporary_folder folder{"command_live_errors_" + name};
  const auto config = folder.write("config.json", live_configuration(url));
  const auto data = folder / "data";
  leave_behind(data, symbol);
  const auto live = [&] {
    running_command node{{"live", "--config", config, "--symbol", symbol, "--data-dir", data,
                          "--json", "--events", folder / "events.jsonl"}};
    CHECK(node.wait_for_stderr(said));
    node.send_signal(SIGINT);
    return node.wait();
  };
  const auto first = live();
  CHECK_MESSAGE(first.status == 0, first.err);
  const auto line = " grid " + symbol + " error " + code + ": exchange paper: " + symbol;
  CHECK_MESSAGE(contains(first.err, line), first.err);
  const auto told = count_errors(events_of(bytes_of(folder / "events.jsonl")), symbol);
  CHECK(told >= 1);
  CHECK(errors_of_first_run(first.out) == told);
  CHECK_MESSAGE(contains(first.err, fmt::format("grid on {}: {} error event{}, the first: ", symbol,
                                                told, told == 1 ? "" : "s")),
                first.err);
  const auto status = [&] { return run_command({"status", "--data-dir", data, "--json"}).out; };
  CHECK(errors_of_first_run(status()) == told);
  CHECK(contains(run_command({"status", "--data-dir", data}).out,
                 fmt::format("refused by risk, {} errors\n", told)));

  const auto second = live();
  const auto since = count_errors(events_of(bytes_of(folder / "events.jsonl")), symbol);
  CHECK(since >= 1);
  CHECK(errors_of_first_run(second.out) == told + since);
  CHECK(errors_of_first_run(status()) == told + since);
  CHECK_MESSAGE(contains(second.err, fmt::format("{} error events, {} of them since this start, "
                                                 "the first: ",
                                                 told + since, since)),
                second.err);
}

} // namespace

TEST_CASE("command live: a symbol the exchange does not know is told at once, and counted") {
  http_server server{[](const std::string&) {
    return served_answer{R"({"code":-1121,"msg":"Invalid symbol."})", 400};
  }};
  check_live_errors("symbol", server.url(), "NOPE", "not_found", "(code -1121)");
}

TEST_CASE("command live: bans of the exchange are told at once, and counted") {
  for (const int status : {429, 418}) {
    http_server server{[status](const std::string&) {
      return served_answer{
          R"({"code":-1003,"msg":"Too many requests."})", status, {{"Retry-After", "900"}}};
    }};
    check_live_errors("ban" + std::to_string(status), server.url(), "BTCUSDT", "fetch_failed",
                      std::to_string(status));
  }
}

TEST_CASE("command live: an exchange that cannot be reached is told at once, and counted") {
  check_live_errors("refused", deserted_url(), "BTCUSDT", "fetch_failed", "error fetch_failed");
}

TEST_CASE("command live: --quiet shows no errors, and a log of warnings shows them itself") {
  const watchdog guard;
  tally asked;
  http_server server{[&](const std::string&) {
    asked.add();
    return served_answer{R"({"code":-1121,"msg":"Invalid symbol."})", 400};
  }};
  const temporary_folder folder{"command_live_errors_quiet"};
  const auto config = folder.write("config.json", live_configuration(server.url()));
  leave_behind(folder / "data", "NOPE");
  const std::vector<std::string> live{"live", "--config",   config,         "--symbol",
                                      "NOPE", "--data-dir", folder / "data"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), live.begin(), live.end());
    return more;
  };
  running_command quiet{with({"--quiet", "--json"})};
  asked.wait_for(1);
  quiet.send_signal(SIGINT);
  const auto told_quietly = quiet.wait();
  CHECK_MESSAGE(!contains(told_quietly.err, "NOPE"), told_quietly.err);

  running_command logged{with({"--log-level", "warn"})};
  CHECK(logged.wait_for_stderr("(code -1121)"));
  logged.send_signal(SIGINT);
  CHECK_FALSE(contains(logged.wait().err, "grid NOPE error not_found"));
}

TEST_CASE("command live: status tells the errors of runs that never came to an instant") {
  const temporary_folder folder{"command_live_errors_early"};
  store_batch batch;
  put_errors(batch, {{"NOPE", "grid", "paper", "", run_mode::live}, 7});
  open_rocksdb_store(folder / "data")->commit(batch);
  CHECK(run_command({"status", "--data-dir", folder / "data"}).out ==
        "grid on NOPE at paper: has not come to its first instant yet\n  7 errors\n"
        "risk positions: 0\njournal: empty\n");
  const auto json = run_command({"status", "--data-dir", folder / "data", "--json"}).out;
  CHECK(errors_of_first_run(json) == 7);
  CHECK(contains(json, "\"last_instant\":null"));
}

TEST_CASE("command run: errors of the summary are the error lines of the event file") {
  const temporary_folder folder{"command_run_errors"};
  auto candles = lines_of(flat_csv(600));
  candles.erase(candles.begin() + 110, candles.begin() + 150); // where the frame begins
  std::string text;
  for (const auto& row : candles)
    text += row + '\n';
  folder.write("BTCUSDT.csv", text);
  const auto config = folder.write("config.json", csv_configuration({"BTCUSDT"}));
  const auto run =
      run_command({"run", "--config", config, "--json", "--events", folder / "events.jsonl"});
  REQUIRE_MESSAGE(run.status == 0, run.err);
  const auto told = count_errors(events_of(bytes_of(folder / "events.jsonl")), "BTCUSDT");
  CHECK(told > 0);
  CHECK(errors_of_first_run(run.out) == told);
  CHECK_MESSAGE(contains(run.err, fmt::format("grid on BTCUSDT: {} error events, the first: no "
                                              "candles data of BTCUSDT",
                                              told)),
                run.err);
}
