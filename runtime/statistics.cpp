#include "runtime/statistics.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

namespace backtest {

namespace {

using stats = trade_statistics;

constexpr double eps = 1e-9; // percent; below it a deviation is rounding noise
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

bool closes_before(const trade_record& left, const trade_record& right) noexcept {
  return left.close_ts != right.close_ts ? left.close_ts < right.close_ts : left.seq < right.seq;
}

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

double minutes_open(const trade_record& trade) noexcept {
  return static_cast<double>(trade.close_ts - trade.open_ts) / static_cast<double>(minute_ms);
}

/// A count, a sum and their quotient.
struct average {
  std::int64_t count = 0;
  double sum = 0;

  void add(double value) noexcept {
    ++count;
    sum += value;
  }
  double mean() const noexcept { return sum / static_cast<double>(count); }
};

/// Runs of consecutive wins, or of consecutive losses, of one member.
class streaks {
public:
  void extend(double pnl) noexcept {
    ++length_;
    pnl_ += pnl;
  }
  void finish() noexcept {
    if (length_ == 0)
      return;
    longest_ = std::max(longest_, length_);
    pnl_of_runs_.add(pnl_);
    length_ = 0;
    pnl_ = 0;
  }
  std::int64_t longest() const noexcept { return longest_; }
  const average& pnl_of_runs() const noexcept { return pnl_of_runs_; }

private:
  std::int64_t length_ = 0;
  double pnl_ = 0;
  std::int64_t longest_ = 0;
  average pnl_of_runs_;
};

struct win_loss_streaks {
  streaks wins;
  streaks losses;

  /// `trades` of one member in order of closing.
  void add(std::span<const trade_record> trades) noexcept {
    for (const trade_record& trade : trades) {
      if (!(trade.pnl > 0))
        wins.finish();
      if (!(trade.pnl < 0))
        losses.finish();
      if (trade.pnl > 0)
        wins.extend(trade.pnl);
      else if (trade.pnl < 0)
        losses.extend(trade.pnl);
    }
    wins.finish();
    losses.finish();
  }
};

struct equity_curve {
  double final = 1;
  double max_drawdown = 0; ///< percent
  bool is_blown = false;
};

equity_curve walk_equity(std::span<const trade_record> trades) noexcept {
  equity_curve curve;
  double peak = 1;
  const auto visit = [&](double equity) {
    curve.is_blown = equity <= 0;
    curve.max_drawdown =
        curve.is_blown ? 100 : std::max(curve.max_drawdown, 100 * (peak - equity) / peak);
    return !curve.is_blown;
  };
  for (const trade_record& trade : trades) {
    if (trade.fall && *trade.fall < 0 && !visit(curve.final * (1 + *trade.fall / 100)))
      break;
    curve.final *= 1 + trade.pnl / 100;
    if (!std::isfinite(curve.final)) {
      curve.max_drawdown = not_a_number;
      break;
    }
    if (!visit(curve.final))
      break;
    peak = std::max(peak, curve.final);
  }
  if (curve.is_blown)
    curve.final = 0;
  return curve;
}

/// The formulas. `trades` are valid and in order of closing.
class calculation {
public:
  calculation(std::span<const trade_record> trades, const statistics_gates& gates)
      : trades_(trades), gates_(gates), count_(static_cast<std::int64_t>(trades.size())) {}

  trade_statistics run(const win_loss_streaks& runs) {
    sum_up();
    basics();
    ratios();
    equity();
    streak_figures(runs);
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
  void put_mean(figure member, const average& values, std::string_view when_empty) {
    put_unless(values.count == 0 ? when_empty : "", member, values.mean());
  }
  std::string_view reason_for(figure member) const {
    return reason_unavailable(out_, key_of(member));
  }

  void sum_up() {
    pnl_.reserve(trades_.size());
    for (const trade_record& trade : trades_) {
      pnl_.push_back(trade.pnl);
      all_.add(trade.pnl);
      duration_.add(minutes_open(trade));
      if (trade.pnl > 0) {
        wins_.add(trade.pnl);
        win_duration_.add(minutes_open(trade));
      } else if (trade.pnl < 0) {
        losses_.add(trade.pnl);
        loss_duration_.add(minutes_open(trade));
        loss_squares_ += trade.pnl * trade.pnl;
      }
    }
  }

  void basics() {
    out_.win_count = wins_.count;
    out_.loss_count = losses_.count;
    out_.break_even_count = count_ - wins_.count - losses_.count;

    const std::int64_t decisive = wins_.count + losses_.count;
    put_unless(count_ == 0     ? "no_trades"
               : decisive == 0 ? "no_decisive_trades"
                               : "",
               &stats::win_rate,
               100 * static_cast<double>(wins_.count) / static_cast<double>(decisive));
    put_unless(empty(), &stats::total_pnl, all_.sum);
    put_mean(&stats::avg_pnl, all_, "no_trades");
    put_mean(&stats::avg_win, wins_, "no_wins");
    put_mean(&stats::avg_loss, losses_, "no_losses");
    put_mean(&stats::avg_duration, duration_, "no_trades");
    put_mean(&stats::avg_win_duration, win_duration_, "no_wins");
    put_mean(&stats::avg_loss_duration, loss_duration_, "no_losses");
    put_unless(losses_or_noise(-losses_.sum), &stats::profit_factor, wins_.sum / -losses_.sum);
    extremes(&trade_record::peak, &stats::avg_peak_pnl, &stats::best_peak_pnl, 1);
    extremes(&trade_record::fall, &stats::avg_fall_pnl, &stats::worst_fall_pnl, -1);
  }

  /// Mean and extreme (largest of value * direction) over the trades that carry the value.
  void extremes(std::optional<double> trade_record::*value, figure mean, figure extreme,
                double direction) {
    average carried;
    double furthest = -std::numeric_limits<double>::infinity();
    for (const trade_record& trade : trades_)
      if (const auto& carries = trade.*value; carries && std::isfinite(*carries)) {
        carried.add(*carries);
        furthest = std::max(furthest, *carries * direction);
      }
    put_mean(mean, carried, "not_recorded");
    put_unless(carried.count == 0 ? "not_recorded" : "", extreme, furthest * direction);
  }

  void ratios() {
    const double mean = all_.mean();
    const double deviation = sample_deviation(pnl_);
    put_unless(too_few(), &stats::std_dev, deviation);
    put_unless(!out_.std_dev          ? reason_for(&stats::std_dev)
               : *out_.std_dev <= eps ? "zero_deviation"
                                      : "",
               &stats::sharpe_ratio, mean / deviation);

    const double downside = std::sqrt(loss_squares_ / static_cast<double>(count_));
    put_unless(too_few().empty() ? losses_or_noise(downside) : too_few(), &stats::sortino_ratio,
               mean / downside);

    const double average_win = wins_.count ? wins_.mean() : 0;
    const double average_loss = losses_.count ? losses_.mean() : 0;
    put_unless(too_few().empty() ? losses_or_noise(-average_loss) : too_few(),
               &stats::certainty_ratio, average_win / -average_loss);
    put_unless(too_few(), &stats::expectancy,
               share(wins_.count) * average_win + share(losses_.count) * average_loss);

    // Sorting is the last use of the returns in order of closing.
    std::sort(pnl_.begin(), pnl_.end());
    put_unless(empty(), &stats::median_pnl, pnl_.empty() ? 0 : percentile(pnl_, 50));
  }

  void equity() {
    const equity_curve curve = walk_equity(trades_);
    put_unless(empty(), &stats::max_drawdown, curve.max_drawdown);
    put_unless(empty(), &stats::compounded_return, 100 * (curve.final - 1));

    const double days = span_days();
    const double frequency = 365 * static_cast<double>(count_) / days;
    put_unless(empty(), &stats::span_days, days);
    put_unless(annual_gate(days, frequency), &stats::trades_per_year, frequency);
    const std::string_view not_annual = reason_for(&stats::trades_per_year);

    put_unless(out_.sharpe_ratio ? not_annual : reason_for(&stats::sharpe_ratio),
               &stats::annualized_sharpe_ratio,
               out_.sharpe_ratio.value_or(0) * std::sqrt(frequency));

    const double yearly = 100 * (std::pow(curve.final, 365 / days) - 1);
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
               &stats::calmar_ratio, clamped(yearly / curve.max_drawdown));
    put_unless(!too_few().empty() ? too_few()
               : curve.is_blown   ? "blown_account"
                                  : no_drawdown,
               &stats::recovery_factor, clamped(100 * (curve.final - 1) / curve.max_drawdown));
  }

  void streak_figures(const win_loss_streaks& runs) {
    out_.max_win_streak = runs.wins.longest();
    out_.max_loss_streak = runs.losses.longest();
    put_mean(&stats::avg_win_streak_pnl, runs.wins.pnl_of_runs(), "no_wins");
    put_mean(&stats::avg_loss_streak_pnl, runs.losses.pnl_of_runs(), "no_losses");
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
    if (trades_.empty())
      return 0;
    instant first = trades_.front().open_ts;
    for (const trade_record& trade : trades_)
      first = std::min(first, trade.open_ts);
    return static_cast<double>(trades_.back().close_ts - first) / static_cast<double>(day_ms);
  }

  std::string_view empty() const noexcept { return count_ == 0 ? "no_trades" : ""; }
  std::string_view too_few() const noexcept {
    return count_ < gates_.min_trades_ratio ? "min_trades_ratio" : empty();
  }
  /// `denominator` is made of the losses: nothing to divide by without them.
  std::string_view losses_or_noise(double denominator) const noexcept {
    return count_ == 0            ? "no_trades"
           : losses_.count == 0   ? "no_losses"
           : !(denominator > eps) ? "zero_deviation"
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

  std::span<const trade_record> trades_;
  const statistics_gates& gates_;
  std::int64_t count_;
  std::vector<double> pnl_;
  average all_, wins_, losses_, duration_, win_duration_, loss_duration_;
  double loss_squares_ = 0;
  trade_statistics out_;
};

std::size_t position_of(std::string_view key) noexcept {
  const auto fields = statistic_fields();
  return static_cast<std::size_t>(
      std::find_if(fields.begin(), fields.end(), [&](const auto& f) { return f.key == key; }) -
      fields.begin());
}

/// Adds what the caller measured, counts what was left out, and puts the reasons in key order.
void complete(trade_statistics& out, std::int64_t given, std::int64_t valid,
              const statistics_inputs& inputs) {
  out.total_signals = inputs.total_signals.value_or(given);
  out.excluded_count = given - valid;
  const auto take = [&](std::optional<double> stats::*member, std::optional<double> value) {
    if (value && std::isfinite(*value))
      out.*member = value;
    else
      out.unavailable.push_back({key_of(member), value ? "not_finite" : "not_measured"});
  };
  take(&stats::buy_and_hold_return, inputs.buy_and_hold_return);
  take(&stats::exposure, inputs.exposure);
  std::sort(out.unavailable.begin(), out.unavailable.end(),
            [](const auto& left, const auto& right) {
              return position_of(left.key) < position_of(right.key);
            });
}

} // namespace

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
  win_loss_streaks runs;
  runs.add(valid);
  trade_statistics out = calculation(valid, gates).run(runs);
  complete(out, std::ssize(trades), std::ssize(valid), inputs);
  return out;
}

trade_statistics
compute_portfolio_statistics(std::span<const std::span<const trade_record>> members,
                             const statistics_gates& gates, const statistics_inputs& inputs) {
  std::vector<trade_record> pool;
  win_loss_streaks runs;
  std::int64_t given = 0;
  double total_pnl = 0;
  for (const auto& trades : members) {
    const std::vector<trade_record> valid = valid_by_close(trades);
    given += std::ssize(trades);
    runs.add(valid);
    total_pnl += std::accumulate(valid.begin(), valid.end(), 0.0,
                                 [](double sum, const auto& trade) { return sum + trade.pnl; });
    pool.insert(pool.end(), valid.begin(), valid.end());
  }
  sort_by_close(pool);
  trade_statistics out = calculation(pool, gates).run(runs);
  if (out.total_pnl)
    out.total_pnl = total_pnl;
  for (auto member : {&stats::max_win_streak, &stats::max_loss_streak}) {
    out.*member = std::nullopt;
    out.unavailable.push_back({key_of(member), "portfolio"});
  }
  complete(out, given, std::ssize(pool), inputs);
  return out;
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
  return 100 * static_cast<double>(held) / static_cast<double>(end - start);
}

double mean_of(std::span<const double> values) noexcept {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double sample_deviation(std::span<const double> values) noexcept {
  if (values.size() < 2)
    return not_a_number;
  const double mean = mean_of(values);
  double squares = 0;
  for (const double value : values)
    squares += (value - mean) * (value - mean);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

double percentile(std::span<const double> ascending, double percent) noexcept {
  const double rank = percent / 100 * static_cast<double>(ascending.size() - 1);
  const auto below = static_cast<std::size_t>(rank);
  const std::size_t above = std::min(below + 1, ascending.size() - 1);
  const double weight = rank - static_cast<double>(below);
  return (1 - weight) * ascending[below] + weight * ascending[above];
}

} // namespace backtest
