#include "storage/rocksdb_store.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/command.hpp"
#include "tests/support/command_files.hpp"
#include "tests/support/live_fixture.hpp"
#include "tests/support/numbered_journal.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/temporary_directory.hpp"

#include <csignal>
#include <fstream>
#include <random>

#include <sys/wait.h>

using namespace backtest;
using namespace backtest::testing;

namespace {

/// Two days of five symbols in a few seconds.
live_request paced() {
  auto request = five_symbols_live();
  request.clock = make_replay_clock(60'000);
  return request;
}

runtime_options networked(const test_disk& disk) {
  auto options = on(disk);
  options.network = true;
  return options;
}

std::vector<std::string> tap_arguments(std::vector<std::string> more) {
  std::vector<std::string> arguments{backtest::testing::command_path(), "tap"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

/// Whether it is a whole event line: one that was cut off where its writer was killed is not.
bool is_whole(const std::string& line) {
  try {
    parse_event_line(line);
    return true;
  } catch (const failure&) {
    return false;
  }
}

/// What `tap` prints about a directory.
command_result tap_of(const std::filesystem::path& data, std::vector<std::string> more = {},
                      const std::vector<std::string>& environment = {}) {
  std::vector<std::string> arguments{"tap", "--data-dir", data.string()};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run_command(arguments, environment);
}

std::string state_home(const temporary_directory& directory) {
  return "XDG_STATE_HOME=" + directory.path().string();
}

/// A store in `directory` with signals of AAA, BBB and one error: numbers 1, 2 and 3.
std::unique_ptr<store> three_lines(const std::filesystem::path& directory) {
  auto made = open_rocksdb_store(directory);
  add_to_journal(*made, {opened_signal("AAA"), opened_signal("BBB"), plain_error()});
  return made;
}

int run_shell(const std::string& script) {
  child_process shell{{"bash", "-o", "pipefail", "-c", script}};
  for (std::string line; shell.read_line(line);) {
  }
  const int status = shell.wait();
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

} // namespace

TEST_CASE("lifecycle 10, subscriber: by the name of a durable cursor, killed and started again "
          "twenty times, it has printed exactly the journal") {
  const watchdog guard{std::chrono::seconds{300}};
  const temporary_directory state;
  const auto& expected = undisturbed_journal();
  const test_disk disk;
  runtime target{networked(disk)};
  add_five_symbols(target);
  const auto arguments = tap_arguments(
      {"--connect", to_string(target.publish().address()), "--follow", "--cursor", "desk"});
  auto run = target.live().background(paced());
  std::map<std::int64_t, std::string> printed;
  std::size_t repeated = 0;
  const auto note = [&](const std::string& line) {
    const auto number = *parse_event_line(line).seq;
    const auto [known, is_new] = printed.emplace(number, line);
    CHECK(known->second == line);
    repeated += is_new ? 0 : 1;
  };
  std::mt19937_64 random{3};
  for (int life = 0; life < 20; ++life) {
    child_process tap{arguments, {state_home(state)}};
    std::string line;
    for (auto left = 1 + random() % (expected.size() / 25); left > 0 && tap.read_line(line); --left)
      note(line);
    ::kill(tap.id(), SIGKILL);
    while (tap.read_line(line))
      if (is_whole(line))
        note(line);
    CHECK(WTERMSIG(tap.wait()) == SIGKILL);
  }
  child_process last{arguments, {state_home(state)}};
  for (std::string line; printed.size() < expected.size() && last.read_line(line);)
    note(line);
  run.wait();
  MESSAGE("lines: ", expected.size(), ", repeated: ", repeated);
  REQUIRE(printed.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i)
    REQUIRE(printed.at(static_cast<std::int64_t>(i) + 1) == expected[i]);
  ::kill(last.id(), SIGINT);
  const int status = last.wait();
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("lifecycle 10, subscriber: it follows across a restart of the node, each line once") {
  const watchdog guard{std::chrono::seconds{300}};
  const auto& expected = undisturbed_journal();
  const test_disk disk;
  auto target = std::make_unique<runtime>(networked(disk));
  add_five_symbols(*target);
  const auto address = target->publish().address();
  const auto tap_it = [&](const std::vector<std::string>& arguments, int signal) {
    child_process tap{arguments};
    auto run = target->live().background(paced());
    std::vector<std::string> printed;
    std::string line;
    while (printed.size() < 20 && tap.read_line(line))
      printed.push_back(line);
    target.reset();
    target = std::make_unique<runtime>(networked(disk));
    add_five_symbols(*target);
    target->publish(address);
    run = target->live().background(five_symbols_live());
    while (printed.size() < expected.size() && tap.read_line(line))
      printed.push_back(line);
    CHECK(printed == expected);
    ::kill(tap.id(), signal);
    return tap.wait();
  };
  SUBCASE("the command") {
    const int status =
        tap_it(tap_arguments({"--connect", to_string(address), "--follow", "--quiet"}), SIGTERM);
    CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
  }
  SUBCASE("the example") {
    CHECK(WTERMSIG(tap_it({tap_example(), to_string(address)}, SIGKILL)) == SIGKILL);
  }
}

TEST_CASE("command tap: a directory, from a number, filtered, and where a cursor stands") {
  const temporary_directory directory;
  const auto data = directory.path() / "data";
  const auto lines = read_journal(*three_lines(data), 1);
  const auto all = lines[0].text + '\n' + lines[1].text + '\n' + lines[2].text + '\n';
  auto result = tap_of(data);
  CHECK(result.status == 0);
  CHECK(result.out == all);
  CHECK(result.err.empty());
  CHECK(tap_of(data, {"--from", "3"}).out == lines[2].text + '\n');
  CHECK(tap_of(data, {"--from", "4"}).out.empty());
  CHECK(tap_of(data, {"--symbol", "BBB", "--strategy", "grid"}).out == lines[1].text + '\n');
  CHECK(tap_of(data, {"--topic", "error", "--topic", "risk"}).out == lines[2].text + '\n');
  const std::vector<std::string> state{state_home(directory)};
  CHECK(tap_of(data, {"--cursor", "desk", "--from", "2"}, state).out ==
        lines[1].text + '\n' + lines[2].text + '\n');
  CHECK(tap_of(data, {"--cursor", "desk", "--from", "2"}, state).out.empty());
  add_to_journal(*open_rocksdb_store(data), {plain_error("later")});
  result = tap_of(data, {"--cursor", "desk"}, state);
  CHECK(result.status == 0);
  CHECK(result.out.find("{\"seq\":4,") == 0);
  CHECK(test::bytes_of(directory.path() / "backtest/cursors/desk") == "00000000000000000005\n");
}

TEST_CASE("command tap: errors say what, where and what was expected") {
  const temporary_directory directory;
  const auto data = directory.path() / "data";
  {
    const auto opened = three_lines(data);
    erase_from_journal(*opened, 1, 1);
  }
  const auto check = [](const command_result& result, int status, const std::string& text) {
    CHECK(result.status == status);
    CHECK(result.out.empty());
    CAPTURE(result.err);
    CHECK(result.err.find(text) != std::string::npos);
  };
  check(tap_of(data, {"--from", "1"}), 1,
        "journal: number 1 is no longer kept; the first kept is 2");
  check(tap_of(data, {"--from", "9"}), 2,
        "journal: it ends with number 3, expected to begin with 4");
  check(tap_of(data, {"--from", "0"}), 2, "--from");
  check(tap_of(data, {"--topic", "progress_backtest"}), 2,
        "topic progress_backtest is not in the journal and cannot be tapped, expected some of "
        "signal");
  check(tap_of(data, {"--topic", "signals"}), 2, "unknown topic \"signals\"");
  check(tap_of(data, {"--connect", "127.0.0.1:1"}), 2,
        "expected either --connect HOST:PORT or --data-dir DIR");
  check(run_command({"tap"}), 2, "expected either --connect HOST:PORT or --data-dir DIR");
  check(tap_of(directory.path() / "none"), 2, "nothing was stored here");
  check(run_command({"tap", "--connect", "somewhere"}), 2,
        "--connect: expected HOST:PORT, or a port from 0 to 65535 on 127.0.0.1, got \"somewhere\"");
  check(run_command({"tap", "--connect", "127.0.0.1:1", "--follow"}), 1,
        "cannot connect to 127.0.0.1:1: nobody listens there");
  check(run_command({"tap", "--connect", "nowhere.invalid:1"}), 1, "there is no host of that name");
  std::filesystem::create_directories(directory.path() / "backtest/cursors");
  std::ofstream{directory.path() / "backtest/cursors/desk"} << "12";
  check(tap_of(data, {"--cursor", "desk"}, {state_home(directory)}), 1,
        "expected a number of 20 digits from 1 on");
  check(tap_of(data, {"--cursor", "desk"}, {"XDG_STATE_HOME=", "HOME="}), 1,
        "neither XDG_STATE_HOME nor HOME");
}

TEST_CASE(
    "command tap: beside a running writer it goes on, two of one cursor name are refused, Ctrl-C "
    "ends it") {
  const watchdog guard;
  const temporary_directory directory;
  const auto data = directory.path() / "data";
  const auto writer = three_lines(data);
  child_process tap{tap_arguments({"--data-dir", data.string(), "--follow", "--cursor", "desk"}),
                    {state_home(directory)}};
  std::string line;
  for (int seq = 1; seq <= 20; ++seq) {
    if (seq > 3)
      add_to_journal(*writer, {opened_signal("AAA")});
    REQUIRE(tap.read_line(line));
    CHECK(line == read_journal(*writer, seq).front().text);
  }
  const auto second = tap_of(data, {"--cursor", "desk"}, {state_home(directory)});
  CHECK(second.status == 1);
  CHECK(second.err.find("another tap uses it") != std::string::npos);
  ::kill(tap.id(), SIGINT);
  CHECK(!tap.read_line(line));
  const int status = tap.wait();
  CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
}

TEST_CASE(
    "command tap: ends well when nobody reads any more, and not when nothing can be written") {
  const watchdog guard;
  const temporary_directory directory;
  const auto data = directory.path() / "data";
  three_lines(data);
  const auto tap =
      fmt::format("'{}' tap --data-dir '{}'", backtest::testing::command_path(), data.string());
  CHECK(run_shell(tap + " --follow | head -n 1") == 0);
  CHECK(run_shell(tap + " 2>/dev/null >/dev/full") == 1);
  const test_disk disk;
  runtime target{networked(disk)};
  add_basics(target);
  target.live().background(one_buyer(at_full_speed())).wait();
  const auto remote = fmt::format("'{}' tap --connect {}", backtest::testing::command_path(),
                                  to_string(target.publish().address()));
  CHECK(run_shell(remote + " --follow | head -n 1") == 0);
  CHECK(run_shell(remote + " 2>/dev/null >/dev/full") == 1);
}

TEST_CASE(
    "command live --publish, tap and control: a port of its own choice, a pause, and its event") {
  const watchdog guard{std::chrono::seconds{120}};
  const temporary_directory directory;
  const auto configuration = directory.path() / "config.json";
  std::ofstream{configuration} << five_symbols();
  const auto data = (directory.path() / "data").string();
  running_command live{{"live", "--config", configuration.string(), "--data-dir", data, "--clock",
                        "replay", "--speed", "6000", "--publish", "0", "--quiet"}};
  const auto address = live.wait_for_line("backtest: published on ");
  REQUIRE(address.find("127.0.0.1:") == 0);
  const auto control = [&](const std::string& command, const std::string& symbol) {
    return run_command({"control", "--connect", address, command, "--symbol", symbol, "--strategy",
                        "pullback", "--quiet"});
  };
  const auto paused = control("pause", "AAAUSDT");
  CHECK(paused.err.empty());
  CHECK(paused.status == 0);
  CHECK(paused.out == "paused: no new signals of pullback on AAAUSDT\n");
  const auto of_control =
      run_command({"tap", "--connect", address, "--topic", "control", "--symbol", "AAAUSDT"});
  CHECK(of_control.status == 0);
  CHECK(of_control.out.find("\"command\":\"pause\"") != std::string::npos);
  CHECK(tap_of(data, {"--topic", "control"}).out == of_control.out);
  CHECK(control("resume", "AAAUSDT").status == 0);
  const auto unknown = control("pause", "ZZZ");
  CHECK(unknown.status == 1);
  CHECK(unknown.err.find(
            "strategy pullback on ZZZ does not run, expected one of: cross on AAAUSDT") !=
        std::string::npos);
  CHECK(control("sell", "AAAUSDT").status == 2);
  CHECK(run_command(
            {"control", "--connect", "127.0.0.1:1", "pause", "--symbol", "A", "--strategy", "B"})
            .status == 1);
}

TEST_CASE("command control: of many at once each one is answered, and by the first question") {
  const watchdog guard{std::chrono::seconds{300}};
  const temporary_directory directory;
  const auto configuration = directory.path() / "config.json";
  std::ofstream{configuration} << five_symbols();
  const auto data = (directory.path() / "data").string();
  running_command live{{"live", "--config", configuration.string(), "--data-dir", data, "--clock",
                        "replay", "--speed", "60", "--publish", "0", "--quiet"}};
  const auto address = live.wait_for_line("backtest: published on ");
  REQUIRE(address.find("127.0.0.1:") == 0);
  constexpr int rounds = 6;
  constexpr std::size_t at_once = 32;
  for (int round = 0; round < rounds; ++round) {
    std::vector<std::unique_ptr<running_command>> operators;
    while (operators.size() < at_once)
      operators.push_back(std::make_unique<running_command>(
          std::vector<std::string>{"control", "--connect", address, "resume", "--symbol", "AAAUSDT",
                                   "--strategy", "grid", "--timeout", "60"}));
    for (auto& person : operators) {
      const auto result = person->wait();
      CHECK(result.status == 1);
      CHECK_MESSAGE(result.err.find("strategy grid on AAAUSDT is not paused") != std::string::npos,
                    result.err);
      CHECK_MESSAGE(result.err.find("asking the node again") == std::string::npos, result.err);
    }
  }
}

TEST_CASE("command control: a node that falls silent is asked again, and what is known is said") {
  const watchdog guard{std::chrono::seconds{120}};
  const temporary_directory directory;
  const auto configuration = directory.path() / "config.json";
  std::ofstream{configuration} << five_symbols();
  // A minute of the market takes one of the wall: a command waits for the next.
  running_command live{{"live", "--config", configuration.string(), "--data-dir",
                        (directory.path() / "data").string(), "--clock", "replay", "--speed", "1",
                        "--publish", "0", "--quiet"}};
  const auto address = live.wait_for_line("backtest: published on ");
  REQUIRE(address.find("127.0.0.1:") == 0);
  const auto pause_within = [&](const std::string& seconds) {
    return std::vector<std::string>{"control", "--connect",  address, "pause",     "--symbol",
                                    "AAAUSDT", "--strategy", "grid",  "--timeout", seconds};
  };
  auto result = run_command(pause_within("2"));
  CHECK(result.status == 1);
  CHECK_MESSAGE(result.err.find("no answer within 2 s; the node took the command") !=
                    std::string::npos,
                result.err);
  live.send_signal(SIGSTOP);
  result = run_command(pause_within("1"));
  live.send_signal(SIGCONT);
  CHECK(result.status == 1);
  CHECK(run_command(pause_within("0.5")).status == 2);
}

TEST_CASE("command live --publish: beyond loopback only with certificates or --insecure, which is "
          "warned about, a wrong address is refused") {
  const watchdog guard;
  const temporary_directory directory;
  const auto configuration = directory.path() / "config.json";
  std::ofstream{configuration} << small_configuration();
  const auto live = [&](const std::string& address, const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments{"live",
                                       "--config",
                                       configuration.string(),
                                       "--data-dir",
                                       (directory.path() / "data").string(),
                                       "--clock",
                                       "replay",
                                       "--speed",
                                       "max",
                                       "--publish",
                                       address,
                                       "--quiet"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_command(arguments);
  };
  const auto refused = live("0.0.0.0:0");
  CHECK(refused.status == 2);
  CHECK(refused.err.find("publish on 0.0.0.0:0: other machines reach it, expected certificates "
                         "(--tls-cert, --tls-key and --tls-ca) or --insecure") !=
        std::string::npos);
  CHECK(!std::filesystem::exists(directory.path() / "data"));
  const auto open = live("0.0.0.0:0", {"--insecure"});
  CHECK(open.status == 0);
  CHECK(open.err.find("backtest: warning: --publish 0.0.0.0:") == 0);
  CHECK(open.err.find("who has a copy of") != std::string::npos);
  CHECK(live("127.0.0.1:0").err.find("warning") == std::string::npos);
  const auto wrong = live("127.0.0.1");
  CHECK(wrong.status == 2);
  CHECK(wrong.err.find("--publish: expected HOST:PORT") != std::string::npos);
}
