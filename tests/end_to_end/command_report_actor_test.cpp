#include "tests/support/command.hpp"
#include "tests/support/command_files.hpp"

#include <filesystem>
#include <functional>

#include <doctest/doctest.h>

using namespace backtest;
using namespace backtest::testing;
using backtest::test::bytes_of;
using backtest::test::temporary_folder;

namespace {

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// What the page says about a figure.
std::string figure_in(const std::string& page, const std::string& key) {
  const auto at = page.find("data-key=\"" + key + "\">");
  if (at == std::string::npos)
    return "";
  const auto begin = page.find('>', at) + 1;
  return page.substr(begin, page.find('<', begin) - begin);
}

std::int64_t closed_in(const std::string& json_summary) {
  const auto document = parse_json(json_summary);
  return json_reader{document}.member("portfolio").member("statistics").integer("total_signals");
}

} // namespace

TEST_CASE("command: a page of charts beside the summary, and the same counts from saved events") {
  const temporary_folder folder{"command_html"};
  const auto config = folder.write("config.json", small_configuration());
  const auto ran = run_command({"run", "--config", config, "--json", "--html", folder / "run.html",
                                "--events", folder / "events.jsonl"});
  REQUIRE_MESSAGE(ran.status == 0, ran.err);
  const auto page = bytes_of(folder / "run.html");
  CHECK(figure_in(page, "total_signals") == std::to_string(closed_in(ran.out)));
  CHECK(holds(page, "Closes of one-minute candles."));
  CHECK(holds(page, "<span>Exchange</span><b><bdi>made_up</bdi></b>"));

  const auto report =
      run_command({"report", "--events", folder / "events.jsonl", "--html", folder / "saved.html"});
  REQUIRE_MESSAGE(report.status == 0, report.err);
  CHECK(report.out.empty());
  CHECK(report.err.empty());
  const auto saved = bytes_of(folder / "saved.html");
  for (const auto* key :
       {"total_signals", "total_pnl", "compounded_return", "max_drawdown", "sharpe_ratio"})
    CHECK_MESSAGE(figure_in(saved, key) == figure_in(page, key), key);
  CHECK(holds(saved, "Prices as far as entries and exits tell them."));

  const auto with_candles = run_command({"report", "--events", folder / "events.jsonl", "--config",
                                         config, "--html", folder / "candles.html"});
  CHECK_MESSAGE(with_candles.status == 0, with_candles.err);
  CHECK(holds(bytes_of(folder / "candles.html"), "Closes of one-minute candles."));

  run_command({"run", "--config", config, "--threads", "1", "--html", folder / "again.html"});
  CHECK(bytes_of(folder / "again.html") == page);
}

TEST_CASE("command: with the configuration, saved events give what the run gave, byte for byte") {
  const temporary_folder folder{"command_report_same"};
  // Three days a step: the last instant comes long before the end of the frame.
  auto coarse = small_configuration();
  coarse.replace(coarse.find("\"1m\""), 4, "\"3d\"");
  coarse.replace(coarse.find("2024-01-02T23:59"), 16, "2024-01-12T23:59");
  for (const auto& text : {small_configuration(), coarse}) {
    const auto config = folder.write("config.json", text);
    const std::string events = folder / "e.jsonl";
    REQUIRE(run_command({"run", "--config", config, "--events", events, "--html",
                         folder / "run.html", "--reports", folder / "run"})
                .status == 0);
    const auto saved = run_command({"report", "--events", events, "--config", config, "--html",
                                    folder / "saved.html", "--markdown", folder / "saved"});
    REQUIRE_MESSAGE(saved.status == 0, saved.err);
    CHECK(bytes_of(folder / "saved.html") == bytes_of(folder / "run.html"));
    for (const auto* name : {"backtest/AAAUSDT_cross.md", "backtest/AAAUSDT_grid.md",
                             "backtest/BBBUSDT_cross.md", "backtest/BBBUSDT_grid.md",
                             "heatmap/grid_backtest.md", "partial/AAAUSDT_grid_backtest.md"})
      CHECK(bytes_of(folder / "saved" / name) == bytes_of(folder / "run" / name));
  }
}

TEST_CASE("command: a symbol that fails does not cost the others their page") {
  const temporary_folder folder{"command_html_failed"};
  folder.write("BTCUSDT.csv", "open_time,open,high,low,close,volume\n");
  folder.write("ETHUSDT.csv", flat_csv(420));
  const auto config = folder.write("config.json", csv_configuration({"BTCUSDT", "ETHUSDT"}));
  const std::string events = folder / "e.jsonl";
  const auto ran =
      run_command({"run", "--config", config, "--html", folder / "run.html", "--events", events});
  CHECK(ran.status == 1);
  CHECK_MESSAGE(lines_of(ran.err).size() == 1, ran.err); // the failure, once
  const auto page = bytes_of(folder / "run.html");
  CHECK(holds(page, "Closes of one-minute candles."));
  CHECK(holds(page, "<bdi>BTCUSDT</bdi>"));
  const auto saved =
      run_command({"report", "--events", events, "--config", config, "--html", "-"}).out;
  CHECK(saved == page);
}

TEST_CASE("command: report does without candles that cannot be read, and says which") {
  const temporary_folder folder{"command_report_candles"};
  folder.write("BTCUSDT.csv", flat_csv(420));
  folder.write("ETHUSDT.csv", flat_csv(420));
  const auto config = folder.write("config.json", csv_configuration({"BTCUSDT", "ETHUSDT"}));
  const std::string events = folder / "e.jsonl";
  REQUIRE(run_command({"run", "--config", config, "--events", events}).status == 0);
  std::filesystem::remove(folder / "BTCUSDT.csv");
  const auto result = run_command({"report", "--events", events, "--config", config, "--html",
                                   folder / "page.html", "--markdown", folder / "markdown"});
  CHECK(result.status == 1);
  CHECK_MESSAGE(lines_of(result.err).size() == 1, result.err);
  CHECK(holds(result.err, "BTCUSDT.csv: cannot open the file"));
  CHECK(holds(bytes_of(folder / "page.html"), "Closes of one-minute candles."));
  CHECK(std::filesystem::exists(folder / "markdown" / "backtest"));
}

TEST_CASE("command: report prints or writes the markdown of saved events") {
  const temporary_folder folder{"command_report_markdown"};
  const auto config = folder.write("config.json", small_configuration());
  REQUIRE(run_command({"run", "--config", config, "--events", folder / "e.jsonl"}).status == 0);
  const auto printed = run_command({"report", "--events", folder / "e.jsonl"});
  CHECK(printed.status == 0);
  for (const auto* title :
       {"# Backtest Report: AAAUSDT:cross\n", "# Backtest Report: BBBUSDT:cross\n",
        "# Backtest Report: AAAUSDT:grid\n", "# Backtest Report: BBBUSDT:grid\n"})
    CHECK_MESSAGE(holds(printed.out, title), title);
  const auto written =
      run_command({"report", "--events", folder / "e.jsonl", "--markdown", folder / "reports"});
  CHECK_MESSAGE(written.status == 0, written.err);
  CHECK(written.out.empty());
  for (const auto* file : {"backtest/AAAUSDT_cross.md", "heatmap/grid_backtest.md",
                           "partial/BBBUSDT_grid_backtest.md"})
    CHECK_MESSAGE(std::filesystem::exists(folder / "reports" / file), file);
  CHECK(holds(printed.out, bytes_of(folder / "reports" / "backtest/AAAUSDT_cross.md")));
}

TEST_CASE("command: report reads what live wrote, numbers or none") {
  const temporary_folder folder{"command_report_live"};
  const auto config = folder.write("config.json", small_configuration());
  const auto ran = run_command({"live", "--config", config, "--data-dir", folder / "data",
                                "--clock", "replay", "--speed", "max", "--frame", "days", "--json",
                                "--events", folder / "e.jsonl", "--html", folder / "live.html"});
  REQUIRE_MESSAGE(ran.status == 0, ran.err);
  CHECK(figure_in(bytes_of(folder / "live.html"), "total_signals") ==
        std::to_string(closed_in(ran.out)));
  CHECK(holds(bytes_of(folder / "live.html"), "<p class=\"eyebrow\">Live report</p>"));
  const auto report = run_command({"report", "--events", folder / "e.jsonl", "--html",
                                   folder / "saved.html", "--markdown", folder / "reports"});
  CHECK_MESSAGE(report.status == 0, report.err);
  CHECK(figure_in(bytes_of(folder / "saved.html"), "total_signals") ==
        std::to_string(closed_in(ran.out)));
  CHECK(std::filesystem::exists(folder / "reports" / "live/AAAUSDT_cross.md"));
  CHECK_FALSE(std::filesystem::exists(folder / "reports" / "backtest"));
}

TEST_CASE("command: report says what is wrong with a file, and where") {
  const temporary_folder folder{"command_report_errors"};
  const auto missing = run_command({"report", "--events", folder / "none.jsonl"});
  CHECK(missing.status == 1);
  CHECK(holds(missing.err, "none.jsonl"));
  CHECK(run_command({"report"}).status == 2);
  CHECK(run_command({"report", "--events", folder / "none.jsonl", "--plugin", "p.so"}).status == 2);

  const auto config = folder.write("config.json", small_configuration());
  REQUIRE(run_command({"run", "--config", config, "--events", folder / "e.jsonl"}).status == 0);
  const auto text = bytes_of(folder / "e.jsonl");
  const auto cut = folder.write("cut.jsonl", text.substr(0, text.size() - 20));
  const auto broken = run_command({"report", "--events", cut, "--html", folder / "cut.html"});
  CHECK(broken.status == 1);
  CHECK(broken.out.empty());
  const auto last = "line " + std::to_string(lines_of(text).size()) + ", the last one, is cut off";
  CHECK_MESSAGE(holds(broken.err, "cut.jsonl: " + last + "\n"), broken.err);
  CHECK_MESSAGE(holds(broken.err, "cut.jsonl: there is no done_backtest event of "), broken.err);
  CHECK(
      holds(bytes_of(folder / "cut.html"), last)); // what is there is shown, and that it is a part

  const auto file = folder.write("file", "");
  const auto unwritable =
      run_command({"report", "--events", folder / "e.jsonl", "--html", file / "page.html"});
  CHECK(unwritable.status == 1);
  CHECK(holds(unwritable.err, "page.html"));
  const auto wrong_config = run_command({"report", "--events", folder / "e.jsonl", "--config",
                                         folder.write("bad.json", "{ \"x\": 1 }")});
  CHECK(wrong_config.status == 2);
  CHECK(run_command({"run", "--config", config, "--html", file / "page.html"}).status == 1);
}

TEST_CASE("command: report says which lines of a file are missing, and that a run has no end") {
  const temporary_folder folder{"command_report_missing"};
  const auto config = folder.write("config.json", small_configuration());
  const std::string events = folder / "e.jsonl";
  REQUIRE(run_command({"run", "--config", config, "--events", events}).status == 0);
  const auto lines = lines_of(bytes_of(events));
  REQUIRE(lines.size() > 10);
  const auto report_of = [&](const std::function<bool(std::size_t)>& keeps) {
    std::string text;
    for (std::size_t i = 0; i < lines.size(); ++i)
      if (keeps(i))
        text += lines[i] + '\n';
    return run_command({"report", "--events", folder.write("part.jsonl", text)});
  };
  const auto holed = report_of([](std::size_t line) { return line != 4 && line != 5; });
  CHECK(holed.status == 1);
  CHECK_MESSAGE(holds(holed.err, "part.jsonl: numbers 4 to 5 are missing\n"), holed.err);
  CHECK(holds(holed.out, "> **Not everything that happened is in these events:** numbers 4 to 5"));
  CHECK(holds(holed.out, "# Backtest Report: AAAUSDT:cross\n"));
  const auto killed = report_of([&](std::size_t line) { return line < lines.size() / 2; });
  CHECK(killed.status == 1);
  CHECK_MESSAGE(holds(killed.err, "there is no done_backtest event of cross on AAAUSDT, grid on "
                                  "AAAUSDT, cross on BBBUSDT and 1 more: the run was killed"),
                killed.err);

  // Topics that were chosen leave nothing out that should be there.
  REQUIRE(
      run_command({"run", "--config", config, "--events", events, "--topics", "signal_backtest"})
          .status == 0);
  const auto chosen = run_command({"report", "--events", events});
  CHECK_MESSAGE(chosen.status == 0, chosen.err);
  CHECK(chosen.err.empty());
}

TEST_CASE("command: the demo writes its page and says where") {
  const temporary_folder folder{"command_demo_page"};
  const auto result = run_command({"demo", "--out", folder / "out"});
  REQUIRE(result.status == 0);
  CHECK(holds(result.out, (folder / "out" / "report.html").string()));
  const auto page = bytes_of(folder / "out" / "report.html");
  CHECK(page.size() < 5'000'000);
  CHECK(figure_in(page, "total_signals") == "2,010");
  CHECK(run_command({"report", "--help"}).out.find("Examples:\n  backtest ") != std::string::npos);
}
