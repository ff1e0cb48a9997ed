#include "actors/http/retry_after.hpp"

#include <doctest/doctest.h>

using namespace backtest;

namespace {

constexpr instant seven_28 = 1'445'412'480'000; // 2015-10-21T07:28:00Z

std::int64_t milliseconds(std::string_view text, instant now = 0) {
  const auto wait = parse_retry_after(text, now);
  return wait ? wait->count() : -1;
}

} // namespace

TEST_CASE("retry after: seconds") {
  CHECK(milliseconds("0") == 0);
  CHECK(milliseconds("1") == 1000);
  CHECK(milliseconds("120") == 120'000);
  CHECK(milliseconds("120", seven_28) == 120'000);
  CHECK(milliseconds("9223372036854775807") == 3'155'760'000'000); // a hundred years
}

TEST_CASE("retry after: a date, compared with now") {
  CHECK(milliseconds("Wed, 21 Oct 2015 07:28:00 GMT", seven_28 - 90'500) == 90'500);
  CHECK(milliseconds("Wed, 21 Oct 2015 07:28:00 GMT", seven_28) == 0);
  CHECK(milliseconds("Wed, 21 Oct 2015 07:28:00 GMT", seven_28 + 1) == 0);
  CHECK(milliseconds("Thu, 29 Feb 2024 23:59:59 GMT", 1'709'251'199'000) == 0);
  CHECK(milliseconds("Thu, 29 Feb 2024 23:59:59 GMT", 1'709'251'198'000) == 1000);
}

TEST_CASE("retry after: anything else is no time to wait") {
  for (const auto* text :
       {"", " ", "-1", "1.5", "soon", "12 s", "+3", "9223372036854775808", "Wed, 21 Oct 2015",
        "Wed, 21 Okt 2015 07:28:00 GMT", "Wed, 32 Oct 2015 07:28:00 GMT",
        "Thu, 29 Feb 2023 07:28:00 GMT", "Wed, 21 Oct 2015 24:00:00 GMT",
        "Wed, 21 Oct 2015 07:60:00 GMT", "Wed, 21 Oct 2015 07:28:61 GMT",
        "Wed, 21 Oct 2015 07:28:00 CET", "Wed, -1 Oct 2015 07:28:00 GMT",
        "Wednesday, 21-Oct-15 07:28:00 GMT", "Wed Oct 21 07:28:00 2015"}) {
    CAPTURE(text);
    CHECK(milliseconds(text) == -1);
  }
}
