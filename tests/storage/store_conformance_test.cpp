// What every implementation of the store promises, run for each of them.
#include "tests/storage/store_fixtures.hpp"

#include "messages/error.hpp"

#include <array>
#include <atomic>
#include <map>
#include <random>
#include <thread>

using namespace backtest;
using namespace backtest::testing;

#define STORES memory_fixture, rocksdb_fixture, redis_fixture

TYPE_TO_STRING_AS("memory", memory_fixture);
TYPE_TO_STRING_AS("rocksdb", rocksdb_fixture);
TYPE_TO_STRING_AS("redis", redis_fixture);

#define SKIP_WHERE_MISSING()                                                                       \
  if (!T::available()) {                                                                           \
    MESSAGE("skipped: the server is not installed");                                               \
    return;                                                                                        \
  }

namespace {

constexpr store_space spaces[] = {store_space::state, store_space::journal, store_space::candles};

using model = std::map<std::string, std::string>;

void put_all(store& target, store_space space, const model& rows) {
  store_batch batch;
  for (const auto& [key, value] : rows)
    batch.put(space, key, value);
  target.commit(batch);
}

std::vector<store_entry> expected_scan(const model& rows, const std::string& prefix,
                                       const std::string& from, std::size_t limit) {
  std::vector<store_entry> found;
  for (const auto& [key, value] : rows)
    if (key.starts_with(prefix) && key >= from && found.size() < limit)
      found.push_back({key, value});
  return found;
}

std::optional<store_entry> expected_last(const model& rows, const std::string& prefix) {
  const auto all = expected_scan(rows, prefix, {}, SIZE_MAX);
  return all.empty() ? std::nullopt : std::optional{all.back()};
}

/// Keys that differ where orders differ: bytes at both ends of the range, prefixes of each other.
std::string random_key(std::mt19937_64& random) {
  constexpr std::string_view bytes{"\0\x01/a\x7F\x80\xFE\xFF", 8};
  std::string key;
  for (auto length = 1 + random() % 4; length > 0; --length)
    key += bytes[random() % bytes.size()];
  return key;
}

std::string random_value(std::mt19937_64& random) {
  std::string value;
  for (auto length = random() % 20; length > 0; --length)
    value += static_cast<char>(random() % 256);
  return value;
}

} // namespace

TEST_CASE_TEMPLATE("store: what was put is read, what was erased is not", T, STORES) {
  SKIP_WHERE_MISSING();
  T fixture;
  const auto target = fixture.open();
  CHECK_FALSE(target->get(store_space::state, "a"));
  store_batch first;
  first.put(store_space::state, "a", "1");
  first.put(store_space::state, "b", "");
  target->commit(first);
  CHECK(target->get(store_space::state, "a") == "1");
  CHECK(target->get(store_space::state, "b") == "");
  CHECK_FALSE(target->get(store_space::state, "c"));
  store_batch second;
  second.put(store_space::state, "a", "2");
  second.erase(store_space::state, "b");
  second.erase(store_space::state, "never there");
  target->commit(second);
  CHECK(target->get(store_space::state, "a") == "2");
  CHECK_FALSE(target->get(store_space::state, "b"));
}

TEST_CASE_TEMPLATE("store: the spaces are apart from each other", T, STORES) {
  SKIP_WHERE_MISSING();
  T fixture;
  const auto target = fixture.open();
  store_batch batch;
  for (auto space : spaces)
    batch.put(space, "key", std::string{to_string(space)});
  target->commit(batch);
  for (auto space : spaces) {
    CHECK(target->get(space, "key") == std::string{to_string(space)});
    CHECK(target->scan(space, "").size() == 1);
  }
  store_batch erasure;
  erasure.erase(store_space::journal, "key");
  target->commit(erasure);
  CHECK(target->get(store_space::state, "key"));
  CHECK_FALSE(target->get(store_space::journal, "key"));
}

TEST_CASE_TEMPLATE("store: a scan is ordered by unsigned bytes, zero and 0xff included", T,
                   STORES) {
  SKIP_WHERE_MISSING();
  T fixture;
  const auto target = fixture.open();
  model rows;
  for (int byte = 0; byte < 256; ++byte) {
    const std::string one(1, static_cast<char>(byte));
    rows[one] = "one " + std::to_string(byte);
    rows["p" + one] = "two " + std::to_string(byte);
    rows[std::string("p\xFF\xFF") + one] = std::string("\0\xFF", 2) + one;
  }
  put_all(*target, store_space::state, rows);
  for (const std::string prefix : {"", "p", "p\xFF", "p\xFF\xFF", "\xFF", "q", "\xFF\xFF"})
    CHECK(target->scan(store_space::state, prefix) == expected_scan(rows, prefix, "", SIZE_MAX));
  CHECK(target->scan(store_space::state, std::string(1, '\0')) ==
        expected_scan(rows, std::string(1, '\0'), "", SIZE_MAX));
}

TEST_CASE_TEMPLATE("store: a scan starts at from, ends at the prefix and at the limit", T, STORES) {
  SKIP_WHERE_MISSING();
  T fixture;
  const auto target = fixture.open();
  const model rows{{"a", "0"}, {"a/1", "1"}, {"a/2", "2"}, {"a/3", "3"}, {"ab/1", "4"}, {"b", "5"}};
  put_all(*target, store_space::journal, rows);
  for (const std::string prefix : {"", "a", "a/", "ab/", "c"})
    for (const std::string from : {"", "a", "a/", "a/2", "a/25", "b", "zz"})
      for (const std::size_t limit : {std::size_t{0}, std::size_t{1}, std::size_t{2}, SIZE_MAX})
        CHECK(target->scan(store_space::journal, prefix, from, limit) ==
              expected_scan(rows, prefix, from, limit));
}

TEST_CASE_TEMPLATE("store: last is the greatest key with the prefix", T, STORES) {
  SKIP_WHERE_MISSING();
  T fixture;
  const auto target = fixture.open();
  CHECK_FALSE(target->last(store_space::journal, ""));
  const model rows{
      {"a/1", "1"}, {"a/2", "2"}, {"a0", "3"}, {"\xFF\xFF", "4"}, {"\xFF\xFF\x01", "5"}};
  put_all(*target, store_space::journal, rows);
  for (const std::string prefix : {"", "a", "a/", "a/2", "a/3", "\xFF", "\xFF\xFF", "\xFF\xFF\xFF"})
    CHECK(target->last(store_space::journal, prefix) == expected_last(rows, prefix));
}

TEST_CASE_TEMPLATE("store: the writes of a batch apply in their order", T, STORES) {
  SKIP_WHERE_MISSING();
  T fixture;
  const auto target = fixture.open();
  store_batch batch;
  batch.put(store_space::state, "put, erased", "1");
  batch.erase(store_space::state, "put, erased");
  batch.erase(store_space::state, "erased, put");
  batch.put(store_space::state, "erased, put", "2");
  batch.put(store_space::state, "put twice", "3");
  batch.put(store_space::state, "put twice", "4");
  target->commit(batch);
  CHECK(target->scan(store_space::state, "") ==
        std::vector<store_entry>{{"erased, put", "2"}, {"put twice", "4"}});
}

TEST_CASE_TEMPLATE("store: an empty batch does nothing", T, STORES) {
  SKIP_WHERE_MISSING();
  T fixture;
  const auto target = fixture.open();
  target->commit({});
  for (auto space : spaces)
    CHECK(target->scan(space, "").empty());
}

TEST_CASE_TEMPLATE("store: the same batch twice leaves what it leaves once", T, STORES) {
  SKIP_WHERE_MISSING();
  T fixture;
  const auto target = fixture.open();
  store_batch batch;
  batch.put(store_space::state, "a", "1");
  batch.erase(store_space::state, "b");
  target->commit(batch);
  target->commit(batch);
  CHECK(target->scan(store_space::state, "") == std::vector<store_entry>{{"a", "1"}});
}

TEST_CASE_TEMPLATE("store: keys and values may be long", T, STORES) {
  SKIP_WHERE_MISSING();
  T fixture;
  const auto target = fixture.open();
  const std::string key(1000, 'k');
  std::string value(1 << 20, '\0');
  for (std::size_t i = 0; i < value.size(); ++i)
    value[i] = static_cast<char>(i * 31 % 251);
  store_batch batch;
  batch.put(store_space::candles, key, value);
  batch.put(store_space::candles, key + "2", value + "2");
  target->commit(batch);
  CHECK((target->get(store_space::candles, key) == value));
  const auto all = target->scan(store_space::candles, "k");
  REQUIRE(all.size() == 2);
  CHECK((all[1].value == value + "2"));
}

TEST_CASE_TEMPLATE("store: a snapshot does not see later commits", T, STORES) {
  SKIP_WHERE_MISSING();
  T fixture;
  const auto target = fixture.open();
  model rows{{"a/1", "1"}, {"a/2", "2"}, {"a/3", "3"}, {"b", "4"}};
  put_all(*target, store_space::state, rows);
  const auto frozen = target->snapshot();
  store_batch batch;
  batch.put(store_space::state, "a/1", "changed");
  batch.erase(store_space::state, "a/2");
  batch.put(store_space::state, "a/0", "new");
  batch.put(store_space::state, "a/4", "new");
  batch.put(store_space::journal, "j", "new");
  target->commit(batch);
  const auto second = target->snapshot();
  batch.clear();
  batch.put(store_space::state, "a/1", "changed again");
  batch.erase(store_space::state, "a/0");
  batch.erase(store_space::state, "a/3");
  target->commit(batch);

  for (const std::string prefix : {"", "a/", "b", "c"})
    for (const std::string from : {"", "a/1", "a/3", "c"})
      for (const std::size_t limit : {std::size_t{1}, std::size_t{2}, SIZE_MAX})
        CHECK(frozen->scan(store_space::state, prefix, from, limit) ==
              expected_scan(rows, prefix, from, limit));
  CHECK(frozen->last(store_space::state, "a/") == store_entry{"a/3", "3"});
  CHECK(frozen->last(store_space::state, "") == store_entry{"b", "4"});
  CHECK(frozen->get(store_space::state, "a/1") == "1");
  CHECK(frozen->get(store_space::state, "a/2") == "2");
  CHECK_FALSE(frozen->get(store_space::state, "a/4"));
  CHECK_FALSE(frozen->last(store_space::journal, ""));
  CHECK(second->get(store_space::state, "a/1") == "changed");
  CHECK(second->get(store_space::state, "a/0") == "new");
  CHECK(target->get(store_space::state, "a/1") == "changed again");
  CHECK(target->last(store_space::state, "a/") == store_entry{"a/4", "new"});
}

TEST_CASE_TEMPLATE("store: snapshots are read on other threads while commits go on", T, STORES) {
  SKIP_WHERE_MISSING();
  T fixture;
  const auto target = fixture.open();
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
  const auto read = [&] {
    for (int i = 0; i < rounds; ++i) {
      // One state: every row of the same round, also when read again.
      const auto frozen = target->snapshot();
      const auto first = frozen->scan(store_space::state, "row/");
      for (const auto& row : first)
        torn += row.value != first.front().value;
      changed += frozen->scan(store_space::state, "row/") != first;
      const auto live = target->scan(store_space::state, "row/");
      torn += live.size() != 5;
    }
  };
  std::thread one{read};
  std::thread two{read};
  for (int round = 1; round <= rounds; ++round)
    commit_round(round);
  one.join();
  two.join();
  CHECK(torn == 0);
  CHECK(changed == 0);
}

TEST_CASE_TEMPLATE("store: reopen without a failure before changes nothing", T, STORES) {
  SKIP_WHERE_MISSING();
  T fixture;
  const auto target = fixture.open();
  put_all(*target, store_space::state, {{"a", "1"}});
  target->reopen();
  CHECK(target->get(store_space::state, "a") == "1");
  put_all(*target, store_space::state, {{"b", "2"}});
  CHECK(target->scan(store_space::state, "").size() == 2);
}

TEST_CASE_TEMPLATE("store: opened again, it holds what was committed", T, STORES) {
  SKIP_WHERE_MISSING();
  if (!T::durable)
    return;
  T fixture;
  model rows;
  for (int i = 0; i < 50; ++i)
    rows["key " + std::to_string(i)] = "value " + std::to_string(i);
  for (int round = 0; round < 3; ++round) {
    const auto target = fixture.open();
    if (round > 0)
      for (auto space : spaces)
        CHECK(target->scan(space, "") == expected_scan(rows, "", "", SIZE_MAX));
    rows["round"] = std::to_string(round);
    for (auto space : spaces)
      put_all(*target, space, rows);
  }
}

TEST_CASE_TEMPLATE("store: random batches leave what they leave in a map", T, STORES) {
  SKIP_WHERE_MISSING();
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    CAPTURE(seed);
    T fixture;
    auto target = fixture.open();
    std::mt19937_64 random{seed};
    std::array<model, store_space_count> rows;
    std::array<model, store_space_count> frozen_rows;
    std::unique_ptr<store_reader> frozen;
    for (int round = 0; round < 150; ++round) {
      store_batch batch;
      for (auto count = random() % 8; count > 0; --count) {
        const auto space = spaces[random() % store_space_count];
        auto key = random_key(random);
        auto& expected = rows[static_cast<std::size_t>(space)];
        if (random() % 3 == 0) {
          expected.erase(key);
          batch.erase(space, std::move(key));
        } else {
          auto value = random_value(random);
          expected[key] = value;
          batch.put(space, std::move(key), std::move(value));
        }
      }
      target->commit(batch);
      if (random() % 10 == 0) {
        frozen = target->snapshot();
        frozen_rows = rows;
      }
      if (T::durable && random() % 60 == 0) {
        frozen.reset();
        target.reset();
        target = fixture.open();
      }
      const auto compare = [&](const store_reader& actual, const auto& expected) {
        const auto space = spaces[random() % store_space_count];
        const auto& there = expected[static_cast<std::size_t>(space)];
        const auto key = random_key(random);
        const auto prefix = key.substr(0, random() % 3);
        const auto from = random() % 2 == 0 ? std::string{} : random_key(random);
        const std::size_t limit = random() % 2 == 0 ? SIZE_MAX : random() % 5;
        REQUIRE(actual.scan(space, prefix, from, limit) ==
                expected_scan(there, prefix, from, limit));
        REQUIRE(actual.last(space, prefix) == expected_last(there, prefix));
        const auto found = there.find(key);
        REQUIRE(actual.get(space, key) ==
                (found == there.end() ? std::nullopt : std::optional{found->second}));
      };
      compare(*target, rows);
      if (frozen)
        compare(*frozen, frozen_rows);
    }
  }
}

TEST_CASE("store: a batch keeps its writes in order and counts their bytes") {
  store_batch batch;
  CHECK(batch.empty());
  batch.put(store_space::state, "key", "value");
  store_batch other;
  other.erase(store_space::journal, "gone");
  batch.append(std::move(other));
  batch.append({});
  CHECK(batch.size() == 2);
  CHECK(batch.bytes() == 12);
  const std::vector<store_write> writes(batch.begin(), batch.end());
  CHECK(writes[0] == store_write{store_space::state, "key", "value"});
  CHECK(writes[1] == store_write{store_space::journal, "gone", std::nullopt});
  store_batch empty;
  empty.append(std::move(batch));
  CHECK(empty.size() == 2);
  CHECK(empty.bytes() == 12);
}

TEST_CASE("store: a batch holds any bytes, and an empty value is no erasure") {
  const std::string zeros("a\0b", 3);
  store_batch one;
  one.put(store_space::candles, zeros, "");
  one.erase(store_space::state, "");
  one.put(store_space::state, "key", zeros);
  store_batch all;
  all.reserve(4, 64);
  all.put(store_space::journal, "first", "1");
  all.append(store_batch{one}); // behind what is there
  const std::vector<store_write> writes(all.begin(), all.end());
  REQUIRE(writes.size() == 4);
  CHECK(writes[0] == store_write{store_space::journal, "first", "1"});
  CHECK(writes[1] == store_write{store_space::candles, zeros, ""});
  CHECK(writes[2] == store_write{store_space::state, "", std::nullopt});
  CHECK(writes[3] == store_write{store_space::state, "key", zeros});
  CHECK(all.size() == 4);
  CHECK(all.bytes() == 15);
  CHECK(all != one);
  const auto moved = std::move(all);
  CHECK(moved.size() == 4);
  CHECK(all == store_batch{}); // NOLINT: what a batch promises
  all = one;
  all.clear();
  CHECK(all == store_batch{});
  CHECK(all.begin() == all.end());
  CHECK(all.bytes() == 0);
}

TEST_CASE("store: a batch is committed once it is large") {
  const auto target = make_memory_store();
  store_batch batch;
  const std::string half(4 * 1024 * 1024 - 1, 'x'); // with its key
  batch.put(store_space::candles, "a", half);
  commit_if_large(*target, batch);
  CHECK(batch.size() == 1);
  CHECK(target->scan(store_space::candles, "").empty());
  batch.put(store_space::candles, "b", half);
  commit_if_large(*target, batch);
  CHECK(batch.empty());
  CHECK(target->scan(store_space::candles, "").size() == 2);
}

TEST_CASE("store: the end of a prefix is the next text that does not start with it") {
  CHECK(end_of_prefix("a") == "b");
  CHECK(end_of_prefix("a\xFF\xFF") == "b");
  CHECK(end_of_prefix(std::string_view{"\0", 1}) == "\x01");
  CHECK(end_of_prefix("\x7F") == "\x80");
  CHECK_FALSE(end_of_prefix(""));
  CHECK_FALSE(end_of_prefix("\xFF\xFF"));
}
