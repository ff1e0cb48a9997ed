#include "runtime/schema_checks.hpp"

#include "actors/frame/timeline.hpp"
#include "messages/error.hpp"
#include "runtime/walker_report.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace backtest {

namespace {

/// Collects nothing: the first thing that is wrong is thrown.
class checker {
public:
  checker(const char* kind, const std::string& name) : kind_(kind), name_(name) {
    require(!name.empty(), fmt::format("{}_name must be a non-empty string", kind));
  }

  void require(bool condition, const std::string& problem) const {
    if (!condition)
      throw failure(error_code::invalid_argument,
                    fmt::format("{} {}: {}", kind_, name_.empty() ? "\"\"" : name_, problem));
  }

  void require_no_duplicates(const char* field, const std::vector<std::string>& names) const {
    std::set<std::string_view> seen;
    for (const auto& item : names) {
      require(!item.empty(), fmt::format("{} must not contain an empty name", field));
      require(seen.insert(item).second, fmt::format("{} names {} twice", field, item));
    }
  }

private:
  const char* kind_;
  const std::string& name_;
};

} // namespace

void check_schema(const exchange_schema& s) {
  const checker check{"exchange", s.exchange_name};
  check.require(s.get_candles || s.source, "get_candles must be a function");
  check.require(!(s.get_candles && s.source), "get_candles and source exclude each other");
  constexpr std::size_t most_threads = 256;
  check.require(s.concurrent_fetches >= 1 && s.concurrent_fetches <= most_threads,
                fmt::format("concurrent_fetches must lie in 1..{}, got {}", most_threads,
                            s.concurrent_fetches));
  check.require(!s.source || s.concurrent_fetches == 1,
                "concurrent_fetches must be 1 for a source, which is called by one thread");
  check.require(!s.source || !s.keeps_candles,
                "keeps_candles is for get_candles, not for a source");
  for (const auto& [field, value] :
       {std::pair{"percent_fee", s.percent_fee}, std::pair{"percent_slippage", s.percent_slippage}})
    check.require(!value || (*value >= 0 && *value < 100),
                  fmt::format("{} must be a non-negative number below 100, got {}", field,
                              value.value_or(0)));
  for (const int decimals : {s.price_decimals, s.quantity_decimals})
    check.require(decimals >= 0 && decimals <= 15,
                  fmt::format("decimals must lie in 0..15, got {}", decimals));
  for (const auto model : {s.entry_fill, s.exit_fill})
    check.require(model == fill_model::vwap || model == fill_model::touch,
                  fmt::format("fills must be vwap or touch, got {}", static_cast<int>(model)));
  for (const auto size : s.native_intervals)
    check.require(is_candle_interval(size),
                  fmt::format("native_intervals must lie in 1m to 1d, got {}", to_string(size)));
}

void check_schema(const frame_schema& s) {
  const checker check{"frame", s.frame_name};
  timeline_of(s);
}

void check_schema(const risk_schema& s) {
  const checker check{"risk", s.risk_name};
  for (std::size_t i = 0; i < s.validations.size(); ++i)
    check.require(static_cast<bool>(s.validations[i].validate),
                  fmt::format("validations[{}] must be a function", i));
}

void check_schema(const sizing_schema& s) {
  const checker check{"sizing", s.sizing_name};
  const auto percent = [&](const char* field, double value) {
    check.require(value > 0 && value <= 100,
                  fmt::format("{} must lie in (0, 100], got {}", field, value));
  };
  constexpr std::size_t methods = 3;
  check.require(is_one_of_first(s.method, methods),
                fmt::format("method must be fixed-percentage, kelly-criterion or atr-based, got {}",
                            static_cast<int>(s.method)));
  if (s.method != sizing_method::kelly_criterion)
    percent("risk_percentage", s.risk_percentage);
  if (s.max_position_percentage)
    percent("max_position_percentage", *s.max_position_percentage);
  check.require(s.kelly_multiplier >= 0 && s.kelly_multiplier <= 1,
                fmt::format("kelly_multiplier must lie in [0, 1], got {}", s.kelly_multiplier));
  check.require(s.atr_multiplier > 0,
                fmt::format("atr_multiplier must be a positive number, got {}", s.atr_multiplier));
  for (const auto& bound : {s.min_position_size, s.max_position_size})
    check.require(!bound || *bound >= 0, "position sizes must be non-negative numbers");
  check.require(!s.min_position_size || !s.max_position_size ||
                    *s.min_position_size <= *s.max_position_size,
                "min_position_size must not exceed max_position_size");
}

void check_schema(const strategy_schema& s) {
  const checker check{"strategy", s.strategy_name};
  check.require(static_cast<bool>(s.get_signal), "get_signal must be a function");
  check.require(is_strategy_interval(s.size),
                fmt::format("interval {} must be one of 1m 3m 5m 15m 30m 1h", to_string(s.size)));
  check.require_no_duplicates("risk_list", profiles_of(s));
}

void check_schema(const walker_schema& s) {
  const checker check{"walker", s.walker_name};
  check.require(!s.exchange_name.empty(), "exchange_name must be a non-empty string");
  check.require(!s.frame_name.empty(), "frame_name must be a non-empty string");
  check.require(!s.strategies.empty(), "strategies must not be empty");
  check.require_no_duplicates("strategies", s.strategies);
  const auto metrics = walker_metrics();
  check.require(
      std::find(metrics.begin(), metrics.end(), s.metric) != metrics.end(),
      fmt::format("metric must be one of {}, got \"{}\"", fmt::join(metrics, ", "), s.metric));
}

} // namespace backtest
