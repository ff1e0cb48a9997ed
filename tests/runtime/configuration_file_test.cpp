#include "runtime/configuration_file.hpp"
#include "tests/support/paths.hpp"

#include <doctest/doctest.h>

#include <fmt/format.h>
#include <fstream>

using namespace backtest;

namespace {

namespace fs = std::filesystem;

/// Stands where a source of candles would be and remembers what it was made from.
class source_stub : public candle_store_source {
public:
  std::map<std::string, candle_paths> files;
  std::uint64_t seed = 0;
  std::vector<std::string> names;
  double start_price = 0;
  double volatility = 0;

  std::vector<std::string> symbols() const override { return names; }
  candle_series load(const std::string&, instant, instant, const configuration&) override {
    return {};
  }
};

const exchange_factories& stub_factories() {
  static const exchange_factories factories{[](std::map<std::string, candle_paths> files) {
                                              auto source = std::make_shared<source_stub>();
                                              source->files = std::move(files);
                                              return source;
                                            },
                                            [](std::uint64_t seed, std::vector<std::string> symbols,
                                               double start_price, double volatility) {
                                              auto source = std::make_shared<source_stub>();
                                              source->seed = seed;
                                              source->names = std::move(symbols);
                                              source->start_price = start_price;
                                              source->volatility = volatility;
                                              return source;
                                            },
                                            {}};
  return factories;
}

const source_stub& source_of(const exchange_schema& exchange) {
  return dynamic_cast<const source_stub&>(*exchange.source);
}

loaded_configuration parse(std::string_view text) {
  return parse_configuration(text, "/data/set", "test.json", with_built_ins(), stub_factories());
}

/// Checks code and message, which begins with the file's name.
void check_refused(std::string_view text, std::string_view message,
                   error_code code = error_code::invalid_configuration) {
  try {
    parse(text);
    FAIL_CHECK("expected: " << message);
  } catch (const failure& problem) {
    CHECK(std::string{problem.what()} == "test.json: " + std::string{message});
    CHECK(problem.code() == code);
  }
}

// The example of the specification.
constexpr std::string_view example = R"({
  "config": { "percent_fee": 0.1, "percent_slippage": 0.1 },
  "exchanges": [
    { "name": "csv", "type": "csv", "files": { "BTCUSDT": "btc-1m.csv", "ETHUSDT": "/abs/eth-1m.csv.gz" }, "price_decimals": 2, "quantity_decimals": 6, "entry_fill": "vwap", "exit_fill": "touch", "percent_fee": 0.04 },
    { "name": "binance", "type": "binance", "base_url": "https://api.binance.com" },
    { "name": "demo", "type": "synthetic", "seed": 7, "symbols": ["BTCUSDT"], "start_price": 40000, "volatility": 0.6 }
  ],
  "frames":  [ { "name": "q1", "interval": "1m", "start": "2024-01-01T00:00:00Z", "end": "2024-03-31T23:59:00Z" } ],
  "risks":   [ { "name": "cap2", "rules": [ { "type": "max_positions", "limit": 2, "note": "at most two positions" } ] } ],
  "sizings": [ { "name": "one_percent", "method": "fixed-percentage", "risk_percentage": 1 } ],
  "strategies": [ { "name": "cross", "type": "sma_cross", "interval": "15m", "params": {}, "risk_name": "cap2", "risk_list": [] } ],
  "walkers": [ { "name": "compare", "exchange": "csv", "frame": "q1", "strategies": ["cross", "grid"], "metric": "total_pnl" } ]
})";

} // namespace

TEST_CASE("configuration file: the example of the specification") {
  const auto loaded = parse(example);
  CHECK(loaded.parameters == configuration{});
  CHECK(loaded.raw.size() == 7);
  const auto& set = loaded.schemas;

  REQUIRE(set.exchanges.size() == 3);
  const auto& csv = set.exchanges[0];
  CHECK(csv.exchange_name == "csv");
  CHECK(source_of(csv).files ==
        std::map<std::string, candle_paths>{{"BTCUSDT", {fs::path{"/data/set/btc-1m.csv"}}},
                                            {"ETHUSDT", {fs::path{"/abs/eth-1m.csv.gz"}}}});
  CHECK(csv.price_decimals == 2);
  CHECK(csv.quantity_decimals == 6);
  CHECK(csv.entry_fill == fill_model::vwap);
  CHECK(csv.exit_fill == fill_model::touch);
  CHECK(csv.percent_fee == 0.04);
  CHECK_FALSE(csv.percent_slippage.has_value());
  const auto& demo = source_of(set.exchanges[2]);
  CHECK(demo.seed == 7);
  CHECK(demo.names == std::vector<std::string>{"BTCUSDT"});
  CHECK(demo.start_price == 40000);
  CHECK(demo.volatility == 0.6);

  REQUIRE(set.frames.size() == 1);
  CHECK(set.frames[0].frame_name == "q1");
  CHECK(set.frames[0].size == interval::m1);
  CHECK(set.frames[0].start == 1704067200000);
  CHECK(set.frames[0].end == 1711929540000);

  REQUIRE(set.risks.size() == 1);
  REQUIRE(set.risks[0].validations.size() == 1);
  CHECK(set.risks[0].risk_name == "cap2");
  CHECK(set.risks[0].validations[0].note == "at most two positions");
  const run_identity run;
  const signal_request request;
  const std::vector<active_position> two(2);
  CHECK(set.risks[0].validations[0].validate({run, request, 1, 0, two}).has_value());

  REQUIRE(set.sizings.size() == 1);
  CHECK(set.sizings[0].method == sizing_method::fixed_percentage);
  CHECK(set.sizings[0].risk_percentage == 1);

  REQUIRE(set.strategies.size() == 1);
  CHECK(set.strategies[0].strategy_name == "cross");
  CHECK(set.strategies[0].size == interval::m15);
  CHECK(set.strategies[0].risk_name == "cap2");
  CHECK(set.strategies[0].risk_list.empty());
  CHECK(set.strategies[0].get_signal);

  REQUIRE(set.walkers.size() == 1);
  CHECK(set.walkers[0].exchange_name == "csv");
  CHECK(set.walkers[0].frame_name == "q1");
  CHECK(set.walkers[0].strategies == std::vector<std::string>{"cross", "grid"});
  CHECK(set.walkers[0].metric == "total_pnl");
}

TEST_CASE("configuration file: a run on an exchange that is not available is told so") {
  const auto loaded = parse(example);
  REQUIRE(loaded.schemas.exchanges[1].get_candles);
  CHECK_THROWS_WITH(loaded.schemas.exchanges[1].get_candles({}),
                    "candles from https://api.binance.com (type binance) are not available in this "
                    "version, expected type csv or synthetic");
}

TEST_CASE("configuration file: what is left out has its default") {
  const auto loaded = parse(R"({
    "exchanges": [ { "name": "demo", "type": "synthetic", "symbols": ["A", "B"] } ],
    "frames": [ { "name": "f", "start": "2024-01-01", "end": "2024-01-01" } ],
    "risks": [ { "name": "none" } ],
    "sizings": [ { "name": "k", "method": "kelly-criterion" } ],
    "strategies": [ { "name": "grid", "type": "time_grid" } ],
    "walkers": [ { "name": "w", "exchange": "demo", "frame": "f", "strategies": ["grid"] } ] })");
  CHECK(loaded.schemas.exchanges[0].price_decimals == 2);
  CHECK(loaded.schemas.exchanges[0].quantity_decimals == 8);
  CHECK(loaded.schemas.frames[0].size == interval::m1);
  CHECK(loaded.schemas.risks[0].validations.empty());
  CHECK(loaded.schemas.sizings[0].kelly_multiplier == 0.25);
  CHECK(loaded.schemas.strategies[0].size == interval::h1);
  CHECK(loaded.schemas.walkers[0].metric == "sharpe_ratio");
  CHECK(parse("{}").schemas.exchanges.empty());
}

TEST_CASE("configuration file: malformed text is named by line and column") {
  try {
    parse("{\n\"config\": }");
    FAIL_CHECK("expected a failure");
  } catch (const failure& problem) {
    CHECK(std::string{problem.what()}.starts_with("test.json: line 2, column 11: "));
  }
  check_refused("[]", "expected an object, got an array of 0 elements");
}

TEST_CASE("configuration file: keys that nobody knows are refused, on every level") {
  check_refused(R"({"strategy":[]})",
                "strategy: unknown key, expected one of: config, exchanges, frames, risks, "
                "sizings, strategies, walkers");
  check_refused(R"({"config":{"percent_fees":1}})",
                "config.percent_fees: unknown parameter, `backtest list parameters` shows all");
  check_refused(R"({"frames":[{"name":"f","begin":"2024-01-01"}]})",
                "frames[0].begin: unknown key, expected one of: name, note, interval, start, end");
  check_refused(R"({"exchanges":[{"name":"x","type":"csv","files":{"A":"a"},"seed":1}]})",
                "exchanges[0].seed: unknown key, expected one of: name, type, note, "
                "price_decimals, quantity_decimals, entry_fill, exit_fill, percent_fee, "
                "percent_slippage, files");
  check_refused(R"({"strategies":[{"name":"a","type":"time_grid","params":{"fast":1}}]})",
                "strategies[0].params.fast: unknown key, expected one of: take_profit, stop_loss, "
                "minutes");
  check_refused(R"({"risks":[{"name":"a","rules":[{"type":"max_positions","limit":1,"x":0}]}]})",
                "risks[0].rules[0].x: unknown key, expected one of: limit");
}

TEST_CASE("configuration file: parameters are checked, types and ranges") {
  check_refused(R"({"config":{"max_report_rows":"many"}})",
                "config.max_report_rows: expected an integer, got \"many\"");
  check_refused(R"({"config":{"percent_fee":0.5}})",
                "config: invalid configuration:\n1. min_takeprofit_distance_percent (0.5) is too "
                "low to cover trading costs: expected at least 1.20 (slippage 2 * 0.1 + fee 2 * "
                "0.5)");
  CHECK(parse(R"({"config":{"percent_fee":0.04}})").parameters.percent_fee == 0.04);
}

TEST_CASE("configuration file: exchanges") {
  check_refused(R"({"exchanges":[{"name":"x","type":"ftp"}]})",
                "exchanges[0].type: expected \"csv\", \"synthetic\" or \"binance\", got \"ftp\"");
  check_refused(R"({"exchanges":[{"type":"binance"}]})", "exchanges[0].name: missing");
  check_refused(R"({"exchanges":[{"name":"","type":"binance"}]})",
                "exchanges[0].name: expected a string that is not empty");
  check_refused(R"({"exchanges":[{"name":"x","type":"csv"}]})", "exchanges[0].files: missing");
  check_refused(R"({"exchanges":[{"name":"x","type":"csv","files":{}}]})",
                "exchanges[0].files: expected at least one symbol with its file");
  check_refused(R"({"exchanges":[{"name":"x","type":"csv","files":{"A":1}}]})",
                "exchanges[0].files.A: expected a string, got 1");
  check_refused(R"({"exchanges":[{"name":"x","type":"binance","entry_fill":"best"}]})",
                "exchanges[0].entry_fill: expected \"vwap\" or \"touch\", got \"best\"");
  check_refused(R"({"exchanges":[{"name":"x","type":"binance","price_decimals":-1}]})",
                "exchanges[0].price_decimals: expected an integer from 0 to 15, got -1");
  check_refused(R"({"exchanges":[{"name":"x","type":"binance","base_url":"https://x/?y=1"}]})",
                "exchanges[0].base_url: expected an address without spaces, ? and #, got "
                "\"https://x/?y=1\"");
  check_refused(R"({"exchanges":[{"name":"x","type":"binance","base_url":"ftp://x"}]})",
                "exchanges[0].base_url: expected an http or https address, got \"ftp://x\"");
  check_refused(R"({"exchanges":[{"name":"x","type":"binance","connections":0}]})",
                "exchanges[0].connections: expected an integer from 1 to 64, got 0");
  check_refused(R"({"exchanges":[{"name":"x","type":"binance","percent_fee":-1}]})",
                "exchanges[0].percent_fee: expected a number >= 0, got -1");
  check_refused(R"({"exchanges":[{"name":"x","type":"binance","percent_fee":0.2}]})",
                "exchanges[0]: min_takeprofit_distance_percent (0.5) is too low to cover trading "
                "costs: expected at least 0.60 (slippage 2 * 0.1 + fee 2 * 0.2)");
  check_refused(R"({"exchanges":[{"name":"x","type":"binance"},{"name":"x","type":"binance"}]})",
                "exchanges[1].name: exchange x already exist");
  check_refused(R"({"exchanges":[{"name":"x","type":"synthetic","symbols":["A"],"seed":-1}]})",
                "exchanges[0].seed: expected an integer >= 0, got -1");
  check_refused(R"({"exchanges":[{"name":"x","type":"synthetic","symbols":["A","A"]}]})",
                "exchanges[0].symbols[1]: \"A\" is listed twice");
  check_refused(
      R"({"exchanges":[{"name":"x","type":"synthetic","symbols":["A"],"start_price":0}]})",
      "exchanges[0].start_price: expected a number > 0, got 0");
  CHECK(
      source_of(
          parse(
              R"({"exchanges":[{"name":"x","type":"synthetic","symbols":["A"],"seed":18446744073709551615}]})")
              .schemas.exchanges[0])
          .seed == UINT64_MAX);
}

TEST_CASE("configuration file: frames") {
  const auto refused = [](std::string_view rest, std::string_view message) {
    check_refused(R"({"frames":[{"name":"f",)" + std::string{rest} + "}]}", message);
  };
  refused(R"("start":"2024-02-30","end":"2024-03-01")",
          "frames[0].start: expected a UTC date such as \"2024-01-31T12:00:00Z\", got "
          "\"2024-02-30\"");
  refused(R"("start":"2024-01-01")", "frames[0].end: missing");
  refused(R"("start":1704067200000,"end":"2024-01-01")",
          "frames[0].start: expected a string, got 1704067200000");
  refused(R"("start":"2024-01-01T00:00:30Z","end":"2024-01-02")",
          "frames[0].start: expected a whole minute, got 2024-01-01T00:00:30Z");
  refused(R"("start":"2024-01-02","end":"2024-01-01")",
          "frames[0].start: expected not later than \"end\" (2024-01-01T00:00:00Z), got "
          "2024-01-02T00:00:00Z");
  refused(R"("interval":"2m","start":"2024-01-01","end":"2024-01-01")",
          "frames[0].interval: expected 1m, 3m, 5m, 15m, 30m, 1h, 2h, 4h, 6h, 8h, 12h, 1d or 3d, "
          "got \"2m\"");
}

TEST_CASE("configuration file: strategies") {
  check_refused(R"({"strategies":[{"name":"a","type":"magic"}]})",
                "strategies[0].type: strategy type \"magic\" not found, expected one of: "
                "sma_cross, pullback_limit, time_grid, marketable_limit, never");
  check_refused(R"({"strategies":[{"name":"a","type":"never","interval":"4h"}]})",
                "strategies[0].interval: expected 1m, 3m, 5m, 15m, 30m or 1h, got \"4h\"");
  check_refused(R"({"strategies":[{"name":"a","type":"sma_cross","params":{"fast":30}}]})",
                "strategies[0].params.fast: expected less than slow (20), got 30");
  check_refused(R"({"strategies":[{"name":"a","type":"sma_cross","params":{"window":10}}]})",
                "strategies[0].params.window: expected at least slow + 1, with slow 20, got 10");
  check_refused(R"({"strategies":[{"name":"a","type":"never","params":[]}]})",
                "strategies[0].params: expected an object, got an array of 0 elements");
  check_refused(R"({"strategies":[{"name":"a","type":"never"},{"name":"a","type":"never"}]})",
                "strategies[1].name: strategy a already exist");
  check_refused(R"({"strategies":{"name":"a"}})",
                "strategies: expected an array, got an object of 1 members");
}

TEST_CASE("configuration file: the risk profiles a strategy names must exist, each once") {
  check_refused(R"({"strategies":[{"name":"a","type":"never","risk_name":"cap"}]})",
                "strategies[0].risk_name: risk \"cap\" not found, the file has none",
                error_code::not_found);
  const auto refused = [](std::string_view rest, std::string_view message, error_code code) {
    check_refused(
        R"({"risks":[{"name":"r1"},{"name":"r2"}],"strategies":[{"name":"a","type":"never",)" +
            std::string{rest} + "}]}",
        message, code);
  };
  refused(R"("risk_list":["r1","r3"])",
          "strategies[0].risk_list[1]: risk \"r3\" not found, expected one of: r1, r2",
          error_code::not_found);
  refused(R"("risk_list":["r1","r1"])", "strategies[0].risk_list[1]: \"r1\" is listed twice",
          error_code::invalid_configuration);
  refused(R"("risk_name":"r2","risk_list":["r1","r2"])",
          "strategies[0].risk_list[1]: \"r2\" is named by risk_name already",
          error_code::invalid_configuration);
}

TEST_CASE("configuration file: risk rules") {
  check_refused(R"({"risks":[{"name":"a","rules":[{"type":"luck"}]}]})",
                "risks[0].rules[0].type: rule type \"luck\" not found, expected one of: "
                "max_positions, max_positions_per_symbol, max_same_side, min_reward_risk, symbols, "
                "hours");
  check_refused(R"({"risks":[{"name":"a","rules":[{"type":"max_positions","limit":"2"}]}]})",
                "risks[0].rules[0].limit: expected an integer, got \"2\"");
  check_refused(R"({"risks":[{"name":"a","rules":[{"type":"symbols"}]}]})",
                "risks[0].rules[0]: expected either \"allow\" or \"deny\"");
  check_refused(R"({"risks":[{"name":"a","rules":[{"type":"max_positions","limit":2,"note":7}]}]})",
                "risks[0].rules[0].note: expected a string, got 7");
}

TEST_CASE("configuration file: what a foreign type throws is told with the path") {
  auto types = with_built_ins();
  types.add_strategy_type({"foreign",
                           "",
                           interval::m1,
                           {},
                           [](const boost::json::object&, interval) -> signal_function {
                             throw std::runtime_error("no luck today");
                           }});
  CHECK_THROWS_WITH(parse_configuration(R"({"strategies":[{"name":"a","type":"foreign"}]})", "",
                                        "f.json", types, stub_factories()),
                    "f.json: strategies[0].params: no luck today");
}

TEST_CASE("configuration file: sizings") {
  const auto refused = [](std::string_view rest, std::string_view message) {
    check_refused(R"({"sizings":[{"name":"s",)" + std::string{rest} + "}]}", message);
  };
  refused(R"("method":"all-in")", "sizings[0].method: expected \"fixed-percentage\", "
                                  "\"kelly-criterion\" or \"atr-based\", got \"all-in\"");
  refused(R"("method":"atr-based")", "sizings[0].risk_percentage: missing");
  refused(R"("method":"atr-based","risk_percentage":101)",
          "sizings[0].risk_percentage: expected a percentage above 0 and up to 100, got 101");
  refused(R"("method":"atr-based","risk_percentage":1,"atr_multiplier":0)",
          "sizings[0].atr_multiplier: expected a number > 0, got 0");
  refused(R"("method":"kelly-criterion","kelly_multiplier":1.5)",
          "sizings[0].kelly_multiplier: expected a number from 0 to 1, got 1.5");
  refused(R"("method":"kelly-criterion","min_position_size":2,"max_position_size":1)",
          "sizings[0].min_position_size: expected at most max_position_size (1), got 2");
  refused(R"("method":"atr-based","risk_percentage":"1")",
          "sizings[0].risk_percentage: expected a number, got \"1\"");
  refused(R"("method":"atr-based","risk_percentage":1,"max_position_percentage":0)",
          "sizings[0].max_position_percentage: expected a percentage above 0 and up to 100, got 0");
  refused(R"("method":"atr-based","risk_percentage":1,"max_position_size":-1)",
          "sizings[0].max_position_size: expected a number >= 0, got -1");
  // A parameter of another method would have no effect.
  refused(R"("method":"fixed-percentage","risk_percentage":1,"atr_multiplier":2)",
          "sizings[0].atr_multiplier: unknown key, expected one of: name, note, method, "
          "risk_percentage, max_position_percentage, min_position_size, max_position_size");
  refused(R"("method":"kelly-criterion","risk_percentage":1)",
          "sizings[0].risk_percentage: unknown key, expected one of: name, note, method, "
          "kelly_multiplier, max_position_percentage, min_position_size, max_position_size");
}

TEST_CASE("configuration file: walkers") {
  const auto refused = [](std::string_view rest, std::string_view message) {
    check_refused(R"({"walkers":[{"name":"w","exchange":"x","frame":"f",)" + std::string{rest} +
                      "}]}",
                  message);
  };
  refused(R"("strategies":[])", "walkers[0].strategies: expected at least one element");
  refused(R"("metric":"win_rate")", "walkers[0].strategies: missing");
  refused(R"("strategies":["a","a"])", "walkers[0].strategies[1]: \"a\" is listed twice");
  refused(R"("strategies":["a"],"metric":"luck")",
          "walkers[0].metric: expected one of: sharpe_ratio, annualized_sharpe_ratio, win_rate, "
          "total_pnl, certainty_ratio, avg_pnl, expected_yearly_returns, sortino_ratio, "
          "calmar_ratio, recovery_factor, profit_factor, expectancy, got \"luck\"");
}

TEST_CASE("configuration file: relative paths are relative to the file") {
  const fs::path directory = backtest::testing::binary_directory() / "configuration_file_test";
  fs::create_directories(directory);
  const auto file = directory / "config.json";
  std::ofstream{file} << R"({"exchanges":[{"name":"x","type":"csv","files":{"A":"../a.csv"}}]})";
  const auto loaded = load_configuration(file, with_built_ins(), stub_factories());
  CHECK(source_of(loaded.schemas.exchanges[0]).files.at("A") ==
        candle_paths{(backtest::testing::binary_directory() / "a.csv").lexically_normal()});
}

TEST_CASE("configuration file: several files of a symbol, and patterns") {
  const auto files = [](std::string_view value) {
    return fmt::format(R"({{"exchanges":[{{"name":"x","type":"csv","files":{{"A":{}}}}}]}})",
                       value);
  };
  const auto loaded = parse(files(R"(["2024-01.zip", "/abs/2024-*.zip"])"));
  CHECK(source_of(loaded.schemas.exchanges[0]).files.at("A") ==
        candle_paths{"/data/set/2024-01.zip", "/abs/2024-*.zip"});
  check_refused(files("[]"), "exchanges[0].files.A: expected at least one file");
  check_refused(files(R"(["a", 1])"), "exchanges[0].files.A[1]: expected a string, got 1");
  check_refused(files(R"(["a", ""])"),
                "exchanges[0].files.A[1]: expected a string that is not empty");
  check_refused(files(R"(["a", "b", "./a"])"),
                "exchanges[0].files.A[2]: expected each file once, got \"./a\" again");
  check_refused(files(R"("20*/a.csv")"),
                "exchanges[0].files.A: expected * in the file's name only, got \"20*/a.csv\"");
}

TEST_CASE("configuration file: a UTF-8 byte order mark in front is no part of it") {
  const std::string mark = "\xEF\xBB\xBF";
  CHECK(parse(mark + std::string{example}).raw == parse(example).raw);
  const fs::path directory = backtest::testing::binary_directory() / "configuration_file_test";
  fs::create_directories(directory);
  std::ofstream{directory / "mark.json"} << mark << "{}";
  CHECK(
      load_configuration(directory / "mark.json", with_built_ins(), stub_factories()).raw.empty());
  check_refused(mark, "line 1, column 1: incomplete JSON");
}

TEST_CASE("configuration file: a file that cannot be read") {
  const auto refused = [](const fs::path& file, const std::string& cause) {
    CHECK_THROWS_WITH(load_configuration(file, with_built_ins(), stub_factories()),
                      (file.string() + cause + "; expected a configuration file").c_str());
  };
  refused("/nowhere/config.json", ": cannot open the file: No such file or directory");
  refused(backtest::testing::binary_directory(), ": cannot read the file: Is a directory");
  refused("/dev/zero", ": larger than 16777216 bytes");
}

TEST_CASE("configuration file: the golden cases load") {
  const fs::path golden = backtest::testing::shared_directory() / "golden";
  if (!fs::exists(golden)) {
    MESSAGE("no golden cases at " << golden.string());
    return;
  }
  int cases = 0;
  for (const auto& entry : fs::directory_iterator{golden}) {
    if (!fs::exists(entry.path() / "config.json"))
      continue;
    INFO(entry.path().string());
    const auto loaded =
        load_configuration(entry.path() / "config.json", with_built_ins(), stub_factories());
    CHECK(loaded.schemas.exchanges.size() == 1);
    CHECK(loaded.schemas.frames.size() == 1);
    CHECK_FALSE(loaded.schemas.strategies.empty());
    for (const auto& [symbol, paths] : source_of(loaded.schemas.exchanges[0]).files)
      for (const auto& file : paths)
        CHECK(fs::exists(file));
    ++cases;
  }
  CHECK(cases == 9);
}
