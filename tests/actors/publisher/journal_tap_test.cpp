#include "actors/publisher/journal_tap.hpp"

#include "storage/memory_store.hpp"
#include "tests/support/numbered_journal.hpp"

#include <algorithm>

#include <doctest/doctest.h>

using namespace backtest;
using namespace backtest::testing;

namespace {

using numbers = std::vector<std::int64_t>;

/// So many signals of AAA and BBB in turn: odd numbers are AAA's.
std::unique_ptr<store> journal_of(std::int64_t count) {
  auto made = make_memory_store();
  std::vector<event> items;
  for (std::int64_t number = 1; number <= count; ++number)
    items.push_back(opened_signal(number % 2 == 1 ? "AAA" : "BBB"));
  add_to_journal(*made, items);
  return made;
}

journal_tap tap_of(const store& from, tap_request wanted) {
  return {std::move(wanted), find_journal_bounds(from)};
}

tap_request credit_of(std::int64_t credit) {
  tap_request wanted;
  wanted.credit = credit;
  return wanted;
}

failure refusal(const tap_request& wanted, journal_bounds bounds) {
  try {
    journal_tap{wanted, bounds};
  } catch (const failure& thrown) {
    return thrown;
  }
  FAIL("expected a failure");
  return {error_code::invalid_argument, ""};
}

} // namespace

TEST_CASE("journal tap: begins with the first number kept, or the one asked for") {
  const auto journal = journal_of(5);
  erase_from_journal(*journal, 1, 2);
  auto all = tap_of(*journal, credit_of(10));
  CHECK(all.next() == 3);
  const auto piece = all.read(*journal);
  REQUIRE(piece);
  CHECK(numbers_of(piece->lines) == numbers{3, 4, 5});
  CHECK(piece->next == 6);
  CHECK(piece->lines == read_journal(*journal, 3));
  auto wanted = credit_of(10);
  wanted.from = 5;
  CHECK(numbers_of(tap_of(*journal, wanted).read(*journal)->lines) == numbers{5});
  wanted.from = 6; // the next one to come
  CHECK(!tap_of(*journal, wanted).may_read(5));
}

TEST_CASE("journal tap: in an empty journal the first number to come is 1") {
  const auto journal = make_memory_store();
  auto tap = tap_of(*journal, credit_of(1));
  CHECK(!tap.may_read(0));
  add_to_journal(*journal, {opened_signal("AAA")});
  CHECK(tap.may_read(1));
  CHECK(numbers_of(tap.read(*journal)->lines) == numbers{1});
}

TEST_CASE("journal tap: gets as many lines as it has credit for, and nothing is lost in between") {
  const auto journal = journal_of(10);
  auto tap = tap_of(*journal, credit_of(3));
  CHECK(numbers_of(tap.read(*journal)->lines) == numbers{1, 2, 3});
  CHECK(tap.credit() == 0);
  CHECK(!tap.may_read(10));
  tap.grant(0);
  tap.grant(-5);
  CHECK(!tap.may_read(10));
  tap.grant(2);
  CHECK(tap.may_read(10));
  CHECK(numbers_of(tap.read(*journal)->lines) == numbers{4, 5});
  tap.grant(100);
  CHECK(numbers_of(tap.read(*journal)->lines) == numbers{6, 7, 8, 9, 10});
  CHECK(tap.credit() == 95);
  CHECK(!tap.may_read(10));
}

TEST_CASE("journal tap: more credit than the bound is not remembered") {
  const auto journal = journal_of(1);
  auto tap = tap_of(*journal, credit_of(INT64_MAX));
  CHECK(tap.credit() == 10'000);
  tap.grant(INT64_MAX);
  CHECK(tap.credit() == 10'000);
}

TEST_CASE("journal tap: a piece has at most 256 lines, and few when lines are long") {
  const auto journal = journal_of(600);
  auto tap = tap_of(*journal, credit_of(10'000));
  CHECK(tap.read(*journal)->lines.size() == 256);
  CHECK(tap.read(*journal)->lines.size() == 256);
  CHECK(tap.read(*journal)->lines.size() == 88);
  const auto wide = make_memory_store();
  add_to_journal(*wide,
                 {plain_error(std::string(700'000, 'x')), plain_error(std::string(700'000, 'y')),
                  plain_error(std::string(3'000'000, 'z')), plain_error()});
  auto of_wide = tap_of(*wide, credit_of(10));
  CHECK(numbers_of(of_wide.read(*wide)->lines) == numbers{1});
  CHECK(numbers_of(of_wide.read(*wide)->lines) == numbers{2});
  CHECK(numbers_of(of_wide.read(*wide)->lines) == numbers{3});
  CHECK(numbers_of(of_wide.read(*wide)->lines) == numbers{4});
}

TEST_CASE("journal tap: filters by topic, symbol and strategy, what it passes over costs nothing") {
  const auto journal = journal_of(6);
  add_to_journal(*journal, {plain_error(), opened_signal("AAA")});
  const auto read = [&](journal_filter wanted) {
    auto request = credit_of(4);
    request.wanted = std::move(wanted);
    auto tap = tap_of(*journal, request);
    const auto piece = tap.read(*journal);
    CHECK(tap.next() == (piece && piece->lines.size() == 4 ? piece->next : 9));
    return piece ? numbers_of(piece->lines) : numbers{};
  };
  CHECK(read({{}, {"BBB"}, {}}) == numbers{2, 4, 6});
  CHECK(read({{}, {"AAA"}, {"grid"}}) == numbers{1, 3, 5, 8});
  CHECK(read({{}, {}, {"cross"}}).empty());
  CHECK(read({{topic::error}, {}, {}}) == numbers{7});
  CHECK(read({{topic::signal}, {"AAA", "BBB"}, {}}) == numbers{1, 2, 3, 4});
  CHECK(read({{topic::signal_live, topic::error}, {"BBB"}, {}}) == numbers{2, 4, 6});
  CHECK(read({{topic::risk}, {}, {}}).empty());
}

TEST_CASE("journal tap: an entry that is no event line is named") {
  const auto journal = make_memory_store();
  store_batch batch;
  batch.put(store_space::journal, journal_key(1), "{}");
  journal->commit(batch);
  auto request = credit_of(1);
  request.wanted.symbols = {"AAA"};
  auto tap = tap_of(*journal, request);
  CHECK_THROWS_WITH(tap.read(*journal), doctest::Contains("journal: number 1 is no event line: "));
}

TEST_CASE("journal tap: hears how far it is when a thousand entries were not for it") {
  const auto journal = journal_of(2500);
  auto request = credit_of(3);
  request.wanted.symbols = {"CCC"};
  auto tap = tap_of(*journal, request);
  const auto sign = tap.read(*journal);
  REQUIRE(sign);
  CHECK(sign->lines.empty());
  CHECK(sign->next == 1001);
  CHECK(tap.credit() == 2);
  CHECK(tap.read(*journal)->next == 2001);
  CHECK(!tap.read(*journal)); // too few to speak of
  CHECK(tap.next() == 2501);
  CHECK(tap.credit() == 1);
}

TEST_CASE("journal tap: one that ends is over with the number that was the last at its start") {
  const auto journal = journal_of(3);
  auto request = credit_of(10);
  request.ends = true;
  auto tap = tap_of(*journal, request);
  add_to_journal(*journal, {opened_signal("AAA")});
  CHECK(!tap.is_over());
  CHECK(numbers_of(tap.read(*journal)->lines) == numbers{1, 2, 3});
  CHECK(tap.is_over());
  CHECK(!tap.may_read(4));
  CHECK(tap_of(*make_memory_store(), request).is_over());
}

TEST_CASE("journal tap: older than retention names the first number kept, at the start and later") {
  const auto journal = journal_of(10);
  auto tap = tap_of(*journal, credit_of(2));
  tap.read(*journal);
  erase_from_journal(*journal, 1, 6);
  tap.grant(2);
  try {
    tap.read(*journal);
    FAIL("expected a failure");
  } catch (const failure& thrown) {
    CHECK(thrown.code() == error_code::journal_truncated);
    CHECK(std::string{thrown.what()} == "journal: number 3 is no longer kept; the first kept is 7");
  }
  auto late = credit_of(1);
  late.from = 6;
  CHECK(refusal(late, {7, 10}).code() == error_code::journal_truncated);
}

TEST_CASE("journal tap: what makes no sense is refused, naming what was expected") {
  auto request = credit_of(-1);
  CHECK(std::string{refusal(request, {1, 10}).what()} == "tap: credit must be 0 or more, got -1");
  request = credit_of(1);
  request.from = 0;
  CHECK(refusal(request, {1, 10}).code() == error_code::invalid_argument);
  request.from = 12;
  CHECK(std::string{refusal(request, {1, 10}).what()} ==
        "journal: it ends with number 10, expected to begin with 11 at most, got 12; is it the "
        "journal of another node?");
  request.from.reset();
  request.wanted.topics = {topic::error, topic::performance};
  CHECK(std::string{refusal(request, {1, 10}).what()} ==
        "topic performance is not in the journal and cannot be tapped, expected some of signal, "
        "signal_live, error, validation, partial_profit, partial_loss, risk, control, done_live");
  CHECK_THROWS_WITH(journalled_topic("signals"),
                    "unknown topic \"signals\", expected some of signal, signal_live, error, "
                    "validation, partial_profit, partial_loss, risk, control, done_live");
  CHECK(journalled_topic("risk") == topic::risk);
}

TEST_CASE("journal: the topics it lists are those it takes events of") {
  for (std::size_t i = 0; i < topic_count; ++i) {
    const auto on = static_cast<topic>(i);
    CAPTURE(to_string(on));
    auto item = opened_signal("AAA");
    item.on = on;
    if (on == topic::error)
      item = plain_error();
    const auto& listed = journalled_topics();
    CHECK((std::find(listed.begin(), listed.end(), on) != listed.end()) == is_journalled(item));
  }
}

TEST_CASE("journal tap: a journal that went backwards is told") {
  const auto made = journal_of(5);
  auto tap = tap_of(*made, credit_of(10));
  REQUIRE(tap.read(*made));
  tap.require_still_there({1, 5});
  tap.require_still_there({1, 7});
  try {
    tap.require_still_there({1, 3});
    FAIL("expected a failure");
  } catch (const failure& thrown) {
    CHECK(thrown.code() == error_code::store_lost);
    CHECK(std::string{thrown.what()} ==
          "journal: it went backwards: it ends with number 3, though 5 was there before");
  }
}
