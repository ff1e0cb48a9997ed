#include "runtime/event_file.hpp"

#include "tests/runtime/sample_ticks.hpp"
#include "tests/support/temporary_directory.hpp"

#include <fstream>

#include <doctest/doctest.h>

using namespace backtest;
using namespace backtest::testing;

namespace {

const std::string run_line =
    R"({"topic":"run","event":{"version":"0.1.0","command":"run","configuration":{"config":{"percent_fee":0.04}},)"
    R"("symbols":["BTCUSDT"],"strategies":["cross"],"frame":"q1","exchange":"csv","from":1704067200000}})";

std::string line_of(std::optional<std::int64_t> seq, const event& item) {
  std::string line;
  append_event_line(line, seq, item.on, item);
  return line;
}

event closed_event() {
  return {topic::signal_backtest, closed_trade(identity(), trades_of({1}).front())};
}

std::string problem_of(const std::string& text) {
  try {
    read_events(text, "e.jsonl", [](event_line&&) {});
  } catch (const failure& problem) {
    CHECK(problem.code() == error_code::io_failed);
    return problem.what();
  }
  return "";
}

} // namespace

TEST_CASE("event file: the run and its events come back") {
  const auto text = run_line + '\n' + line_of(1, closed_event()) + '\n' +
                    line_of(std::nullopt, closed_event()); // no line end, no number
  std::vector<event_line> lines;
  const auto run =
      read_events(text, "e.jsonl", [&](event_line&& line) { lines.push_back(std::move(line)); });
  CHECK(run.version == "0.1.0");
  CHECK(run.command == "run");
  CHECK(run.symbols == std::vector<std::string>{"BTCUSDT"});
  CHECK(run.strategies == std::vector<std::string>{"cross"});
  CHECK(run.frame == "q1");
  CHECK(run.exchange == "csv");
  CHECK(run.from == t0);
  CHECK_FALSE(run.to);
  CHECK(parameters_of(run).percent_fee == 0.04);
  CHECK(contains(facts_of(run).configuration, "\"percent_fee\":0.04"));
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].seq == 1);
  CHECK_FALSE(lines[1].seq);
  CHECK(lines[0].item == closed_event());
}

TEST_CASE("event file: a file is read as its text is") {
  const temporary_directory folder;
  const auto file = folder.path() / "e.jsonl";
  std::ofstream{file} << run_line << "\r\n" << line_of(1, closed_event());
  std::size_t count = 0;
  CHECK(read_event_file(file, [&](event_line&&) { ++count; }).frame == "q1");
  CHECK(count == 1);
  const auto problem_of_file = [](const std::filesystem::path& wrong) -> std::string {
    try {
      read_event_file(wrong, [](event_line&&) {});
    } catch (const failure& problem) {
      CHECK(problem.code() == error_code::io_failed);
      return problem.what();
    }
    return "";
  };
  CHECK(
      problem_of_file(folder.path() / "none.jsonl") ==
      (folder.path() / "none.jsonl").string() +
          ": cannot open the file: No such file or directory; expected one that run or live wrote");
  CHECK(problem_of_file(folder.path()) ==
        folder.path().string() + ":1: cannot read the file: Is a directory");
  CHECK(problem_of_file("/dev/zero") ==
        "/dev/zero:1: the line is longer than 67108864 bytes; expected an event");
  CHECK(contains(problem_of_file("/dev/null"), "found an empty file"));
}

TEST_CASE("event file: what is wrong is named with file and line") {
  const auto good = line_of(1, closed_event());
  CHECK(problem_of("") ==
        "e.jsonl:1: expected the line that begins an event file, found an empty file");
  CHECK(contains(problem_of(good), "e.jsonl:1: "));
  CHECK(contains(problem_of(good), "topic \"run\""));
  CHECK(contains(problem_of("{}"), "e.jsonl:1: "));
  CHECK(contains(problem_of("[]"), "e.jsonl:1: "));
  const auto cut = run_line + '\n' + good + '\n' + good.substr(0, 40) + '\n' + good;
  CHECK(contains(problem_of(cut), "e.jsonl:3: "));
  CHECK(contains(problem_of(run_line.substr(0, 40)), "e.jsonl:1: "));
  CHECK(contains(problem_of(run_line + "\n\n" + good), "e.jsonl:2: "));
  CHECK(contains(problem_of(run_line + '\n' + run_line), "e.jsonl:2: a second run begins here"));
  CHECK(contains(problem_of(run_line + "\n{\"seq\":1,\"topic\":\"nothing\",\"event\":{}}"),
                 "e.jsonl:2: "));
  CHECK(problem_of(run_line + '\n' + good + '\n') == "");
  CHECK(problem_of(run_line + "\r\n" + good + "\r\n") == "");
}

TEST_CASE("event file: the bounds of a run come from its frame and its flags") {
  recorded_run run;
  run.frame = "q1";
  CHECK_FALSE(bounds_of(run));
  run.configuration = parse_json(R"({"frames":[{"name":"x","start":"2023-01-01","end":"2023-02-01"},
    {"name":"q1","start":"2024-01-01T00:00:00Z","end":"2024-01-03T00:00:00Z"}]})")
                          .as_object();
  CHECK(bounds_of(run) == std::pair{t0, t0 + 2 * day_ms});
  run.from = t0 + day_ms;
  CHECK(bounds_of(run) == std::pair{t0 + day_ms, t0 + 2 * day_ms});
  run.to = t0;
  CHECK_FALSE(bounds_of(run));
  // The last instant is the last step that does not lie behind the end.
  run.from = run.to = std::nullopt;
  run.configuration = parse_json(R"({"frames":[{"name":"q1","interval":"3d",
    "start":"2024-01-01T00:00:00Z","end":"2024-01-12T23:59:00Z"}]})")
                          .as_object();
  CHECK(bounds_of(run) == std::pair{t0, t0 + 9 * day_ms});
}

TEST_CASE("event file: a wrong parameter is a configuration error") {
  recorded_run run;
  run.configuration = parse_json(R"({"config":{"percent_fe":1}})").as_object();
  try {
    parameters_of(run);
    FAIL("expected a failure");
  } catch (const failure& problem) {
    CHECK(problem.code() == error_code::invalid_configuration);
    CHECK(contains(problem.what(), "configuration.config"));
  }
}

namespace {

event end_of(const std::string& symbol, const std::string& strategy, topic on) {
  return {on, done_event{identity(symbol, strategy), "", run_outcome::completed}};
}

/// What is missing from a file with these lines below that of the run.
missing_lines missing_in(const std::string& first_line, const std::string& lines) {
  event_file_check check;
  const auto run = read_events(first_line + '\n' + lines, "e.jsonl",
                               [&](event_line&& line) { check.hear(line); });
  return check.findings(run);
}

std::string replaced(std::string text, const std::string& part, const std::string& by) {
  return text.replace(text.find(part), part.size(), by);
}

} // namespace

TEST_CASE("event file: numbers that are missing, a cut line and a run without end are found") {
  const auto line = [](std::optional<std::int64_t> seq) {
    return line_of(seq, closed_event()) + '\n';
  };
  const auto end = [](std::int64_t seq) {
    return line_of(seq, end_of("BTCUSDT", "cross", topic::done_backtest)) + '\n';
  };
  CHECK(missing_in(run_line, line(1) + line(2) + end(3)).empty());
  CHECK(missing_in(run_line, end(1)).empty());

  CHECK(missing_in(run_line, line(1) + line(2) + line(4) + line(8) + end(9)).lost ==
        std::vector<std::string>{"number 3 is missing", "numbers 5 to 7 are missing",
                                 "4 numbers are missing in all"});
  CHECK(missing_in(run_line, line(3) + end(4)).lost ==
        std::vector<std::string>{"the first number is 3, expected 1"});
  CHECK(missing_in(run_line, line(1) + line(2) + line(2) + end(3)).lost ==
        std::vector<std::string>{"number 2 comes after 2"});

  const auto killed = missing_in(run_line, line(1) + line(2).substr(0, 30));
  CHECK(killed.lost == std::vector<std::string>{"line 3, the last one, is cut off"});
  CHECK(killed.unended ==
        std::vector<std::string>{"there is no done_backtest event of cross on BTCUSDT: the run was "
                                 "killed before its end, or has not come to it yet"});
  CHECK(missing_in(run_line, line(1)).lost.empty());
  CHECK(missing_in(run_line, line(1)).unended.size() == 1);
  CHECK(missing_in(run_line, "").unended.size() == 1);
}

TEST_CASE("event file: a live run begins anywhere, and chosen topics leave numbers out") {
  const auto live = replaced(run_line, "\"command\":\"run\"", "\"command\":\"live\"");
  const auto chosen = replaced(live, "\"from\"", "\"topics\":[\"signal_live\"],\"from\"");
  const auto line = [](std::optional<std::int64_t> seq) {
    return line_of(seq, closed_event()) + '\n';
  };
  const auto end = line_of(14, end_of("BTCUSDT", "cross", topic::done_live));
  CHECK(missing_in(live, line(12) + line(std::nullopt) + line(13) + end).empty());
  CHECK(missing_in(live, line(12) + end).lost == std::vector<std::string>{"number 13 is missing"});
  CHECK(missing_in(live, line(12)).unended.size() == 1);
  CHECK(missing_in(chosen, line(12) + line(14)).empty()); // nor is there an end
  CHECK(missing_in(chosen, line(12) + line(14).substr(0, 20)).lost.size() == 1);
}

TEST_CASE("event file: every run of many has to end, and every symbol of a walk") {
  const auto many = replaced(run_line, "[\"cross\"]", R"(["a","b","c","d","e"])");
  CHECK(missing_in(many, line_of(1, end_of("BTCUSDT", "b", topic::done_backtest))).unended ==
        std::vector<std::string>{
            "there is no done_backtest event of a on BTCUSDT, c on BTCUSDT, d on BTCUSDT and 1 "
            "more: the run was killed before its end, or has not come to it yet"});
  const auto walk = replaced(run_line, "\"command\":\"run\"", "\"command\":\"walk\"");
  CHECK(missing_in(walk, line_of(1, end_of("BTCUSDT", "compare", topic::done_walker))).empty());
  CHECK(contains(missing_in(walk, line_of(1, closed_event())).unended.front(),
                 "no done_walker event of the walk on BTCUSDT"));
}
