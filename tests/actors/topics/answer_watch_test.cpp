#include "actors/topics/answer_watch.hpp"

#include <doctest/doctest.h>

using namespace backtest;
using std::chrono::seconds;

namespace {

answer_watch::time_point at(int second) { return answer_watch::time_point{} + seconds{second}; }

constexpr seconds patience_of_30{30};

} // namespace

TEST_CASE("answer watch: who owes an answer for as long as patience lasts is overdue, once") {
  answer_watch watch;
  const answer_progress first{0, 0};
  CHECK_FALSE(watch.is_overdue(first, at(100), patience_of_30));
  CHECK_FALSE(watch.is_overdue(first, at(129), patience_of_30));
  CHECK(watch.is_overdue(first, at(130), patience_of_30));
  CHECK_FALSE(watch.is_overdue(first, at(131), patience_of_30));
  CHECK_FALSE(watch.is_overdue(first, at(500), patience_of_30));
}

TEST_CASE("answer watch: an answer, or an event done, starts anew, and it may be told again") {
  answer_watch watch;
  watch.is_overdue(answer_progress{0, 0}, at(0), patience_of_30);
  CHECK_FALSE(watch.is_overdue(answer_progress{0, 7}, at(30), patience_of_30));
  CHECK_FALSE(watch.is_overdue(answer_progress{1, 7}, at(59), patience_of_30));
  CHECK_FALSE(watch.is_overdue(answer_progress{1, 7}, at(88), patience_of_30));
  CHECK(watch.is_overdue(answer_progress{1, 7}, at(89), patience_of_30));
  CHECK_FALSE(watch.is_overdue(answer_progress{1, 8}, at(90), patience_of_30));
  CHECK(watch.is_overdue(answer_progress{1, 8}, at(120), patience_of_30));
}

TEST_CASE("answer watch: who owes nothing is never overdue") {
  answer_watch watch;
  watch.is_overdue(answer_progress{0, 0}, at(0), patience_of_30);
  CHECK_FALSE(watch.is_overdue(std::nullopt, at(40), patience_of_30));
  CHECK_FALSE(watch.is_overdue(std::nullopt, at(90), patience_of_30));
  CHECK_FALSE(watch.is_overdue(answer_progress{0, 0}, at(91), patience_of_30));
  CHECK(watch.is_overdue(answer_progress{0, 0}, at(121), patience_of_30));
}
