#pragma once

// What every implementation of `store` promises, as checks to run from any test program: no test
// framework is needed, a promise that is broken is told as text.
//
//   const auto broken = backtest::check_store({[] { return opener_of(new_directory()); }});

#include "storage/store.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace backtest {

/// Opens the store that is kept at one place; called again once the store it gave is gone.
using store_opener = std::function<std::unique_ptr<store>()>;

struct store_under_test {
  /// A place of its own every time, where nothing is kept yet. It may be let go of with the opener.
  std::function<store_opener()> make_place;
  /// Whether a place that is opened again holds what was committed. False where stores live in
  /// memory.
  bool is_durable = true;
};

namespace store_conformance {

constexpr store_space spaces[] = {store_space::state, store_space::journal, store_space::candles};

/// What a store must hold: a map is ordered as its keys are, by unsigned bytes.
using rows_of_space = std::map<std::string, std::string>;

inline std::string shown(std::string_view bytes) {
  constexpr std::size_t most = 40;
  std::string text = "\"";
  for (const char byte : bytes.substr(0, most)) {
    const auto value = static_cast<unsigned char>(byte);
    const bool is_plain = value >= ' ' && value < 127 && value != '"' && value != '\\';
    text += is_plain ? std::string(1, byte) : fmt::format("\\x{:02x}", value);
  }
  return text + (bytes.size() > most ? fmt::format("\"... ({} bytes)", bytes.size()) : "\"");
}
inline std::string shown(const std::string& bytes) { return shown(std::string_view{bytes}); }
inline std::string shown(const store_entry& entry) {
  return shown(entry.key) + ": " + shown(entry.value);
}
inline std::string shown(std::size_t count) { return fmt::format("{}", count); }
template <class Value>
std::string shown(const std::optional<Value>& value) {
  return value ? shown(*value) : "nothing";
}
inline std::string shown(const std::vector<store_entry>& entries) {
  constexpr std::size_t most = 5;
  std::string text = fmt::format("{} entries", entries.size());
  for (std::size_t i = 0; i < std::min(most, entries.size()); ++i)
    text += (i == 0 ? " (" : ", ") + shown(entries[i]);
  return text + (entries.empty() ? "" : entries.size() > most ? ", ...)" : ")");
}

/// Collects what did not hold of one promise.
class findings {
public:
  findings(std::string promise, std::vector<std::string>& all)
      : promise_(std::move(promise)), all_(all) {}

  template <class Value>
  void expect_equal(const std::string& what, const Value& got, const Value& expected) {
    if (!(got == expected))
      add(fmt::format("{} gives {}, expected {}", what, shown(got), shown(expected)));
  }
  void expect(bool holds, const std::string& what) {
    if (!holds)
      add(what);
  }
  void add(const std::string& what) {
    constexpr int most = 5; // the first ones say enough
    if (++count_ <= most)
      all_.push_back(fmt::format("{}: {}", promise_, what));
  }
  bool none() const noexcept { return count_ == 0; }

private:
  std::string promise_;
  std::vector<std::string>& all_;
  int count_ = 0;
};

inline std::vector<store_entry> expected_scan(const rows_of_space& rows, const std::string& prefix,
                                              const std::string& from = {},
                                              std::size_t limit = SIZE_MAX) {
  std::vector<store_entry> found;
  for (const auto& [key, value] : rows)
    if (key.starts_with(prefix) && key >= from && found.size() < limit)
      found.push_back({key, value});
  return found;
}

inline std::optional<store_entry> expected_last(const rows_of_space& rows,
                                                const std::string& prefix) {
  const auto all = expected_scan(rows, prefix);
  return all.empty() ? std::nullopt : std::optional{all.back()};
}

inline std::optional<std::string> expected_get(const rows_of_space& rows, const std::string& key) {
  const auto found = rows.find(key);
  return found == rows.end() ? std::nullopt : std::optional{found->second};
}

inline void put_all(store& target, store_space space, const rows_of_space& rows) {
  store_batch batch;
  for (const auto& [key, value] : rows)
    batch.put(space, key, value);
  target.commit(batch);
}

// -- reads that are compared with what a map holds ----------------------------------------------

inline void compare_get(findings& found, const store_reader& actual, const rows_of_space& rows,
                        const std::string& key, store_space space = store_space::state) {
  found.expect_equal(fmt::format("get({}, {})", to_string(space), shown(key)),
                     actual.get(space, key), expected_get(rows, key));
}

inline void compare_scan(findings& found, const store_reader& actual, const rows_of_space& rows,
                         const std::string& prefix, const std::string& from = {},
                         std::size_t limit = SIZE_MAX, store_space space = store_space::state) {
  found.expect_equal(fmt::format("scan({}, {}, {}, {})", to_string(space), shown(prefix),
                                 shown(from), limit == SIZE_MAX ? "no limit" : shown(limit)),
                     actual.scan(space, prefix, from, limit),
                     expected_scan(rows, prefix, from, limit));
}

inline void compare_last(findings& found, const store_reader& actual, const rows_of_space& rows,
                         const std::string& prefix, store_space space = store_space::state) {
  found.expect_equal(fmt::format("last({}, {})", to_string(space), shown(prefix)),
                     actual.last(space, prefix), expected_last(rows, prefix));
}

// -- the promises -------------------------------------------------------------------------------

inline void reads_what_was_put(const store_under_test& subject, findings& found) {
  const auto place = subject.make_place();
  const auto target = place();
  compare_get(found, *target, {}, "a");
  store_batch first;
  first.put(store_space::state, "a", "1");
  first.put(store_space::state, "b", "");
  target->commit(first);
  for (const std::string key : {"a", "b", "c"})
    compare_get(found, *target, {{"a", "1"}, {"b", ""}}, key);
  store_batch second;
  second.put(store_space::state, "a", "2");
  second.erase(store_space::state, "b");
  second.erase(store_space::state, "never there");
  target->commit(second);
  for (const std::string key : {"a", "b"})
    compare_get(found, *target, {{"a", "2"}}, key);
}

inline void keeps_spaces_apart(const store_under_test& subject, findings& found) {
  const auto place = subject.make_place();
  const auto target = place();
  store_batch batch;
  for (const auto space : spaces)
    batch.put(space, "key", to_string(space));
  target->commit(batch);
  for (const auto space : spaces)
    compare_scan(found, *target, {{"key", std::string{to_string(space)}}}, "", "", SIZE_MAX, space);
  store_batch erasure;
  erasure.erase(store_space::journal, "key");
  target->commit(erasure);
  compare_get(found, *target, {{"key", "state"}}, "key");
  compare_get(found, *target, {}, "key", store_space::journal);
}

inline void orders_keys_by_unsigned_bytes(const store_under_test& subject, findings& found) {
  const auto place = subject.make_place();
  const auto target = place();
  rows_of_space rows;
  for (int byte = 0; byte < 256; ++byte) {
    const std::string one(1, static_cast<char>(byte));
    rows[one] = "one " + std::to_string(byte);
    rows["p" + one] = "two " + std::to_string(byte);
    rows[std::string("p\xFF\xFF") + one] = std::string("\0\xFF", 2) + one;
  }
  put_all(*target, store_space::state, rows);
  for (const std::string prefix : {"", "p", "p\xFF", "p\xFF\xFF", "\xFF", "q", "\xFF\xFF"})
    compare_scan(found, *target, rows, prefix);
  compare_scan(found, *target, rows, std::string(1, '\0'));
}

inline void scans_between_bounds(const store_under_test& subject, findings& found) {
  const auto place = subject.make_place();
  const auto target = place();
  constexpr auto space = store_space::journal;
  const rows_of_space rows{{"a", "0"},   {"a/1", "1"},  {"a/2", "2"},
                           {"a/3", "3"}, {"ab/1", "4"}, {"b", "5"}};
  put_all(*target, space, rows);
  for (const std::string prefix : {"", "a", "a/", "ab/", "c"})
    for (const std::string from : {"", "a", "a/", "a/2", "a/25", "b", "zz"})
      for (const std::size_t limit : {std::size_t{0}, std::size_t{1}, std::size_t{2}, SIZE_MAX})
        compare_scan(found, *target, rows, prefix, from, limit, space);
}

inline void finds_the_last_key(const store_under_test& subject, findings& found) {
  const auto place = subject.make_place();
  const auto target = place();
  constexpr auto space = store_space::journal;
  compare_last(found, *target, {}, "", space);
  const rows_of_space rows{
      {"a/1", "1"}, {"a/2", "2"}, {"a0", "3"}, {"\xFF\xFF", "4"}, {"\xFF\xFF\x01", "5"}};
  put_all(*target, space, rows);
  for (const std::string prefix : {"", "a", "a/", "a/2", "a/3", "\xFF", "\xFF\xFF", "\xFF\xFF\xFF"})
    compare_last(found, *target, rows, prefix, space);
}

inline void applies_writes_in_order(const store_under_test& subject, findings& found) {
  const auto place = subject.make_place();
  const auto target = place();
  store_batch batch;
  batch.put(store_space::state, "put, erased", "1");
  batch.erase(store_space::state, "put, erased");
  batch.erase(store_space::state, "erased, put");
  batch.put(store_space::state, "erased, put", "2");
  batch.put(store_space::state, "put twice", "3");
  batch.put(store_space::state, "put twice", "4");
  target->commit(batch);
  compare_scan(found, *target, {{"erased, put", "2"}, {"put twice", "4"}}, "");
}

inline void does_nothing_for_an_empty_batch(const store_under_test& subject, findings& found) {
  const auto place = subject.make_place();
  const auto target = place();
  target->commit({});
  for (const auto space : spaces)
    compare_scan(found, *target, {}, "", "", SIZE_MAX, space);
}

inline void may_commit_a_batch_again(const store_under_test& subject, findings& found) {
  const auto place = subject.make_place();
  const auto target = place();
  store_batch batch;
  batch.put(store_space::state, "a", "1");
  batch.erase(store_space::state, "b");
  target->commit(batch);
  target->commit(batch);
  compare_scan(found, *target, {{"a", "1"}}, "");
}

inline void takes_long_keys_and_values(const store_under_test& subject, findings& found) {
  const auto place = subject.make_place();
  const auto target = place();
  constexpr auto space = store_space::candles;
  const std::string key(1000, 'k');
  std::string value(1 << 20, '\0');
  for (std::size_t i = 0; i < value.size(); ++i)
    value[i] = static_cast<char>(i * 31 % 251);
  const rows_of_space rows{{key, value}, {key + "2", value + "2"}};
  put_all(*target, space, rows);
  compare_get(found, *target, rows, key, space);
  compare_scan(found, *target, rows, "k", "", SIZE_MAX, space);
}

inline void freezes_snapshots(const store_under_test& subject, findings& found) {
  const auto place = subject.make_place();
  const auto target = place();
  const rows_of_space rows{{"a/1", "1"}, {"a/2", "2"}, {"a/3", "3"}, {"b", "4"}};
  put_all(*target, store_space::state, rows);
  const auto frozen = target->snapshot();
  store_batch batch;
  batch.put(store_space::state, "a/1", "changed");
  batch.erase(store_space::state, "a/2");
  batch.put(store_space::state, "a/0", "new");
  batch.put(store_space::state, "a/4", "new");
  batch.put(store_space::journal, "j", "new");
  target->commit(batch);
  const rows_of_space changed{
      {"a/0", "new"}, {"a/1", "changed"}, {"a/3", "3"}, {"a/4", "new"}, {"b", "4"}};
  const auto second = target->snapshot();
  batch.clear();
  batch.put(store_space::state, "a/1", "changed again");
  batch.erase(store_space::state, "a/0");
  batch.erase(store_space::state, "a/3");
  target->commit(batch);

  for (const std::string prefix : {"", "a/", "b", "c"})
    for (const std::string from : {"", "a/1", "a/3", "c"})
      for (const std::size_t limit : {std::size_t{1}, std::size_t{2}, SIZE_MAX}) {
        compare_scan(found, *frozen, rows, prefix, from, limit);
        compare_scan(found, *second, changed, prefix, from, limit);
      }
  for (const std::string prefix : {"a/", ""})
    compare_last(found, *frozen, rows, prefix);
  for (const std::string key : {"a/1", "a/2", "a/4"})
    compare_get(found, *frozen, rows, key);
  compare_last(found, *frozen, {}, "", store_space::journal);
  compare_scan(found, *target, {{"a/1", "changed again"}, {"a/4", "new"}, {"b", "4"}}, "");
}

inline void is_read_beside_commits(const store_under_test& subject, findings& found) {
  const auto place = subject.make_place();
  const auto target = place();
  constexpr int rounds = 60;
  const auto commit_round = [&](int round) {
    store_batch batch;
    for (int i = 0; i < 5; ++i)
      batch.put(store_space::state, "row/" + std::to_string(i), std::to_string(round));
    target->commit(batch);
  };
  commit_round(0);
  std::atomic<int> torn{0};
  std::atomic<int> changed{0};
  std::atomic<int> thrown{0};
  const auto read = [&] {
    try {
      for (int i = 0; i < rounds; ++i) {
        // One state: every row of the same round, also when read again.
        const auto frozen = target->snapshot();
        const auto first = frozen->scan(store_space::state, "row/");
        for (const auto& row : first)
          torn += row.value != first.front().value;
        changed += frozen->scan(store_space::state, "row/") != first;
        torn += target->scan(store_space::state, "row/").size() != 5;
      }
    } catch (...) { // counted
      ++thrown;
    }
  };
  {
    std::thread one{read};
    std::thread two{read};
    try {
      for (int round = 1; round <= rounds; ++round)
        commit_round(round);
    } catch (...) { // counted, as the readers must be waited for
      ++thrown;
    }
    one.join();
    two.join();
  }
  found.expect(torn == 0, "a reader saw a part of a batch");
  found.expect(changed == 0, "a snapshot changed");
  found.expect(thrown == 0, "a reader or a commit threw");
}

inline void may_be_reopened(const store_under_test& subject, findings& found) {
  const auto place = subject.make_place();
  const auto target = place();
  put_all(*target, store_space::state, {{"a", "1"}});
  target->reopen();
  compare_get(found, *target, {{"a", "1"}}, "a");
  put_all(*target, store_space::state, {{"b", "2"}});
  compare_scan(found, *target, {{"a", "1"}, {"b", "2"}}, "");
}

inline void is_durable(const store_under_test& subject, findings& found) {
  if (!subject.is_durable)
    return;
  const auto place = subject.make_place();
  rows_of_space rows;
  for (int i = 0; i < 50; ++i)
    rows["key " + std::to_string(i)] = "value " + std::to_string(i);
  for (int round = 0; round < 3; ++round) {
    const auto target = place();
    if (round > 0)
      for (const auto space : spaces)
        compare_scan(found, *target, rows, "", "", SIZE_MAX, space);
    rows["round"] = std::to_string(round);
    for (const auto space : spaces)
      put_all(*target, space, rows);
  }
}

/// Keys that differ where orders differ: bytes at both ends of the range, prefixes of each other.
inline std::string random_key(std::mt19937_64& random) {
  constexpr std::string_view bytes{"\0\x01/a\x7F\x80\xFE\xFF", 8};
  std::string key;
  for (auto length = 1 + random() % 4; length > 0; --length)
    key += bytes[random() % bytes.size()];
  return key;
}

inline std::string random_value(std::mt19937_64& random) {
  std::string value;
  for (auto length = random() % 20; length > 0; --length)
    value += static_cast<char>(random() % 256);
  return value;
}

inline void holds_what_a_map_holds(const store_under_test& subject, findings& found) {
  using all_rows = std::array<rows_of_space, store_space_count>;
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    const auto place = subject.make_place();
    auto target = place();
    std::mt19937_64 random{seed};
    all_rows rows;
    all_rows frozen_rows;
    std::unique_ptr<store_reader> frozen;
    for (int round = 0; round < 150 && found.none(); ++round) {
      store_batch batch;
      for (auto count = random() % 8; count > 0; --count) {
        const auto space = spaces[random() % store_space_count];
        auto key = random_key(random);
        auto& expected = rows[static_cast<std::size_t>(space)];
        if (random() % 3 == 0) {
          expected.erase(key);
          batch.erase(space, key);
        } else {
          const auto value = random_value(random);
          expected[key] = value;
          batch.put(space, key, value);
        }
      }
      target->commit(batch);
      if (random() % 10 == 0) {
        frozen = target->snapshot();
        frozen_rows = rows;
      }
      if (subject.is_durable && random() % 60 == 0) {
        frozen.reset();
        target.reset();
        target = place();
      }
      const auto compare = [&](const store_reader& actual, const all_rows& expected) {
        const auto space = spaces[random() % store_space_count];
        const auto& there = expected[static_cast<std::size_t>(space)];
        const auto key = random_key(random);
        const auto prefix = key.substr(0, random() % 3);
        const auto from = random() % 2 == 0 ? std::string{} : random_key(random);
        const std::size_t limit = random() % 2 == 0 ? SIZE_MAX : random() % 5;
        compare_scan(found, actual, there, prefix, from, limit, space);
        compare_last(found, actual, there, prefix, space);
        compare_get(found, actual, there, key, space);
      };
      compare(*target, rows);
      if (frozen)
        compare(*frozen, frozen_rows);
    }
  }
}

struct promise {
  const char* text;
  void (*check)(const store_under_test& subject, findings& found);
};

inline constexpr promise promises[] = {
    {"what was put is read, what was erased is not", &reads_what_was_put},
    {"the spaces are apart from each other", &keeps_spaces_apart},
    {"a scan is ordered by unsigned bytes, zero and 0xff included", &orders_keys_by_unsigned_bytes},
    {"a scan starts at from, ends at the prefix and at the limit", &scans_between_bounds},
    {"last is the greatest key with the prefix", &finds_the_last_key},
    {"the writes of a batch apply in their order", &applies_writes_in_order},
    {"an empty batch does nothing", &does_nothing_for_an_empty_batch},
    {"the same batch twice leaves what it leaves once", &may_commit_a_batch_again},
    {"keys and values may be long", &takes_long_keys_and_values},
    {"a snapshot does not see later commits", &freezes_snapshots},
    {"snapshots are read on other threads while commits go on", &is_read_beside_commits},
    {"reopen without a failure before changes nothing", &may_be_reopened},
    {"opened again, it holds what was committed", &is_durable},
    {"random batches leave what they leave in a map", &holds_what_a_map_holds},
};

} // namespace store_conformance

/// Every promise that is broken, as "promise: what gives what, expected what"; empty when all are
/// kept. Takes as long as some hundred commits, and uses two threads of its own. What the store
/// throws breaks the promise that was being checked.
inline std::vector<std::string> check_store(const store_under_test& subject) {
  std::vector<std::string> broken;
  for (const auto& promise : store_conformance::promises) {
    store_conformance::findings found{promise.text, broken};
    try {
      promise.check(subject, found);
    } catch (const std::exception& thrown) {
      found.add(std::string{"it throws: "} + thrown.what());
    } catch (...) {
      found.add("it throws something that is not a std::exception");
    }
  }
  return broken;
}

} // namespace backtest
