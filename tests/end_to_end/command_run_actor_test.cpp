#include "tests/support/command.hpp"
#include "tests/support/command_files.hpp"
#include "tests/support/golden.hpp"
#include "tests/support/sanitizers.hpp"

#include <algorithm>
#include <set>

#include <doctest/doctest.h>

using namespace backtest;
using namespace backtest::testing;
using backtest::test::bytes_of;
using backtest::test::temporary_folder;

namespace {

std::vector<fact> facts_in(const std::string& event_file) {
  std::vector<event> events;
  for (auto& line : events_of(event_file))
    events.push_back(std::move(line.item));
  return facts_of(events);
}

std::string run_to_events(const temporary_folder& folder, const std::filesystem::path& config,
                          const std::string& threads, std::vector<std::string> more = {}) {
  std::vector<std::string> arguments{
      "run", "--config", config, "--threads", threads, "--events", folder / "events.jsonl"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  const auto result = run_command(arguments);
  REQUIRE_MESSAGE(result.status == 0, result.err);
  return bytes_of(folder / "events.jsonl");
}

const boost::json::object& object_of(const boost::json::value& value) { return value.as_object(); }

} // namespace

TEST_CASE("command: every golden case, the same bytes on one thread, in lockstep, and on four") {
  const temporary_folder folder{"command_golden"};
  for (const auto& golden_case : golden_cases()) {
    CAPTURE(golden_case.filename().string());
    auto expected = expected_facts(golden_case);
    std::erase_if(expected, [](const fact& item) { return item.action == "unfinished"; });
    const auto four = run_to_events(folder, golden_case / "config.json", "4");
    const auto difference = first_difference(expected, facts_in(four));
    CHECK_MESSAGE(!difference, difference.value_or(""));
    if (!is_sanitized) { // the other golden tests run on one thread with them
      CHECK(run_to_events(folder, golden_case / "config.json", "1") == four);
      CHECK(run_to_events(folder, golden_case / "config.json", "1", {"--lockstep"}) == four);
    }
  }
}

TEST_CASE("command: a portfolio with a cap gives the same bytes ten times") {
  const temporary_folder folder{"command_ten_times"};
  for (const auto& golden_case : golden_cases()) {
    if (golden_case.filename() != "portfolio-cap")
      continue;
    const auto first = run_to_events(folder, golden_case / "config.json", "4");
    for (int i = 0; i < random_cases(9); ++i)
      CHECK(run_to_events(folder, golden_case / "config.json", "4") == first);
  }
}

TEST_CASE(
    "command: event lines begin with the run, are numbered, and end with what has no instant") {
  const temporary_folder folder{"command_lines"};
  const auto config = folder.write("config.json", small_configuration());
  const auto text = run_to_events(folder, config, "2");
  const auto first = parse_json(lines_of(text).front());
  CHECK(object_of(first).at("topic") == "run");
  const auto& run = object_of(object_of(first).at("event"));
  CHECK(run.at("version") == "0.1.0");
  CHECK(run.at("command") == "run");
  CHECK(run.at("frame") == "days");
  CHECK(run.at("exchange") == "made_up");
  CHECK(run.at("symbols") == boost::json::value{"AAAUSDT", "BBBUSDT"});
  CHECK(run.at("strategies") == boost::json::value{"cross", "grid"});
  CHECK(run.at("configuration") == parse_json(small_configuration()));

  const auto events = events_of(text);
  std::vector<std::string> last;
  using key = std::tuple<instant, std::string, std::string>;
  std::vector<key> order;
  for (std::size_t i = 0; i < events.size(); ++i) {
    CHECK(events[i].seq == static_cast<std::int64_t>(i + 1));
    const auto& names = *identity_of(events[i].item);
    if (const auto when = instant_of(events[i].item)) {
      CHECK(last.empty());
      order.emplace_back(*when, names.strategy_name, names.symbol);
    } else {
      last.push_back(names.strategy_name + " " + names.symbol);
    }
  }
  CHECK(std::is_sorted(order.begin(), order.end()));
  CHECK(last ==
        std::vector<std::string>{"cross AAAUSDT", "cross BBBUSDT", "grid AAAUSDT", "grid BBBUSDT"});
}

TEST_CASE("command: --ticks adds idle and active, --topics chooses exactly") {
  const temporary_folder folder{"command_topics"};
  const auto config = folder.write("config.json", small_configuration());
  const auto seen = [&](const std::vector<std::string>& flags) {
    std::set<std::string> found;
    for (const auto& line : events_of(run_to_events(folder, config, "2", flags))) {
      const auto* tick = std::get_if<tick_result>(&line.item.payload);
      std::string name{to_string(line.item.on)};
      if (tick)
        name.append(" ").append(to_string(tick->action));
      found.insert(std::move(name));
    }
    return found;
  };
  CHECK(seen({}).count("signal_backtest opened") == 1);
  CHECK(seen({}).count("signal_backtest idle") == 0);
  CHECK(seen({"--ticks"}).count("signal_backtest idle") == 1);
  CHECK(seen({"--ticks"}).count("signal_backtest active") == 1);
  CHECK(seen({"--topics", "risk,done_backtest"}) == std::set<std::string>{"risk", "done_backtest"});
  CHECK(seen({"--topics", "progress_backtest"}) == std::set<std::string>{"progress_backtest"});
}

TEST_CASE("command: events on stdout leave it to them, the table goes to stderr") {
  const temporary_folder folder{"command_stdout"};
  const auto config = folder.write("config.json", small_configuration());
  const auto result = run_command({"run", "--config", config, "--events", "-"});
  CHECK(result.status == 0);
  CHECK(result.out == run_to_events(folder, config, "2"));
  CHECK(result.err.find("portfolio") != std::string::npos);
}

TEST_CASE("command: the summary has every key, and gates where figures are absent") {
  const temporary_folder folder{"command_summary"};
  const auto config = folder.write("config.json", small_configuration());
  const auto result = run_command({"run", "--config", config, "--json", "--threads", "2",
                                   "--symbol", "BBBUSDT", "--symbol", "AAAUSDT"});
  REQUIRE_MESSAGE(result.status == 0, result.err);
  const auto document = parse_json(result.out);
  const auto& summary = object_of(document);
  std::vector<std::string> keys;
  for (const auto& item : summary)
    keys.emplace_back(item.key());
  CHECK(keys == std::vector<std::string>{"command", "symbols", "frame", "exchange", "threads",
                                         "elapsed_seconds", "runs", "portfolio"});
  CHECK(summary.at("symbols") == boost::json::value{"AAAUSDT", "BBBUSDT"});
  CHECK(summary.at("threads") == 2);
  const auto& runs = summary.at("runs").as_array();
  REQUIRE(runs.size() == 4);
  const auto& run = object_of(runs[0]);
  keys.clear();
  for (const auto& item : run)
    keys.emplace_back(item.key());
  CHECK(keys == std::vector<std::string>{"strategy_name", "symbol", "outcome", "instants", "gaps",
                                         "signals", "risk_rejections", "errors", "statistics"});
  CHECK(run.at("strategy_name") == "cross");
  CHECK(run.at("symbol") == "AAAUSDT");
  CHECK(run.at("outcome") == "completed");
  CHECK(run.at("instants") == 2880);
  const auto& statistics = object_of(run.at("statistics"));
  for (const char* key :
       {"total_signals",       "excluded_count", "win_count",        "loss_count",
        "break_even_count",    "win_rate",       "total_pnl",        "avg_pnl",
        "median_pnl",          "std_dev",        "sharpe_ratio",     "span_days",
        "trades_per_year",     "avg_win",        "avg_loss",         "annualized_sharpe_ratio",
        "profit_factor",       "expectancy",     "certainty_ratio",  "max_drawdown",
        "compounded_return",   "sortino_ratio",  "calmar_ratio",     "expected_yearly_returns",
        "recovery_factor",     "max_win_streak", "max_loss_streak",  "avg_win_streak_pnl",
        "avg_loss_streak_pnl", "avg_duration",   "avg_win_duration", "avg_loss_duration",
        "avg_peak_pnl",        "avg_fall_pnl",   "best_peak_pnl",    "worst_fall_pnl",
        "buy_and_hold_return", "exposure"})
    CHECK_MESSAGE(statistics.contains(key), key);
  CHECK(statistics.size() == 39); // the figures above and "unavailable"
  CHECK(statistics.at("trades_per_year").is_null());
  CHECK(object_of(statistics.at("unavailable")).at("trades_per_year") == "min_trades_annual");
  CHECK(object_of(object_of(summary.at("portfolio")).at("statistics")).contains("total_pnl"));
}

TEST_CASE("command: --trades writes every closed signal once, in event order") {
  const temporary_folder folder{"command_trades"};
  const auto config =
      folder.write("config.json", small_configuration(R"("config": {"max_report_rows": 3},)"));
  const auto events =
      events_of(run_to_events(folder, config, "2", {"--trades", folder / "trades.csv"}));
  std::vector<std::string> expected;
  for (const auto& line : events)
    if (const auto* tick = std::get_if<tick_result>(&line.item.payload))
      if (tick->action == tick_action::closed)
        expected.push_back(
            fmt::format("{},{},{},{},{},{}", tick->run->strategy_name, tick->run->symbol,
                        tick->signal->id, to_string(tick->signal->position),
                        to_iso(*tick->signal->pending_at), to_iso(*tick->close_timestamp)));
  const auto lines = lines_of(bytes_of(folder / "trades.csv"));
  CHECK(lines.front() ==
        "strategy,symbol,id,position,opened_at,closed_at,price_open,price_close,price_take_profit,"
        "price_stop_loss,close_reason,pnl_percentage,peak_pnl,fall_pnl");
  REQUIRE(expected.size() > 3);
  REQUIRE(lines.size() == expected.size() + 1);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CHECK(lines[i + 1].starts_with(expected[i] + ","));
    CHECK(std::count(lines[i + 1].begin(), lines[i + 1].end(), ',') == 13);
  }
}

TEST_CASE("command: lockstep takes one thread") {
  const temporary_folder folder{"command_lockstep"};
  const auto config = folder.write("config.json", small_configuration());
  const auto result = run_command({"run", "--config", config, "--lockstep", "--threads", "2"});
  CHECK(result.status == 2);
  CHECK(result.err == "backtest: --threads 2: expected 1 with --lockstep\n");
  CHECK(run_command({"run", "--config", config, "--lockstep", "--quiet"}).status == 0);
}

TEST_CASE("command: the reports of two runs are the same bytes") {
  const temporary_folder folder{"command_reports"};
  const auto config = folder.write("config.json", small_configuration());
  for (const char* directory : {"one", "two"})
    CHECK(run_command({"run", "--config", config, "--reports", folder / directory, "--threads",
                       directory == std::string{"one"} ? "1" : "4"})
              .status == 0);
  for (const char* name : {"backtest/AAAUSDT_cross.md", "backtest/AAAUSDT_grid.md",
                           "backtest/BBBUSDT_cross.md", "backtest/BBBUSDT_grid.md"}) {
    const auto text = bytes_of(folder / "one" / name);
    CHECK(text.starts_with("# "));
    CHECK(text == bytes_of(folder / "two" / name));
  }
}

TEST_CASE("command: --from and --to replace the frame's bounds") {
  const temporary_folder folder{"command_bounds"};
  const auto config = folder.write("config.json", small_configuration());
  const auto result =
      run_command({"run", "--config", config, "--json", "--strategy", "grid", "--symbol", "AAAUSDT",
                   "--from", "2024-01-05", "--to", "2024-01-05T00:59:00Z"});
  REQUIRE_MESSAGE(result.status == 0, result.err);
  const auto document = parse_json(result.out);
  const auto& runs = object_of(document).at("runs").as_array();
  REQUIRE(runs.size() == 1);
  CHECK(object_of(runs[0]).at("instants") == 60);
}

TEST_CASE("command: demo needs nothing and writes its reports") {
  const temporary_folder folder{"command_demo"};
  const auto result = run_command({"demo", "--out", folder / "reports"});
  CHECK(result.status == 0);
  CHECK(result.out.find("portfolio") != std::string::npos);
  CHECK(result.err.empty());
  const std::filesystem::directory_iterator files{folder / "reports/backtest"};
  CHECK(std::count_if(begin(files), end(files),
                      [](const auto& file) { return file.path().extension() == ".md"; }) == 9);
}

TEST_CASE("command: help and version") {
  CHECK(run_command({"--version"}).out == "backtest 0.1.0\n");
  CHECK(run_command({"run", "--version"}).out == "backtest 0.1.0\n");
  const std::vector<std::vector<std::string>> commands{{},
                                                       {"run"},
                                                       {"walk"},
                                                       {"demo"},
                                                       {"check"},
                                                       {"list"},
                                                       {"report"},
                                                       {"candles"},
                                                       {"candles", "import"},
                                                       {"candles", "export"},
                                                       {"candles", "check"},
                                                       {"candles", "synth"},
                                                       {"plugin"},
                                                       {"plugin", "build"}};
  for (auto words : commands) {
    words.emplace_back("--help");
    const auto result = run_command(words);
    CHECK(result.status == 0);
    CHECK_MESSAGE(result.out.find("Examples:\n  backtest ") != std::string::npos, result.out);
    CHECK(result.err.empty());
  }
}

TEST_CASE("command: no colour outside a terminal") {
  const temporary_folder folder{"command_colour"};
  const auto config = folder.write("config.json", small_configuration());
  const auto result = run_command({"run", "--config", config});
  CHECK(result.out.find('\x1b') == std::string::npos);
  CHECK(result.err.find('\x1b') == std::string::npos);
}
