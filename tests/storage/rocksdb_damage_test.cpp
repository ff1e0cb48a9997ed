// What a killed node leaves is damaged: whoever opens it reads the whole truth or is refused, what is
// refused stays as it is, and a repair loses no number.
#include "tests/support/contains.hpp"
#include "tests/support/failure_of.hpp"
#include "tests/support/killed_store.hpp"
#include "tests/support/sanitizers.hpp"

#include "messages/event_json.hpp"
#include "storage/group_commit.hpp"
#include "storage/rocksdb_repair.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

using namespace backtest;
using namespace backtest::testing;

namespace {

namespace fs = std::filesystem;

rocksdb_options without_reserve() {
  rocksdb_options options;
  options.reserve_bytes = 0;
  return options;
}

std::string refusal_of(const fs::path& directory) {
  return failure_of([&] { open_rocksdb_store(directory, without_reserve()); }).what();
}

/// Each number once, with what was told or that it was lost; behind them the line on the repair.
void check_repaired(const killed_store& before, const fs::path& directory,
                    const store_repair& repaired) {
  const auto& told = before.truth[static_cast<std::size_t>(store_space::journal)];
  const auto target = open_rocksdb_store(directory, without_reserve());
  const auto lines = read_journal(*target, 1);
  REQUIRE(lines.size() == static_cast<std::size_t>(before.last) + 1);
  std::vector<std::int64_t> lost;
  for (std::size_t i = 0; i + 1 < lines.size(); ++i)
    if (lines[i].text != told[i].value) {
      CHECK(contains(lines[i].text, fmt::format("journal number {} was lost", lines[i].number)));
      lost.push_back(lines[i].number);
    }
  std::vector<std::int64_t> said;
  for (const auto& range : repaired.lost)
    for (auto number = range.first; number <= range.last; ++number)
      said.push_back(number);
  CHECK(lost == said);
  CHECK(contains(lines.back().text, "the store was damaged and has been repaired"));
  CHECK(std::get<error_event>(parse_event_line(lines.back().text).item.payload).code ==
        error_code::store_lost);
  // What goes on there takes the next number.
  group_commit next{*target, {}};
  CHECK(next.last_number() == before.last + 1);
  // Candles are whole or missing.
  const auto& candles = before.truth[static_cast<std::size_t>(store_space::candles)];
  for (const auto& entry : target->scan(store_space::candles, {}))
    CHECK(std::find(candles.begin(), candles.end(), entry) != candles.end());
}

enum class damage { flip, cut, empty, remove, lengthen, count };

/// What was done, for the message of a check that fails.
std::string inflict(damage kind, const fs::path& file, std::mt19937_64& random) {
  const auto size = fs::file_size(file);
  const auto name = file.filename().string();
  const auto at = size == 0 ? 0 : random() % size;
  switch (kind) {
  case damage::flip:
    if (size > 0)
      flip_bit(file, at, static_cast<int>(random() % 8));
    return fmt::format("{}: a bit flipped at {} of {}", name, at, size);
  case damage::cut: fs::resize_file(file, at); return fmt::format("{}: cut to {} of {}", name, at, size);
  case damage::empty: fs::resize_file(file, 0); return name + ": emptied";
  case damage::remove: fs::remove(file); return name + ": deleted";
  default: {
    std::string tail(1 + random() % 70'000, '\0');
    for (auto& byte : tail)
      byte = static_cast<char>(random());
    std::ofstream{file, std::ios::app | std::ios::binary} << tail;
    return fmt::format("{}: {} bytes of garbage behind it", name, tail.size());
  }
  }
}

/// Rows of runs that a repair kept are those of one commit.
void check_rows_of_one_moment(const store_reader& rows) {
  const auto runs = rows.scan(store_space::state, make_store_prefix({run_rows}));
  REQUIRE((runs.empty() || runs.size() == 2));
  if (!runs.empty())
    CHECK(runs[0].value == runs[1].value);
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
      deleted ? static_cast<void>(fs::remove(directory / log)) : fs::resize_file(directory / log, 0);
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

TEST_CASE("damage: a mark that does not fit its checksum is refused, one that is missing made anew") {
  const killed_store killed;
  auto directory = killed.copy();
  flip_bit(directory / "commit.mark", 40);
  CHECK(contains(refusal_of(directory), "do not fit their checksum"));
  CHECK(contains(failure_of([&] { open_rocksdb_reader(directory); }).what(), "do not fit their checksum"));
  directory = killed.copy();
  const auto mark = bytes_in(directory).at("commit.mark");
  fs::remove(directory / "commit.mark");
  CHECK(content_of(*open_rocksdb_store(directory, without_reserve())) == killed.truth);
  CHECK(bytes_in(directory).at("commit.mark") == mark);
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
  CHECK(contains(aside.at("lost-events.jsonl"), fmt::format("event of commit {}", killed_store::commits)));
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
  std::erase_if(old, [](const std::string& file) { return file.starts_with("LOG") || file == "LOCK"; });
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
        fs::copy(directory / made[i], !moving_aside && i < moved ? place / made[i] : source / made[i]);
      CHECK(contains(refusal_of(place), "a repair was interrupted half way"));
      CHECK(contains(failure_of([&] { open_rocksdb_reader(place); }).what(), "interrupted half way"));
      const auto finished = repair_rocksdb_store(place, 0);
      CHECK(finished.damage ==
            std::vector<std::string>{"an earlier repair was interrupted; it is finished now"});
      CHECK(finished.journal == journal_bounds{1, killed.last + 1});
      check_repaired(killed, place, repaired);
    }
}

TEST_CASE("damage at seeded places of every file: the whole truth, or a refusal; then repaired") {
  const int places = is_sanitized ? 60 : 300;
  const killed_store few_tables;
  const killed_store many_tables{4096};
  int refused = 0;
  for (int seed = 0; seed < places; ++seed) {
    const auto& killed = seed % 2 == 0 ? few_tables : many_tables;
    std::mt19937_64 random{static_cast<std::uint64_t>(seed)};
    const auto directory = killed.copy();
    const auto files = killed.files("");
    const auto kind = static_cast<damage>(random() % static_cast<int>(damage::count));
    const auto what = inflict(kind, directory / files[random() % files.size()], random);
    CAPTURE(seed);
    CAPTURE(what);
    const auto before = bytes_in(directory);

    std::string reader_refused;
    try {
      const auto reader = open_rocksdb_reader(directory, std::chrono::seconds{5});
      const auto content = content_of(*reader);
      CHECK(content == killed.truth);
    } catch (const failure& caught) {
      reader_refused = caught.what();
      CHECK(contains(reader_refused, killed.scratch.path().string()));
    }
    CHECK(bytes_in(directory) == before);

    bool writer_opened = false;
    try {
      const auto writer = open_rocksdb_store(directory, without_reserve());
      writer_opened = true;
      const auto content = content_of(*writer);
      CHECK(content == killed.truth);
      CHECK(reader_refused == "");
    } catch (const failure& caught) {
      ++refused;
      CHECK(contains(caught.what(), killed.scratch.path().string()));
      CHECK(reader_refused != "");
      if (!writer_opened)
        CHECK(bytes_in(directory) == before);
    }
    if (reader_refused.empty())
      continue;
    const auto repaired = repair_rocksdb_store(directory, 1'700'000'000'000);
    CHECK(repaired.damage.size() > 0);
    check_repaired(killed, directory, repaired);
    check_rows_of_one_moment(*open_rocksdb_store(directory, without_reserve()));
  }
  MESSAGE("refused ", refused, " of ", places);
  CHECK(refused > places / 4);
}
