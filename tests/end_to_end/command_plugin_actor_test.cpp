#include "tests/support/command.hpp"
#include "tests/support/command_files.hpp"
#include "tests/support/contains.hpp"
#include "tests/support/paths.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

#include <doctest/doctest.h>

using namespace backtest;
using namespace backtest::testing;
using backtest::test::temporary_folder;

namespace {

const std::string breakout_configuration = R"({
  "exchanges": [ { "name": "made_up", "type": "synthetic", "seed": 5, "symbols": ["AAAUSDT"] } ],
  "frames": [ { "name": "week", "interval": "1m", "start": "2024-01-01", "end": "2024-01-07" } ],
  "strategies": [ { "name": "out", "type": "breakout", "params": { "window": 12 } } ] })";

} // namespace

TEST_CASE("command: a plugin brings a type for configurations and a strategy for flags") {
  const temporary_folder folder{"command_plugin"};
  const auto config = folder.write("config.json", breakout_configuration);
  const auto typed =
      run_command({"run", "--config", config, "--plugin", backtest::testing::breakout_plugin()});
  CHECK_MESSAGE(typed.status == 0, typed.err);
  CHECK(contains(typed.out, "out "));
  CHECK(!contains(typed.out, "breakout_hourly")); // only what the file names runs by itself
  const auto complete =
      run_command({"run", "--config", config, "--plugin", backtest::testing::breakout_plugin(),
                   "--strategy", "breakout_hourly"});
  CHECK_MESSAGE(complete.status == 0, complete.err);
  CHECK(contains(complete.out, "breakout_hourly"));
  const auto listed =
      run_command({"list", "strategies", "--plugin", backtest::testing::breakout_plugin()});
  CHECK(contains(listed.out, "breakout_hourly"));
  const auto without = run_command({"run", "--config", config});
  CHECK(without.status == 2);
  CHECK(contains(without.err, "breakout"));
}

TEST_CASE("command: plugins that do not load are refused with the reason") {
  const temporary_folder folder{"command_bad_plugin"};
  const auto config = folder.write("config.json", small_configuration());
  const std::vector<std::pair<std::string, std::string>> cases{
      {folder / "missing.so", "missing.so"},
      {folder.write("text.so", "not a library"), "text.so"},
      {backtest::testing::test_plugin("no_symbols.so"), "it does not define backtest_plugin_abi"},
      {backtest::testing::test_plugin("wrong_version.so"),
       "it was built for plugin version 999, expected"},
      {backtest::testing::test_plugin("throwing.so"),
       "backtest_plugin_register threw: no licence"}};
  for (const auto& [plugin, message] : cases) {
    const auto result = run_command({"run", "--config", config, "--plugin", plugin});
    CHECK(result.status == 2);
    CHECK_MESSAGE(contains(result.err, message), result.err);
  }
}

TEST_CASE("command: plugin build compiles a file that then loads") {
  const temporary_folder folder{"command_plugin_build"};
  const std::string library = folder / "built.so";
  const auto built = run_command(
      {"plugin", "build",
       (backtest::testing::source_directory() / "tools/example_plugin/breakout.cpp").string(), "-o",
       library});
  CHECK_MESSAGE(built.status == 0, built.err);
  CHECK(built.out == library + "\n");
  CHECK(contains(run_command({"list", "strategies", "--plugin", library}).out, "breakout_hourly"));

  // What it prints is what --plugin takes, also where that is a name alone.
  const std::vector<std::string> here{"env", "-C", std::filesystem::path{library}.parent_path()};
  std::filesystem::copy_file(backtest::testing::source_directory() /
                                 "tools/example_plugin/breakout.cpp",
                             folder / "named.cpp");
  const auto named = run_command({"plugin", "build", "named.cpp", "-o", "m.so"}, {}, here);
  CHECK_MESSAGE(named.out == "m.so\n", named.err);
  const auto loaded = run_command({"list", "strategies", "--plugin", "m.so"}, {}, here);
  CHECK_MESSAGE(loaded.status == 0, loaded.err);
  CHECK(contains(loaded.out, "breakout_hourly"));

  const auto broken = run_command(
      {"plugin", "build", folder.write("broken.cpp", "int x = ;\n"), "-o", folder / "broken.so"});
  CHECK(broken.status == 1);
  CHECK(contains(broken.err, "broken.cpp:1"));
  CHECK(run_command({"plugin", "build", folder / "none.cpp"}).status == 2);
}

TEST_CASE("look-ahead: strategies of a plugin find nothing behind the newest candle, of any "
          "interval and symbol, in a backtest and live") {
  const temporary_folder folder{"command_plugin_looking"};
  const auto config = folder.write("config.json", R"({
    "exchanges": [ { "name": "made_up", "type": "synthetic", "seed": 5,
                     "symbols": ["AAAUSDT", "BBBUSDT"] } ],
    "frames": [ { "name": "morning", "interval": "1m", "start": "2024-01-01T00:00:00Z",
                  "end": "2024-01-01T06:00:00Z" } ],
    "strategies": [ { "name": "grid", "type": "time_grid" } ] })");
  const std::vector<std::vector<std::string>> modes{
      {"run"}, {"live", "--data-dir", folder / "data", "--clock", "replay", "--speed", "max"}};
  for (auto arguments : modes) {
    CAPTURE(arguments.front());
    const std::string file = folder / (arguments.front() + ".txt");
    for (const auto& more : std::vector<std::string>{
             "--config", config, "--plugin", backtest::testing::test_plugin("looking.so"),
             "--strategy", "looking", "--strategy", "looking_blocking", "--quiet"})
      arguments.push_back(more);
    const auto result = run_command(arguments, {"BACKTEST_LOOKING_FILE=" + file});
    REQUIRE_MESSAGE(result.status == 0, result.err);
    CHECK(result.err.empty());
    std::ifstream in{file};
    auto lines = lines_of({std::istreambuf_iterator<char>{in}, {}});
    std::sort(lines.begin(), lines.end());
    std::vector<std::string> expected; // of two strategies on two symbols, every quarter of an hour
    for (const auto* strategy : {"looking", "looking_blocking"})
      for (const auto* symbol : {"AAAUSDT", "BBBUSDT"})
        for (int minute = 0; minute <= 6 * 60; minute += 15)
          expected.push_back(
              fmt::format("{} {} 2024-01-01T{:02}:{:02}:00Z, 48 times nothing behind "
                          "the newest one",
                          strategy, symbol, minute / 60, minute % 60));
    REQUIRE(lines.size() == expected.size());
    for (std::size_t i = 0; i < lines.size(); ++i)
      CHECK(lines[i] == expected[i]);
  }
}
