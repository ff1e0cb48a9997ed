#include "runtime/event_file.hpp"

#include "tests/runtime/sample_ticks.hpp"

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

TEST_CASE("event file: what is wrong is named with file and line") {
  const auto good = line_of(1, closed_event());
  CHECK(problem_of("") ==
        "e.jsonl:1: expected the line that begins an event file, found an empty file");
  CHECK(contains(problem_of(good), "e.jsonl:1: "));
  CHECK(contains(problem_of(good), "topic \"run\""));
  CHECK(contains(problem_of("{}"), "e.jsonl:1: "));
  CHECK(contains(problem_of("[]"), "e.jsonl:1: "));
  const auto cut = run_line + '\n' + good + '\n' + good.substr(0, 40);
  CHECK(contains(problem_of(cut), "e.jsonl:3: "));
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
