#include "storage/group_commit.hpp"

#include "storage/memory_store.hpp"
#include "tests/support/faulty_store.hpp"
#include "tests/support/shared_store.hpp"

#include <doctest/doctest.h>

#include <map>
#include <random>

#include <fmt/format.h>

using namespace backtest;
using namespace backtest::testing;
using fate = faulty_store::fate;

namespace {

event closed(instant when) {
  tick_result tick;
  tick.action = tick_action::closed;
  tick.run =
      std::make_shared<const run_identity>(run_identity{"BTC", "s", "x", "", run_mode::live});
  tick.timestamp = when;
  tick.signal = std::make_shared<const signal_row>();
  tick.closed_by = close_reason::take_profit;
  tick.close_timestamp = when;
  tick.pnl = profit_and_loss{};
  return {topic::signal_live, tick};
}

event idle(instant when) {
  tick_result tick;
  tick.run =
      std::make_shared<const run_identity>(run_identity{"BTC", "s", "x", "", run_mode::live});
  tick.timestamp = when;
  return {topic::signal_live, tick};
}

store_batch row(const std::string& key, const std::string& value) {
  store_batch batch;
  batch.put(store_space::state, key, value);
  return batch;
}

shared_events published_events(std::vector<event> events) {
  return std::make_shared<const std::vector<event>>(std::move(events));
}

struct plan_of_fates {
  std::vector<fate> next; ///< then everything works
  std::size_t used = 0;
  fate operator()() { return used < next.size() ? next[used++] : fate::works; }
};

/// Its journal cannot be read while `broken`; writing works.
struct unreadable_store : shared_store {
  using shared_store::shared_store;
  std::vector<store_entry> scan(store_space space, std::string_view prefix, std::string_view from,
                                std::size_t limit) const override {
    if (broken && space == store_space::journal)
      throw failure(error_code::store_failed, "unreadable");
    return shared_store::scan(space, prefix, from, limit);
  }
  bool broken = false;
};

} // namespace

TEST_CASE("group commit: a journal that cannot be read for its retention keeps nothing from being "
          "written") {
  unreadable_store target{make_memory_store()};
  group_commit commits{target, {1, 0}}; // a day
  auto commit = [&commits, ticket = std::uint64_t{0}](instant when) mutable {
    commits.add(++ticket, {}, published_events({closed(when)}));
    return commits.commit().front();
  };
  commit(1);
  commit(2);
  target.broken = true;
  const auto outcome = commit(10 * day_ms);
  CHECK(!outcome.problem);
  CHECK(outcome.first_number == 3);
  const error told_why{error_code::store_failed,
                       "journal: old entries from number 1 on cannot be read and stay beyond their "
                       "limits, for a minute at least: unreadable"};
  CHECK(commits.take_retention_problem() == told_why);
  CHECK(!commits.take_retention_problem());
  for (int minute = 0; minute < 5; ++minute) { // still so
    CHECK(!commit(11 * day_ms + minute * minute_ms).problem);
    CHECK(!commits.take_retention_problem());
  }
  target.broken = false;
  CHECK(!commit(20 * day_ms).problem);
  CHECK(find_journal_bounds(target).first > 1); // made up for later
  CHECK(find_journal_bounds(target).last == 9);
  target.broken = true;
  CHECK(!commit(30 * day_ms).problem);
  CHECK(commits.take_retention_problem()); // and again
}

TEST_CASE("group commit: a journal that is too large and cannot be read is not asked at every "
          "commit") {
  struct counting_store : unreadable_store {
    using unreadable_store::unreadable_store;
    std::vector<store_entry> scan(store_space space, std::string_view prefix, std::string_view from,
                                  std::size_t limit) const override {
      ++scans;
      return unreadable_store::scan(space, prefix, from, limit);
    }
    mutable int scans = 0;
  };
  counting_store target{make_memory_store()};
  group_commit commits{target, {0, 1}};
  auto commit = [&commits, ticket = std::uint64_t{0}](instant when) mutable {
    commits.add(++ticket, {}, published_events({closed(when)}));
    return commits.commit().front();
  };
  commit(1);
  target.broken = true;
  commit(2);
  target.scans = 0;
  commit(3);
  commit(1 + minute_ms);
  CHECK(target.scans == 0);
  commit(2 + minute_ms);
  CHECK(target.scans == 1);
}

TEST_CASE("group commit: contributions of one turn are one batch, numbered in their order") {
  const auto memory = make_memory_store();
  group_commit commits{*memory, {0, 0}};
  commits.add(1, row("a", "1"), published_events({closed(10), idle(10), closed(10)}));
  commits.add(2, row("b", "2"), published_events({}));
  commits.add(3, row("c", "3"), published_events({closed(10)}));
  const auto outcomes = commits.commit();
  REQUIRE(outcomes.size() == 3);
  CHECK(outcomes[0].ticket == 2);
  CHECK(outcomes[0].first_number == 0);
  CHECK(outcomes[1].ticket == 1);
  CHECK(outcomes[1].first_number == 1);
  CHECK(outcomes[2].ticket == 3);
  CHECK(outcomes[2].first_number == 3);
  for (const auto& outcome : outcomes)
    CHECK(!outcome.problem);
  CHECK(read_journal(*memory, 1).size() == 3);
  CHECK(memory->get(store_space::state, "b") == "2");
}

TEST_CASE("group commit: texts that were made before make the same entries") {
  const auto made_here = make_memory_store(), made_before = make_memory_store();
  const auto events = published_events({closed(10), idle(10), closed(11), closed(12)});
  group_commit here{*made_here, {0, 1'000'000}}, before{*made_before, {0, 1'000'000}};
  here.add(1, row("a", "1"), events);
  // Not of the idle tick, which has no entry, nor of the last one.
  before.add(1, row("a", "1"), events,
             {journal_text((*events)[0]), "", journal_text((*events)[2])});
  CHECK(here.commit().front().first_number == 1);
  CHECK(before.commit().front().first_number == 1);
  CHECK(read_journal(*made_before, 1).size() == 3);
  CHECK(read_journal(*made_before, 1) == read_journal(*made_here, 1));
  CHECK(made_before->scan(store_space::state, "") == made_here->scan(store_space::state, ""));
}

TEST_CASE("group commit: goes on behind the last number in the store") {
  const auto memory = make_memory_store();
  {
    group_commit commits{*memory, {0, 0}};
    commits.add(1, {}, published_events({closed(1), closed(2)}));
    commits.commit();
  }
  group_commit commits{*memory, {0, 0}};
  CHECK(commits.last_number() == 2);
  commits.add(1, {}, published_events({closed(3)}));
  CHECK(commits.commit().front().first_number == 3);
}

TEST_CASE("lifecycle 10, failed commit: a batch that failed is written again before anything else, "
          "with its numbers") {
  for (const auto first : {fate::lost, fate::kept}) {
    CAPTURE(static_cast<int>(first));
    faulty_store target{make_memory_store(), plan_of_fates{{first, fate::works, fate::works}}};
    group_commit commits{target, {0, 0}};
    commits.add(1, row("a", "1"), published_events({closed(1)}));
    auto outcomes = commits.commit();
    REQUIRE(outcomes.size() == 1);
    REQUIRE(outcomes[0].problem);
    CHECK(outcomes[0].problem->code == error_code::store_failed);
    commits.add(2, row("a", "2"), published_events({closed(2)})); // somebody else, later
    outcomes = commits.commit();
    REQUIRE(outcomes.size() == 1);
    CHECK(outcomes[0].ticket == 2);
    CHECK(outcomes[0].first_number == 2);
    commits.add(1, row("a", "1"), published_events({closed(1)})); // asks again what became of it
    outcomes = commits.commit();
    REQUIRE(outcomes.size() == 1);
    CHECK(outcomes[0].ticket == 1);
    CHECK(outcomes[0].first_number == 1);
    CHECK(!outcomes[0].problem);
    CHECK(target.get(store_space::state, "a") == "2");
    CHECK(read_journal(target, 1).size() == 2);
  }
}

TEST_CASE("lifecycle 10, failed commit: the reopened store's last journal number is compared first") {
  const std::shared_ptr<store> disk{make_memory_store()};
  faulty_store target{std::make_unique<shared_store>(disk),
                      plan_of_fates{{fate::works, fate::lost, fate::works}}};
  group_commit commits{target, {0, 0}};
  commits.add(1, {}, published_events({closed(1), closed(2)}));
  REQUIRE(!commits.commit().front().problem);
  commits.add(2, {}, published_events({closed(3)}));
  REQUIRE(commits.commit().front().problem);
  store_batch loss; // an older copy of the disk came back
  loss.erase(store_space::journal, journal_key(2));
  disk->commit(loss);
  commits.add(2, {}, published_events({closed(3)}));
  const auto outcomes = commits.commit();
  REQUIRE(outcomes.size() == 1);
  REQUIRE(outcomes[0].problem);
  CHECK(outcomes[0].problem->code == error_code::store_lost);
  CHECK(outcomes[0].problem->message ==
        "journal: it ends at number 1 after the store was reopened, expected 2, or 3 with the batch "
        "whose commit failed; nothing is written to it");
  CHECK(read_journal(target, 1).size() == 1);
}

TEST_CASE("group commit: while the store refuses everybody is told, and nothing gets a number") {
  faulty_store target{make_memory_store(), plan_of_fates{{fate::lost, fate::lost, fate::lost}}};
  group_commit commits{target, {0, 0}};
  commits.add(1, {}, published_events({closed(1)}));
  REQUIRE(commits.commit().front().problem);
  commits.add(1, {}, published_events({closed(1)}));
  commits.add(2, {}, published_events({closed(2)}));
  const auto outcomes = commits.commit(); // cannot be reopened
  REQUIRE(outcomes.size() == 2);
  CHECK(outcomes[0].problem);
  CHECK(outcomes[1].problem);
  commits.add(1, {}, published_events({closed(1)}));
  commits.add(2, {}, published_events({closed(2)}));
  CHECK(commits.commit().front().problem); // nor now
  commits.add(2, {}, published_events({closed(2)}));
  commits.add(1, {}, published_events({closed(1)}));
  std::map<std::uint64_t, std::int64_t> numbers;
  for (const auto& outcome : commits.commit()) {
    CHECK(!outcome.problem);
    numbers[outcome.ticket] = outcome.first_number;
  }
  CHECK(numbers == std::map<std::uint64_t, std::int64_t>{{1, 1}, {2, 2}});
}

TEST_CASE("group commit: whatever fails, every event is there once and numbers have no holes, "
          "1,000 seeds") {
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    const auto memory = std::shared_ptr<store>{make_memory_store()};
    faulty_store target{std::make_unique<shared_store>(memory), [&random] {
                          const auto dice = random() % 6;
                          return dice == 0 ? fate::lost : dice == 1 ? fate::kept : fate::works;
                        }};
    group_commit commits{target, {0, 0}};
    struct producer {
      std::uint64_t ticket = 0;
      int turn = 0;
      bool waits = false;
    };
    std::vector<producer> producers(3);
    std::map<std::int64_t, instant> numbered; // number -> event
    constexpr int turns = 8;
    const auto when = [](std::size_t who, int turn) {
      return static_cast<instant>(who) * 1000 + turn;
    };
    for (int guard = 0; guard < 2000; ++guard) {
      bool all_done = true;
      for (std::size_t who = 0; who < producers.size(); ++who) {
        auto& item = producers[who];
        all_done = all_done && item.turn == turns;
        if (item.turn == turns || random() % 2 == 0)
          continue;
        item.ticket = who * 1000 + static_cast<std::uint64_t>(item.turn) + 1;
        commits.add(item.ticket, row(std::to_string(who), std::to_string(item.turn)),
                    published_events({closed(when(who, item.turn))}));
        item.waits = true;
      }
      if (all_done)
        break;
      for (const auto& outcome : commits.commit()) {
        const auto who = static_cast<std::size_t>(outcome.ticket / 1000);
        REQUIRE(producers[who].waits);
        REQUIRE(producers[who].ticket == outcome.ticket);
        producers[who].waits = false;
        if (outcome.problem)
          continue;
        REQUIRE(numbered.emplace(outcome.first_number, when(who, producers[who].turn)).second);
        ++producers[who].turn;
      }
      for (const auto& item : producers)
        REQUIRE(!item.waits);
    }
    const auto lines = read_journal(*memory, 1);
    REQUIRE(lines.size() == producers.size() * turns);
    for (std::size_t i = 0; i < lines.size(); ++i) {
      REQUIRE(lines[i].number == static_cast<std::int64_t>(i) + 1);
      REQUIRE(lines[i].text.find(fmt::format("\"timestamp\":{},", numbered.at(lines[i].number))) !=
              std::string::npos);
    }
    for (std::size_t who = 0; who < producers.size(); ++who)
      REQUIRE(memory->get(store_space::state, std::to_string(who)) == std::to_string(turns - 1));
  }
}

TEST_CASE("group commit: the journal ages by its events, also when history is replayed") {
  const auto memory = make_memory_store();
  group_commit commits{*memory, {30, 0}};
  const instant long_ago = 1'000 * day_ms;
  commits.add(1, {}, published_events({closed(long_ago), closed(long_ago + 10 * day_ms)}));
  commits.commit();
  CHECK(find_journal_bounds(*memory) == journal_bounds{1, 2});
  commits.add(2, {}, published_events({closed(long_ago + 31 * day_ms)}));
  commits.commit();
  CHECK(find_journal_bounds(*memory) == journal_bounds{2, 3});
}
