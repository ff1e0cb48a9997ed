#pragma once

#include "messages/event_json.hpp"
#include "messages/json_reader.hpp"
#include "storage/group_commit.hpp"
#include "storage/rocksdb_repair.hpp"
#include "tests/support/contains.hpp"
#include "tests/support/killed_store.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <set>

namespace backtest::testing {

inline rocksdb_options without_reserve() {
  rocksdb_options options;
  options.reserve_bytes = 0;
  return options;
}

/// Each number once, with what was told or that it was lost; behind them the line on the repair.
inline void check_repaired(const killed_directory& before, const std::filesystem::path& directory,
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
inline std::string inflict(damage kind, const std::filesystem::path& file,
                           std::mt19937_64& random) {
  const auto size = std::filesystem::file_size(file);
  const auto name = file.filename().string();
  const auto at = size == 0 ? 0 : random() % size;
  switch (kind) {
  case damage::flip:
    if (size > 0)
      flip_bit(file, at, static_cast<int>(random() % 8));
    return fmt::format("{}: a bit flipped at {} of {}", name, at, size);
  case damage::cut:
    std::filesystem::resize_file(file, at);
    return fmt::format("{}: cut to {} of {}", name, at, size);
  case damage::empty: std::filesystem::resize_file(file, 0); return name + ": emptied";
  case damage::remove: std::filesystem::remove(file); return name + ": deleted";
  default: {
    std::string tail(1 + random() % 70'000, '\0');
    for (auto& byte : tail)
      byte = static_cast<char>(random());
    std::ofstream{file, std::ios::app | std::ios::binary} << tail;
    return fmt::format("{}: {} bytes of garbage behind it", name, tail.size());
  }
  }
}

/// Rows of runs that a repair kept are those of one commit: their last instants are the same.
inline void check_rows_of_one_moment(const store_reader& rows) {
  std::set<std::int64_t> instants;
  for (const auto& row : rows.scan(store_space::state, make_store_prefix({run_rows})))
    instants.insert(json_reader{parse_json(row.value)}.integer("last_instant"));
  CHECK(instants.size() <= 1);
}

/// Damages copies at that many places and looks at what readers, a writer and a repair make of
/// each. How often they were refused.
inline int damage_everywhere(const killed_directory& killed, int places) {
  int refused = 0;
  for (int seed = 0; seed < places; ++seed) {
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
      const auto content = content_of(*open_rocksdb_reader(directory, std::chrono::seconds{5}));
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
    CHECK(!repaired.damage.empty());
    check_repaired(killed, directory, repaired);
    check_rows_of_one_moment(*open_rocksdb_store(directory, without_reserve()));
  }
  return refused;
}

} // namespace backtest::testing
