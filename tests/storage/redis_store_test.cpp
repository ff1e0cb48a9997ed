// What the Redis store promises beyond every store: servers that lose data, that go away, and a
// second writer.
#include "storage/redis_store.hpp"

#include "messages/error.hpp"
#include "storage/commit_mark.hpp"
#include "storage/journal_repair.hpp"
#include "storage/redis_connection.hpp"
#include "storage/redis_writer.hpp"
#include "storage/store_key.hpp"
#include "tests/support/failure_of.hpp"
#include "tests/support/numbered_journal.hpp"
#include "tests/support/redis_server.hpp"

#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>

using namespace backtest;
using namespace backtest::testing;

#define SKIP_WITHOUT_REDIS()                                                                       \
  if (!redis_server::available()) {                                                                \
    MESSAGE("skipped: redis-server is not installed");                                             \
    return;                                                                                        \
  }

namespace {

constexpr std::chrono::milliseconds patience{5000};

store_batch one_row(const std::string& key, const std::string& value) {
  store_batch batch;
  batch.put(store_space::state, key, value);
  return batch;
}

bool says(const failure& problem, std::string_view text) {
  return std::string_view{problem.what()}.find(text) != std::string_view::npos;
}

redis_connection connect(const redis_server& server) {
  return redis_connection{parse_redis_url(server.url()), patience, patience};
}

std::string token_of(const process_identity& process) {
  return make_store_key(
      {process.host, process.boot, process.name_space, process.id, process.start, "1"});
}

} // namespace

TEST_CASE("redis: urls") {
  CHECK(parse_redis_url("redis://localhost") == redis_address{"localhost", 6379, 0});
  CHECK(parse_redis_url("redis://10.0.0.1:7000/3") == redis_address{"10.0.0.1", 7000, 3});
  CHECK(parse_redis_url("redis://[::1]:7000") == redis_address{"::1", 7000, 0});
  CHECK(parse_redis_url("redis://[::1]/2") == redis_address{"::1", 6379, 2});
  for (const std::string url :
       {"", "localhost", "http://localhost", "redis://", "redis://:6379",
        "redis://a:", "redis://a:0", "redis://a:65536", "redis://a:x", "redis://a/", "redis://a/x",
        "redis://a/-1", "redis://[::1", "redis://[::1]x"}) {
    CAPTURE(url);
    CHECK(failure_of([&] { parse_redis_url(url); }).code() == error_code::invalid_argument);
  }
  const auto secret = failure_of([] { parse_redis_url("redis://:secret@localhost"); });
  CHECK(secret.code() == error_code::invalid_argument);
  CHECK_FALSE(says(secret, "secret"));
}

TEST_CASE("redis: a server that may lose data is refused, with the way to set it right") {
  SKIP_WITHOUT_REDIS();
  struct refused {
    std::vector<std::string> settings;
    const char* names;
    const char* command;
  };
  const refused servers[] = {
      {{}, "appendonly is \"no\"", "redis-cli config set appendonly yes"},
      {{"--appendonly", "yes"},
       "appendfsync is \"everysec\"",
       "redis-cli config set appendfsync always"},
      {{"--appendonly", "yes", "--appendfsync", "always", "--no-appendfsync-on-rewrite", "yes"},
       "no-appendfsync-on-rewrite is \"yes\"",
       "redis-cli config set no-appendfsync-on-rewrite no"},
      {{"--appendonly", "yes", "--appendfsync", "always", "--maxmemory", "100mb",
        "--maxmemory-policy", "allkeys-lru"},
       "maxmemory-policy",
       "noeviction"},
  };
  for (const auto& refused : servers) {
    const redis_server server{refused.settings};
    const auto problem = failure_of([&] { open_redis_store(server.url()); });
    CHECK(problem.code() == error_code::invalid_configuration);
    CHECK(says(problem, server.url()));
    CHECK(says(problem, refused.names));
    CHECK(says(problem, refused.command));
  }
}

TEST_CASE("redis: a server that is not there is named") {
  SKIP_WITHOUT_REDIS();
  redis_server server;
  server.stop();
  const auto problem = failure_of([&] { open_redis_store(server.url()); });
  CHECK(problem.code() == error_code::store_failed);
  CHECK(says(problem, server.url()));
}

TEST_CASE("redis: a server that does not answer fails the commit in time") {
  SKIP_WITHOUT_REDIS();
  const redis_server server;
  redis_options options;
  options.command_timeout = std::chrono::milliseconds{50};
  const auto target = open_redis_store(server.url(), options);
  target->commit(one_row("a", "1"));
  auto other = connect(server);
  other.command({"CLIENT", "PAUSE", "60000"});
  CHECK(failure_of([&] { target->commit(one_row("a", "2")); }).code() == error_code::store_failed);
  CHECK(failure_of([&] { target->reopen(); }).code() == error_code::store_failed);
}

TEST_CASE("redis: a server whose memory is full refuses commits with its reason, and goes on when "
          "there is room") {
  SKIP_WITHOUT_REDIS();
  const redis_server server;
  auto target = open_redis_store(server.url());
  target->commit(one_row("a", "1"));
  auto old = target->snapshot();
  auto administrator = connect(server);
  administrator.command({"CONFIG", "SET", "maxmemory", "1"});
  for (int attempt = 0; attempt < 3; ++attempt) {
    const auto problem = failure_of([&] { target->commit(one_row("a", "2")); });
    CHECK(problem.code() == error_code::store_failed);
    CHECK(says(problem, server.url()));
    CHECK(says(problem, "OOM"));
    CHECK(says(problem, "maxmemory"));
    target->reopen();
    CHECK(target->get(store_space::state, "a") == "1");
    CHECK(target->scan(store_space::state, "").size() == 1);
    CHECK(old->get(store_space::state, "a") == "1");
  }
  // A second start says so too, and spoils nothing.
  redis_options other;
  other.key_prefix = "other:";
  CHECK(says(failure_of([&] { open_redis_store(server.url(), other); }), "OOM"));
  administrator.command({"CONFIG", "SET", "maxmemory", "0"});
  target->commit(one_row("a", "2"));
  CHECK(target->get(store_space::state, "a") == "2");
  CHECK(old->get(store_space::state, "a") == "1");
  old.reset();
  target.reset();
  CHECK(open_redis_store(server.url())->get(store_space::state, "a") == "2");
}

TEST_CASE("redis: after a restart of the server a commit fails, and its retry is there once") {
  SKIP_WITHOUT_REDIS();
  redis_server server;
  auto target = open_redis_store(server.url());
  for (int number = 1; number <= 5; ++number) {
    store_batch batch;
    batch.put(store_space::journal, number_key_part(static_cast<std::uint64_t>(number)),
              std::to_string(number));
    batch.put(store_space::state, "latest", std::to_string(number));
    target->commit(batch);

    const auto next_number = std::to_string(number + 1);
    store_batch next;
    next.put(store_space::journal, number_key_part(static_cast<std::uint64_t>(number) + 1),
             next_number);
    next.put(store_space::state, "latest", next_number);
    server.stop();
    CHECK(failure_of([&] { target->commit(next); }).code() == error_code::store_failed);
    CHECK(failure_of([&] { target->reopen(); }).code() == error_code::store_failed);
    CHECK(failure_of([&] { target->get(store_space::state, "latest"); }).code() ==
          error_code::store_failed);
    server.start();
    CHECK(failure_of([&] { target->commit(next); }).code() == error_code::store_failed);
    target->reopen();
    CHECK(target->get(store_space::state, "latest") == std::to_string(number));
    target->commit(next);
    CHECK(target->get(store_space::state, "latest") == next_number);
    CHECK(target->scan(store_space::journal, "").size() == static_cast<std::size_t>(number) + 1);
  }
  // Also after a read that found the connection gone.
  server.stop();
  server.start();
  CHECK(failure_of([&] { target->get(store_space::state, "latest"); }).code() ==
        error_code::store_failed);
  target->reopen();
  CHECK(target->get(store_space::state, "latest") == "6");
  target.reset();
  CHECK(open_redis_store(server.url())->scan(store_space::journal, "").size() == 6);
}

TEST_CASE("redis: a server that came back without its data is refused") {
  SKIP_WITHOUT_REDIS();
  const redis_server server;
  const auto target = open_redis_store(server.url());
  target->commit(one_row("a", "1"));
  connect(server).command({"FLUSHALL"});
  CHECK(says(failure_of([&] { target->commit(one_row("a", "2")); }), "is gone"));
  CHECK(says(failure_of([&] { target->reopen(); }), "is gone"));
}

TEST_CASE("redis: a second writer is refused while the first one lives") {
  SKIP_WITHOUT_REDIS();
  const redis_server server;
  auto first = open_redis_store(server.url());
  const auto problem = failure_of([&] { open_redis_store(server.url()); });
  CHECK(problem.code() == error_code::already_running);
  CHECK(says(problem, "process " + std::to_string(::getpid())));
  // Another prefix or database is another store.
  redis_options other;
  other.key_prefix = "other:";
  open_redis_store(server.url(), other)->commit(one_row("a", "1"));
  open_redis_store(server.url(1));
  first->commit(one_row("b", "2"));
  CHECK_FALSE(first->get(store_space::state, "a"));
  first.reset();
  CHECK(open_redis_store(server.url())->get(store_space::state, "b") == "2");
}

TEST_CASE("redis: the lock of a dead process of this machine is taken over at once") {
  SKIP_WITHOUT_REDIS();
  const redis_server server;
  open_redis_store(server.url())->commit(one_row("a", "1"));
  auto dead = this_process();
  dead.start = "1"; // our number, but another process of the past
  auto connection = connect(server);
  connection.command({"SET", "backtest:writer", token_of(dead), "PX", "90000"});
  connection.command({"SET", "backtest:owner", token_of(dead)});
  CHECK(open_redis_store(server.url())->get(store_space::state, "a") == "1");

  auto elsewhere = dead;
  elsewhere.boot = "another machine";
  elsewhere.host = "elsewhere";
  connection.command({"SET", "backtest:writer", token_of(elsewhere), "PX", "90000"});
  const auto problem = failure_of([&] { open_redis_store(server.url()); });
  CHECK(problem.code() == error_code::already_running);
  CHECK(says(problem, "elsewhere"));
  CHECK(says(problem, "its lock \"backtest:writer\" ends in"));
  connection.command({"DEL", "backtest:writer"}); // as when its time is over
  open_redis_store(server.url());
}

TEST_CASE("redis: a writer that was taken for dead cannot write any more") {
  SKIP_WITHOUT_REDIS();
  const redis_server server;
  const auto first = open_redis_store(server.url());
  first->commit(one_row("a", "1"));
  auto connection = connect(server);
  connection.command({"DEL", "backtest:writer"}); // as when its time is over
  // Nobody else came: it goes on.
  first->commit(one_row("a", "2"));
  CHECK(connection.command({"PTTL", "backtest:writer"}).number > 80'000);
  connection.command({"DEL", "backtest:writer"});
  const auto second = open_redis_store(server.url());
  second->commit(one_row("a", "3"));
  CHECK(says(failure_of([&] { first->commit(one_row("a", "4")); }), "taken over"));
  const auto problem = failure_of([&] { first->reopen(); });
  CHECK(says(problem, "taken over"));
  CHECK(problem.code() == error_code::store_lost);
  CHECK(second->get(store_space::state, "a") == "3");
  second->commit(one_row("a", "5"));
}

TEST_CASE("redis: data that were removed, or keys of other types, are a store that is lost") {
  SKIP_WITHOUT_REDIS();
  const redis_server server;
  const auto written = open_redis_store(server.url());
  written->commit(one_row("a", "1"));
  auto connection = connect(server);
  SUBCASE("flushed") { connection.command({"FLUSHALL"}); }
  SUBCASE("the owner's key") {
    connection.command({"DEL", "backtest:owner"});
    connection.command({"RPUSH", "backtest:owner", "x"});
  }
  SUBCASE("the rows") {
    for (const auto* key :
         {"backtest:state", "backtest:state:keys", "backtest:state:values", "backtest:state:index"})
      if (connection.command({"DEL", key}).number == 1)
        connection.command({"SET", key, "x"});
  }
  CHECK(failure_of([&] { written->commit(one_row("a", "2")); }).code() == error_code::store_lost);
}

TEST_CASE("redis: a server that restarts is no store that is lost") {
  SKIP_WITHOUT_REDIS();
  redis_server server;
  const auto written = open_redis_store(server.url());
  written->commit(one_row("a", "1"));
  server.stop();
  CHECK(failure_of([&] { written->commit(one_row("a", "2")); }).code() == error_code::store_failed);
  CHECK(failure_of([&] { written->reopen(); }).code() == error_code::store_failed);
  server.start();
  written->reopen();
  written->commit(one_row("a", "2"));
  CHECK(written->get(store_space::state, "a") == "2");
}

TEST_CASE("redis: a transaction of an old connection is void after reopen") {
  SKIP_WITHOUT_REDIS();
  const redis_server server;
  const redis_writer writer{"backtest:", patience};
  auto old = connect(server);
  writer.acquire(old);
  writer.watch(old);
  old.command({"MULTI"});
  old.command({"SET", "late", "1"});
  auto fresh = connect(server);
  writer.keep(fresh);
  CHECK(old.command({"EXEC"}).is == redis_value::kind::nothing);
  CHECK(fresh.command({"EXISTS", "late"}).number == 0);
}

TEST_CASE("redis: a reader beside the writer") {
  SKIP_WITHOUT_REDIS();
  redis_server server;
  CHECK(failure_of([&] { open_redis_reader(server.url()); }).code() == error_code::not_found);
  const auto writer = open_redis_store(server.url());
  writer->commit(one_row("a", "1"));
  const auto reader = open_redis_reader(server.url());
  CHECK(reader->get(store_space::state, "a") == "1");
  writer->commit(one_row("b", "2"));
  CHECK(reader->scan(store_space::state, "").size() == 2);
  CHECK(reader->last(store_space::state, "") == store_entry{"b", "2"});
  server.stop();
  server.start();
  CHECK(failure_of([&] { reader->get(store_space::state, "a"); }).code() ==
        error_code::store_failed);
  reader->refresh();
  CHECK(reader->get(store_space::state, "a") == "1");
}

/// Not a test: what the test below runs in another process. Prints each acknowledged number.
TEST_CASE("redis: the process that dies" * doctest::skip()) {
  const char* url = std::getenv("BACKTEST_CRASH_URL");
  if (url == nullptr)
    return;
  const auto target = open_redis_store(url);
  for (std::uint64_t number = 1;; ++number) {
    store_batch batch;
    batch.put(store_space::journal, number_key_part(number), std::to_string(number));
    batch.put(store_space::candles, number_key_part(number), std::string(number * 997 % 5000, 'c'));
    batch.put(store_space::state, "latest", std::to_string(number));
    target->commit(batch);
    std::printf("acknowledged %llu\n", static_cast<unsigned long long>(number));
    std::fflush(stdout);
  }
}

TEST_CASE("redis: after a process was killed the next one resumes at once, behind whole commits") {
  SKIP_WITHOUT_REDIS();
  for (const int rounds : {1, 10, 50}) {
    CAPTURE(rounds);
    const redis_server server;
    std::uint64_t acknowledged = 0;
    {
      child_process child{
          {"/proc/self/exe", "--test-case=redis: the process that dies", "--no-skip"},
          {"BACKTEST_CRASH_URL=" + server.url()}};
      constexpr std::string_view said = "acknowledged ";
      std::string line;
      while (acknowledged < static_cast<std::uint64_t>(rounds) && child.read_line(line))
        if (line.starts_with(said))
          acknowledged = std::stoull(line.substr(said.size()));
      CHECK(failure_of([&] { open_redis_store(server.url()); }).code() ==
            error_code::already_running);
    } // killed, somewhere in its next commits
    const auto target = open_redis_store(server.url());
    const auto rows = target->scan(store_space::journal, "");
    REQUIRE(rows.size() >= acknowledged);
    for (std::size_t i = 0; i < rows.size(); ++i)
      REQUIRE(rows[i].key == number_key_part(i + 1));
    CHECK(target->scan(store_space::candles, "").size() == rows.size());
    CHECK(target->get(store_space::state, "latest") == std::to_string(rows.size()));
    target->commit(one_row("a", "1"));
  }
}

TEST_CASE("redis: a server that was rolled back between two starts is refused, and repaired") {
  SKIP_WITHOUT_REDIS();
  const redis_server server;
  const temporary_directory data;
  const redis_options options{.mark = data.path() / "deep" / "redis.mark"};
  {
    const auto target = open_redis_store(server.url(), options);
    add_to_journal(*target, {plain_error("one"), plain_error("two")});
    target->commit(one_row(make_store_key({run_rows, "wave", "cross", "AAA"}), "1"));
  }
  CHECK(find_journal_bounds(*open_redis_store(server.url(), options)) == journal_bounds{1, 2});
  // As a server does that goes on from an older file.
  auto administrator = connect(server);
  administrator.command({"SET", "backtest:commits", "1"});
  auto problem = failure_of([&] { open_redis_store(server.url(), options); });
  CHECK(problem.code() == error_code::store_lost);
  CHECK(says(problem, "it counts 1 commits, 2 were acknowledged"));
  CHECK(says(problem, "\"backtest repair --data-dir " + (data.path() / "deep").string() +
                          " --store " + server.url() + "\""));
  administrator.command({"HDEL", "backtest:journal:values", journal_key(2)});
  administrator.command({"ZREM", "backtest:journal:keys", journal_key(2)});
  problem = failure_of([&] { open_redis_store(server.url(), options); });
  CHECK(says(problem, "journal number 2 is missing"));

  const auto mark = *read_commit_mark(options.mark);
  // A repair that is interrupted forgets no number: what it left is refused as before.
  open_redis_store(server.url(), {.mark = options.mark, .accepts_loss = true})
      ->commit(one_row("a", "1"));
  CHECK(says(failure_of([&] { open_redis_store(server.url(), options); }),
             "journal number 2 is missing"));
  {
    const auto target =
        open_redis_store(server.url(), {.mark = options.mark, .accepts_loss = true});
    CHECK(repair_journal(*target, 0, mark.journal_last, 0) == std::vector<number_range>{{2, 2}});
  }
  const auto again = open_redis_store(server.url(), options);
  const auto lines = read_journal(*again, 1);
  REQUIRE(lines.size() == 3);
  CHECK(lines[1].text.find("journal number 2 was lost") != std::string::npos);
  CHECK(lines[2].text.find("journal numbers 2 were lost") != std::string::npos);
}

TEST_CASE("redis: a server that was emptied is refused, also where no number was given out") {
  SKIP_WITHOUT_REDIS();
  const redis_server server;
  const temporary_directory data;
  const redis_options options{.mark = data.path() / "redis.mark"};
  open_redis_store(server.url(), options)->commit(one_row("a", "1"));
  connect(server).command({"FLUSHALL"});
  const auto problem = failure_of([&] { open_redis_store(server.url(), options); });
  CHECK(problem.code() == error_code::store_lost);
  CHECK(says(problem, "it counts 0 commits, 1 were acknowledged"));
  // Who is refused holds no right to write.
  open_redis_store(server.url());
}

TEST_CASE("redis: a server that does not answer is told as such") {
  SKIP_WITHOUT_REDIS();
  const redis_server server;
  connect(server).command({"CLIENT", "PAUSE", "60000", "ALL"});
  const auto problem = failure_of(
      [&] { open_redis_store(server.url(), {.command_timeout = std::chrono::milliseconds{200}}); });
  CHECK(problem.code() == error_code::store_failed);
  CHECK(says(problem, "the connection failed: no answer within 0.2 s"));
}
