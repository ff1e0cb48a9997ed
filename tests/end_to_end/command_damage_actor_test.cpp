// A data directory or a Redis server that lost something: what the commands say, and how a person
// goes on.
#include "storage/redis_connection.hpp"
#include "storage/rocksdb_store.hpp"
#include "tests/support/command.hpp"
#include "tests/support/command_files.hpp"
#include "tests/support/contains.hpp"
#include "tests/support/damaged_directory.hpp"
#include "tests/support/live_fixture.hpp"
#include "tests/support/redis_server.hpp"
#include "tests/support/runtime_fixture.hpp"
#include "tests/support/sanitizers.hpp"

#include <csignal>

#include <doctest/doctest.h>

using namespace backtest;
using namespace backtest::testing;
using backtest::test::temporary_folder;

namespace {

namespace fs = std::filesystem;

/// A node that replays two days, and the directory it leaves.
struct replaying_node {
  explicit replaying_node(const std::string& name)
      : folder{name}, data((folder / "data").string()),
        configuration(folder.write("config.json", small_configuration())) {}

  std::vector<std::string> arguments(const std::vector<std::string>& more) const {
    std::vector<std::string> words{"live",    "--config", configuration, "--data-dir", data,
                                   "--clock", "replay",   "--frame",     "days"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  temporary_folder folder;
  std::string data;
  std::string configuration;
};

command_result on(const std::string& data, const std::string& command) {
  return run_command({command, "--data-dir", data});
}

fs::path newest_log(const fs::path& directory) {
  fs::path newest;
  for (const auto& file : fs::directory_iterator{directory})
    if (file.path().extension() == ".log" && file.path() > newest)
      newest = file.path();
  return newest;
}

} // namespace

TEST_CASE(
    "command repair: a log damaged in the middle is refused by all, repaired, and gone on with") {
  const watchdog guard;
  const replaying_node node{"command_damage_log"};
  {
    running_command killed{node.arguments({"--speed", "6000"})};
    for (int opened = 0; opened < 3; ++opened)
      CHECK(killed.wait_for_stderr("opened"));
    killed.send_signal(SIGKILL);
    CHECK(killed.wait().status == 128 + SIGKILL);
  }
  const auto told = on(node.data, "tap");
  CHECK(told.status == 0);
  const auto before = lines_of(told.out);
  const auto log = newest_log(node.data);
  flip_bit(log, fs::file_size(log) / 4);

  for (const auto* command : {"status", "tap"}) {
    const auto refused = on(node.data, command);
    CHECK(refused.status == 1);
    CHECK(refused.out == "");
    CHECK_MESSAGE(contains(refused.err, "writes that were acknowledged the last"), refused.err);
    CHECK_MESSAGE(contains(refused.err, fmt::format("to {} are missing", before.size())),
                  refused.err);
  }
  const auto refused = run_command(node.arguments({"--speed", "max"}));
  CHECK(refused.status == 1);
  CHECK_MESSAGE(contains(refused.err, "\"backtest repair --data-dir " + node.data + "\""),
                refused.err);

  const auto repaired = on(node.data, "repair");
  CHECK(repaired.status == 0);
  CHECK_MESSAGE(contains(repaired.out, "damage: store " + node.data + ": damaged: of "),
                repaired.out);
  CHECK_MESSAGE(
      contains(repaired.out, fmt::format("to {}. Each has a line that says so, none is used "
                                         "again; it is 1 to {} now",
                                         before.size(), before.size() + 1)),
      repaired.out);
  CHECK_MESSAGE(contains(repaired.out, "what was there lies in " + node.data + "/damaged-"),
                repaired.out);
  CHECK(on(node.data, "repair").out == "nothing is damaged; nothing was changed\n");

  const auto gone_on = run_command(node.arguments({"--speed", "max", "--quiet"}));
  CHECK_MESSAGE(gone_on.status == 0, gone_on.err);
  const auto after = lines_of(on(node.data, "tap").out);
  REQUIRE(after.size() > before.size() + 1);
  for (std::size_t i = 0; i < before.size(); ++i)
    CHECK((after[i] == before[i] || contains(after[i], "was lost: the store was damaged")));
  CHECK(contains(after[before.size()], "the store was damaged and has been repaired"));
}

TEST_CASE("command repair: a Redis server that was emptied is refused, and gone on with") {
  if (!redis_server::available()) {
    MESSAGE("skipped: redis-server is not installed");
    return;
  }
  const watchdog guard;
  const redis_server server;
  const replaying_node node{"command_damage_redis"};
  const auto arguments = node.arguments({"--speed", "max", "--quiet", "--store", server.url()});
  CHECK(run_command(arguments).status == 0);
  redis_connection{parse_redis_url(server.url()), std::chrono::seconds{5}, std::chrono::seconds{5}}
      .command({"FLUSHALL"});
  const auto refused = run_command(arguments);
  CHECK(refused.status == 1);
  CHECK_MESSAGE(contains(refused.err, "the server was rolled back or emptied: it counts 0 commits"),
                refused.err);
  CHECK_MESSAGE(contains(refused.err, "journal numbers 1 to "), refused.err);
  const std::vector<std::string> repair{"repair", "--data-dir", node.data, "--store", server.url()};
  const auto repaired = run_command(repair);
  CHECK(repaired.status == 0);
  CHECK_MESSAGE(contains(repaired.out, "lost: 1 to "), repaired.out);
  CHECK_MESSAGE(contains(repaired.out, "runs kept: none"), repaired.out);
  CHECK(run_command(repair).out == "nothing is damaged; nothing was changed\n");
  const auto gone_on = run_command(arguments);
  CHECK_MESSAGE(gone_on.status == 0, gone_on.err);
}

TEST_CASE("command repair: what is no data directory, and one that a node writes to") {
  const watchdog guard;
  const temporary_folder folder{"command_damage_none"};
  const auto nothing = on((folder / "none").string(), "repair");
  CHECK(nothing.status == 2);
  CHECK_MESSAGE(contains(nothing.err, "expected a data directory"), nothing.err);
  const auto data = (folder / "data").string();
  const auto writer = open_rocksdb_store(data);
  const auto busy = on(data, "repair");
  CHECK(busy.status == 1);
  CHECK_MESSAGE(contains(busy.err, "expected one writer at a time"), busy.err);
}

TEST_CASE("command status: a directory whose first start was cut short is told as such") {
  const watchdog guard;
  const temporary_folder folder{"command_damage_first_start"};
  const auto data = (folder / "data").string();
  open_rocksdb_store(data);
  fs::remove(folder / "data" / "commit.mark"); // which comes last
  for (const auto* command : {"status", "tap"}) {
    const auto refused = on(data, command);
    CHECK_MESSAGE(contains(refused.err, "its first start ended before the store was made"),
                  refused.err);
    CHECK(refused.status != 0);
  }
}

namespace {

/// Fifteen runs on a clock that goes on by itself, as the system's: what they told once they cannot
/// tell again. Started three times, killed in the end.
struct killed_node : killed_directory {
  killed_node() {
    const auto living = scratch.path() / "living";
    constexpr int lives = 3;
    for (int life = 0; life < lives; ++life) {
      auto options = quiet();
      options.data_directory = living;
      options.parameters.store_reserve_bytes = 0;
      runtime node{std::move(options)};
      add_five_symbols(node);
      constexpr int minutes = 80;
      const instant begin = first_instant + (120 + life * minutes) * minute_ms;
      const auto clock = std::make_shared<manual_clock>(begin - 1);
      auto request = five_symbols_live();
      request.frame = "";
      request.clock = clock;
      const auto run = node.live().background(request);
      clock->wait_until_watched();
      for (int minute = 0; minute < minutes; ++minute) {
        clock->set(begin + minute * minute_ms + settled);
        clock->wait_for_alarm_at(begin + (minute + 1) * minute_ms + settled);
      }
      if (life + 1 == lives) {
        const auto reader = open_rocksdb_reader(living);
        truth = content_of(*reader);
        last = find_journal_bounds(*reader).last;
        copy_living(living);
      }
    }
  }
};

} // namespace

TEST_CASE("damage at seeded places of every file of a killed node: the whole truth, or a refusal") {
  const watchdog guard{std::chrono::seconds{300}};
  const killed_node killed;
  CHECK(killed.last > 30);
  const int places = is_sanitized ? 40 : 300;
  const auto refused = damage_everywhere(killed, places);
  MESSAGE("refused ", refused, " of ", places);
  CHECK(refused > places / 4);
}
