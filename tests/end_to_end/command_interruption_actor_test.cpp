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

/// A run of a year with every tick, which cannot end before its events are read from a pipe.
class endless_run {
public:
  explicit endless_run(const std::string& name)
      : folder_(name), config_(folder_.write("config.json", small_configuration())),
        pipe_(folder_ / "events"), made_(::mkfifo(pipe_.c_str(), 0600)),
        command_({"run", "--config", config_, "--to", "2024-12-31", "--ticks", "--events", pipe_,
                  "--json"}),
        events_(pipe_) {
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
  temporary_folder folder_;
  std::string config_;
  std::string pipe_;
  int made_;
  running_command command_;
  std::ifstream events_;
};

} // namespace

TEST_CASE("command: an interrupted run stops at the next instant and reports what there is") {
  endless_run run{"command_interrupted"};
  run.command().send_signal(SIGINT);
  REQUIRE(run.command().wait_for_stderr("stopping"));
  CHECK(run.last_event().find("\"outcome\":\"stopped\"") != std::string::npos);
  const auto result = run.command().wait();
  CHECK(result.status == 0);
  const auto summary = parse_json(result.out);
  CHECK(summary.as_object().at("runs").as_array().front().as_object().at("outcome") == "stopped");
}

TEST_CASE("command: a second interruption ends it at once") {
  endless_run run{"command_interrupted_twice"};
  run.command().send_signal(SIGINT);
  REQUIRE(run.command().wait_for_stderr("stopping"));
  run.command().send_signal(SIGINT);
  CHECK(run.command().wait().status == 130);
}
