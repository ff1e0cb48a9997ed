#include "tests/support/child_process.hpp"
#include "tests/support/command.hpp"
#include "tests/support/command_files.hpp"
#include "tests/support/live_fixture.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/remote_tap.hpp"
#include "tests/support/temporary_directory.hpp"

#include <csignal>
#include <fstream>

#include <sys/wait.h>

using namespace backtest;
using namespace backtest::testing;

namespace {

/// What the command `tap` grants: lines that may be on their way to it.
constexpr std::size_t tap_window = 1024;

/// `backtest tap --follow`, which prints what it gets and can be put to sleep.
class sleeper {
public:
  explicit sleeper(const std::string& address)
      : tap_({backtest::testing::command_path(), "tap", "--connect", address, "--follow",
              "--quiet"}) {}

  void sleep() {
    ::kill(tap_.id(), SIGSTOP);
    int status = 0;
    REQUIRE(::waitpid(tap_.id(), &status, WUNTRACED) == tap_.id());
    REQUIRE(WIFSTOPPED(status));
  }
  void wake() { ::kill(tap_.id(), SIGCONT); }
  /// Waits until it has printed so many lines.
  const std::vector<std::string>& printed(std::size_t count) {
    for (std::string line; lines_.size() < count && tap_.read_line(line);)
      lines_.push_back(line);
    return lines_;
  }
  int end() {
    ::kill(tap_.id(), SIGTERM);
    for (std::string line; tap_.read_line(line);) { // else it may wait for its reader
    }
    const int status = tap_.wait();
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

private:
  child_process tap_;
  std::vector<std::string> lines_;
};

/// A tap in another process, as far as CAF is concerned, that grants nothing by itself.
class idle_tap {
public:
  idle_tap(const node_address& address, std::int64_t credit) : other_(address) {
    tap_request wanted;
    wanted.credit = credit;
    const auto me = caf::actor_cast<tap_actor>(self_.ptr());
    request(self_, other_.node(), std::chrono::seconds{30}, follow_journal{me, wanted})
        .receive([&](const journal_followed& followed) { id_ = followed.id; },
                 [](const caf::error& reason) { FAIL(text_of(reason)); });
  }

  void grant(std::int64_t lines) { send(self_, other_.node(), grant_credit{id_, lines}); }
  /// Waits until it has heard so many lines.
  const std::vector<std::string>& heard(std::size_t count) {
    while (lines_.size() < count)
      self_->receive([&](const journal_batch& batch) { hear(batch); });
    return lines_;
  }
  /// Whether something has come that was not yet heard.
  bool has_more() {
    bool more = true;
    self_->receive([&](const journal_batch& batch) { hear(batch); },
                   caf::after(std::chrono::seconds{0}) >> [&] { more = false; });
    return more;
  }

private:
  void hear(const journal_batch& batch) {
    for (const auto& line : batch.lines)
      lines_.push_back(line.text);
  }

  remote_side other_;
  caf::scoped_actor self_{other_.system()};
  tap_id id_ = 0;
  std::vector<std::string> lines_;
};

} // namespace

TEST_CASE("taps that sleep for a whole run: the node sends what they granted, and the rest "
          "afterwards") {
  const watchdog guard{std::chrono::seconds{300}};
  constexpr int days = 4;
  const test_disk disk;
  auto options = on(disk);
  options.network = true;
  runtime target{options};
  add_five_symbols(target, days);
  const auto address = target.publish().address();
  sleeper command{to_string(address)};
  idle_tap idle{address, 5};
  auto paced = five_symbols_live();
  paced.clock = make_replay_clock(600'000);
  auto run = target.live().background(paced);
  command.printed(1);
  command.sleep();
  run.wait();
  const auto journal = disk.journal();
  REQUIRE(journal.size() > 2 * tap_window);
  REQUIRE(std::ssize(journal) < most_tap_credit);
  CHECK(idle.heard(5).size() == 5);
  CHECK(!idle.has_more());
  idle.grant(most_tap_credit);
  CHECK(idle.heard(journal.size()) == journal);
  command.wake();
  CHECK(command.printed(journal.size()) == journal);
  CHECK(command.end() == 0);
}

TEST_CASE(
    "command live --publish, tap: asleep while the node runs and ends, the tap gets everything "
    "from the next one") {
  const watchdog guard{std::chrono::seconds{300}};
  const temporary_directory directory;
  const auto configuration = directory.path() / "config.json";
  std::ofstream{configuration} << five_symbols();
  const auto data = (directory.path() / "data").string();
  const auto live = [&](const std::string& speed, const std::string& port,
                        std::vector<std::string> more) {
    std::vector<std::string> arguments{"live",       "--config", configuration.string(),
                                       "--data-dir", data,       "--clock",
                                       "replay",     "--speed",  speed,
                                       "--publish",  port};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  };
  const auto journal = [&] { return lines_of(run_command({"tap", "--data-dir", data}).out); };
  const std::string published = "backtest: published on ";
  running_command first{live("60000", "0", {"--until", "2024-01-01T18:00:00Z"})};
  const auto address = first.wait_for_line(published);
  sleeper tap{address};
  tap.printed(1);
  tap.sleep();
  CHECK(first.wait().status == 0);
  const auto slept_through = journal();
  REQUIRE(slept_through.size() > 50);
  running_command second{live("6000", address, {})};
  REQUIRE(second.wait_for_line(published) == address);
  tap.wake();
  const auto printed = tap.printed(slept_through.size() + 1);
  second.send_signal(SIGKILL);
  second.wait();
  auto all = journal();
  REQUIRE(all.size() >= printed.size());
  all.resize(printed.size());
  CHECK(printed == all);
  CHECK(tap.end() == 0);
}
