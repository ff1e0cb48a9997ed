#include "actors/exchange/candle_csv.hpp"
#include "actors/exchange/candle_spacing.hpp"
#include "actors/exchange/candle_writer.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace backtest;

/// Whatever the bytes: candles or `bad_candles`; and candles that were read are written and read
/// back equal.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const configuration limits;
  candle_series series;
  try {
    series = parse_candle_csv({reinterpret_cast<const char*>(data), size}, "fuzz.csv", "X", limits);
  } catch (const failure& problem) {
    if (problem.code() != error_code::bad_candles)
      std::abort();
    return 0;
  }
  // Close times may have said what the spacing alone does not, and they are not written.
  if (find_coarse_file(series.candles, interval::m1))
    return 0;
  if (series.empty() || parse_candle_csv(to_csv(series), "copy.csv", "X", limits) != series)
    std::abort();
  return 0;
}
