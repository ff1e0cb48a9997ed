// A live node is killed again and again and started again: its journal ends up the same as if
// nothing had happened. BACKTEST_CRASH_KILLS sets how often; tools/crash_loop.sh does 200.
#include "tests/storage/faulty_file_system.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/command.hpp"
#include "tests/support/live_fixture.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/redis_server.hpp"
#include "tests/support/temporary_directory.hpp"

#include "storage/redis_store.hpp"
#include "storage/rocksdb_store.hpp"

#include <csignal>
#include <fstream>
#include <random>

#include <fmt/format.h>
#include <sys/wait.h>

using namespace backtest;
using namespace backtest::testing;

namespace {

std::string setting(const char* name, const std::string& otherwise = "") {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : value;
}

int kills_wanted() { return std::stoi(setting("BACKTEST_CRASH_KILLS", "20")); }

/// Long enough that the run is not over before: a life makes a commit or two durable, an hour each.
int days_for_kills() { return std::max(2, kills_wanted() / 8); }

void check_undisturbed(const store& opened) {
  std::vector<std::string> found;
  for (auto& line : read_journal(opened, 1))
    found.push_back(std::move(line.text));
  const auto& expected = undisturbed_journal(days_for_kills());
  CHECK(found.size() == expected.size());
  for (std::size_t i = 0; i < std::min(found.size(), expected.size()); ++i)
    REQUIRE(found[i] == expected[i]);
}

/// Where in a commit the process ends.
enum class moment { before_write, written_not_synced, acknowledged, count };

/// A store whose process dies right after a commit was acknowledged.
class dying_store final : public shared_store {
public:
  dying_store(std::shared_ptr<store> inner, std::function<void()> acknowledged)
      : shared_store(std::move(inner)), acknowledged_(std::move(acknowledged)) {}
  void commit(const store_batch& batch) override {
    shared_store::commit(batch);
    acknowledged_();
  }

private:
  std::function<void()> acknowledged_;
};

/// Lives of `backtest live` that are killed after some lines, then one that comes to its end.
void kill_again_and_again(const std::filesystem::path& directory,
                          const std::vector<std::string>& more) {
  const auto configuration = directory / "config.json";
  std::ofstream{configuration} << five_symbols(days_for_kills());
  std::vector<std::string> arguments{command_path(),
                                     "live",
                                     "--config",
                                     configuration.string(),
                                     "--data-dir",
                                     (directory / "data").string(),
                                     "--clock",
                                     "replay",
                                     "--speed",
                                     "max",
                                     "--events",
                                     "-",
                                     "--quiet",
                                     "--threads",
                                     "2"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  std::mt19937_64 random{11};
  int kills = 0;
  for (; kills < kills_wanted(); ++kills) {
    child_process child{arguments};
    auto left = random() % 4;
    std::string line;
    while (left-- > 0 && child.read_line(line)) {
    }
    if (!line.empty() && line.find("done_live") != std::string::npos)
      break;
    ::kill(child.id(), SIGKILL);
    child.wait();
  }
  MESSAGE("killed ", kills, " times");
  CHECK(kills >= kills_wanted() / 2);
  child_process last{arguments};
  for (std::string line; last.read_line(line);) {
  }
  CHECK(last.wait() == 0);
}

} // namespace

/// Not a test: what the test below runs in another process.
TEST_CASE("live crash: the process that dies" * doctest::skip()) {
  const auto directory = setting("BACKTEST_CRASH_DIRECTORY");
  if (directory.empty())
    return;
  const auto at = static_cast<moment>(std::stoi(setting("BACKTEST_CRASH_MOMENT")));
  std::atomic<int> left{std::stoi(setting("BACKTEST_CRASH_COMMITS"))};
  const auto files = std::make_shared<faulty_file_system>();
  const bool power = setting("BACKTEST_CRASH_POWER") == "1";
  auto options = quiet();
  options.open_store = [&]() -> std::unique_ptr<store> {
    auto opened = open_rocksdb_store(directory, {files});
    // The hook is kept by the file system, which it must not keep in turn.
    const auto end = [&left, disk = files.get(), power] {
      if (--left > 0)
        return;
      if (power)
        disk->cut_power();
      faulty_file_system::end_process();
    };
    if (at == moment::acknowledged)
      return std::make_unique<dying_store>(std::move(opened), end);
    const auto step = at == moment::before_write ? file_step::append : file_step::sync;
    files->set_hook([step, end](file_step reached, const std::string& path) {
      if (reached == step && is_write_ahead_log(path))
        end();
      return rocksdb::IOStatus::OK();
    });
    return opened;
  };
  runtime target{std::move(options)};
  add_five_symbols(target, days_for_kills());
  target.live().background(five_symbols_live()).wait();
}

TEST_CASE("lifecycle 10, durable before visible: killed at named points inside commits, also with "
          "the power") {
  const temporary_directory directory;
  std::mt19937_64 random{7};
  int kills = 0;
  for (int lives = 0; kills < kills_wanted() && lives < 4 * kills_wanted(); ++lives) {
    const auto at = static_cast<int>(random() % static_cast<int>(moment::count));
    child_process child{
        {"/proc/self/exe", "--test-case=live crash: the process that dies", "--no-skip"},
        {"BACKTEST_CRASH_DIRECTORY=" + directory.path().string(),
         fmt::format("BACKTEST_CRASH_MOMENT={}", at),
         fmt::format("BACKTEST_CRASH_COMMITS={}", 1 + random() % 2),
         fmt::format("BACKTEST_CRASH_POWER={}", random() % 2)}};
    for (std::string line; child.read_line(line);) {
    }
    const int status = child.wait();
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
      ++kills;
    else
      break; // it came to its end
  }
  MESSAGE("killed ", kills, " times");
  CHECK(kills >= kills_wanted() * 3 / 4);
  child_process last{
      {"/proc/self/exe", "--test-case=live crash: the process that dies", "--no-skip"},
      {"BACKTEST_CRASH_DIRECTORY=" + directory.path().string(), "BACKTEST_CRASH_MOMENT=0",
       "BACKTEST_CRASH_COMMITS=1000000"}};
  for (std::string line; last.read_line(line);) {
  }
  CHECK(last.wait() == 0);
  check_undisturbed(*open_rocksdb_store(directory.path()));
}

TEST_CASE("lifecycle 10, durable before visible: `backtest live` killed at random moments") {
  const temporary_directory directory;
  kill_again_and_again(directory.path(), {});
  check_undisturbed(*open_rocksdb_store(directory.path() / "data"));
}

TEST_CASE("lifecycle 10, durable before visible: `backtest live --store redis` killed at random "
          "moments") {
  if (!redis_server::available()) {
    MESSAGE("skipped: redis-server is not installed");
    return;
  }
  const temporary_directory directory;
  const redis_server server;
  kill_again_and_again(directory.path(), {"--store", server.url()});
  check_undisturbed(
      *open_redis_store(server.url(), {.mark = directory.path() / "data" / "redis.mark"}));
}

TEST_CASE("live: a data directory that another process holds is a clear error") {
  const temporary_directory directory;
  const auto configuration = directory.path() / "config.json";
  std::ofstream{configuration} << five_symbols();
  const auto data = directory.path() / "data";
  const auto held = open_rocksdb_store(data);
  const auto result = run_command({"live", "--config", configuration.string(), "--data-dir",
                                   data.string(), "--clock", "replay", "--speed", "max"});
  CHECK(result.status == 1);
  CHECK(result.err.find(data.string()) != std::string::npos);
}

TEST_CASE("command live, status: a replay, what it left, and that it goes on") {
  const temporary_directory directory;
  const auto configuration = directory.path() / "config.json";
  std::ofstream{configuration} << five_symbols();
  const auto data = (directory.path() / "data").string();
  const auto live = [&](std::vector<std::string> more) {
    std::vector<std::string> arguments{"live",       "--config", configuration.string(),
                                       "--data-dir", data,       "--clock",
                                       "replay",     "--speed",  "max",
                                       "--quiet",    "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_command(arguments);
  };
  const auto first = live({"--until", "2024-01-01T12:00:00Z", "--symbol", "AAAUSDT"});
  CHECK(first.status == 0);
  CHECK(first.out.find("\"command\":\"live\"") != std::string::npos);
  const auto status = run_command({"status", "--data-dir", data});
  CHECK(status.status == 0);
  CHECK(status.out.find("cross on AAAUSDT at made_up: idle") != std::string::npos);
  CHECK(status.out.find("journal: 1 to ") != std::string::npos);
  const auto second = live({});
  CHECK(second.status == 0);
  CHECK(run_command({"status", "--data-dir", data, "--json"}).out.find("\"state\":\"idle\"") !=
        std::string::npos);
  CHECK(run_command({"status", "--data-dir", data, "--patience", "0.5"}).out ==
        run_command({"status", "--data-dir", data}).out);
  CHECK(run_command({"status", "--data-dir", data + "-none"}).status != 0);
  CHECK(run_command({"status", "--data-dir", data, "--patience", "-1"}).status == 2);
}

TEST_CASE("command live: flags that make no sense") {
  const temporary_directory directory;
  const auto configuration = directory.path() / "config.json";
  std::ofstream{configuration} << five_symbols();
  const auto run = [&](std::vector<std::string> more) {
    std::vector<std::string> arguments{"live", "--config", configuration.string(), "--data-dir",
                                       (directory.path() / "data").string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_command(arguments);
  };
  CHECK(run({"--speed", "max"}).status == 2);
  CHECK(run({"--frame", "days"}).status == 2);
  CHECK(run({"--clock", "sundial"}).status == 2);
  CHECK(run({"--clock", "replay", "--speed", "-1"}).status == 2);
  CHECK(run({"--clock", "replay", "--speed", "fast"}).status == 2);
  CHECK(run({"--clock", "replay", "--store", "paper"}).status == 2);
  CHECK(run({"--clock", "replay", "--orphans", "adopt"}).status == 2);
  CHECK(run_command({"live", "--config", configuration.string()}).status == 2);
}

TEST_CASE("command parity: no difference on the small configuration, and on every golden one") {
  const temporary_directory directory;
  const auto configuration = directory.path() / "config.json";
  std::ofstream{configuration} << five_symbols();
  const auto result = run_command({"parity", "--config", configuration.string()});
  CHECK(result.status == 0);
  CHECK(result.out.find("no difference: ") == 0);
}
