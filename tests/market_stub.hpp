#pragma once

#include "messages/error.hpp"
#include "messages/run_context.hpp"

#include <vector>

namespace backtest {

/// A market of fixed candles and a fixed price that remembers what it was asked for.
class market_stub : public market_view {
public:
  std::vector<candle> bars; ///< the newest `limit` of them are the answer to every question
  double price = 100;
  interval asked_size = interval::d3;
  std::int64_t asked_limit = 0;
  int price_questions = 0;

  void set_closes(const std::vector<double>& closes) {
    bars.clear();
    for (double close : closes)
      bars.push_back({0, close, close, close, close, 1});
  }

  std::span<const candle> candles(std::string_view, interval size, std::int64_t limit,
                                  instant) override {
    asked_size = size;
    asked_limit = limit;
    if (static_cast<std::int64_t>(bars.size()) < limit)
      throw failure(error_code::data_gap, "too few candles");
    return std::span{bars}.last(static_cast<std::size_t>(limit));
  }
  std::span<const candle> candles_present(std::string_view, interval, std::int64_t,
                                          instant) override {
    return bars;
  }
  double average_price(std::string_view, instant) override {
    ++price_questions;
    return price;
  }
  std::string format_price(std::string_view, double) const override { return {}; }
  std::string format_quantity(std::string_view, double) const override { return {}; }
};

} // namespace backtest
