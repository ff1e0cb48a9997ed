#include "tests/support/command.hpp"
#include "tests/support/command_files.hpp"

#include <csignal>
#include <fstream>

#include <doctest/doctest.h>
#include <sys/stat.h>

using namespace backtest;
using namespace backtest::testing;
using backtest::test::temporary_folder;

namespace {

/// A run with every tick, which cannot end before its events are read from a pipe.
class endless_run {
public:
  /// `through`: see `running_command`.
  explicit endless_run(const std::string& name, const std::vector<std::string>& through = {},
                       std::vector<std::string> words = {"run", "--to", "2024-12-31"})
      : folder_(name), config_(folder_.write("config.json", small_configuration())),
        pipe_(folder_ / "events"), made_(::mkfifo(pipe_.c_str(), 0600)),
        command_(with_files(std::move(words)), {}, through), events_(pipe_) {
    REQUIRE(made_ == 0);
    std::string line;
    REQUIRE(std::getline(events_, line)); // it runs, and listens to signals
  }

  running_command& command() { return command_; }

  std::string last_event() {
    std::string last;
    for (std::string line; std::getline(events_, line);)
      last = line;
    return last;
  }

private:
  std::vector<std::string> with_files(std::vector<std::string> words) const {
    words.insert(words.end(), {"--config", config_, "--ticks", "--events", pipe_, "--json"});
    if (words.front() == "live")
      words.insert(words.end(), {"--data-dir", (folder_ / "data").string()});
    return words;
  }

  temporary_folder folder_;
  std::string config_;
  std::string pipe_;
  int made_;
  running_command command_;
  std::ifstream events_;
};

const std::vector<int> interruptions{SIGINT, SIGTERM, SIGHUP};

} // namespace

TEST_CASE("command: an interrupted run stops at the next instant and reports what there is") {
  for (const int number : interruptions) {
    CAPTURE(number);
    endless_run run{"command_interrupted"};
    run.command().send_signal(number);
    REQUIRE(run.command().wait_for_stderr("stopping"));
    CHECK(run.last_event().find("\"outcome\":\"stopped\"") != std::string::npos);
    const auto result = run.command().wait();
    CHECK(result.status == 0);
    const auto summary = parse_json(result.out);
    CHECK(summary.as_object().at("runs").as_array().front().as_object().at("outcome") == "stopped");
  }
}

TEST_CASE("command: a live run that loses its terminal stops as one that is told to") {
  endless_run run{"command_live_hangup",
                  {},
                  {"live", "--clock", "replay", "--speed", "max", "--frame", "days"}};
  run.command().send_signal(SIGHUP);
  REQUIRE(run.command().wait_for_stderr("stopping"));
  run.last_event();
  CHECK(run.command().wait().status == 0);
}

TEST_CASE("command: a second interruption ends it at once") {
  for (const int number : interruptions) {
    CAPTURE(number);
    endless_run run{"command_interrupted_twice"};
    run.command().send_signal(number);
    REQUIRE(run.command().wait_for_stderr("stopping"));
    run.command().send_signal(number);
    CHECK(run.command().wait().status == 130);
  }
}

TEST_CASE("command: under nohup the loss of the terminal interrupts nothing") {
  endless_run run{"command_nohup", {"nohup"}};
  run.command().send_signal(SIGHUP);
  run.command().send_signal(SIGTERM); // would be the second one
  REQUIRE(run.command().wait_for_stderr("stopping"));
  run.last_event();
  CHECK(run.command().wait().status == 0);
}
