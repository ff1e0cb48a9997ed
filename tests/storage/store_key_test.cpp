#include "storage/store_key.hpp"

#include "messages/error.hpp"

#include <doctest/doctest.h>

#include <map>
#include <random>

using namespace backtest;

TEST_CASE("store key: parts are joined with slashes, other bytes percent-encoded") {
  CHECK(make_store_key({"binance", "BTCUSDT", "1m"}) == "binance/BTCUSDT/1m");
  CHECK(make_store_key({"a.b_c-d"}) == "a.b_c-d");
  CHECK(make_store_key({"BTC/USDT", "50%", "\xC3\xA4"}) == "BTC%2FUSDT/50%25/%C3%A4");
  CHECK(make_store_key({std::string_view{"\0", 1}, ""}) == "%00/");
  CHECK_THROWS_AS(make_store_key({}), failure);
}

TEST_CASE("store key: a prefix never matches a longer part") {
  CHECK(make_store_prefix({}) == "");
  CHECK(make_store_prefix({"a"}) == "a/");
  CHECK(make_store_key({"a", "b"}).starts_with(make_store_prefix({"a"})));
  CHECK_FALSE(make_store_key({"ab", "b"}).starts_with(make_store_prefix({"a"})));
  CHECK_FALSE(make_store_key({"a/b"}).starts_with(make_store_prefix({"a"})));
  CHECK_FALSE(make_store_key({"a"}).starts_with(make_store_prefix({"a"})));
}

TEST_CASE("store key: different tuples have different keys and come back equal") {
  std::mt19937_64 random{42};
  std::map<std::string, std::vector<std::string>> seen;
  constexpr std::string_view letters{"a/%2F\0\xFF.", 9};
  for (int round = 0; round < 20'000; ++round) {
    std::vector<std::string> parts(1 + random() % 3);
    for (auto& part : parts)
      for (auto length = random() % 4; length > 0; --length)
        part += letters[random() % letters.size()];
    const std::vector<std::string_view> views(parts.begin(), parts.end());
    const auto key = make_store_key(views);
    REQUIRE(split_store_key(key) == parts);
    const auto [known, added] = seen.emplace(key, parts);
    REQUIRE(known->second == parts);
  }
}

TEST_CASE("store key: text that no tuple has is refused") {
  for (auto text : {"%", "%2", "%2f", "%41", "a b", "a/%GG", "a%"})
    CHECK_FALSE(split_store_key(text));
  CHECK(split_store_key("") == std::vector<std::string>{""});
}

TEST_CASE("store key: numbers keep their order") {
  CHECK(number_key_part(0) == "00000000000000000000");
  CHECK(number_key_part(1'700'000'000'000) == "00000001700000000000");
  CHECK(number_key_part(UINT64_MAX) == "18446744073709551615");
  CHECK(parse_number_key_part("18446744073709551615") == UINT64_MAX);
  CHECK(number_key_part(9) < number_key_part(10));
  for (auto text :
       {"", "1", "0000000000000000000x", "99999999999999999999", "-0000000000000000001"})
    CHECK_FALSE(parse_number_key_part(text));
}
