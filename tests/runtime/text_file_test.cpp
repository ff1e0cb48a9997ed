#include "runtime/text_file.hpp"

#include "messages/error.hpp"
#include "runtime/report_text.hpp"
#include "tests/support/scratch_directory.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <set>
#include <thread>

#include <sys/stat.h>

using namespace backtest;
using namespace backtest::testing;
namespace fs = std::filesystem;

namespace {

std::size_t entries_in(const fs::path& directory) { return names_in(directory).size(); }

} // namespace

TEST_CASE("file names: plain names stay, others are made safe and told apart") {
  CHECK(safe_file_name("BTCUSDT") == "BTCUSDT");
  CHECK(safe_file_name("my-strategy_v1.2") == "my-strategy_v1.2");
  // FNV-1a of "BTC/USDT"
  CHECK(safe_file_name("BTC/USDT") == "BTC_USDT-83a59261");
  CHECK(safe_file_name("a b") != safe_file_name("a/b"));
  CHECK(safe_file_name("../../etc/passwd").find('/') == std::string::npos);
  CHECK(safe_file_name("a\nb").starts_with("a_b-"));
  CHECK(safe_file_name("é").starts_with("__-"));
  CHECK(safe_file_name("").starts_with("_-"));
  CHECK(safe_file_name(".").starts_with("_-"));
  CHECK(safe_file_name("..").starts_with("_-"));
  CHECK(safe_file_name(std::string(100, 'x')) == std::string(100, 'x'));
  CHECK(safe_file_name(std::string(5000, 'x')).size() == 109);
  CHECK(safe_file_name(std::string(101, 'x')) != safe_file_name(std::string(102, 'x')));
}

TEST_CASE("file names: a report is named by everything that tells it apart") {
  CHECK(report_file_name("BTCUSDT", "cross") == "BTCUSDT_cross.md");
  CHECK(report_file_name("BTCUSDT", "sma_cross_2") == "BTCUSDT_sma_cross_2.md");
  CHECK(report_file_name("BTCUSDT", "cross-20240101") == "BTCUSDT_cross-20240101.md");
  CHECK(run_file_name({"BTCUSDT", "cross", "", "", run_mode::live}) == "BTCUSDT_cross_live.md");
  CHECK(report_file_name("BTC/USDT", "cross") == "BTC_USDT-83a59261_cross.md");
  CHECK(strategy_file_name("sma_cross", run_mode::backtest) == "sma_cross_backtest.md");
}

TEST_CASE("file names: different symbols and names never join to the same one") {
  const std::vector<std::pair<std::string, std::string>> pairs{
      {"A", "B_C"},
      {"A_B", "C"},
      {"A_B_C", ""},
      {"", "A_B_C"},
      {"BTC/USDT", "cross"},
      {"BTC:USDT", "cross"},
      {"BTC_USDT", "cross"},
      {"BTC", "USDT_cross"},
      {"BTC_USDT-83a59261", "cross"},
      {"BTC", "USDT-83a59261_cross"},
      {"S", "BTC/USDT"},
      {"S", "BTC_USDT-83a59261"},
      {"S_BTC", "USDT-83a59261"},
      {"S", std::string(101, 'x')},
      {"S", std::string(102, 'x')},
  };
  std::set<std::string> of_pairs, of_runs;
  for (const auto& [symbol, name] : pairs) {
    const auto file = report_file_name(symbol, name);
    CHECK_MESSAGE(of_pairs.insert(file).second, file);
    for (const auto mode : {run_mode::backtest, run_mode::live})
      CHECK(of_runs.insert(run_file_name({symbol, name, "", "", mode})).second);
  }
  CHECK(of_runs.insert(run_file_name({"A", "B_C_live", "", "", run_mode::live})).second);
  CHECK(strategy_file_name("BTC/USDT", run_mode::live) !=
        strategy_file_name("BTC_USDT-83a59261", run_mode::live));
}

TEST_CASE("text files: directories are made, contents replaced, nothing left beside them") {
  const scratch_directory scratch("text_file_write");
  const fs::path path = scratch.path / "a" / "b" / "report.md";
  write_text_file(path, "first, longer than the second\n");
  write_text_file(path, "second é\n");
  CHECK(content_of(path) == "second é\n");
  CHECK(entries_in(path.parent_path()) == 1);
  write_text_file(path, "");
  CHECK(content_of(path) == "");
}

TEST_CASE("text files: a temporary file somebody left does not disturb") {
  const scratch_directory scratch("text_file_left");
  const fs::path path = scratch.path / "report.md";
  std::ofstream(scratch.path / "report.md.tmp0") << "left";
  write_text_file(path, "text");
  CHECK(content_of(path) == "text");
  CHECK(content_of(scratch.path / "report.md.tmp0") == "left");
}

TEST_CASE("text files: what a link leads to is written, and the link stays") {
  const scratch_directory scratch("text_file_link");
  write_text_file(scratch.path / "real.md", "old");
  fs::create_symlink("real.md", scratch.path / "link.md");
  write_text_file(scratch.path / "link.md", "new");
  CHECK(fs::is_symlink(scratch.path / "link.md"));
  CHECK(content_of(scratch.path / "real.md") == "new");
  CHECK(entries_in(scratch.path) == 2);
}

TEST_CASE("text files: a pipe or a device is written in place") {
  const scratch_directory scratch("text_file_pipe");
  const fs::path pipe = scratch.path / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  std::string read;
  std::thread reader{[&] { read = content_of(pipe); }};
  write_text_file(pipe, "text");
  reader.join();
  CHECK(read == "text");
  CHECK(fs::is_fifo(pipe));

  const fs::path full = scratch.path / "full"; // the device itself must not be at risk here
  fs::create_symlink("/dev/full", full);
  const auto message = "cannot write " + full.string() + ": writing: No space left on device";
  CHECK_THROWS_WITH_AS(write_text_file(full, "text"), message.c_str(), failure);
  CHECK(fs::is_symlink(full));
}

TEST_CASE("text files: errors name path and cause and leave nothing behind") {
  const scratch_directory scratch("text_file_errors");
  const auto error_of = [](const fs::path& path) -> std::string {
    try {
      write_text_file(path, "text");
    } catch (const failure& cause) {
      CHECK(cause.code() == error_code::io_failed);
      return cause.what();
    }
    return "";
  };
  const fs::path file = scratch.path / "file";
  write_text_file(file, "old");
  const std::string below_file = error_of(file / "report.md");
  CHECK(below_file.find((file / "report.md").string()) != std::string::npos);
  CHECK(below_file.find("directory") != std::string::npos);

  fs::create_directories(scratch.path / "taken" / "inside");
  const std::string is_directory = error_of(scratch.path / "taken");
  CHECK(is_directory.find((scratch.path / "taken").string()) != std::string::npos);
  CHECK(is_directory.find("directory") != std::string::npos);
  CHECK(entries_in(scratch.path) == 2);
  CHECK(content_of(file) == "old");
}
