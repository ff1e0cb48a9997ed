// Commands that may have too little memory, too few threads or too few open files: they say so, and
// never crash.

#include "tests/support/command.hpp"
#include "tests/support/command_files.hpp"
#include "tests/support/runtime_fixture.hpp"
#include "tests/support/sanitizers.hpp"

#include <doctest/doctest.h>

using namespace backtest;
using namespace backtest::testing;
using backtest::test::temporary_folder;

namespace {

/// Under every limit it succeeds, or ends with 1 and a reason; under the last one it succeeds.
/// `through`: as of `run_command`.
void check_under_limits(const std::vector<std::string>& arguments, const std::string& limit,
                        const std::vector<int>& values, const std::string& named,
                        const std::vector<std::string>& through = {}) {
  bool was_refused = false;
  command_result result;
  for (const int value : values) {
    const auto script = fmt::format("ulimit {} {}; exec \"$@\"", limit, value);
    auto limited = through;
    limited.insert(limited.end(), {"bash", "-c", script, "limited"});
    result = run_command(arguments, {}, limited);
    CAPTURE(arguments.front());
    CAPTURE(limit);
    CAPTURE(value);
    CAPTURE(result.err);
    CHECK((result.status == 0 || result.status == 1));
    if (result.status == 0)
      continue;
    was_refused = was_refused || result.err.find(named) != std::string::npos;
    CHECK(result.err.find("backtest: ") != std::string::npos);
    CHECK(result.err.find("terminate called") == std::string::npos);
  }
  CHECK(was_refused);
  CHECK(result.status == 0);
}

void check_commands(const std::string& limit, const std::vector<int>& values,
                    const std::string& named) {
  const temporary_folder folder{"command_limits" + limit};
  const auto config = folder.write("config.json", small_configuration());
  const auto data = (folder / "data").string();
  check_under_limits({"run", "--config", config, "--quiet"}, limit, values, named);
  check_under_limits({"live", "--config", config, "--data-dir", data, "--clock", "replay",
                      "--speed", "max", "--quiet"},
                     limit, values, named);
  check_under_limits(
      {"walk", "--config",
       folder.write("walk.json", small_configuration(R"("walkers": [ { "name": "both",
                                   "exchange": "made_up", "frame": "days", "strategies": ["grid", "cross"] } ], )")),
       "--walker", "both", "--symbol", "AAAUSDT", "--quiet"},
      limit, values, named);
}

} // namespace

TEST_CASE("command: with too few open files it ends with a reason") {
  const watchdog guard{std::chrono::seconds{300}};
  check_commands("-n", {10, 14, 18, 22, 26, 30, 36, 42, 50, 58, 66, 80, 100, 1024}, "ulimit -n");
}

TEST_CASE("command: with too little memory it ends with a reason") {
  if (is_sanitized) {
    MESSAGE("skipped: sanitizers reserve more than any limit");
    return;
  }
  const watchdog guard{std::chrono::seconds{300}};
  std::vector<int> kilobytes; // below, the libraries cannot be loaded
  for (int megabytes = 150; megabytes <= 700; megabytes += 25)
    kilobytes.push_back(megabytes * 1024);
  kilobytes.push_back(4096 * 1024);
  check_commands("-v", kilobytes, "ulimit -v");
}

TEST_CASE("command: with too few threads it ends with a reason") {
  // The limit is of a user, and does not bind root.
  const std::vector<std::string> as_nobody{"setpriv", "--reuid", "65534",
                                           "--regid", "65534",   "--clear-groups"};
  const temporary_folder folder{"command_limits_threads"};
  const auto config = folder.write("config.json", small_configuration());
  if (is_sanitized || run_command({"check", "--config", config}, {}, as_nobody).status != 0) {
    MESSAGE(
        "skipped: another user cannot be taken on here, or sanitizers start threads themselves");
    return;
  }
  const watchdog guard{std::chrono::seconds{300}};
  check_under_limits({"run", "--config", config, "--quiet"}, "-u",
                     {1, 2, 3, 4, 6, 8, 10, 12, 14, 16, 20, 30, 4096}, "ulimit -u", as_nobody);
}
