#include "tests/support/command.hpp"
#include "tests/support/command_files.hpp"
#include "tests/support/contains.hpp"

#include <csignal>
#include <fstream>

#include <boost/json/serialize.hpp>
#include <doctest/doctest.h>
#include <sys/stat.h>

using namespace backtest;
using namespace backtest::testing;
using backtest::test::bytes_of;
using backtest::test::temporary_folder;

namespace {

/// The small configuration with walkers: `compare` by total_pnl, `gated` by a ratio that two days
/// do not give, `lost` with a strategy that is not there.
std::string walker_configuration(const std::string& extra = "") {
  auto text = small_configuration(extra);
  text.erase(text.rfind('}'));
  return text + R"(, "walkers": [
    { "name": "compare", "exchange": "made_up", "frame": "days", "strategies": ["grid", "cross"],
      "metric": "total_pnl" },
    { "name": "gated", "exchange": "made_up", "frame": "days", "strategies": ["cross"],
      "metric": "annualized_sharpe_ratio" },
    { "name": "lost", "exchange": "made_up", "frame": "days", "strategies": ["grid", "who"] } ] })";
}

/// Its statistics, those of a configuration that keeps three trades a run one by one, and of the
/// usual one: all the same but for the median, which says what it rests on.
void check_sampled(const boost::json::object& few, const boost::json::object& all) {
  const auto closed = all.at("total_signals").as_int64();
  REQUIRE(closed > 3);
  for (const auto& item : all) {
    const std::string key{item.key()};
    CAPTURE(key);
    if (key == "median_pnl")
      continue;
    REQUIRE(few.contains(key));
    if (const auto* number = item.value().if_double())
      CHECK(few.at(key).as_double() == doctest::Approx(*number).epsilon(1e-12));
    else
      CHECK(few.at(key) == item.value());
  }
  CHECK_FALSE(all.contains("sampled"));
  CHECK(few.at("sampled") == boost::json::value{{"median_pnl", {{"trades", 3}, {"of", closed}}}});
}

/// What comes before the configuration, which is not the same.
std::string figures_of_page(const std::string& page) {
  return page.substr(0, page.find("<section id=\"configuration\""));
}

boost::json::object summary_of(const std::string& text) { return parse_json(text).as_object(); }

} // namespace

TEST_CASE("command walk: a ranking per symbol, with its winner") {
  const temporary_folder folder{"command_walk"};
  const auto config = folder.write("config.json", walker_configuration());
  const auto result = run_command({"walk", "--config", config, "--walker", "compare"});
  REQUIRE_MESSAGE(result.status == 0, result.err);
  CHECK(contains(result.out, "compare on AAAUSDT: 2 of 2 strategies tested, 0 failed\n"));
  CHECK(contains(result.out, "compare on BBBUSDT: 2 of 2 strategies tested, 0 failed\n"));
  CHECK(contains(result.out, "Rank  Strategy  total_pnl"));
  CHECK(contains(result.out, "\nWinner: "));
  const auto one =
      run_command({"walk", "--config", config, "--walker", "compare", "--symbol", "BBBUSDT"});
  CHECK_FALSE(contains(one.out, "AAAUSDT"));
}

TEST_CASE("command walk: no winner is explained") {
  const temporary_folder folder{"command_walk_none"};
  const auto config = folder.write("config.json", walker_configuration());
  const auto result = run_command({"walk", "--config", config, "--walker", "gated"});
  CHECK(result.status == 0);
  CHECK(contains(result.out, "No winner: no strategy that ran to its end has a "
                             "annualized_sharpe_ratio (cross: min_"));
}

TEST_CASE("command walk: the summary object agrees with runs of the strategies alone") {
  const temporary_folder folder{"command_walk_json"};
  const auto config = folder.write("config.json", walker_configuration());
  const auto result = run_command(
      {"walk", "--config", config, "--walker", "compare", "--symbol", "AAAUSDT", "--json"});
  REQUIRE_MESSAGE(result.status == 0, result.err);
  const auto summary = summary_of(result.out);
  CHECK(summary.at("command") == "walk");
  CHECK(summary.at("walker") == "compare");
  CHECK(summary.at("metric") == "total_pnl");
  const auto& walk = summary.at("walks").as_array().front().as_object();
  CHECK(walk.at("outcome") == "completed");
  CHECK(walk.at("strategies_tested") == 2);
  const auto& ranking = walk.at("ranking").as_array();
  REQUIRE(ranking.size() == 2);
  CHECK(ranking[0].at("rank") == 1);
  CHECK(ranking[0].at("strategy_name") == walk.at("best_strategy"));
  CHECK(ranking[0].at("metric_value").as_double() >= ranking[1].at("metric_value").as_double());
  for (const auto& item : ranking) {
    const std::string name{item.at("strategy_name").as_string()};
    const auto alone = run_command(
        {"run", "--config", config, "--symbol", "AAAUSDT", "--strategy", name, "--json"});
    CHECK(summary_of(alone.out).at("runs").at(0).at("statistics") == item.at("statistics"));
  }
}

TEST_CASE("command walk: event files hold the walker's events, the same for any threads") {
  const temporary_folder folder{"command_walk_events"};
  const auto config = folder.write("config.json", walker_configuration());
  const auto events = [&](const char* threads) {
    const auto result = run_command({"walk", "--config", config, "--walker", "compare", "--threads",
                                     threads, "--events", folder / "events.jsonl"});
    REQUIRE_MESSAGE(result.status == 0, result.err);
    return bytes_of(folder / "events.jsonl");
  };
  const auto one = events("1");
  for (int repetition = 0; repetition < 3; ++repetition)
    CHECK(one == events("4"));
  std::size_t results = 0;
  std::size_t ends = 0;
  for (const auto& line : events_of(one)) {
    results += line.item.on == topic::walker;
    ends += line.item.on == topic::walker_complete || line.item.on == topic::done_walker;
    CHECK(line.item.on != topic::done_backtest);
  }
  CHECK(results == 4);
  CHECK(ends == 4);
  CHECK(contains(one, R"("command":"walk")"));
}

TEST_CASE("command walk: every file and the summary are the same for any threads") {
  const temporary_folder folder{"command_walk_threads"};
  const auto config = folder.write("config.json", walker_configuration());
  const auto walked = [&](const char* threads) {
    const auto result =
        run_command({"walk", "--config", config, "--walker", "compare", "--threads", threads,
                     "--json", "--ticks", "--events", folder / "events.jsonl", "--trades",
                     folder / "trades.csv", "--html", folder / "walk.html"});
    REQUIRE_MESSAGE(result.status == 0, result.err);
    auto summary = summary_of(result.out);
    summary.erase("elapsed_seconds");
    summary.erase("threads");
    return boost::json::serialize(summary) + bytes_of(folder / "events.jsonl") +
           bytes_of(folder / "trades.csv") + bytes_of(folder / "walk.html");
  };
  const auto one = walked("1");
  CHECK(one.size() > 100'000);
  CHECK((one == walked("4")));
}

TEST_CASE("command walk: markdown of the walker, and of each strategy") {
  const temporary_folder folder{"command_walk_reports"};
  const auto config = folder.write("config.json", walker_configuration());
  const auto result = run_command({"walk", "--config", config, "--walker", "compare", "--symbol",
                                   "AAAUSDT", "--reports", folder / "reports", "--quiet"});
  REQUIRE_MESSAGE(result.status == 0, result.err);
  const std::filesystem::path reports{folder / "reports"};
  for (const auto* file :
       {"walker/AAAUSDT_compare.md", "backtest/AAAUSDT_grid.md", "backtest/AAAUSDT_cross.md",
        "schedule/AAAUSDT_grid_backtest.md", "performance/AAAUSDT_grid_backtest.md",
        "partial/AAAUSDT_cross_backtest.md", "risk/AAAUSDT_cross_backtest.md",
        "heatmap/grid_backtest.md", "heatmap/cross_backtest.md"})
    CHECK_MESSAGE(std::filesystem::exists(reports / file), file);
  CHECK(contains(bytes_of(reports / "walker/AAAUSDT_compare.md"), "## Best Strategy: "));
}

TEST_CASE("command walk: a page with rankings and the winners") {
  const temporary_folder folder{"command_walk_html"};
  const auto config = folder.write("config.json", walker_configuration());
  const auto result = run_command({"walk", "--config", config, "--walker", "compare", "--html",
                                   folder / "walk.html", "--json"});
  REQUIRE_MESSAGE(result.status == 0, result.err);
  const auto page = bytes_of(folder / "walk.html");
  CHECK(contains(page, "Walker report"));
  CHECK(contains(page, "Ranking on <bdi>AAAUSDT</bdi>"));
  CHECK(contains(page, "Ranking on <bdi>BBBUSDT</bdi>"));
  // The winners' trades are those of the summary.
  std::int64_t trades = 0;
  const auto summary = summary_of(result.out);
  for (const auto& walk : summary.at("walks").as_array())
    trades += walk.at("ranking").at(0).at("statistics").at("total_signals").as_int64();
  CHECK(contains(page, fmt::format("data-key=\"total_signals\">{}<", trades)));
  CHECK(contains(page, "Closes of one-minute candles."));
}

TEST_CASE("command walk: saved events give the reports and the page of the walk") {
  const temporary_folder folder{"command_walk_saved"};
  const auto config = folder.write("config.json", walker_configuration());
  const std::string events = folder / "e.jsonl";
  REQUIRE(run_command({"walk", "--config", config, "--walker", "compare", "--events", events,
                       "--reports", folder / "walked", "--html", folder / "walked.html"})
              .status == 0);
  const auto saved = run_command({"report", "--events", events, "--config", config, "--markdown",
                                  folder / "saved", "--html", folder / "saved.html"});
  REQUIRE_MESSAGE(saved.status == 0, saved.err);
  for (const auto* file : {"walker/AAAUSDT_compare.md", "walker/BBBUSDT_compare.md"})
    CHECK(bytes_of(folder / "saved" / file) == bytes_of(folder / "walked" / file));
  CHECK(bytes_of(folder / "saved.html") == bytes_of(folder / "walked.html"));
  const auto printed = run_command({"report", "--events", events});
  CHECK(printed.out.starts_with("# Walker Comparison Report: compare\n"));
  CHECK(contains(printed.out, "\n# Backtest Report: BBBUSDT:grid\n"));
}

TEST_CASE("command: figures of a small max_trade_sample are those of all trades") {
  const temporary_folder folder{"command_trade_sample"};
  const std::string extra = R"("config": {"max_trade_sample": 3, "max_report_rows": 2}, )";
  const auto few = folder.write("few.json", walker_configuration(extra));
  const auto all = folder.write("all.json", walker_configuration());
  const auto call = [&](std::vector<std::string> arguments, const std::string& config) {
    arguments.insert(arguments.begin() + 1, {"--config", config});
    const auto result = run_command(arguments);
    REQUIRE_MESSAGE(result.status == 0, result.err);
    return result.out;
  };
  const auto file = [&](const std::string& name) { return bytes_of(folder / name); };

  const auto few_run = summary_of(call({"run", "--json"}, few));
  const auto all_run = summary_of(call({"run", "--json"}, all));
  for (std::size_t i = 0; i < 4; ++i)
    check_sampled(few_run.at("runs").at(i).at("statistics").as_object(),
                  all_run.at("runs").at(i).at("statistics").as_object());
  check_sampled(few_run.at("portfolio").at("statistics").as_object(),
                all_run.at("portfolio").at("statistics").as_object());
  CHECK(call({"run", "--html", folder / "few.html", "--reports", folder / "few", "--events",
              folder / "few.jsonl"},
             few) == call({"run", "--html", folder / "all.html"}, all)); // the tables
  CHECK(figures_of_page(file("few.html")) == figures_of_page(file("all.html")));
  const auto markdown = file("few/backtest/AAAUSDT_cross.md");
  CHECK(contains(markdown, "% (latest 3 of "));
  CHECK(contains(markdown, "\n*The newest 2 of "));
  CHECK(contains(markdown, "every other figure covers all trades.*"));
  CHECK(contains(file("few/heatmap/cross_backtest.md"), "% (latest 3 of "));
  // Made again from the events: the same.
  call({"report", "--events", folder / "few.jsonl", "--html", folder / "again.html", "--markdown",
        folder / "again"},
       few);
  CHECK(file("again/backtest/AAAUSDT_cross.md") == markdown);
  CHECK(file("again/heatmap/cross_backtest.md") == file("few/heatmap/cross_backtest.md"));
  CHECK(figures_of_page(file("again.html")) == figures_of_page(file("few.html")));

  const std::vector<std::string> walk{"walk", "--walker", "compare", "--html"};
  const auto walked = [&](const std::string& name, const std::string& config) {
    auto arguments = walk;
    arguments.insert(arguments.end(), {folder / (name + ".html"), "--reports", folder / name});
    return call(arguments, config);
  };
  CHECK(walked("few_walk", few) == walked("all_walk", all)); // the rankings
  CHECK(figures_of_page(file("few_walk.html")) == figures_of_page(file("all_walk.html")));
  CHECK(contains(file("few_walk/walker/AAAUSDT_compare.md"), "\n*The newest 4 of "));
  const auto few_walk = summary_of(call({"walk", "--walker", "compare", "--json"}, few));
  const auto all_walk = summary_of(call({"walk", "--walker", "compare", "--json"}, all));
  for (std::size_t symbol = 0; symbol < 2; ++symbol)
    for (std::size_t rank = 0; rank < 2; ++rank)
      check_sampled(
          few_walk.at("walks").at(symbol).at("ranking").at(rank).at("statistics").as_object(),
          all_walk.at("walks").at(symbol).at("ranking").at(rank).at("statistics").as_object());
}

TEST_CASE("command run: --reports writes every kind") {
  const temporary_folder folder{"command_run_reports"};
  const auto config = folder.write("config.json", small_configuration());
  const auto result = run_command({"run", "--config", config, "--reports", folder / "reports"});
  REQUIRE_MESSAGE(result.status == 0, result.err);
  const std::filesystem::path reports{folder / "reports"};
  for (const auto* file :
       {"backtest/BBBUSDT_grid.md", "schedule/AAAUSDT_grid_backtest.md",
        "performance/AAAUSDT_cross_backtest.md", "partial/BBBUSDT_cross_backtest.md",
        "risk/AAAUSDT_cross_backtest.md", "heatmap/grid_backtest.md"})
    CHECK_MESSAGE(std::filesystem::exists(reports / file), file);
  CHECK_FALSE(
      contains(bytes_of(reports / "partial/BBBUSDT_cross_backtest.md"), "No partial events yet."));
  CHECK(contains(bytes_of(reports / "performance/AAAUSDT_cross_backtest.md"), "backtest_total"));

  // A live run of the same strategies beside it overwrites nothing.
  const auto before = bytes_of(reports / "backtest/AAAUSDT_cross.md");
  const auto live =
      run_command({"live", "--config", config, "--data-dir", folder / "data", "--clock", "replay",
                   "--speed", "max", "--frame", "days", "--reports", folder / "reports"});
  REQUIRE_MESSAGE(live.status == 0, live.err);
  CHECK(bytes_of(reports / "backtest/AAAUSDT_cross.md") == before);
  CHECK(contains(bytes_of(reports / "live/AAAUSDT_cross.md"), "# Live Trading Report: "));
  CHECK(std::filesystem::exists(reports / "partial/AAAUSDT_cross_live.md"));
}

TEST_CASE("command walk: a strategy that fails is told, and fails the command") {
  const temporary_folder folder{"command_walk_failing"};
  folder.write("AAA.csv", "open_time,open,high,low,close,volume\nrubbish\n");
  auto text = csv_configuration({"AAA"});
  text.erase(text.rfind('}'));
  const auto config = folder.write(
      "config.json", text + R"(, "walkers": [ { "name": "w", "exchange": "csv", "frame": "hours",
                                "strategies": ["grid"], "metric": "win_rate" } ] })");
  const auto result = run_command({"walk", "--config", config, "--walker", "w", "--json"});
  CHECK(result.status == 1);
  CHECK(contains(result.err, "grid on AAA failed: "));
  CHECK(contains(result.err, "AAA.csv"));
  const auto summary = summary_of(result.out);
  const auto& walk = summary.at("walks").as_array().front().as_object();
  CHECK(walk.at("strategies_failed") == 1);
  CHECK(walk.at("failed").at(0).at("strategy_name") == "grid");
  CHECK(walk.at("best_strategy").is_null());
}

TEST_CASE("command walk: bad names and flags are usage errors that say what is known") {
  const temporary_folder folder{"command_walk_names"};
  const auto config = folder.write("config.json", walker_configuration());
  const auto refused = [&](std::vector<std::string> flags, std::string_view expected) {
    std::vector<std::string> arguments{"walk", "--config", config};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    const auto result = run_command(arguments);
    CAPTURE(result.err);
    CHECK(result.status == 2);
    CHECK(contains(result.err, expected));
    CHECK(result.out.empty());
  };
  refused({"--walker", "who"},
          "--walker: there is no walker \"who\", expected one of compare, gated, lost");
  refused({"--walker", "compare", "--symbol", "XRP"},
          "--symbol: there is no symbol \"XRP\", expected one of AAAUSDT, BBBUSDT");
  refused({"--walker", "lost"}, "strategy who not found");
  refused({}, "--walker is required");
  refused({"--walker", "compare", "--topics", "weather", "--events", "-"}, "unknown topic");
  const auto help = run_command({"walk", "--help"});
  CHECK(help.status == 0);
  CHECK(contains(help.out, "backtest walk --config config.json --walker compare"));
}

TEST_CASE("command walk: interrupted, it reports what there is and begins nothing more") {
  const temporary_folder folder{"command_walk_interrupted"};
  auto text = walker_configuration();
  const std::string end = "2024-01-02T23:59";
  text.replace(text.find(end), end.size(), "2024-12-31T23:59"); // with every tick: minutes of work
  const auto config = folder.write("config.json", text);
  const std::string pipe = folder / "events";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  running_command command{
      {"walk", "--config", config, "--walker", "compare", "--ticks", "--events", pipe, "--json"}};
  std::ifstream events{pipe};
  std::string line;
  REQUIRE(std::getline(events, line)); // it runs
  command.send_signal(SIGINT);
  REQUIRE(command.wait_for_stderr("stopping"));
  while (std::getline(events, line))
    ;
  const auto result = command.wait();
  CHECK(result.status == 0);
  const auto summary = summary_of(result.out);
  const auto& walks = summary.at("walks").as_array();
  REQUIRE(walks.size() <= 1);
  if (!walks.empty()) {
    CHECK(walks.front().at("outcome") == "stopped");
    CHECK(walks.front().at("best_strategy").is_null());
  }
}
