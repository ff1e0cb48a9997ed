#include "storage/journal.hpp"

#include "messages/event_json.hpp"
#include "storage/journal_cursor.hpp"
#include "storage/journal_retention.hpp"
#include "storage/memory_store.hpp"
#include "storage/rocksdb_store.hpp"
#include "tests/support/failure_of.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/value_generator.hpp"

#include <doctest/doctest.h>

using namespace backtest;
using backtest::testing::failure_of;

namespace {

constexpr instant first_day = 19'723 * day_ms; // 2024-01-01

event error_at(std::optional<instant> when, std::string message = "text") {
  return {topic::error,
          error_event{error_code::fetch_failed, std::move(message), "test", when, {}}};
}

event tick(topic on, tick_action action) {
  tick_result result;
  result.action = action;
  return {on, result};
}

/// A journal as the thread that commits keeps it.
struct kept_journal {
  explicit kept_journal(store& there, journal_limits limits)
      : target(there), writer(find_journal_bounds(there).last), retention(there, limits) {}

  journal_bounds add(const std::vector<event>& items, instant now) {
    store_batch batch;
    for (const auto& item : items)
      retention.added(writer.append(batch, item));
    retention.apply(batch, target, now);
    target.commit(batch);
    const auto bounds = find_journal_bounds(target);
    CHECK(retention.bounds() == bounds);
    return bounds;
  }

  store& target;
  journal_writer writer;
  journal_retention retention;
};

std::int64_t bytes_kept(const store_reader& from) {
  std::size_t bytes = 0;
  for (const auto& entry : from.scan(store_space::journal, ""))
    bytes += entry.key.size() + entry.value.size();
  return static_cast<std::int64_t>(bytes);
}

} // namespace

TEST_CASE("journal: entries are event lines, numbered from 1 without holes") {
  const auto target = make_memory_store();
  CHECK(find_journal_bounds(*target) == journal_bounds{0, 0});
  CHECK(read_journal(*target, 1).empty());
  journal_writer writer;
  store_batch batch;
  const std::string first = R"({"seq":1,"topic":"error","event":{"code":"fetch_failed",)"
                            R"("message":"text","source":"test","timestamp":1704067200000}})";
  const std::string second = R"({"seq":2,"topic":"error","event":{"code":"fetch_failed",)"
                             R"("message":"text","source":"test"}})";
  const auto entry = writer.append(batch, error_at(first_day));
  CHECK(entry.number == 1);
  CHECK(entry.bytes == 20 + first.size());
  // A text that was made before its number was known.
  CHECK(writer.append(batch, journal_text(error_at(std::nullopt))).number == 2);
  CHECK(writer.last() == 2);
  target->commit(batch);
  CHECK(target->get(store_space::journal, "00000000000000000001") == first);
  CHECK(read_journal(*target, 1) == std::vector<journal_line>{{1, first}, {2, second}});
  CHECK(find_journal_bounds(*target) == journal_bounds{1, 2});

  journal_writer next{find_journal_bounds(*target).last};
  batch.clear();
  CHECK(next.append(batch, error_at(first_day)).number == 3);
}

TEST_CASE("journal: every kind of event is read back equal") {
  testing::generator values{11};
  const auto target = make_memory_store();
  journal_writer writer;
  store_batch batch;
  std::vector<event> items;
  for (int i = 0; i < 200; ++i) {
    auto run = values.run();
    items.push_back({topic::partial_loss,
                     partial_event{run, std::make_shared<signal_row>(values.row()),
                                   milestone_side::loss, 30, values.number(), values.integer()}});
    items.push_back({topic::risk, risk_event{run, values.text(), values.request(), values.number(),
                                             3, values.text(), values.integer()}});
    items.push_back({topic::done_live, done_event{run, values.text(), run_outcome::stopped}});
  }
  for (const auto& item : items)
    writer.append(batch, item);
  target->commit(batch);
  const auto lines = read_journal(*target, 1);
  REQUIRE(lines.size() == items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto line = parse_event_line(lines[i].text);
    REQUIRE(line.seq == static_cast<std::int64_t>(i + 1));
    REQUIRE(line.item == items[i]);
  }
}

TEST_CASE(
    "lifecycle 10, journal: transitions, milestones, rejections, errors and ends get a number") {
  for (auto action :
       {tick_action::scheduled, tick_action::opened, tick_action::closed, tick_action::cancelled})
    CHECK(is_journalled(tick(topic::signal_live, action)));
  for (auto action : {tick_action::idle, tick_action::waiting, tick_action::active})
    CHECK_FALSE(is_journalled(tick(topic::signal_live, action)));
  CHECK_FALSE(is_journalled(tick(topic::signal_backtest, tick_action::opened)));
  CHECK(is_journalled(error_at(first_day)));
  CHECK_FALSE(is_journalled({topic::error, error_event{error_code::store_failed, "", "", {}, {}}}));
  CHECK(is_journalled({topic::validation, error_event{}}));
  CHECK(is_journalled({topic::partial_profit, partial_event{}}));
  CHECK(is_journalled({topic::partial_loss, partial_event{}}));
  CHECK(is_journalled({topic::risk, risk_event{}}));
  CHECK(is_journalled({topic::done_live, done_event{}}));
  CHECK_FALSE(is_journalled({topic::progress_backtest, progress_backtest{}}));
  CHECK_FALSE(is_journalled({topic::performance, performance_event{}}));
}

TEST_CASE("journal: reading starts at any number kept and stops at the limit") {
  const auto target = make_memory_store();
  journal_writer writer;
  store_batch batch;
  for (int i = 0; i < 12; ++i)
    writer.append(batch, error_at(first_day + i));
  for (std::int64_t number = 1; number <= 4; ++number)
    batch.erase(store_space::journal, journal_key(number));
  target->commit(batch);
  CHECK(read_journal(*target, 5).size() == 8);
  CHECK(read_journal(*target, 9, 2).front().number == 9);
  CHECK(read_journal(*target, 9, 2).size() == 2);
  CHECK(read_journal(*target, 12).size() == 1);
  CHECK(read_journal(*target, 13).empty());
  CHECK(read_journal(*target, 5, 0).empty());
  const auto truncated = failure_of([&] { read_journal(*target, 4); });
  CHECK(truncated.code() == error_code::journal_truncated);
  CHECK(std::string{truncated.what()}.find("first kept is 5") != std::string::npos);
  CHECK(failure_of([&] { read_journal(*target, 0); }).code() == error_code::invalid_argument);
}

TEST_CASE("journal: a hole is an error, not silence") {
  const auto target = make_memory_store();
  journal_writer writer;
  store_batch batch;
  for (int i = 0; i < 5; ++i)
    writer.append(batch, error_at(first_day + i));
  batch.erase(store_space::journal, journal_key(3));
  target->commit(batch);
  for (const std::int64_t first : {1, 2, 3}) {
    const auto problem = failure_of([&] { read_journal(*target, first); });
    CHECK(problem.code() == error_code::store_failed);
    CHECK(std::string{problem.what()}.find("number 3 is missing") != std::string::npos);
  }
  CHECK(read_journal(*target, 1, 2).size() == 2);
  batch.clear();
  batch.put(store_space::journal, "x", "y");
  target->commit(batch);
  CHECK(failure_of([&] { find_journal_bounds(*target); }).code() == error_code::store_failed);
}

TEST_CASE("journal: a cursor is the next number its subscriber wants") {
  const auto target = make_memory_store();
  CHECK_FALSE(read_journal_cursor(*target, "desk/1"));
  store_batch batch;
  put_journal_cursor(batch, "desk/1", 17);
  put_journal_cursor(batch, "other", 1);
  target->commit(batch);
  CHECK(read_journal_cursor(*target, "desk/1") == 17);
  CHECK(target->get(store_space::state, "cursor/desk%2F1") == R"({"next":17})");
  for (const std::string row : {"", "17", "{}", R"({"next":0})", R"({"next":"1"})"}) {
    batch.clear();
    batch.put(store_space::state, "cursor/other", row);
    target->commit(batch);
    const auto problem = failure_of([&] { read_journal_cursor(*target, "other"); });
    CHECK(problem.code() == error_code::store_failed);
    CHECK(std::string{problem.what()}.find("cursor/other") != std::string::npos);
  }
}

TEST_CASE("journal retention: without limits everything stays") {
  const auto target = make_memory_store();
  kept_journal journal{*target, {0, 0}};
  for (int day = 0; day < 1000; ++day)
    journal.add({error_at(first_day + day * day_ms)}, first_day + day * day_ms);
  CHECK(find_journal_bounds(*target) == journal_bounds{1, 1000});
  CHECK(journal.retention.bytes() == bytes_kept(*target));
}

TEST_CASE("journal retention: entries older than the limit go, the newest never") {
  const auto target = make_memory_store();
  kept_journal journal{*target, {3, 0}};
  CHECK(journal.add({error_at(first_day)}, first_day) == journal_bounds{1, 1});
  CHECK(journal.add({error_at(first_day + day_ms)}, first_day + day_ms) == journal_bounds{1, 2});
  // Exactly three days are not more than three days.
  CHECK(journal.add({}, first_day + 3 * day_ms) == journal_bounds{1, 2});
  CHECK(journal.add({}, first_day + 3 * day_ms + 1) == journal_bounds{2, 2});
  CHECK(journal.add({}, first_day + 900 * day_ms) == journal_bounds{2, 2});
  CHECK(journal.add({error_at(first_day + 900 * day_ms)}, first_day + 900 * day_ms).last == 3);
  CHECK(journal.add({}, first_day + 900 * day_ms + minute_ms) == journal_bounds{3, 3});
  CHECK(journal.retention.bytes() == bytes_kept(*target));
}

TEST_CASE("journal retention: an entry without a time is as old as the next one") {
  const auto target = make_memory_store();
  kept_journal journal{*target, {3, 0}};
  journal.add({error_at(std::nullopt), error_at(first_day), error_at(std::nullopt),
               error_at(first_day + 5 * day_ms), error_at(std::nullopt)},
              first_day + day_ms);
  CHECK(journal.add({}, first_day + 4 * day_ms) == journal_bounds{3, 5});
  CHECK(journal.add({}, first_day + 9 * day_ms) == journal_bounds{5, 5});
}

TEST_CASE("journal retention: the oldest go while it is larger than the limit") {
  const auto target = make_memory_store();
  constexpr std::int64_t limit = 5000;
  kept_journal journal{*target, {0, limit}};
  for (int i = 0; i < 300; ++i) {
    journal.add({error_at(first_day + i, std::string(static_cast<std::size_t>(i) % 90, 'x'))},
                first_day + i);
    REQUIRE(journal.retention.bytes() == bytes_kept(*target));
    // One batch later at most, what was added is counted before it can be erased.
    REQUIRE(bytes_kept(*target) <= limit);
  }
  CHECK(bytes_kept(*target) > limit / 2);
  // One that is too large by itself stays.
  const auto bounds = journal.add({error_at(first_day, std::string(9000, 'y'))}, first_day);
  CHECK(bounds == journal_bounds{301, 301});
  CHECK(journal.add({}, first_day) == journal_bounds{301, 301});
}

TEST_CASE("journal retention: a long backlog shrinks step by step") {
  const auto target = make_memory_store();
  journal_writer writer;
  store_batch batch;
  for (int i = 0; i < 2000; ++i)
    writer.append(batch, error_at(first_day));
  target->commit(batch);
  kept_journal journal{*target, {1, 0}};
  CHECK(journal.retention.bytes() == bytes_kept(*target));
  const auto now = first_day + 5 * day_ms;
  CHECK(journal.add({}, now) == journal_bounds{257, 2000});
  CHECK(journal.add({}, now) == journal_bounds{513, 2000});
  // It keeps up with what comes.
  CHECK(journal.add(std::vector<event>(500, error_at(now)), now) == journal_bounds{1513, 2500});
  CHECK(journal.add({}, now) == journal_bounds{1769, 2500});
  CHECK(journal.add({}, now) == journal_bounds{2001, 2500});
  CHECK(journal.add({}, now) == journal_bounds{2001, 2500});
}

TEST_CASE("journal retention: opened again, it knows its totals") {
  const testing::temporary_directory directory;
  std::int64_t bytes = 0;
  {
    const auto target = open_rocksdb_store(directory.path());
    kept_journal journal{*target, {0, 3000}};
    for (int i = 0; i < 100; ++i)
      journal.add({error_at(first_day + i)}, first_day + i);
    bytes = journal.retention.bytes();
  }
  const auto target = open_rocksdb_store(directory.path());
  CHECK(journal_retention{*target, {}}.bytes() == bytes);
  CHECK(journal_retention{*target, {}}.bounds() == find_journal_bounds(*target));
  // Without its row, or with one that does not fit, it counts.
  for (const std::string row : {"", "x", R"({"first":1,"last":2,"bytes":3})"}) {
    store_batch batch;
    batch.put(store_space::state, "journal_totals", row);
    target->commit(batch);
    CHECK(journal_retention{*target, {}}.bytes() == bytes);
  }
  kept_journal journal{*target, {0, 3000}};
  CHECK(journal.add({error_at(first_day)}, first_day).last == 101);
}
