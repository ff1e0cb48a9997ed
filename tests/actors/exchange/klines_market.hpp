#pragma once

#include "actors/exchange/binance_klines.hpp"
#include "tests/actors/exchange/candle_fixtures.hpp"

#include <string>
#include <utility>

namespace backtest::test {

/// A request for klines, as a server reads it from an address.
struct klines_request {
  std::string symbol;
  instant since = 0;
  instant until = 0;
  std::int64_t limit = 1000;
  interval size = interval::m1;

  klines_request(std::string name, instant first, instant end)
      : symbol(std::move(name)), since(first), until(end) {}
  explicit klines_request(const std::string& url)
      : symbol(value_of(url, "symbol")), since(number_of(url, "startTime")),
        until(number_of(url, "endTime") + 1), limit(number_of(url, "limit")),
        size(parse_interval(value_of(url, "interval")).value()) {}

private:
  static std::string value_of(const std::string& url, const std::string& key) {
    const auto begin = url.find(key + '=') + key.size() + 1;
    return url.substr(begin, url.find('&', begin) - begin);
  }
  static std::int64_t number_of(const std::string& url, const std::string& key) {
    return std::stoll(value_of(url, key));
  }
};

/// The candle of the market that the tests' servers know: it has one at every aligned time.
inline candle kline_at(instant when) {
  const double open = 40'000 + static_cast<double>(when / minute_ms % 977) / 8;
  return {when, open, open + 0.5, open - 0.25, open + 0.125, 1.5};
}

/// The rows of a request, as the exchange writes them.
inline std::string klines_text(const klines_request& request) {
  const instant length = length_of(request.size);
  std::string text = "[";
  std::int64_t count = 0;
  for (instant when = align_up(request.since, length);
       when < request.until && count < request.limit; when += length, ++count) {
    const auto item = kline_at(when);
    text +=
        fmt::format("{}[{},\"{}\",\"{}\",\"{}\",\"{}\",\"{}\",{},\"1.0\",7,\"1.0\",\"1.0\",\"0\"]",
                    count == 0 ? "" : ",", when, item.open, item.high, item.low, item.close,
                    item.volume, when + length - 1);
  }
  return text + "]";
}

} // namespace backtest::test
