#include "actors/exchange/binance_candles.hpp"

#include "messages/error.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

using namespace backtest;

/// Whatever a server answers: closed candles of the range asked for, oldest first, or a `failure`;
/// and an end. The first line is the Retry-After header, the rest the body.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text{reinterpret_cast<const char*>(data), size};
  const auto line_end = text.find('\n');
  const std::string header = text.substr(0, line_end);
  const std::string body = line_end == std::string::npos ? "" : text.substr(line_end + 1);
  constexpr instant since = 1'704'067'200'000;
  constexpr instant now = since + 60 * minute_ms;
  for (const int status : {200, 400, 429}) {
    const auto source = binance_candles(
        "https://h",
        [&](const std::string&, const std::stop_token&) {
          return http_answer{status, header, body};
        },
        [] { return now; });
    try {
      instant last = since - 1;
      for (const candle& item : source({"BTCUSDT", interval::m1, since, since + day_ms})) {
        if (item.open_time <= last || item.open_time + minute_ms > now)
          std::abort();
        last = item.open_time;
      }
    } catch (const failure&) {
      // The only way to refuse.
    }
  }
  return 0;
}
