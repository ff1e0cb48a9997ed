// Commands that may have too little memory or too few open files: they say so, and never crash.

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
void check_under_limits(const std::vector<std::string>& arguments, const std::string& limit,
                        const std::vector<int>& values, const std::string& named) {
  bool was_refused = false;
  command_result result;
  for (const int value : values) {
    const auto script = fmt::format("ulimit {} {}; exec \"$@\"", limit, value);
    result = run_command(arguments, {}, {"bash", "-c", script, "limited"});
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
