// What `live` does when its Redis loses its data, or falls silent.

#include "storage/redis_connection.hpp"
#include "tests/support/command.hpp"
#include "tests/support/command_files.hpp"
#include "tests/support/contains.hpp"
#include "tests/support/redis_server.hpp"
#include "tests/support/runtime_fixture.hpp"

#include <csignal>

#include <doctest/doctest.h>

using namespace backtest;
using namespace backtest::testing;
using backtest::test::temporary_folder;

namespace {

/// A replay of two days in some minutes, and somebody who administers its Redis.
struct replay_in_redis {
  explicit replay_in_redis(const std::string& name)
      : folder{name}, administrator{parse_redis_url(server.url()), std::chrono::seconds{5},
                                    std::chrono::seconds{5}},
        node{{"live", "--config",
              folder.write("config.json",
                           small_configuration(R"("config": { "stop_patience_seconds": 2 }, )")),
              "--data-dir", (folder / "data").string(), "--store", server.url(), "--clock",
              "replay", "--speed", "600"}} {
    CHECK(node.wait_for_stderr("opened")); // so it writes
  }

  temporary_folder folder;
  redis_server server;
  redis_connection administrator;
  running_command node;
};

} // namespace

TEST_CASE("command live: a Redis that was flushed ends it with one sentence") {
  if (!redis_server::available()) {
    MESSAGE("skipped: redis-server is not installed");
    return;
  }
  const watchdog guard;
  replay_in_redis run{"command_lost_store_flushed"};
  run.administrator.command({"FLUSHALL"});
  const auto result = run.node.wait();
  CHECK(result.status == 1);
  CHECK_MESSAGE(contains(result.err, "the key \"backtest:owner\" is gone"), result.err);
  CHECK_MESSAGE(contains(result.err, "not known to be durable, and told to nobody"), result.err);
}

TEST_CASE("command live: one SIGTERM ends it also when Redis does not answer") {
  if (!redis_server::available()) {
    MESSAGE("skipped: redis-server is not installed");
    return;
  }
  const watchdog guard;
  replay_in_redis run{"command_lost_store_silent"};
  run.administrator.command({"CLIENT", "PAUSE", "600000", "ALL"});
  run.node.send_signal(SIGTERM);
  const auto result = run.node.wait();
  CHECK(result.status == 1);
  CHECK_MESSAGE(contains(result.err, "within stop_patience_seconds (2) after the stop"),
                result.err);
  CHECK_MESSAGE(contains(result.err, "not known to be durable, and told to nobody"), result.err);
}
