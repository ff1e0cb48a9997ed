#include "messages/configuration.hpp"

#include "messages/configuration_parameters.hpp"

#include <array>
#include <cmath>
#include <variant>

#include <fmt/format.h>

namespace backtest {

namespace {

enum class range : std::uint8_t {
  any,
  positive_integer,
  non_negative_integer,
  byte_count,
  up_to_an_hour,
  non_negative_number,
  off_or_positive_number,
};

struct field {
  std::string_view name;
  std::variant<double configuration::*, std::int64_t configuration::*, bool configuration::*>
      member;
  range allowed;
  std::string_view range_text;
  std::string_view meaning;
};

using parameter_set = configuration;

constexpr std::array<field, 32> parameter_fields{{
    {"percent_fee", &parameter_set::percent_fee, range::non_negative_number, "finite, >= 0",
     "fee in percent per side, subtracted on entry and exit"},
    {"percent_slippage", &parameter_set::percent_slippage, range::non_negative_number,
     "finite, >= 0", "percent per side by which entry and exit price are worse"},
    {"avg_price_candles_count", &parameter_set::avg_price_candles_count, range::positive_integer,
     "integer >= 1", "closed one-minute candles in the average price"},
    {"schedule_await_minutes", &parameter_set::schedule_await_minutes, range::positive_integer,
     "integer >= 1", "minutes a scheduled signal waits for its entry price"},
    {"min_takeprofit_distance_percent", &parameter_set::min_takeprofit_distance_percent,
     range::off_or_positive_number, "0 = off, else >= 2 * (percent_fee + percent_slippage)",
     "least distance from entry to take profit, percent of the entry price"},
    {"min_stoploss_distance_percent", &parameter_set::min_stoploss_distance_percent,
     range::off_or_positive_number, "0 = off, else < max_stoploss_distance_percent",
     "least distance from entry to stop loss, percent of the entry price"},
    {"max_stoploss_distance_percent", &parameter_set::max_stoploss_distance_percent,
     range::off_or_positive_number, "0 = off, else > min_stoploss_distance_percent",
     "largest distance from entry to stop loss, percent of the entry price"},
    {"max_signal_lifetime_minutes", &parameter_set::max_signal_lifetime_minutes,
     range::positive_integer, "integer >= 1",
     "upper bound, and default, of a signal's minute_estimated_time"},
    {"max_signal_generation_seconds", &parameter_set::max_signal_generation_seconds,
     range::positive_integer, "integer >= 1", "seconds a signal source may take"},
    {"get_candles_retry_count", &parameter_set::get_candles_retry_count, range::positive_integer,
     "integer >= 1", "attempts in total at fetching candles"},
    {"get_candles_retry_delay_ms", &parameter_set::get_candles_retry_delay_ms,
     range::non_negative_integer, "integer >= 0",
     "milliseconds after a failed attempt, doubled each time"},
    {"get_candles_price_anomaly_threshold_factor",
     &parameter_set::get_candles_price_anomaly_threshold_factor, range::positive_integer,
     "integer >= 1", "a price this many times below the batch's reference price is an anomaly"},
    {"get_candles_min_candles_for_median", &parameter_set::get_candles_min_candles_for_median,
     range::positive_integer, "integer >= 1",
     "candles from which the reference price is the median instead of the mean"},
    {"candle_revision_minutes", &parameter_set::candle_revision_minutes, range::up_to_an_hour,
     "integer from 0 to 60, 0 = off",
     "minutes in which exchanges revise a closed candle: it is asked for again before it is kept"},
    {"settle_delay_ms", &parameter_set::settle_delay_ms, range::non_negative_integer,
     "integer >= 0", "live: milliseconds after the minute before candles are asked for"},
    {"candle_wait_seconds", &parameter_set::candle_wait_seconds, range::non_negative_integer,
     "integer >= 0", "live: seconds to wait for a candle that is late"},
    {"catch_up_wait_seconds", &parameter_set::catch_up_wait_seconds, range::non_negative_integer,
     "integer >= 0", "live: seconds to wait for the candles missed while down"},
    {"subscriber_patience_seconds", &parameter_set::subscriber_patience_seconds,
     range::non_negative_integer, "integer >= 0, 0 = never",
     "seconds without an answer after which a subscriber is reported as overdue"},
    {"stop_patience_seconds", &parameter_set::stop_patience_seconds, range::positive_integer,
     "integer >= 1",
     "live: seconds a run that was told to stop waits for a store that does not take its writes"},
    {"journal_max_age_days", &parameter_set::journal_max_age_days, range::non_negative_integer,
     "integer >= 0, 0 = unlimited", "days the journal keeps its entries"},
    {"journal_max_bytes", &parameter_set::journal_max_bytes, range::byte_count,
     "integer >= 0, 0 = unlimited", "bytes the journal may take"},
    {"store_reserve_bytes", &parameter_set::store_reserve_bytes, range::byte_count,
     "integer >= 0, 0 = none",
     "bytes of the data directory's disk kept back; without them nothing is written"},
    {"report_show_signal_note", &parameter_set::report_show_signal_note, range::any,
     "true or false", "show the note column in reports"},
    {"max_report_rows", &parameter_set::max_report_rows, range::positive_integer, "integer >= 1",
     "rows a report keeps"},
    {"max_trade_sample", &parameter_set::max_trade_sample, range::positive_integer, "integer >= 1",
     "closed signals held one by one, for the median; older ones still count in every other "
     "figure"},
    {"max_performance_events", &parameter_set::max_performance_events, range::positive_integer,
     "integer >= 1", "performance events a report keeps"},
    {"min_trades_ratio", &parameter_set::min_trades_ratio, range::non_negative_integer,
     "integer >= 0", "fewer trades: no ratios"},
    {"min_trades_annual", &parameter_set::min_trades_annual, range::non_negative_integer,
     "integer >= 0", "fewer trades: nothing annualised"},
    {"min_span_days", &parameter_set::min_span_days, range::non_negative_number, "finite, >= 0",
     "shorter sample: nothing annualised"},
    {"max_trades_per_year", &parameter_set::max_trades_per_year, range::non_negative_number,
     "finite, >= 0, 0 = off", "higher frequency: nothing annualised"},
    {"max_abs_yearly_percent", &parameter_set::max_abs_yearly_percent, range::non_negative_number,
     "finite, >= 0", "larger magnitude: no expected yearly returns"},
    {"max_abs_dd_ratio", &parameter_set::max_abs_dd_ratio, range::non_negative_number,
     "finite, >= 0", "calmar and recovery are clamped to plus or minus this"},
}};

/// Large enough for every use, small enough that days as milliseconds do not overflow.
constexpr std::int64_t largest_integer = 100'000'000'000;

std::optional<std::string> violation_of(const field& rule, double value) {
  const bool fine = std::isfinite(value) && value >= 0;
  if (rule.allowed == range::any || fine)
    return std::nullopt;
  const bool off_allowed = rule.allowed == range::off_or_positive_number;
  return fmt::format("{} must be a {}, got {}", rule.name,
                     off_allowed ? "positive number or 0 (off)" : "non-negative number", value);
}

std::optional<std::string> violation_of(const field& rule, std::int64_t value) {
  const std::int64_t lowest = rule.allowed == range::positive_integer ? 1 : 0;
  constexpr std::int64_t minutes_an_hour = 60;
  const std::int64_t highest = rule.allowed == range::byte_count      ? INT64_MAX
                               : rule.allowed == range::up_to_an_hour ? minutes_an_hour
                                                                      : largest_integer;
  if (value >= lowest && value <= highest)
    return std::nullopt;
  return fmt::format("{} must be a {} integer up to {}, got {}", rule.name,
                     lowest == 1 ? "positive" : "non-negative", highest, value);
}

std::optional<std::string> violation_of(const field&, bool) { return std::nullopt; }

std::optional<std::string> stop_loss_violation(const configuration& values) {
  const double lowest = values.min_stoploss_distance_percent;
  const double highest = values.max_stoploss_distance_percent;
  const bool both_on = std::isfinite(lowest) && std::isfinite(highest) && lowest > 0 && highest > 0;
  if (!both_on || lowest < highest)
    return std::nullopt;
  return fmt::format("min_stoploss_distance_percent ({}) must be less than "
                     "max_stoploss_distance_percent ({})",
                     number_text(lowest), number_text(highest));
}

void write_value(json_writer& out, double value) { out.number(value); }
void write_value(json_writer& out, std::int64_t value) { out.integer(value); }
void write_value(json_writer& out, bool value) { out.boolean(value); }

void read_value(const json_reader& in, std::string_view key, double& value) {
  value = in.number_or(key, value);
}
void read_value(const json_reader& in, std::string_view key, std::int64_t& value) {
  value = in.integer_or(key, value);
}
void read_value(const json_reader& in, std::string_view key, bool& value) {
  value = in.flag_or(key, value);
}

std::vector<configuration_parameter> describe_parameters() {
  const configuration defaults;
  std::vector<configuration_parameter> parameters;
  for (const auto& rule : parameter_fields) {
    std::string text;
    json_writer out{text};
    std::visit([&](auto member) { write_value(out, defaults.*member); }, rule.member);
    parameters.push_back({rule.name, std::move(text), rule.range_text, rule.meaning});
  }
  return parameters;
}

} // namespace

std::span<const configuration_parameter> configuration_parameters() {
  static const std::vector<configuration_parameter> parameters = describe_parameters();
  return parameters;
}

std::optional<std::string> trading_cost_violation(const configuration& values, double percent_fee,
                                                  double percent_slippage) {
  constexpr double tolerance = 1e-9;
  const double distance = values.min_takeprofit_distance_percent;
  const double needed = 2 * percent_slippage + 2 * percent_fee;
  if (!(std::isfinite(distance) && distance > 0) || !std::isfinite(needed) ||
      distance >= needed - tolerance)
    return std::nullopt;
  return fmt::format("min_takeprofit_distance_percent ({}) is too low to cover trading costs: "
                     "expected at least {:.2f} (slippage 2 * {} + fee 2 * {})",
                     number_text(distance), needed, number_text(percent_slippage),
                     number_text(percent_fee));
}

std::vector<std::string> violations_of(const configuration& values) {
  std::vector<std::string> violations;
  const auto add = [&violations](std::optional<std::string> sentence) {
    if (sentence)
      violations.push_back(std::move(*sentence));
  };
  for (const auto& rule : parameter_fields)
    std::visit([&](auto member) { add(violation_of(rule, values.*member)); }, rule.member);
  add(trading_cost_violation(values, values.percent_fee, values.percent_slippage));
  add(stop_loss_violation(values));
  return violations;
}

void require_valid(const configuration& values) {
  const auto violations = violations_of(values);
  if (violations.empty())
    return;
  std::string message = "invalid configuration:";
  for (std::size_t i = 0; i < violations.size(); ++i)
    message += fmt::format("\n{}. {}", i + 1, violations[i]);
  throw failure(error_code::invalid_configuration, message);
}

void write_json(json_writer& out, const configuration& values) {
  out.begin_object();
  for (const auto& rule : parameter_fields) {
    out.key(rule.name);
    std::visit([&](auto member) { write_value(out, values.*member); }, rule.member);
  }
  out.end_object();
}

void read_json(const json_reader& in, configuration& values) {
  for (const auto& item : in.object()) {
    const std::string_view key{item.key().data(), item.key().size()};
    const field* found = nullptr;
    for (const auto& rule : parameter_fields)
      if (rule.name == key)
        found = &rule;
    if (!found)
      in.fail_at(key, "unknown parameter, `backtest list parameters` shows all");
    std::visit([&](auto member) { read_value(in, key, values.*member); }, found->member);
  }
}

} // namespace backtest
