#pragma once

#include "messages/event.hpp"
#include "storage/group_commit.hpp"
#include "storage/rocksdb_store.hpp"
#include "storage/store_key.hpp"
#include "tests/support/temporary_directory.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace backtest::testing {

/// Everything in a store, by space.
using store_content = std::array<std::vector<store_entry>, store_space_count>;

inline store_content content_of(const store_reader& from) {
  store_content all;
  for (std::size_t i = 0; i < store_space_count; ++i)
    all[i] = from.scan(static_cast<store_space>(i), {});
  return all;
}

/// The files of a directory and below, with their bytes, but for RocksDB's notes and locks.
inline std::map<std::string, std::string> bytes_in(const std::filesystem::path& directory) {
  std::map<std::string, std::string> all;
  for (const auto& file : std::filesystem::recursive_directory_iterator{directory}) {
    const auto name = file.path().filename().string();
    if (!file.is_regular_file() || name.starts_with("LOG") || name == "LOCK")
      continue;
    std::string bytes(file.file_size(), '\0');
    std::ifstream{file.path(), std::ios::binary}.read(bytes.data(), std::ssize(bytes));
    all.emplace(std::filesystem::relative(file.path(), directory).string(), std::move(bytes));
  }
  return all;
}

/// A commit as a live node makes them: rows of two runs, journal lines, now and then candles.
inline void commit_as_node(group_commit& target, std::int64_t number) {
  store_batch rows;
  for (const auto* symbol : {"AAA", "BBB"})
    rows.put(store_space::state, make_store_key({run_rows, "wave", "cross", symbol}),
             fmt::format("{{\"last_instant\":{}}}", number));
  const auto signal = make_store_key({"signal", "wave", "cross", "AAA"});
  if (number % 3 == 0)
    rows.erase(store_space::state, signal);
  else
    rows.put(store_space::state, signal, fmt::format("signal {}", number));
  error_event told;
  told.message = fmt::format("event of commit {}: {}", number, std::string(2000, '.'));
  told.timestamp = number * minute_ms;
  std::vector<event> events{{topic::error, told}};
  if (number % 5 == 0) {
    events.push_back({topic::error, told});
    rows.put(store_space::candles, fmt::format("wave/AAA/{:05}", number),
             std::string(300, static_cast<char>('a' + number % 26)));
  }
  target.add(static_cast<std::uint64_t>(number), std::move(rows),
             std::make_shared<const std::vector<event>>(std::move(events)));
  for (const auto& outcome : target.commit())
    if (outcome.problem)
      throw failure(*outcome.problem);
}

/// The data directory of a node that was killed, and what was in it.
struct killed_directory {
  std::filesystem::path directory() const { return scratch.path() / "killed"; }

  /// A copy to damage; the one before is gone.
  std::filesystem::path copy() const {
    const auto place = scratch.path() / "damaged";
    std::filesystem::remove_all(place);
    std::filesystem::copy(directory(), place, std::filesystem::copy_options::recursive);
    return place;
  }

  /// The files whose names end or begin like that, ascending.
  std::vector<std::string> files(const std::string& ending) const {
    std::vector<std::string> found;
    for (const auto& file : std::filesystem::directory_iterator{directory()})
      if (auto name = file.path().filename().string();
          name.ends_with(ending) || name.starts_with(ending))
        found.push_back(std::move(name));
    std::sort(found.begin(), found.end());
    return found;
  }

  /// Copies a directory that is open, as a kill leaves it: again until no thread of the database
  /// changes files meanwhile.
  void copy_living(const std::filesystem::path& living) {
    std::error_code changed;
    std::vector<std::filesystem::path> before, after;
    const auto list = [&](std::vector<std::filesystem::path>& names) {
      names.clear();
      for (const auto& file : std::filesystem::directory_iterator{living})
        names.push_back(file.path());
      std::sort(names.begin(), names.end());
    };
    do {
      std::filesystem::remove_all(directory());
      list(before);
      std::filesystem::copy(living, directory(), changed);
      list(after);
    } while (changed || before != after);
  }

  temporary_directory scratch;
  store_content truth;
  std::int64_t last = 0; ///< journal number
};

/// One whose tables and log hold the commits of `commit_as_node`.
struct killed_store : killed_directory {
  static constexpr std::int64_t commits = 90;

  /// `write_buffer_bytes`: as of `rocksdb_options`; small ones make many tables.
  explicit killed_store(std::size_t write_buffer_bytes = 0) {
    rocksdb_options options;
    options.reserve_bytes = 0;
    options.write_buffer_bytes = write_buffer_bytes;
    const auto living = scratch.path() / "living";
    std::unique_ptr<store> target;
    std::optional<group_commit> commits_of_node;
    for (std::int64_t number = 1; number <= commits; ++number) {
      if (number % 30 == 1) {
        commits_of_node.reset();
        target.reset();
        target = open_rocksdb_store(living, options); // what is in its log becomes a table
        commits_of_node.emplace(*target, journal_limits{});
      }
      commit_as_node(*commits_of_node, number);
    }
    truth = content_of(*target);
    last = commits_of_node->last_number();
    copy_living(living);
  }
};

inline void flip_bit(const std::filesystem::path& file, std::uintmax_t at, int bit = 3) {
  std::fstream bytes{file, std::ios::in | std::ios::out | std::ios::binary};
  bytes.seekg(static_cast<std::streamoff>(at));
  const auto byte = static_cast<char>(bytes.get() ^ (1 << bit));
  bytes.seekp(static_cast<std::streamoff>(at));
  bytes.put(byte);
}

} // namespace backtest::testing
