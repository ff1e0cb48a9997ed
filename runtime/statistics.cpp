#include "runtime/statistics.hpp"

#include "runtime/trade_history.hpp"
#include "runtime/trade_sample.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

namespace backtest {

namespace {

using stats = trade_statistics;

constexpr double eps = 1e-9; // percent; below it a deviation is rounding noise

void append_valid(std::vector<trade_record>& out, std::span<const trade_record> trades) {
  std::copy_if(trades.begin(), trades.end(), std::back_inserter(out), is_valid);
}

void sort_by_close(std::vector<trade_record>& trades) {
  if (!std::is_sorted(trades.begin(), trades.end(), closes_before))
    std::stable_sort(trades.begin(), trades.end(), closes_before);
}

std::vector<trade_record> valid_by_close(std::span<const trade_record> trades) {
  std::vector<trade_record> valid;
  valid.reserve(trades.size());
  append_valid(valid, trades);
  sort_by_close(valid);
  return valid;
}

/// What the formulas need.
struct trade_figures {
  trade_totals totals;
  running_deviation deviation;
  win_loss_streaks streaks; ///< finished
  equity_curve equity;
  std::vector<double> results; ///< of the trades that are held
  bool is_drawdown_known = true;
  bool are_streaks_known = true;
};

/// Those of trades that are valid and in order of closing, after those of which `before` tells.
trade_figures figures_of(std::span<const trade_record> trades, const trade_history& before = {}) {
  trade_figures figures{before.totals, before.deviation, before.streaks, before.equity, {}};
  figures.results.reserve(trades.size());
  for (const trade_record& trade : trades) {
    figures.results.push_back(trade.pnl);
    figures.totals.add(trade);
    figures.streaks.add(trade);
    figures.equity.add(trade);
  }
  figures.streaks.finish();
  figures.deviation.merge(deviation_of(figures.results));
  return figures;
}

trade_figures figures_of(const trade_sample& trades) {
  auto figures = figures_of(trades.records(), trades.history());
  figures.is_drawdown_known = figures.are_streaks_known = trades.is_in_order();
  return figures;
}

/// Of members whose trades took turns in an order that is not known.
trade_figures merged_figures(std::span<const trade_sample* const> members) {
  trade_figures all;
  for (const trade_sample* member : members) {
    const auto figures = figures_of(*member);
    all.totals.merge(figures.totals);
    all.deviation.merge(figures.deviation);
    all.equity.multiply(figures.equity);
    all.results.insert(all.results.end(), figures.results.begin(), figures.results.end());
  }
  all.is_drawdown_known = false;
  return all;
}

/// The formulas.
class calculation {
public:
  calculation(trade_figures figures, const statistics_gates& gates)
      : in_(std::move(figures)), sums_(in_.totals), gates_(gates), count_(sums_.all.count) {}

  trade_statistics run() {
    basics();
    ratios();
    equity();
    streak_figures();
    return std::move(out_);
  }

private:
  using figure = std::optional<double> trade_statistics::*;

  /// Sets the figure; what is not finite is not shown.
  void put(figure member, double value) {
    if (std::isfinite(value))
      out_.*member = value;
    else
      hide(member, "not_finite");
  }
  void hide(figure member, std::string_view reason) {
    out_.*member = std::nullopt;
    out_.unavailable.push_back({key_of(member), reason});
  }
  /// Sets the figure unless there is a reason not to.
  void put_unless(std::string_view reason, figure member, double value) {
    reason.empty() ? put(member, value) : hide(member, reason);
  }
  void put_mean(figure member, const running_average& values, std::string_view when_empty) {
    put_unless(values.count == 0 ? when_empty : "", member, values.mean());
  }
  void hide_count(std::optional<std::int64_t> stats::*member, std::string_view reason) {
    out_.*member = std::nullopt;
    out_.unavailable.push_back({key_of(member), reason});
  }
  std::string_view reason_for(figure member) const {
    return reason_unavailable(out_, key_of(member));
  }

  void basics() {
    out_.win_count = sums_.wins.count;
    out_.loss_count = sums_.losses.count;
    out_.break_even_count = count_ - sums_.wins.count - sums_.losses.count;

    const std::int64_t decisive = sums_.wins.count + sums_.losses.count;
    put_unless(count_ == 0     ? "no_trades"
               : decisive == 0 ? "no_decisive_trades"
                               : "",
               &stats::win_rate,
               100 * static_cast<double>(sums_.wins.count) / static_cast<double>(decisive));
    put_unless(empty(), &stats::total_pnl, sums_.all.sum);
    put_mean(&stats::avg_pnl, sums_.all, "no_trades");
    put_mean(&stats::avg_win, sums_.wins, "no_wins");
    put_mean(&stats::avg_loss, sums_.losses, "no_losses");
    put_mean(&stats::avg_duration, sums_.duration, "no_trades");
    put_mean(&stats::avg_win_duration, sums_.win_duration, "no_wins");
    put_mean(&stats::avg_loss_duration, sums_.loss_duration, "no_losses");
    put_unless(losses_or_noise(-sums_.losses.sum), &stats::profit_factor,
               sums_.wins.sum / -sums_.losses.sum);
    extremes(sums_.peak, &stats::avg_peak_pnl, &stats::best_peak_pnl, 1);
    extremes(sums_.fall, &stats::avg_fall_pnl, &stats::worst_fall_pnl, -1);
  }

  void extremes(const running_extreme& values, figure mean, figure extreme, double direction) {
    put_mean(mean, values.carried, "not_recorded");
    put_unless(values.carried.count == 0 ? "not_recorded" : "", extreme,
               values.furthest * direction);
  }

  void ratios() {
    const double mean = sums_.all.mean();
    const double deviation = in_.deviation.sample_deviation();
    put_unless(too_few(), &stats::std_dev, deviation);
    put_unless(!out_.std_dev          ? reason_for(&stats::std_dev)
               : *out_.std_dev <= eps ? "zero_deviation"
                                      : "",
               &stats::sharpe_ratio, mean / deviation);

    const double downside = std::sqrt(sums_.loss_squares / static_cast<double>(count_));
    put_unless(too_few().empty() ? losses_or_noise(downside) : too_few(), &stats::sortino_ratio,
               mean / downside);

    const double average_win = sums_.wins.count ? sums_.wins.mean() : 0;
    const double average_loss = sums_.losses.count ? sums_.losses.mean() : 0;
    put_unless(too_few().empty() ? losses_or_noise(-average_loss) : too_few(),
               &stats::certainty_ratio, average_win / -average_loss);
    put_unless(too_few(), &stats::expectancy,
               share(sums_.wins.count) * average_win + share(sums_.losses.count) * average_loss);

    auto& results = in_.results;
    std::sort(results.begin(), results.end());
    put_unless(empty(), &stats::median_pnl, results.empty() ? 0 : percentile(results, 50));
    if (const auto held = std::ssize(results); held < count_)
      out_.sampled.push_back({key_of(&stats::median_pnl), held, count_});
  }

  void equity() {
    const equity_curve& curve = in_.equity;
    // Who lost everything did so whatever the order was.
    const bool is_known = in_.is_drawdown_known || curve.is_blown();
    put_unless(!empty().empty() ? empty()
               : is_known       ? ""
                                : "max_trade_sample",
               &stats::max_drawdown, curve.max_drawdown());
    put_unless(empty(), &stats::compounded_return, 100 * (curve.growth() - 1));

    const double days = span_days();
    const double frequency = 365 * static_cast<double>(count_) / days;
    put_unless(empty(), &stats::span_days, days);
    put_unless(annual_gate(days, frequency), &stats::trades_per_year, frequency);
    const std::string_view not_annual = reason_for(&stats::trades_per_year);

    put_unless(out_.sharpe_ratio ? not_annual : reason_for(&stats::sharpe_ratio),
               &stats::annualized_sharpe_ratio,
               out_.sharpe_ratio.value_or(0) * std::sqrt(frequency));

    const double yearly = 100 * (std::pow(curve.growth(), 365 / days) - 1);
    const bool too_large = std::abs(yearly) > gates_.max_abs_yearly_percent;
    put_unless(!not_annual.empty() ? not_annual
               : too_large         ? "max_abs_yearly_percent"
                                   : "",
               &stats::expected_yearly_returns, yearly);

    // A drawdown that overflowed hides what is divided by it.
    const std::string_view no_drawdown = !out_.max_drawdown ? reason_for(&stats::max_drawdown)
                                         : *out_.max_drawdown == 0 ? "zero_drawdown"
                                                                   : "";
    put_unless(out_.expected_yearly_returns ? no_drawdown
                                            : reason_for(&stats::expected_yearly_returns),
               &stats::calmar_ratio, clamped(yearly / curve.max_drawdown()));
    put_unless(!too_few().empty() ? too_few()
               : curve.is_blown() ? "blown_account"
                                  : no_drawdown,
               &stats::recovery_factor, clamped(100 * (curve.growth() - 1) / curve.max_drawdown()));
  }

  void streak_figures() {
    const auto& [wins, losses] = in_.streaks;
    if (!in_.are_streaks_known) {
      for (const auto longest : {&stats::max_win_streak, &stats::max_loss_streak})
        hide_count(longest, "max_trade_sample");
      for (const auto mean : {&stats::avg_win_streak_pnl, &stats::avg_loss_streak_pnl})
        hide(mean, "max_trade_sample");
      return;
    }
    out_.max_win_streak = wins.longest();
    out_.max_loss_streak = losses.longest();
    put_mean(&stats::avg_win_streak_pnl, wins.pnl_of_runs(), "no_wins");
    put_mean(&stats::avg_loss_streak_pnl, losses.pnl_of_runs(), "no_losses");
  }

  double share(std::int64_t part) const noexcept {
    return static_cast<double>(part) / static_cast<double>(count_);
  }
  double clamped(double ratio) const noexcept {
    return std::isnan(ratio)
               ? ratio
               : std::max(-gates_.max_abs_dd_ratio, std::min(ratio, gates_.max_abs_dd_ratio));
  }
  double span_days() const noexcept {
    if (count_ == 0)
      return 0;
    return static_cast<double>(sums_.last_close - sums_.first_open) / static_cast<double>(day_ms);
  }

  std::string_view empty() const noexcept { return count_ == 0 ? "no_trades" : ""; }
  std::string_view too_few() const noexcept {
    return count_ < gates_.min_trades_ratio ? "min_trades_ratio" : empty();
  }
  /// `denominator` is made of the losses: nothing to divide by without them.
  std::string_view losses_or_noise(double denominator) const noexcept {
    return count_ == 0               ? "no_trades"
           : sums_.losses.count == 0 ? "no_losses"
           : !(denominator > eps)    ? "zero_deviation"
                                     : "";
  }
  std::string_view annual_gate(double days, double frequency) const noexcept {
    if (count_ < gates_.min_trades_annual)
      return "min_trades_annual";
    if (days < gates_.min_span_days)
      return "min_span_days";
    if (gates_.max_trades_per_year > 0 && frequency > gates_.max_trades_per_year)
      return "max_trades_per_year";
    return empty();
  }

  trade_figures in_;
  const trade_totals& sums_;
  const statistics_gates& gates_;
  std::int64_t count_;
  trade_statistics out_;
};

std::size_t position_of(std::string_view key) noexcept {
  const auto fields = statistic_fields();
  return static_cast<std::size_t>(
      std::find_if(fields.begin(), fields.end(), [&](const auto& f) { return f.key == key; }) -
      fields.begin());
}

/// Adds what the caller measured, counts what was left out, and puts the reasons in key order.
void complete(trade_statistics& out, std::int64_t given, std::int64_t excluded,
              const statistics_inputs& inputs) {
  out.total_signals = inputs.total_signals.value_or(given);
  out.excluded_count = excluded;
  const auto take = [&](std::optional<double> stats::*member, std::optional<double> value,
                        std::string_view why_not) {
    if (value && std::isfinite(*value))
      out.*member = value;
    else
      out.unavailable.push_back({key_of(member), value ? "not_finite" : why_not});
  };
  take(&stats::buy_and_hold_return, inputs.buy_and_hold_return, "not_measured");
  take(&stats::exposure, inputs.exposure, inputs.no_exposure);
  std::sort(out.unavailable.begin(), out.unavailable.end(),
            [](const auto& left, const auto& right) {
              return position_of(left.key) < position_of(right.key);
            });
}

trade_statistics portfolio_of(trade_figures figures, double total_pnl, std::int64_t given,
                              std::int64_t excluded, const statistics_gates& gates,
                              const statistics_inputs& inputs) {
  trade_statistics out = calculation(std::move(figures), gates).run();
  if (out.total_pnl)
    out.total_pnl = total_pnl;
  for (auto member : {&stats::max_win_streak, &stats::max_loss_streak}) {
    out.*member = std::nullopt;
    std::erase_if(out.unavailable, [&](const auto& item) { return item.key == key_of(member); });
    out.unavailable.push_back({key_of(member), "portfolio"});
  }
  complete(out, given, excluded, inputs);
  return out;
}

} // namespace

bool closes_before(const trade_record& left, const trade_record& right) noexcept {
  return left.close_ts != right.close_ts ? left.close_ts < right.close_ts : left.seq < right.seq;
}

bool is_valid(const trade_record& trade) noexcept {
  return std::isfinite(trade.pnl) && trade.open_ts > 0 && trade.close_ts >= trade.open_ts;
}

statistics_gates gates_of(const configuration& config) noexcept {
  return {config.min_trades_ratio,    config.min_trades_annual,      config.min_span_days,
          config.max_trades_per_year, config.max_abs_yearly_percent, config.max_abs_dd_ratio};
}

trade_statistics compute_trade_statistics(std::span<const trade_record> trades,
                                          const statistics_gates& gates,
                                          const statistics_inputs& inputs) {
  const std::vector<trade_record> valid = valid_by_close(trades);
  trade_statistics out = calculation(figures_of(valid), gates).run();
  complete(out, std::ssize(trades), std::ssize(trades) - std::ssize(valid), inputs);
  return out;
}

trade_statistics compute_sample_statistics(const trade_sample& trades,
                                           const statistics_gates& gates,
                                           const statistics_inputs& inputs) {
  trade_statistics out = calculation(figures_of(trades), gates).run();
  complete(out, trades.total(), trades.excluded(), inputs);
  return out;
}

trade_statistics
compute_portfolio_statistics(std::span<const std::span<const trade_record>> members,
                             const statistics_gates& gates, const statistics_inputs& inputs) {
  std::vector<trade_record> pool;
  win_loss_streaks streaks;
  std::int64_t given = 0;
  double total_pnl = 0;
  for (const auto& trades : members) {
    const std::vector<trade_record> valid = valid_by_close(trades);
    given += std::ssize(trades);
    for (const trade_record& trade : valid)
      streaks.add(trade);
    streaks.finish();
    total_pnl += std::accumulate(valid.begin(), valid.end(), 0.0,
                                 [](double sum, const auto& trade) { return sum + trade.pnl; });
    pool.insert(pool.end(), valid.begin(), valid.end());
  }
  sort_by_close(pool);
  auto figures = figures_of(pool);
  figures.streaks = streaks;
  return portfolio_of(std::move(figures), total_pnl, given, given - std::ssize(pool), gates,
                      inputs);
}

trade_statistics compute_portfolio_statistics(std::span<const trade_sample* const> members,
                                              const trade_sample* together,
                                              const statistics_gates& gates,
                                              const statistics_inputs& inputs) {
  std::int64_t given = 0, excluded = 0, dropped = 0;
  for (const trade_sample* member : members) {
    given += member->total();
    excluded += member->excluded();
    dropped += member->dropped();
  }
  if (dropped == 0) {
    std::vector<std::span<const trade_record>> held;
    for (const trade_sample* member : members)
      held.push_back(member->records());
    auto counted = inputs;
    counted.total_signals = inputs.total_signals.value_or(given);
    auto out = compute_portfolio_statistics(held, gates, counted);
    out.excluded_count = excluded;
    return out;
  }
  auto figures = together != nullptr ? figures_of(*together) : merged_figures(members);
  figures.streaks = {};
  figures.are_streaks_known = true;
  double total_pnl = 0;
  for (const trade_sample* member : members) {
    const auto own = figures_of(*member);
    figures.streaks.merge(own.streaks);
    figures.are_streaks_known = figures.are_streaks_known && own.are_streaks_known;
    total_pnl += own.totals.all.sum;
  }
  return portfolio_of(std::move(figures), total_pnl, given, excluded, gates, inputs);
}

std::optional<double> buy_and_hold_return(double first_close, double last_close) noexcept {
  const auto is_price = [](double price) { return std::isfinite(price) && price > 0; };
  if (!is_price(first_close) || !is_price(last_close))
    return std::nullopt;
  return 100 * (last_close / first_close - 1);
}

std::optional<double> exposure_of(std::span<const trade_record> trades, instant start,
                                  instant end) {
  return exposure_of(std::span(&trades, 1), start, end);
}

std::optional<double> exposure_of(std::span<const std::span<const trade_record>> members,
                                  instant start, instant end) {
  if (start >= end)
    return std::nullopt;
  std::vector<trade_record> trades;
  for (const auto& member : members)
    append_valid(trades, member);
  std::sort(trades.begin(), trades.end(),
            [](const auto& left, const auto& right) { return left.open_ts < right.open_ts; });
  instant covered_until = start;
  instant held = 0;
  for (const trade_record& trade : trades) {
    const instant from = std::max(trade.open_ts, covered_until);
    const instant to = std::min(trade.close_ts, end);
    if (from >= to)
      continue;
    held += to - from;
    covered_until = to;
  }
  return exposure_of(held, start, end);
}

std::optional<double> exposure_of(instant time_open, instant start, instant end) noexcept {
  if (start >= end)
    return std::nullopt;
  return 100 * static_cast<double>(time_open) / static_cast<double>(end - start);
}

double mean_of(std::span<const double> values) noexcept {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double sample_deviation(std::span<const double> values) noexcept {
  return deviation_of(values).sample_deviation();
}

double percentile(std::span<const double> ascending, double percent) noexcept {
  const double rank = percent / 100 * static_cast<double>(ascending.size() - 1);
  const auto below = static_cast<std::size_t>(rank);
  const std::size_t above = std::min(below + 1, ascending.size() - 1);
  const double weight = rank - static_cast<double>(below);
  return (1 - weight) * ascending[below] + weight * ascending[above];
}

} // namespace backtest
