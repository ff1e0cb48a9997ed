#include "actors/exchange/binance_candles.hpp"
#include "actors/exchange/candle_loader.hpp"
#include "actors/http/http_client.hpp"
#include "runtime/configuration_file.hpp"
#include "tests/actors/exchange/candle_fixtures.hpp"
#include "tests/actors/exchange/klines_market.hpp"
#include "tests/support/contains.hpp"
#include "tests/support/http_server.hpp"

#include <doctest/doctest.h>

using namespace backtest;
using namespace backtest::test;
using backtest::testing::contains;

namespace {

using waits = std::vector<std::int64_t>;

http_limits short_limits() {
  http_limits limits;
  limits.total_timeout = std::chrono::milliseconds{100};
  return limits;
}

/// The whole way: loader, source, client, loopback server. Waiting only moves the source's clock.
struct exchange_stand {
  std::vector<served_answer> script; ///< the first answers; afterwards there is a market
  instant now = new_year + 1000 * day_ms;
  waits waited;
  http_limits limits;
  configuration parameters;
  std::size_t answered = 0;
  http_server server{[this](const std::string& target) -> served_answer {
    if (answered < script.size())
      return script[answered++];
    ++answered;
    return {klines_text(klines_request{target})};
  }};

  candle_loader loader(const std::string& base_url) {
    exchange_schema schema;
    schema.exchange_name = "paper";
    schema.get_candles = binance_candles(
        base_url,
        [client = std::make_shared<http_client>(limits)](const std::string& url,
                                                        const std::stop_token& stop) {
          return client->get(url, stop);
        },
        [this] { return now; });
    return {schema, parameters, [this](std::chrono::milliseconds pause) {
              waited.push_back(pause.count());
              now += pause.count();
              return true;
            }};
  }
  candle_loader loader() { return loader(server.url()); }
};

loaded_series load_day(candle_loader& loader, const std::string& symbol = "BTCUSDT") {
  return loader.load(symbol, interval::m1, new_year, new_year + day_ms);
}

/// What loading a day throws.
error problem_of(candle_loader loader) {
  const auto problem = error_of([&] { load_day(loader); });
  REQUIRE(problem);
  return *problem;
}

} // namespace

TEST_CASE("binance network: days of candles in pages over one connection") {
  exchange_stand stand;
  auto loader = stand.loader();
  const auto loaded = loader.load("BTCUSDT", interval::m1, new_year, new_year + 3 * day_ms);
  REQUIRE(loaded.series->candles.size() == 3 * 1440);
  CHECK(loaded.series->candles.front() == kline_at(new_year));
  CHECK(loaded.series->candles.back() == kline_at(new_year + 3 * day_ms - minute_ms));
  CHECK(stand.server.targets().size() == 6);
  CHECK(stand.server.targets()[1] ==
        klines_path({"BTCUSDT", interval::m1, new_year + 1000 * minute_ms, new_year + day_ms}));
  CHECK(stand.server.connections() == 1);
  CHECK(stand.waited.empty());
}

TEST_CASE("binance network: who asks for the same candles costs no further request") {
  exchange_stand stand;
  auto loader = stand.loader();
  load_day(loader);
  load_day(loader);
  loader.load("BTCUSDT", interval::h1, new_year, new_year + day_ms);
  CHECK(stand.server.targets().size() == 2);
}

TEST_CASE("binance network: a range beyond now gives what is closed") {
  exchange_stand stand;
  stand.now = new_year + 90 * minute_ms + 30'000;
  auto loader = stand.loader();
  CHECK(load_day(loader).series->candles.size() == 90);
  CHECK(stand.server.targets().size() == 1);
}

TEST_CASE("binance network: 429 with Retry-After, then an answer") {
  exchange_stand stand;
  SUBCASE("seconds") { stand.script = {{"", 429, {{"Retry-After", "7"}}}}; }
  SUBCASE("a date") {
    stand.now = new_year + 10 * day_ms;
    stand.script = {{"", 429, {{"Retry-After", "Thu, 11 Jan 2024 00:00:07 GMT"}}}};
  }
  auto loader = stand.loader();
  CHECK(load_day(loader).series->candles.size() == 1440);
  CHECK(stand.waited == waits{7000});
  CHECK(stand.server.targets().size() == 3);
  CHECK(stand.server.connections() == 1);
}

TEST_CASE("binance network: a longer wait than anybody has time for fails at once") {
  exchange_stand stand;
  stand.script = {{R"({"code":-1003,"msg":"banned"})", 418, {{"Retry-After", "301"}}}};
  const auto problem = problem_of(stand.loader());
  CHECK(problem.code == error_code::fetch_failed);
  CHECK_MESSAGE(contains(problem.message, "attempt 1 of 3"), problem.message);
  CHECK_MESSAGE(contains(problem.message, "status 418, expected 200: banned (code -1003); asks to "
                                          "wait 301 s, longer than the 300 s that are waited"),
                problem.message);
  CHECK(stand.waited.empty());
}

TEST_CASE("binance network: 503 twice, then an answer") {
  exchange_stand stand;
  stand.script = {{"", 503}, {"", 503}};
  auto loader = stand.loader();
  CHECK(load_day(loader).series->candles.size() == 1440);
  CHECK(stand.waited == waits{5000, 10'000});
}

TEST_CASE("binance network: a second page that fails once is fetched with its day again") {
  exchange_stand stand;
  stand.script = {{klines_text({"BTCUSDT", new_year, new_year + 1000 * minute_ms})}, {"", 500}};
  auto loader = stand.loader();
  CHECK(load_day(loader).series->candles.size() == 1440);
  CHECK(stand.server.targets().size() == 4);
}

TEST_CASE("binance network: 500 for ever") {
  exchange_stand stand;
  stand.script.assign(9, {"out of order", 500});
  const auto problem = problem_of(stand.loader());
  CHECK(problem == error{error_code::fetch_failed,
                         "exchange paper: BTCUSDT 1m from 2024-01-01T00:00:00Z, attempt 3 of 3: " +
                             stand.server.url() +
                             klines_path({"BTCUSDT", interval::m1, new_year, new_year + day_ms}) +
                             ": status 500, expected 200: out of order"});
  CHECK(stand.waited == waits{5000, 10'000});
  CHECK(stand.server.targets().size() == 3);
}

TEST_CASE("binance network: an unknown symbol is not_found at once") {
  exchange_stand stand;
  stand.script = {{R"({"code":-1121,"msg":"Invalid symbol."})", 400}};
  const auto problem = problem_of(stand.loader());
  CHECK(problem ==
        error{error_code::not_found,
              "exchange paper: BTCUSDT 1m from 2024-01-01T00:00:00Z: symbol BTCUSDT not found: " +
                  stand.server.url() +
                  klines_path({"BTCUSDT", interval::m1, new_year, new_year + day_ms}) +
                  ": status 400, expected 200: Invalid symbol. (code -1121)"});
  CHECK(stand.waited.empty());
}

TEST_CASE("binance network: a request the server refuses is not repeated") {
  exchange_stand stand;
  stand.script = {{R"({"code":-1100,"msg":"Illegal characters."})", 400}};
  const auto problem = problem_of(stand.loader());
  CHECK(problem.code == error_code::fetch_failed);
  CHECK(contains(problem.message, "Illegal characters. (code -1100)"));
  CHECK(stand.waited.empty());
}

TEST_CASE("binance network: garbage is tried again, then told as bad_candles") {
  exchange_stand stand;
  SUBCASE("no JSON") { stand.script.assign(9, {"<html>"}); }
  SUBCASE("no array") { stand.script.assign(9, {"{}"}); }
  SUBCASE("rows of a wrong type") { stand.script.assign(9, {"[[1704067200000,1,1,1,1,1]]"}); }
  SUBCASE("prices that cannot be") {
    stand.script.assign(9, {R"([[1704067200000,"1","2","3","1","1"]])"});
  }
  const auto problem = problem_of(stand.loader());
  CHECK(problem.code == error_code::bad_candles);
  CHECK(contains(problem.message, "attempt 3 of 3"));
  CHECK(stand.waited == waits{5000, 10'000});
}

TEST_CASE("binance network: garbage once, then candles") {
  exchange_stand stand;
  stand.script = {{"[[1704067200000,"}};
  auto loader = stand.loader();
  CHECK(load_day(loader).series->candles.size() == 1440);
  CHECK(stand.waited == waits{5000});
}

TEST_CASE("binance network: a slow body is given up, the next attempt has a new connection") {
  exchange_stand stand;
  stand.limits = short_limits();
  stand.script = {{"[[17040", 200, {}, true}};
  stand.parameters.get_candles_retry_count = 1;
  const auto problem = problem_of(stand.loader());
  CHECK(problem.code == error_code::fetch_failed);
  CHECK_MESSAGE(contains(problem.message, "timed out"), problem.message);
  stand.limits = {};
  auto patient = stand.loader();
  CHECK(load_day(patient).series->candles.size() == 1440);
  CHECK(stand.server.connections() == 2);
}

TEST_CASE("binance network: a huge body is given up") {
  exchange_stand stand;
  stand.limits.largest_body = 1000;
  const auto problem = problem_of(stand.loader());
  CHECK(problem.code == error_code::fetch_failed);
  CHECK(contains(problem.message, "the answer is too large; expected at most 1000 bytes"));
}

TEST_CASE("binance network: nobody listens") {
  exchange_stand stand;
  const auto url = deserted_url();
  const auto problem = problem_of(stand.loader(url));
  CHECK(problem.code == error_code::fetch_failed);
  CHECK(contains(problem.message, url + "/api/v3/klines"));
  CHECK(stand.waited == waits{5000, 10'000});
}

TEST_CASE("binance network: an exchange of the configuration file fetches from its base_url") {
  http_server server{
      [](const std::string& target) { return served_answer{klines_text(klines_request{target})}; }};
  const auto loaded = parse_configuration(
      R"({"exchanges":[{"name":"real","type":"binance","base_url":")" + server.url() + R"("}]})",
      ".", "test.json", with_built_ins());
  candle_loader loader{loaded.schemas.exchanges.front(), {}, {}};
  const auto minutes = load_day(loader);
  CHECK(minutes.series->candles.size() == 1440);
  CHECK(loader.load("BTCUSDT", interval::h1, new_year, new_year + day_ms).series->candles.size() ==
        24);
  CHECK(server.targets().size() == 2); // hours are made of the same minutes
  CHECK(server.connections() == 1);
}
