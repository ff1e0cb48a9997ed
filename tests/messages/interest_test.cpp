#include "messages/interest.hpp"

#include <doctest/doctest.h>

using namespace backtest;

TEST_CASE("interest: every action and topic has a bit of its own") {
  for (std::size_t a = 0; a < tick_action_count; ++a)
    for (std::size_t b = 0; b < tick_action_count; ++b)
      CHECK(interest::of(static_cast<tick_action>(a)).has(static_cast<tick_action>(b)) == (a == b));
  for (std::size_t a = 0; a < topic_count; ++a) {
    for (std::size_t b = 0; b < topic_count; ++b)
      CHECK(interest::of(static_cast<topic>(a)).has(static_cast<topic>(b)) == (a == b));
    for (std::size_t b = 0; b < tick_action_count; ++b)
      CHECK_FALSE(interest::of(static_cast<topic>(a)).has(static_cast<tick_action>(b)));
  }
}

TEST_CASE("interest: nothing, everything and unions") {
  CHECK(interest{}.empty());
  CHECK_FALSE(interest{}.has(topic::error));
  CHECK(interest::everything().has(tick_action::cancelled));
  CHECK(interest::everything().has(topic::risk));
  auto mask = interest::of(topic::risk) | interest::of(tick_action::idle);
  CHECK(mask.has(topic::risk));
  CHECK(mask.has(tick_action::idle));
  CHECK_FALSE(mask.has(topic::signal));
  mask |= interest::of(topic::signal);
  CHECK(mask.has(topic::signal));
  CHECK(mask == (interest::of(topic::signal) | interest::of(topic::risk) |
                 interest::of(tick_action::idle)));
}

TEST_CASE("interest: the newest idle tick in the place of all of them") {
  const auto opened = interest::of(tick_action::opened) | interest::of(topic::signal_live);
  const auto wanted = (opened | interest::of(tick_action::idle)).with_newest_idle_only();
  CHECK(wanted == (opened | interest::of_newest_idle()));
  CHECK(wanted.has_newest_idle());
  CHECK_FALSE(wanted.has(tick_action::idle));
  CHECK(opened.with_newest_idle_only() == opened);
  CHECK_FALSE(opened.has_newest_idle());
  for (std::size_t on = 0; on < topic_count; ++on)
    CHECK_FALSE(interest::of_newest_idle().has(static_cast<topic>(on)));
}
