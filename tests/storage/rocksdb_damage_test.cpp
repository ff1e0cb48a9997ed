// What a killed node leaves is damaged: whoever opens it reads the whole truth or is refused, what
// is refused stays as it is, and a repair loses no number.
#include "tests/support/damaged_directory.hpp"
#include "tests/support/failure_of.hpp"
#include "tests/support/sanitizers.hpp"

#include "messages/event_json.hpp"
#include "storage/commit_mark.hpp"
#include "storage/group_commit.hpp"
#include "storage/rocksdb_repair.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

using namespace backtest;
using namespace backtest::testing;

namespace {

namespace fs = std::filesystem;

std::string refusal_of(const fs::path& directory) {
  return failure_of([&] { open_rocksdb_store(directory, without_reserve()); }).what();
}

} // namespace

TEST_CASE("damage: a bit in the middle of the log is noticed, and nothing is touched") {
  const killed_store killed;
  const auto directory = killed.copy();
  const auto log = directory / killed.files(".log").back();
  flip_bit(log, fs::file_size(log) / 4);
  const auto before = bytes_in(directory);
  const auto refusal = refusal_of(directory);
  CHECK(contains(refusal, directory.string()));
  CHECK(contains(refusal, "writes that were acknowledged the last"));
  CHECK(contains(refusal, fmt::format("to {} are missing", killed.last)));
  CHECK(contains(refusal, "cross on AAA at wave, cross on BBB at wave"));
  CHECK(contains(refusal, fmt::format("\"backtest repair --data-dir {}\"", directory.string())));
  CHECK(failure_of([&] { open_rocksdb_reader(directory); }).code() == error_code::store_lost);
  CHECK(bytes_in(directory) == before);
}

TEST_CASE("damage: a log that is deleted or emptied is noticed") {
  const killed_store killed;
  for (const bool deleted : {false, true}) {
    const auto directory = killed.copy();
    for (const auto& log : killed.files(".log"))
      deleted ? static_cast<void>(fs::remove(directory / log))
              : fs::resize_file(directory / log, 0);
    CHECK(contains(refusal_of(directory), fmt::format("to {} are missing", killed.last)));
    CHECK(failure_of([&] { open_rocksdb_reader(directory); }).code() == error_code::store_lost);
  }
}

TEST_CASE("damage: tables that are missing, cut or longer are named by writer and reader") {
  const killed_store killed;
  for (const auto& table : killed.files(".sst"))
    for (const auto kind : {damage::remove, damage::cut, damage::lengthen}) {
      CAPTURE(table);
      const auto directory = killed.copy();
      std::mt19937_64 random{5};
      inflict(kind, directory / table, random);
      CHECK(contains(refusal_of(directory), "table " + table + " of "));
      const auto refusal = failure_of([&] { open_rocksdb_reader(directory); });
      CHECK(contains(refusal.what(), "table " + table + " of "));
      CHECK(refusal.code() == error_code::store_lost);
    }
}

TEST_CASE("damage: no scan passes over a table whose first block is damaged") {
  const killed_store killed{4096};
  for (const auto& table : killed.files(".sst")) {
    CAPTURE(table);
    const auto directory = killed.copy();
    flip_bit(directory / table, 20);
    try { // one that is no longer part of the store harms nobody
      const auto content = content_of(*open_rocksdb_reader(directory));
      CHECK(content == killed.truth);
    } catch (const failure& caught) {
      CHECK(contains(caught.what(), table));
    }
  }
}

TEST_CASE("damage: garbage behind the log is no damage, and no reader turns in it for ever") {
  const killed_store killed;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    CAPTURE(seed);
    const auto directory = killed.copy();
    std::mt19937_64 random{seed};
    inflict(damage::lengthen, directory / killed.files(".log").back(), random);
    CHECK(content_of(*open_rocksdb_reader(directory)) == killed.truth);
  }
}

TEST_CASE(
    "damage: a mark that does not fit its checksum is refused, one that is missing made anew") {
  const killed_store killed;
  auto directory = killed.copy();
  flip_bit(directory / "commit.mark", 40);
  CHECK(contains(refusal_of(directory), "do not fit their checksum"));
  CHECK(contains(failure_of([&] { open_rocksdb_reader(directory); }).what(),
                 "do not fit their checksum"));
  directory = killed.copy();
  const auto before = *read_commit_mark(directory / "commit.mark");
  fs::remove(directory / "commit.mark");
  CHECK(content_of(*open_rocksdb_store(directory, without_reserve())) == killed.truth);
  const auto after = *read_commit_mark(directory / "commit.mark");
  CHECK(after.commits == before.commits);
  CHECK(after.journal_last == killed.last);
}

TEST_CASE("damage: a reader writes nothing into the directory") {
  const killed_store killed;
  std::vector<std::string> before, after;
  const auto list = [&](std::vector<std::string>& names) {
    for (const auto& file : fs::directory_iterator{killed.directory()})
      names.push_back(fmt::format("{} {}", file.path().string(), file.file_size()));
    std::sort(names.begin(), names.end());
  };
  list(before);
  CHECK(content_of(*open_rocksdb_reader(killed.directory())) == killed.truth);
  list(after);
  CHECK(before == after);
}

TEST_CASE("damage: a first start that was cut short is told as such") {
  const temporary_directory scratch;
  const auto directory = scratch.path() / "data";
  open_rocksdb_store(directory, without_reserve());
  fs::remove(directory / "commit.mark"); // which comes last
  const auto refusal = failure_of([&] { open_rocksdb_reader(directory); });
  CHECK(refusal.code() == error_code::not_found);
  CHECK(contains(refusal.what(), "its first start ended before the store was made"));
}

TEST_CASE("repair: what is whole is left alone, and what is no store is said") {
  const killed_store killed;
  const auto before = bytes_in(killed.directory());
  CHECK(repair_rocksdb_store(killed.directory(), 0).damage.empty());
  CHECK(bytes_in(killed.directory()) == before);
  const temporary_directory empty;
  CHECK(failure_of([&] { repair_rocksdb_store(empty.path(), 0); }).code() == error_code::not_found);
  CHECK(failure_of([&] { repair_rocksdb_store(empty.path() / "none", 0); }).code() ==
        error_code::not_found);
  const auto open = open_rocksdb_store(killed.copy(), without_reserve());
  CHECK(failure_of([&] { repair_rocksdb_store(killed.scratch.path() / "damaged", 0); }).code() ==
        error_code::already_running);
}

TEST_CASE("repair: a log that is damaged in the middle") {
  const killed_store killed;
  const auto directory = killed.copy();
  const auto log = directory / killed.files(".log").back();
  flip_bit(log, fs::file_size(log) / 4);
  const auto damaged = bytes_in(directory);
  const auto repaired = repair_rocksdb_store(directory, 1'700'000'000'000);
  REQUIRE(repaired.damage.size() == 1);
  CHECK(contains(repaired.damage[0], "writes that were acknowledged the last"));
  REQUIRE(repaired.lost.size() == 1);
  CHECK(repaired.lost[0].last == killed.last);
  CHECK(repaired.runs == "cross on AAA at wave, cross on BBB at wave");
  CHECK(repaired.journal == journal_bounds{1, killed.last + 1});
  CHECK(repaired.aside == directory / "damaged-20231114T221320Z");
  // Most of what is behind the damage can be read, and people get it.
  CHECK(repaired.lines_found > 0);
  const auto aside = bytes_in(repaired.aside);
  CHECK(contains(aside.at("lost-events.jsonl"),
                 fmt::format("event of commit {}", killed_store::commits)));
  for (const auto& [name, bytes] : damaged)
    CHECK(aside.at(name) == bytes);
  check_repaired(killed, directory, repaired);
  CHECK(repair_rocksdb_store(directory, 0).damage.empty());
}

TEST_CASE("repair: interrupted at any step, it is finished by the next one") {
  const killed_store killed;
  auto directory = killed.copy();
  const auto log = directory / killed.files(".log").back();
  flip_bit(log, fs::file_size(log) / 4);
  const auto damaged = bytes_in(directory);
  const auto repaired = repair_rocksdb_store(directory, 1'700'000'000'000);
  const auto name = repaired.aside.filename();
  auto old = killed.files("");
  std::erase_if(old,
                [](const std::string& file) { return file.starts_with("LOG") || file == "LOCK"; });
  std::vector<std::string> made;
  for (const auto& file : fs::directory_iterator{directory})
    if (file.is_regular_file() && file.path().filename() != "LOCK" &&
        !file.path().filename().string().starts_with("LOG"))
      made.push_back(file.path().filename());
  // Back to the moment when the new store was complete, and a part of the files was moved.
  for (const bool moving_aside : {true, false})
    for (std::size_t moved = 0; moved <= (moving_aside ? old : made).size(); ++moved) {
      const auto place = killed.scratch.path() / "interrupted";
      fs::remove_all(place);
      fs::create_directories(place / name);
      const auto source = place / (moving_aside ? "repaired" : "replacing");
      fs::create_directories(source);
      std::ofstream{source / "ASIDE"} << name.string() << '\n';
      for (std::size_t i = 0; i < old.size(); ++i)
        fs::copy(directory / name / old[i],
                 !moving_aside || i < moved ? place / name / old[i] : place / old[i]);
      for (std::size_t i = 0; i < made.size(); ++i)
        fs::copy(directory / made[i],
                 !moving_aside && i < moved ? place / made[i] : source / made[i]);
      CHECK(contains(refusal_of(place), "a repair was interrupted half way"));
      CHECK(
          contains(failure_of([&] { open_rocksdb_reader(place); }).what(), "interrupted half way"));
      const auto finished = repair_rocksdb_store(place, 0);
      CHECK(finished.damage ==
            std::vector<std::string>{"an earlier repair was interrupted; it is finished now"});
      CHECK(finished.journal == journal_bounds{1, killed.last + 1});
      check_repaired(killed, place, repaired);
    }
}

TEST_CASE("damage at seeded places of every file: the whole truth, or a refusal, and repaired") {
  const int places = is_sanitized ? 30 : 150;
  for (const std::size_t write_buffer : {std::size_t{0}, std::size_t{4096}}) {
    const auto refused = damage_everywhere(killed_store{write_buffer}, places);
    MESSAGE("refused ", refused, " of ", places);
    CHECK(refused > places / 4);
  }
}

TEST_CASE("damage: a manifest that is cut anywhere is noticed, unless nothing is lost by it") {
  const killed_store killed;
  const auto manifest = killed.files("MANIFEST-").back();
  const auto size = fs::file_size(killed.directory() / manifest);
  for (std::uintmax_t cut = 0; cut < size; cut += is_sanitized ? 37 : 7) {
    CAPTURE(cut);
    CAPTURE(size);
    const auto directory = killed.copy();
    fs::resize_file(directory / manifest, cut);
    try {
      const auto content = content_of(*open_rocksdb_reader(directory));
      CHECK(content == killed.truth);
    } catch (const failure& caught) {
      CHECK(contains(caught.what(), directory.string()));
    }
  }
}
