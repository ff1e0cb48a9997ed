#include "runtime/statistics.hpp"

#include "tests/runtime/sample_trades.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <tuple>

using namespace backtest;
using namespace backtest::testing;

namespace {

/// The gates the golden vectors were worked out with.
const statistics_gates reference_gates{10, 10, 14, 365, 100, 1000};
const statistics_gates default_gates;

using figures = std::map<std::string, double>;

void check_figures(const trade_statistics& statistics, const figures& expected) {
  for (const auto& line : expected) {
    const auto& key = line.first; // Clang 14 cannot capture structured bindings
    const double value = line.second;
    CAPTURE(key);
    if (value == 0)
      CHECK(figure(statistics, key) == 0);
    else
      CHECK(std::abs(figure(statistics, key) - value) <= 1e-9 * std::abs(value));
  }
}

/// Each absent for the reason given.
void check_absent(const trade_statistics& statistics,
                  const std::map<std::string, std::string>& expected) {
  for (const auto& line : expected) {
    const auto& key = line.first;
    CAPTURE(key);
    CHECK(std::isnan(figure(statistics, key)));
    CHECK(reason_unavailable(statistics, key) == line.second);
  }
}

std::vector<trade_record> equal_trades(std::size_t count, double pnl) {
  return trades_of(std::vector<double>(count, pnl));
}

} // namespace

TEST_CASE("statistics: golden vector A") {
  const figures expected{{"total_signals", 12},
                         {"excluded_count", 0},
                         {"win_count", 7},
                         {"loss_count", 4},
                         {"break_even_count", 1},
                         {"win_rate", 63.63636363636363},
                         {"total_pnl", 6.3},
                         {"avg_pnl", 0.525},
                         {"median_pnl", 0.7},
                         {"std_dev", 1.5909545448052134},
                         {"sharpe_ratio", 0.3299905718326338},
                         {"span_days", 33.875},
                         {"trades_per_year", 129.29889298892988},
                         {"annualized_sharpe_ratio", 3.7523119385159958},
                         {"sortino_ratio", 0.6194357884847181},
                         {"avg_win", 1.6142857142857143},
                         {"avg_loss", -1.25},
                         {"profit_factor", 2.26},
                         {"certainty_ratio", 1.2914285714285714},
                         {"expectancy", 0.525},
                         {"compounded_return", 6.33807646739235},
                         {"max_drawdown", 2.5},
                         {"expected_yearly_returns", 93.89622763797986},
                         {"calmar_ratio", 37.5584910551918},
                         {"recovery_factor", 2.535230586956931},
                         {"avg_duration", 930},
                         {"max_win_streak", 2},
                         {"max_loss_streak", 1},
                         {"avg_win_streak_pnl", 1.8833333333333333},
                         {"avg_loss_streak_pnl", -1.25}};
  for (const auto& gates : {reference_gates, default_gates}) {
    const auto statistics = compute_trade_statistics(trades_of(returns_a), gates);
    check_figures(statistics, expected);
    check_absent(statistics, {{"avg_peak_pnl", "not_recorded"},
                              {"worst_fall_pnl", "not_recorded"},
                              {"buy_and_hold_return", "not_measured"},
                              {"exposure", "not_measured"}});
  }
}

TEST_CASE("statistics: golden vector B, a fall deepens the drawdown and nothing else") {
  auto trades = trades_of(returns_a);
  trades[6].fall = -4;
  for (const auto& gates : {reference_gates, default_gates}) {
    const auto statistics = compute_trade_statistics(trades, gates);
    check_figures(statistics, {{"max_drawdown", 6.4},
                               {"calmar_ratio", 14.671285568434328},
                               {"recovery_factor", 0.990324448030053},
                               {"expected_yearly_returns", 93.89622763797986},
                               {"sharpe_ratio", 0.3299905718326338},
                               {"avg_fall_pnl", -4},
                               {"worst_fall_pnl", -4}});
  }
}

TEST_CASE("statistics: golden vector C, all trades win the same") {
  const auto trades = equal_trades(12, 1);
  const auto strict = compute_trade_statistics(trades, reference_gates);
  check_figures(strict, {{"std_dev", 0},
                         {"max_drawdown", 0},
                         {"compounded_return", 12.68250301319698},
                         {"expectancy", 1},
                         {"win_rate", 100}});
  check_absent(strict, {{"sharpe_ratio", "zero_deviation"},
                        {"annualized_sharpe_ratio", "zero_deviation"},
                        {"sortino_ratio", "no_losses"},
                        {"certainty_ratio", "no_losses"},
                        {"profit_factor", "no_losses"},
                        {"expected_yearly_returns", "max_abs_yearly_percent"},
                        {"calmar_ratio", "max_abs_yearly_percent"},
                        {"recovery_factor", "zero_drawdown"}});
  const auto usual = compute_trade_statistics(trades, default_gates);
  check_figures(usual, {{"expected_yearly_returns", 262.03357283961924}});
  check_absent(usual, {{"calmar_ratio", "zero_drawdown"}});
}

TEST_CASE("statistics: golden vector D, all trades lose the same") {
  for (const auto& gates : {reference_gates, default_gates}) {
    const auto statistics = compute_trade_statistics(equal_trades(12, -1), gates);
    check_figures(statistics, {{"win_rate", 0},
                               {"profit_factor", 0},
                               {"certainty_ratio", 0},
                               {"sortino_ratio", -1},
                               {"max_drawdown", 11.361512828387088},
                               {"expected_yearly_returns", -72.7331170799205},
                               {"calmar_ratio", -6.401710597746682},
                               {"recovery_factor", -1},
                               {"max_loss_streak", 12},
                               {"max_win_streak", 0}});
    check_absent(statistics, {{"sharpe_ratio", "zero_deviation"}, {"avg_win", "no_wins"}});
  }
}

TEST_CASE("statistics: golden vector E, three trades show the basics only") {
  for (const auto& gates : {reference_gates, default_gates}) {
    const auto statistics = compute_trade_statistics(trades_of({2, -1, 1.5}), gates);
    check_figures(statistics, {{"win_rate", 66.66666666666667},
                               {"profit_factor", 3.5},
                               {"max_drawdown", 1},
                               {"median_pnl", 1.5}});
    for (const char* key : {"std_dev", "sharpe_ratio", "sortino_ratio", "certainty_ratio",
                            "expectancy", "recovery_factor", "annualized_sharpe_ratio"})
      check_absent(statistics, {{key, "min_trades_ratio"}});
    for (const char* key : {"trades_per_year", "expected_yearly_returns", "calmar_ratio"})
      check_absent(statistics, {{key, "min_trades_annual"}});
  }
}

TEST_CASE("statistics: percentiles and deviation of a plain sample") {
  const std::vector<double> values{10, 20, 30, 40, 50, 60, 70, 80, 90, 100};
  CHECK(percentile(values, 50) == doctest::Approx(55).epsilon(1e-12));
  CHECK(percentile(values, 95) == doctest::Approx(95.5).epsilon(1e-12));
  CHECK(percentile(values, 99) == doctest::Approx(99.1).epsilon(1e-12));
  CHECK(percentile(values, 0) == 10);
  CHECK(percentile(values, 100) == 100);
  CHECK(percentile(std::vector<double>{7}, 95) == 7);
  CHECK(sample_deviation(values) == doctest::Approx(30.276503540974915).epsilon(1e-12));
  CHECK(std::isnan(sample_deviation(std::vector<double>{1})));
  CHECK(mean_of(values) == 55);
}

// ---- the edge cases
// ------------------------------------------------------------------------------

TEST_CASE("statistics edge: no trades") {
  const auto statistics = compute_trade_statistics({}, default_gates);
  check_figures(statistics, {{"total_signals", 0},
                             {"excluded_count", 0},
                             {"win_count", 0},
                             {"loss_count", 0},
                             {"break_even_count", 0},
                             {"max_win_streak", 0},
                             {"max_loss_streak", 0}});
  std::size_t absent = 0;
  for_each_statistic(statistics, [&](std::string_view key, const statistic_value& value) {
    if (std::holds_alternative<std::int64_t>(value))
      return;
    CAPTURE(key);
    CHECK_FALSE(std::get<std::optional<double>>(value));
    CHECK(statistics.unavailable[absent++].key == key); // in key order, none left out
  });
  CHECK(absent == 31);
  CHECK(absent == statistics.unavailable.size());
  check_absent(statistics, {{"win_rate", "no_trades"},
                            {"max_drawdown", "no_trades"},
                            {"span_days", "no_trades"},
                            {"sharpe_ratio", "min_trades_ratio"}});
}

TEST_CASE("statistics edge: one win") {
  auto trades = trades_of({1.25});
  auto statistics = compute_trade_statistics(trades, default_gates);
  check_figures(statistics, {{"win_rate", 100},
                             {"avg_pnl", 1.25},
                             {"median_pnl", 1.25},
                             {"total_pnl", 1.25},
                             {"max_drawdown", 0}});
  check_absent(statistics, {{"std_dev", "min_trades_ratio"},
                            {"sharpe_ratio", "min_trades_ratio"},
                            {"sortino_ratio", "min_trades_ratio"},
                            {"certainty_ratio", "min_trades_ratio"},
                            {"profit_factor", "no_losses"},
                            {"recovery_factor", "min_trades_ratio"}});
  trades[0].fall = -0.75;
  check_figures(compute_trade_statistics(trades, default_gates), {{"max_drawdown", 0.75}});
}

TEST_CASE("statistics edge: one loss") {
  const auto statistics = compute_trade_statistics(trades_of({-2.5}), default_gates);
  check_figures(statistics,
                {{"win_rate", 0}, {"profit_factor", 0}, {"max_drawdown", 2.5}, {"avg_pnl", -2.5}});
  check_absent(statistics, {{"std_dev", "min_trades_ratio"},
                            {"certainty_ratio", "min_trades_ratio"},
                            {"recovery_factor", "min_trades_ratio"}});
}

TEST_CASE("statistics edge: fewer than ten, mixed") {
  const auto statistics =
      compute_trade_statistics(trades_of({1, -1, 2, -2, 3, -3, 1, 1, 1}), default_gates);
  CHECK(statistics.win_rate);
  CHECK(statistics.profit_factor);
  CHECK(statistics.max_drawdown);
  check_absent(statistics, {{"std_dev", "min_trades_ratio"},
                            {"sortino_ratio", "min_trades_ratio"},
                            {"recovery_factor", "min_trades_ratio"}});
}

TEST_CASE("statistics edge: ten or more wins, varying: no losses is not infinite") {
  auto trades = trades_of({1, 2, 1, 2, 1, 2, 1, 2, 1, 2});
  auto statistics = compute_trade_statistics(trades, default_gates);
  CHECK(statistics.std_dev);
  CHECK(*statistics.sharpe_ratio > 0);
  check_figures(statistics, {{"win_rate", 100}, {"max_drawdown", 0}});
  check_absent(statistics, {{"sortino_ratio", "no_losses"},
                            {"certainty_ratio", "no_losses"},
                            {"profit_factor", "no_losses"},
                            {"recovery_factor", "zero_drawdown"}});
  trades[3].fall = -1;
  statistics = compute_trade_statistics(trades, default_gates);
  check_figures(statistics, {{"max_drawdown", 1}});
  CHECK(*statistics.recovery_factor > 0);
}

TEST_CASE("statistics edge: ten or more identical wins: rounding noise is no deviation") {
  const auto statistics = compute_trade_statistics(equal_trades(13, 0.1), default_gates);
  CHECK(*statistics.std_dev <= 1e-9);
  check_figures(statistics, {{"win_rate", 100}, {"max_drawdown", 0}});
  check_absent(statistics, {{"sharpe_ratio", "zero_deviation"},
                            {"sortino_ratio", "no_losses"},
                            {"certainty_ratio", "no_losses"},
                            {"profit_factor", "no_losses"},
                            {"recovery_factor", "zero_drawdown"}});
}

TEST_CASE("statistics edge: ten or more losses, varying") {
  const auto statistics =
      compute_trade_statistics(trades_of({-1, -2, -1, -2, -1, -2, -1, -2, -1, -2}), default_gates);
  CHECK(*statistics.std_dev > 0);
  CHECK(*statistics.sharpe_ratio < 0);
  CHECK(*statistics.sortino_ratio < 0);
  check_figures(
      statistics,
      {{"win_rate", 0}, {"certainty_ratio", 0}, {"profit_factor", 0}, {"recovery_factor", -1}});
}

TEST_CASE("statistics edge: all break even") {
  const auto statistics = compute_trade_statistics(equal_trades(10, 0), default_gates);
  check_figures(statistics, {{"break_even_count", 10},
                             {"std_dev", 0},
                             {"max_drawdown", 0},
                             {"expectancy", 0},
                             {"total_pnl", 0},
                             {"expected_yearly_returns", 0}});
  check_absent(statistics, {{"win_rate", "no_decisive_trades"},
                            {"sharpe_ratio", "zero_deviation"},
                            {"sortino_ratio", "no_losses"},
                            {"certainty_ratio", "no_losses"},
                            {"profit_factor", "no_losses"},
                            {"recovery_factor", "zero_drawdown"},
                            {"avg_win_streak_pnl", "no_wins"}});
}

TEST_CASE("statistics edge: a loss of everything blows the account") {
  auto returns = returns_a;
  returns[4] = -130;
  const auto statistics = compute_trade_statistics(trades_of(returns), default_gates);
  check_figures(statistics, {{"max_drawdown", 100},
                             {"compounded_return", -100},
                             {"expected_yearly_returns", -100},
                             {"calmar_ratio", -1}});
  CHECK(statistics.std_dev);
  CHECK(statistics.sharpe_ratio);
  CHECK(statistics.sortino_ratio);
  CHECK(statistics.certainty_ratio);
  CHECK(statistics.profit_factor);
  check_absent(statistics, {{"recovery_factor", "blown_account"}});

  auto trades = trades_of(returns_a);
  trades[2].fall = -100;
  check_figures(compute_trade_statistics(trades, default_gates),
                {{"max_drawdown", 100}, {"compounded_return", -100}});
}

TEST_CASE("statistics edge: invalid trades are counted and change nothing else") {
  auto trades = trades_of(returns_a);
  trades.push_back({t0, t0 + 1, std::numeric_limits<double>::quiet_NaN(), {}, {}, 100});
  trades.push_back({t0, t0 + 1, std::numeric_limits<double>::infinity(), {}, {}, 101});
  trades.push_back({0, t0, 50, {}, {}, 102});
  trades.push_back({t0 + 1, t0, 50, {}, {}, 103});
  const auto statistics = compute_trade_statistics(trades, default_gates);
  check_figures(statistics, {{"total_signals", 16},
                             {"excluded_count", 4},
                             {"win_count", 7},
                             {"total_pnl", 6.3},
                             {"span_days", 33.875},
                             {"sharpe_ratio", 0.3299905718326338}});

  trades.erase(trades.begin(), trades.begin() + 12);
  const auto none = compute_trade_statistics(trades, default_gates);
  check_figures(none, {{"total_signals", 4}, {"excluded_count", 4}});
  check_absent(none, {{"total_pnl", "no_trades"}});
}

TEST_CASE("statistics edge: what overflows is not shown") {
  const auto statistics = compute_trade_statistics(equal_trades(12, 1e308), default_gates);
  check_absent(statistics, {{"total_pnl", "not_finite"},
                            {"max_drawdown", "not_finite"},
                            {"compounded_return", "not_finite"},
                            {"recovery_factor", "not_finite"}});
  for_each_statistic(statistics, [](std::string_view, const statistic_value& value) {
    if (const auto* number = std::get_if<std::optional<double>>(&value); number && *number)
      CHECK(std::isfinite(**number));
  });
}

// ---- gates
// ---------------------------------------------------------------------------------------

TEST_CASE("statistics gates: each is named, and sits exactly at its value") {
  const auto trades = trades_of(returns_a);
  auto gates = default_gates;
  gates.min_trades_ratio = 13;
  check_absent(compute_trade_statistics(trades, gates), {{"sharpe_ratio", "min_trades_ratio"}});
  gates.min_trades_ratio = 12;
  CHECK(compute_trade_statistics(trades, gates).sharpe_ratio);

  gates.min_trades_annual = 13;
  check_absent(
      compute_trade_statistics(trades, gates),
      {{"trades_per_year", "min_trades_annual"}, {"annualized_sharpe_ratio", "min_trades_annual"}});
  gates.min_trades_annual = 12;
  gates.min_span_days = 33.876;
  check_absent(compute_trade_statistics(trades, gates), {{"trades_per_year", "min_span_days"}});
  gates.min_span_days = 33.875;
  CHECK(compute_trade_statistics(trades, gates).trades_per_year);

  gates.max_trades_per_year = 129;
  check_absent(compute_trade_statistics(trades, gates),
               {{"trades_per_year", "max_trades_per_year"},
                {"expected_yearly_returns", "max_trades_per_year"},
                {"calmar_ratio", "max_trades_per_year"}});
  gates.max_trades_per_year = 0; // off
  CHECK(compute_trade_statistics(trades, gates).trades_per_year);

  gates.max_abs_yearly_percent = 90;
  check_absent(compute_trade_statistics(trades, gates),
               {{"expected_yearly_returns", "max_abs_yearly_percent"}});
  gates.max_abs_yearly_percent = 1000;
  gates.max_abs_dd_ratio = 2;
  check_figures(compute_trade_statistics(trades, gates),
                {{"calmar_ratio", 2}, {"recovery_factor", 2}});
}

TEST_CASE("statistics gates: taken from the configuration") {
  configuration config;
  config.min_trades_ratio = 3;
  config.max_trades_per_year = 365;
  const auto gates = gates_of(config);
  CHECK(gates.min_trades_ratio == 3);
  CHECK(gates.min_trades_annual == 10);
  CHECK(gates.min_span_days == 14);
  CHECK(gates.max_trades_per_year == 365);
  CHECK(gates.max_abs_yearly_percent == 1000);
  CHECK(gates.max_abs_dd_ratio == 1000);
}

TEST_CASE("statistics: the figures by name, in the order of the summary") {
  std::vector<std::string> keys;
  for (const auto& field : statistic_fields()) {
    keys.emplace_back(field.key);
    CHECK(key_of(field.member) == field.key);
  }
  CHECK(keys == std::vector<std::string>{"total_signals",
                                         "excluded_count",
                                         "win_count",
                                         "loss_count",
                                         "break_even_count",
                                         "win_rate",
                                         "total_pnl",
                                         "avg_pnl",
                                         "median_pnl",
                                         "std_dev",
                                         "sharpe_ratio",
                                         "span_days",
                                         "trades_per_year",
                                         "annualized_sharpe_ratio",
                                         "avg_win",
                                         "avg_loss",
                                         "profit_factor",
                                         "certainty_ratio",
                                         "expectancy",
                                         "max_drawdown",
                                         "compounded_return",
                                         "expected_yearly_returns",
                                         "sortino_ratio",
                                         "calmar_ratio",
                                         "recovery_factor",
                                         "max_win_streak",
                                         "max_loss_streak",
                                         "avg_win_streak_pnl",
                                         "avg_loss_streak_pnl",
                                         "avg_duration",
                                         "avg_win_duration",
                                         "avg_loss_duration",
                                         "avg_peak_pnl",
                                         "avg_fall_pnl",
                                         "best_peak_pnl",
                                         "worst_fall_pnl",
                                         "buy_and_hold_return",
                                         "exposure"});
  CHECK_FALSE(find_statistic({}, "sharpe"));
}

// ---- properties
// ----------------------------------------------------------------------------------

namespace {

/// Every figure once more, slowly, one plain sentence of the specification at a time.
figures slow_figures(std::vector<trade_record> trades, const statistics_gates& gates) {
  const double none = std::numeric_limits<double>::quiet_NaN();
  std::erase_if(trades, [](const trade_record& t) {
    return !std::isfinite(t.pnl) || t.open_ts <= 0 || t.close_ts < t.open_ts;
  });
  std::sort(trades.begin(), trades.end(), [](const trade_record& a, const trade_record& b) {
    return std::pair(a.close_ts, a.seq) < std::pair(b.close_ts, b.seq);
  });
  const auto sum = [](const std::vector<double>& values) {
    double total = 0;
    for (double v : values)
      total += v;
    return total;
  };
  const auto mean = [&](const std::vector<double>& values) {
    return values.empty() ? none : sum(values) / static_cast<double>(values.size());
  };
  std::vector<double> all, wins, losses, times, win_times, loss_times, peaks, falls;
  std::vector<std::vector<double>> win_runs, loss_runs;
  double previous = 0;
  for (const auto& t : trades) {
    const double minutes = static_cast<double>(t.close_ts - t.open_ts) / 60000.0;
    all.push_back(t.pnl);
    times.push_back(minutes);
    if (t.pnl > 0) {
      wins.push_back(t.pnl);
      win_times.push_back(minutes);
      if (!(previous > 0))
        win_runs.emplace_back();
      win_runs.back().push_back(t.pnl);
    }
    if (t.pnl < 0) {
      losses.push_back(t.pnl);
      loss_times.push_back(minutes);
      if (!(previous < 0))
        loss_runs.emplace_back();
      loss_runs.back().push_back(t.pnl);
    }
    if (t.peak)
      peaks.push_back(*t.peak);
    if (t.fall)
      falls.push_back(*t.fall);
    previous = t.pnl;
  }
  const double n = static_cast<double>(all.size());
  const bool ratio = n >= static_cast<double>(gates.min_trades_ratio) && n > 0;

  figures f;
  f["win_count"] = static_cast<double>(wins.size());
  f["loss_count"] = static_cast<double>(losses.size());
  f["break_even_count"] = n - f["win_count"] - f["loss_count"];
  f["win_rate"] = wins.empty() && losses.empty()
                      ? none
                      : 100.0 * f["win_count"] / (f["win_count"] + f["loss_count"]);
  f["total_pnl"] = all.empty() ? none : sum(all);
  f["avg_pnl"] = mean(all);
  auto sorted = all;
  std::sort(sorted.begin(), sorted.end());
  const std::size_t half = sorted.size() / 2;
  f["median_pnl"] = sorted.empty()           ? none
                    : sorted.size() % 2 == 1 ? sorted[half]
                                             : (sorted[half - 1] + sorted[half]) / 2;
  std::vector<double> squares, loss_squares;
  for (double r : all) {
    squares.push_back((r - mean(all)) * (r - mean(all)));
    loss_squares.push_back(r < 0 ? r * r : 0);
  }
  f["std_dev"] = ratio ? std::sqrt(sum(squares) / (n - 1)) : none;
  f["sharpe_ratio"] = f["std_dev"] > 1e-9 ? mean(all) / f["std_dev"] : none;
  const double downside = std::sqrt(mean(loss_squares));
  f["sortino_ratio"] = ratio && !losses.empty() && downside > 1e-9 ? mean(all) / downside : none;
  f["avg_win"] = mean(wins);
  f["avg_loss"] = mean(losses);
  f["profit_factor"] = -sum(losses) > 1e-9 ? sum(wins) / -sum(losses) : none;
  const double win_size = wins.empty() ? 0 : mean(wins);
  const double loss_size = losses.empty() ? 0 : mean(losses);
  f["certainty_ratio"] = ratio && -loss_size > 1e-9 ? win_size / -loss_size : none;
  f["expectancy"] = ratio ? f["win_count"] / n * win_size + f["loss_count"] / n * loss_size : none;

  double equity = 1, peak = 1, worst = 0;
  bool blown = false;
  for (const auto& t : trades) {
    const double low = equity * (1 + (t.fall && *t.fall < 0 ? *t.fall : 0) / 100);
    const double close = equity * (1 + t.pnl / 100);
    if (low <= 0 || close <= 0) {
      blown = true;
      break;
    }
    worst = std::max({worst, 100 * (peak - low) / peak, 100 * (peak - close) / peak});
    equity = close;
    peak = std::max(peak, close);
  }
  f["max_drawdown"] = all.empty() ? none : blown ? 100 : worst;
  f["compounded_return"] = all.empty() ? none : blown ? -100 : 100 * (equity - 1);

  instant first = std::numeric_limits<instant>::max(), last = 0;
  for (const auto& t : trades) {
    first = std::min(first, t.open_ts);
    last = std::max(last, t.close_ts);
  }
  const double span = all.empty() ? none : static_cast<double>(last - first) / 86'400'000.0;
  f["span_days"] = span;
  const double per_year = 365 * n / span;
  const bool annual = n >= static_cast<double>(gates.min_trades_annual) &&
                      span >= gates.min_span_days &&
                      (gates.max_trades_per_year == 0 || per_year <= gates.max_trades_per_year);
  f["trades_per_year"] = annual ? per_year : none;
  f["annualized_sharpe_ratio"] = f["sharpe_ratio"] * std::sqrt(f["trades_per_year"]);
  const double yearly = blown ? -100 : 100 * (std::pow(equity, per_year / n) - 1);
  f["expected_yearly_returns"] =
      annual && std::abs(yearly) <= gates.max_abs_yearly_percent ? yearly : none;
  const auto clamp = [&](double v) {
    return std::isnan(v) ? v : std::clamp(v, -gates.max_abs_dd_ratio, gates.max_abs_dd_ratio);
  };
  f["calmar_ratio"] =
      f["max_drawdown"] > 0 ? clamp(f["expected_yearly_returns"] / f["max_drawdown"]) : none;
  f["recovery_factor"] = ratio && !blown && f["max_drawdown"] > 0
                             ? clamp(f["compounded_return"] / f["max_drawdown"])
                             : none;
  std::vector<double> win_sums, loss_sums;
  double longest_win = 0, longest_loss = 0;
  for (const auto& run : win_runs) {
    win_sums.push_back(sum(run));
    longest_win = std::max(longest_win, static_cast<double>(run.size()));
  }
  for (const auto& run : loss_runs) {
    loss_sums.push_back(sum(run));
    longest_loss = std::max(longest_loss, static_cast<double>(run.size()));
  }
  f["max_win_streak"] = longest_win;
  f["max_loss_streak"] = longest_loss;
  f["avg_win_streak_pnl"] = mean(win_sums);
  f["avg_loss_streak_pnl"] = mean(loss_sums);
  f["avg_duration"] = mean(times);
  f["avg_win_duration"] = mean(win_times);
  f["avg_loss_duration"] = mean(loss_times);
  f["avg_peak_pnl"] = mean(peaks);
  f["avg_fall_pnl"] = mean(falls);
  f["best_peak_pnl"] = peaks.empty() ? none : *std::max_element(peaks.begin(), peaks.end());
  f["worst_fall_pnl"] = falls.empty() ? none : *std::min_element(falls.begin(), falls.end());
  return f;
}

} // namespace

TEST_CASE("statistics property: every figure equals a second, slow computation") {
  std::mt19937_64 random(7);
  for (int round = 0; round < 3000; ++round) {
    const auto trades = random_trades(random, round % 10 == 0 ? 300 : 30);
    const statistics_gates gates = round % 3 == 0   ? reference_gates
                                   : round % 3 == 1 ? default_gates
                                                    : statistics_gates{2, 2, 0.5, 0, 1e6, 5};
    const auto statistics = compute_trade_statistics(trades, gates);
    for (const auto& line : slow_figures(trades, gates)) {
      const auto& key = line.first;
      const double expected = line.second;
      CAPTURE(round);
      CAPTURE(key);
      const double actual = figure(statistics, key);
      CAPTURE(actual);
      CAPTURE(expected);
      REQUIRE(std::isnan(actual) == std::isnan(expected));
      if (!std::isnan(expected))
        REQUIRE(std::abs(actual - expected) <= 1e-9 * std::max(1.0, std::abs(expected)));
    }
  }
}

TEST_CASE("statistics property: expectancy is the average, absences have reasons, drawdown is a "
          "percent") {
  std::mt19937_64 random(8);
  for (int round = 0; round < 2000; ++round) {
    const auto trades = random_trades(random, 60);
    const auto s = compute_trade_statistics(trades, default_gates);
    if (s.expectancy)
      REQUIRE(std::abs(*s.expectancy - *s.avg_pnl) <= 1e-12 * std::max(1.0, std::abs(*s.avg_pnl)));
    if (s.max_drawdown)
      REQUIRE((*s.max_drawdown >= 0 && *s.max_drawdown <= 100));
    REQUIRE(s.win_count + s.loss_count + s.break_even_count + s.excluded_count == s.total_signals);
    for_each_statistic(s, [&](std::string_view key, const statistic_value& value) {
      const auto* number = std::get_if<std::optional<double>>(&value);
      REQUIRE(reason_unavailable(s, key).empty() == (!number || number->has_value()));
    });
  }
}

TEST_CASE("statistics property: the order of the input changes no bit") {
  std::mt19937_64 random(9);
  const auto bits = [](const trade_statistics& statistics) {
    std::vector<std::uint64_t> all;
    for (const auto& field : statistic_fields())
      all.push_back(std::bit_cast<std::uint64_t>(figure(statistics, field.key)));
    return all;
  };
  for (int round = 0; round < 300; ++round) {
    auto trades = random_trades(random, 100);
    const auto before = compute_trade_statistics(trades, default_gates);
    std::shuffle(trades.begin(), trades.end(), random);
    const auto after = compute_trade_statistics(trades, default_gates);
    REQUIRE(bits(before) == bits(after));
    REQUIRE(before.unavailable == after.unavailable);
  }
}

// ---- portfolio
// -----------------------------------------------------------------------------------

TEST_CASE("portfolio: pooled trades, streaks within members, no longest streaks") {
  const auto a = trades_of({1, 1, -1, 2});
  auto b = trades_of({3, -2, -2, 0.5});
  for (auto& trade : b) {
    trade.open_ts += day_ms;
    trade.close_ts += day_ms;
    trade.seq += 100;
  }
  const std::vector<std::span<const trade_record>> members{a, b};
  const statistics_gates gates{2, 2, 1, 0, 1e9, 1000};
  const auto statistics = compute_portfolio_statistics(members, gates);
  // a: runs 1+1, 2; b: runs 3, 0.5. Interleaved the wins would run 1, 3, 1 together.
  check_figures(statistics, {{"total_signals", 8},
                             {"total_pnl", 2.5},
                             {"avg_pnl", 0.3125},
                             {"win_rate", 62.5},
                             {"median_pnl", 0.75},
                             {"avg_win_streak_pnl", 1.875},
                             {"avg_loss_streak_pnl", -2.5},
                             {"span_days", 10.5416666666666667}});
  check_absent(statistics, {{"max_win_streak", "portfolio"}, {"max_loss_streak", "portfolio"}});

  auto pool = a;
  pool.insert(pool.end(), b.begin(), b.end());
  const auto single = compute_trade_statistics(pool, gates);
  for (const auto& field : statistic_fields())
    if (field.key.find("streak") == std::string_view::npos &&
        !std::isnan(figure(single, field.key)))
      CHECK(figure(statistics, field.key) ==
            doctest::Approx(figure(single, field.key)).epsilon(1e-12));
}

TEST_CASE("portfolio property: every figure equals a second, slow computation") {
  std::mt19937_64 random(10);
  for (int round = 0; round < 500; ++round) {
    std::vector<std::vector<trade_record>> owned(1 + random() % 5);
    std::vector<trade_record> pool;
    std::vector<double> win_runs, loss_runs;
    for (std::size_t i = 0; i < owned.size(); ++i) {
      owned[i] = random_trades(random, 40);
      for (auto& trade : owned[i])
        trade.seq = trade.seq * owned.size() + i; // no two alike
      pool.insert(pool.end(), owned[i].begin(), owned[i].end());
      auto ordered = owned[i];
      std::erase_if(ordered, [](const auto& trade) {
        return !std::isfinite(trade.pnl) || trade.open_ts <= 0 || trade.close_ts < trade.open_ts;
      });
      std::sort(ordered.begin(), ordered.end(), [](const auto& left, const auto& right) {
        return std::tie(left.close_ts, left.seq) < std::tie(right.close_ts, right.seq);
      });
      int side = 0; // of the run under way; 0: none
      for (const auto& trade : ordered) {
        const int now = trade.pnl > 0 ? 1 : trade.pnl < 0 ? -1 : 0;
        if (now != 0) {
          auto& runs = now > 0 ? win_runs : loss_runs;
          if (now != side)
            runs.push_back(0);
          runs.back() += trade.pnl;
        }
        side = now;
      }
    }
    const std::vector<std::span<const trade_record>> members{owned.begin(), owned.end()};
    const statistics_gates gates =
        round % 2 == 0 ? reference_gates : statistics_gates{2, 2, 0.5, 0, 1e6, 5};
    const auto statistics = compute_portfolio_statistics(members, gates);
    auto expected = slow_figures(pool, gates);
    const double none = std::numeric_limits<double>::quiet_NaN();
    const auto average = [&](const std::vector<double>& runs) {
      double total = 0;
      for (const double run : runs)
        total += run;
      return runs.empty() ? none : total / static_cast<double>(runs.size());
    };
    expected["avg_win_streak_pnl"] = average(win_runs);
    expected["avg_loss_streak_pnl"] = average(loss_runs);
    expected["max_win_streak"] = expected["max_loss_streak"] = none;
    for (const auto& pair : expected) {
      const auto& key = pair.first; // Clang 14 captures no structured bindings
      const double value = pair.second;
      const double actual = figure(statistics, key);
      CAPTURE(round);
      CAPTURE(std::string{key});
      CAPTURE(actual);
      CAPTURE(value);
      if (key == "max_win_streak" || key == "max_loss_streak") {
        REQUIRE_FALSE(reason_unavailable(statistics, key).empty());
        continue;
      }
      REQUIRE(std::isnan(actual) == std::isnan(value));
      if (!std::isnan(value))
        REQUIRE(std::abs(actual - value) <= 1e-9 * std::max(1.0, std::abs(value)));
    }
  }
}

TEST_CASE("exposure property: the minutes with an open position, counted one by one") {
  std::mt19937_64 random(11);
  for (int round = 0; round < 500; ++round) {
    std::vector<trade_record> trades(random() % 12);
    for (auto& trade : trades) {
      trade.open_ts = t0 + static_cast<instant>(random() % 200) * minute_ms;
      trade.close_ts = trade.open_ts + static_cast<instant>(random() % 60) * minute_ms;
    }
    const instant start = t0 + static_cast<instant>(random() % 100) * minute_ms;
    const instant end = start + static_cast<instant>(1 + random() % 200) * minute_ms;
    std::int64_t covered = 0;
    for (instant minute = start; minute < end; minute += minute_ms)
      covered += std::any_of(trades.begin(), trades.end(), [&](const auto& trade) {
        return trade.open_ts <= minute && minute < trade.close_ts;
      });
    const double expected =
        100.0 * static_cast<double>(covered * minute_ms) / static_cast<double>(end - start);
    REQUIRE(*exposure_of(trades, start, end) == doctest::Approx(expected).epsilon(1e-12));
  }
}

TEST_CASE("portfolio: no members, and members without trades") {
  const auto none = compute_portfolio_statistics({}, default_gates);
  check_figures(none, {{"total_signals", 0}, {"win_count", 0}});
  check_absent(none, {{"total_pnl", "no_trades"}, {"win_rate", "no_trades"}});
  CHECK(none.unavailable.size() == 33);

  const auto a = trades_of(returns_a);
  const std::vector<std::span<const trade_record>> members{{}, a, {}};
  check_figures(compute_portfolio_statistics(members, default_gates),
                {{"total_pnl", 6.3}, {"sharpe_ratio", 0.3299905718326338}});
}

// ---- what the trades do not tell
// -----------------------------------------------------------------

TEST_CASE("exposure: percent of the span with an open position, overlaps once") {
  const auto at = [](instant open, instant close) {
    return trade_record{t0 + open, t0 + close, 1, {}, {}, 0};
  };
  const std::vector<trade_record> trades{at(30, 50), at(10, 20), at(15, 25), at(40, 45)};
  CHECK(*exposure_of(trades, t0, t0 + 100) == doctest::Approx(35));
  CHECK(*exposure_of(trades, t0 + 15, t0 + 35) == doctest::Approx(75)); // clipped at both ends
  CHECK(*exposure_of(trades, t0 + 60, t0 + 80) == 0);
  CHECK_FALSE(exposure_of(trades, t0, t0));

  const std::vector<trade_record> other{at(0, 12), at(90, 120), {0, t0, 1, {}, {}, 0}};
  const std::vector<std::span<const trade_record>> members{trades, other};
  CHECK(*exposure_of(members, t0, t0 + 100) == doctest::Approx(55));
}

TEST_CASE("buy and hold: first to last close") {
  CHECK(*buy_and_hold_return(40000, 42000) == doctest::Approx(5));
  CHECK(*buy_and_hold_return(40000, 30000) == doctest::Approx(-25));
  CHECK_FALSE(buy_and_hold_return(0, 100));
  CHECK_FALSE(buy_and_hold_return(100, std::numeric_limits<double>::quiet_NaN()));
  const auto s = compute_trade_statistics({}, default_gates, {std::int64_t{4}, 5.0, 12.5});
  CHECK(s.total_signals == 4);
  CHECK(s.buy_and_hold_return == 5.0);
  CHECK(s.exposure == 12.5);
}
