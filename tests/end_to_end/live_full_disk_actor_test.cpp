// The command on a small disk that somebody else fills: it says so, waits, and loses nothing.
#include "messages/configuration.hpp"
#include "storage/journal.hpp"
#include "storage/rocksdb_store.hpp"
#include "tests/support/command.hpp"
#include "tests/support/command_files.hpp"
#include "tests/support/contains.hpp"
#include "tests/support/small_disk.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <fstream>

using namespace backtest;
using namespace backtest::testing;

namespace {

constexpr std::uint64_t reserve = 8'388'608; // as by default

std::vector<std::string> live_in(const std::filesystem::path& configuration,
                                 const std::filesystem::path& data) {
  return {"live",        "--config",    configuration.string(),
          "--data-dir",  data.string(), "--clock",
          "replay",      "--speed",     "max",
          "--log-level", "warn"};
}

std::vector<std::string> journal_of(const std::filesystem::path& data) {
  const auto reader = open_rocksdb_reader(data);
  std::vector<std::string> lines;
  for (auto& line : read_journal(*reader, 1))
    lines.push_back(std::move(line.text));
  return lines;
}

bool may_mount() {
  const bool may = small_disk{1'000'000}.available();
  if (!may)
    MESSAGE("skipped: this user may not mount a file system");
  return may;
}

} // namespace

TEST_CASE("lifecycle 10, full disk: `backtest live` tells it, goes on when there is room, and its "
          "journal is that of an undisturbed run") {
  if (!may_mount())
    return;
  CHECK(configuration{}.store_reserve_bytes == reserve);
  const temporary_directory folder;
  const auto configuration_file = folder.path() / "config.json";
  std::ofstream{configuration_file} << small_configuration();
  const auto undisturbed = run_command(live_in(configuration_file, folder.path() / "data"));
  REQUIRE_MESSAGE(undisturbed.status == 0, undisturbed.err);
  const auto expected = journal_of(folder.path() / "data");

  for (const std::uint64_t left : {100'000U, 300'000U}) {
    CAPTURE(left);
    const small_disk disk{30'000'000};
    const auto data = disk.path() / "data";
    disk.fill(reserve + left);
    {
      running_command first{live_in(configuration_file, data)};
      REQUIRE(first.wait_for_stderr("no space left"));
      first.send_signal(SIGKILL);
      first.wait();
    }
    CHECK(journal_of(data).size() < expected.size());
    // A second start while it is full waits, or says so and ends.
    running_command second{live_in(configuration_file, data)};
    CHECK(second.wait_for_stderr("no space left"));
    disk.clear();
    const auto ended = second.wait();
    if (ended.status != 0) {
      CHECK_MESSAGE(ended.status == 1, ended.err);
      const auto third = run_command(live_in(configuration_file, data));
      CHECK_MESSAGE(third.status == 0, third.err);
    }
    CHECK(journal_of(data) == expected);
  }
}

TEST_CASE("command: without room on its disk a live run and an import end with its reason") {
  if (!may_mount())
    return;
  const small_disk disk{10'000'000};
  const temporary_directory folder;
  const auto configuration_file = folder.path() / "config.json";
  std::ofstream{configuration_file} << small_configuration();
  const auto data = disk.path() / "data";
  disk.fill(300'000);
  const auto live = run_command(live_in(configuration_file, data));
  CHECK(live.status == 1);
  CHECK_MESSAGE(contains(live.err, "no space left"), live.err);
  CHECK_MESSAGE(contains(live.err, data.string()), live.err);
  disk.clear();

  // Room for the reserve, but not for all of the candles.
  const auto candles = (folder.path() / "candles.csv").string();
  REQUIRE(run_command({"candles", "synth", "--symbol", "BTCUSDT", "--seed", "1", "--from", "2023-01-01", "--to",
                       "2024-01-01", "-o", candles})
              .status == 0);
  disk.fill(reserve + 300'000);
  const auto import = run_command({"candles", "import", candles, "--symbol", "BTCUSDT",
                                   "--exchange", "kept", "--data-dir", data.string()});
  CHECK(import.status == 1);
  CHECK_MESSAGE(contains(import.err, "no space left"), import.err);
  CHECK_MESSAGE(contains(import.err, data.string()), import.err);
}
