#include "runtime/trade_sample.hpp"

#include "runtime/report_book.hpp"
#include "tests/runtime/sample_ticks.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

using namespace backtest;
using namespace backtest::testing;

namespace {

const statistics_gates open_gates{2, 2, 0.5, 0, 1e6, 5};

/// Blocks of the trades in another order, none longer than `longest`: as far as a sample of that
/// size brings them back into order.
void disorder(std::vector<trade_record>& trades, std::size_t longest, std::mt19937_64& random) {
  for (std::size_t at = 0; at < trades.size();) {
    const std::size_t length = std::min(1 + random() % longest, trades.size() - at);
    const auto begin = trades.begin() + static_cast<std::ptrdiff_t>(at);
    std::shuffle(begin, begin + static_cast<std::ptrdiff_t>(length), random);
    at += length;
  }
}

std::vector<trade_record> valid_in_order(std::vector<trade_record> trades) {
  std::erase_if(trades, [](const trade_record& trade) { return !is_valid(trade); });
  std::sort(trades.begin(), trades.end(), closes_before);
  return trades;
}

/// Every figure but the median: counts and extremes exactly, the others within `tolerance`.
void require_same(const trade_statistics& actual, const trade_statistics& expected,
                  double tolerance) {
  REQUIRE(actual.unavailable == expected.unavailable);
  for (const auto& field : statistic_fields()) {
    if (field.key == "median_pnl")
      continue;
    const std::string key{field.key};
    const double value = figure(actual, field.key), other = figure(expected, field.key);
    CAPTURE(key);
    CAPTURE(value);
    CAPTURE(other);
    REQUIRE(std::isnan(value) == std::isnan(other));
    if (std::isnan(value))
      continue;
    static const std::vector<std::string> exact{"span_days", "best_peak_pnl", "worst_fall_pnl",
                                                "exposure", "trades_per_year"};
    const bool is_count =
        !std::holds_alternative<std::optional<double>>(value_of(actual, field.member)) ||
        key.ends_with("_streak");
    if (is_count || std::find(exact.begin(), exact.end(), key) != exact.end())
      REQUIRE(value == other);
    else
      REQUIRE(std::abs(value - other) <= tolerance * std::max(1.0, std::abs(other)));
  }
}

double median_of_latest(const std::vector<trade_record>& in_order, std::size_t latest) {
  std::vector<double> results;
  for (std::size_t i = in_order.size() - latest; i < in_order.size(); ++i)
    results.push_back(in_order[i].pnl);
  std::sort(results.begin(), results.end());
  return percentile(results, 50);
}

void require_median(const trade_statistics& statistics, const std::vector<trade_record>& in_order,
                    std::size_t capacity) {
  const std::size_t held = std::min(capacity, in_order.size());
  if (in_order.empty())
    return;
  REQUIRE(*statistics.median_pnl == median_of_latest(in_order, held));
  const auto* sampled = find_sampled(statistics, "median_pnl");
  REQUIRE((sampled != nullptr) == (held < in_order.size()));
  if (sampled != nullptr)
    REQUIRE(*sampled ==
            sampled_statistic{"median_pnl", static_cast<std::int64_t>(held), std::ssize(in_order)});
  REQUIRE(statistics.sampled.size() == (sampled != nullptr ? 1 : 0));
}

} // namespace

TEST_CASE("trade sample property: figures of all trades, whatever is still held") {
  std::mt19937_64 random(21);
  for (int round = 0; round < 2000; ++round) {
    auto trades = random_trades(random, round % 10 == 0 ? 300 : 40);
    std::sort(trades.begin(), trades.end(), closes_before);
    const auto in_order = valid_in_order(trades);
    const std::size_t capacity = 1 + random() % 30;
    disorder(trades, capacity, random);
    trade_sample sample{capacity};
    for (const auto& trade : trades)
      sample.add(trade);
    CAPTURE(round);
    CAPTURE(capacity);
    REQUIRE(sample.records().size() == std::min(capacity, in_order.size()));
    REQUIRE(sample.total() == std::ssize(trades));
    REQUIRE(sample.is_in_order());
    for (const auto& gates : {statistics_gates{}, open_gates}) {
      const auto all = compute_trade_statistics(trades, gates);
      const auto kept = compute_sample_statistics(sample, gates);
      if (sample.dropped() == 0) {
        REQUIRE(kept == all); // to the last digit
        continue;
      }
      require_same(kept, all, 1e-12);
      REQUIRE(kept.total_pnl == all.total_pnl); // a sum goes on where it stood
      REQUIRE(kept.compounded_return == all.compounded_return);
      REQUIRE(kept.max_drawdown == all.max_drawdown);
      require_median(kept, in_order, capacity);
      REQUIRE(kept.win_count + kept.loss_count + kept.break_even_count + kept.excluded_count ==
              kept.total_signals);
    }
  }
}

TEST_CASE("trade sample property: a portfolio's figures of all trades of its members") {
  std::mt19937_64 random(22);
  for (int round = 0; round < 600; ++round) {
    std::vector<std::vector<trade_record>> owned(2 + random() % 4);
    std::map<std::uint64_t, std::size_t> member_of;
    std::vector<trade_record> arrivals;
    for (std::size_t i = 0; i < owned.size(); ++i) {
      owned[i] = random_trades(random, round % 10 == 0 ? 150 : 40);
      for (auto& trade : owned[i]) {
        trade.seq = trade.seq * owned.size() + i; // no two alike
        member_of[trade.seq] = i;
      }
      arrivals.insert(arrivals.end(), owned[i].begin(), owned[i].end());
    }
    std::sort(arrivals.begin(), arrivals.end(), closes_before);
    const auto in_order = valid_in_order(arrivals);
    const std::size_t capacity = 1 + random() % 20;
    disorder(arrivals, capacity, random);
    std::vector<trade_sample> samples(owned.size(), trade_sample{capacity});
    trade_sample together{capacity};
    for (const auto& trade : arrivals) {
      samples[member_of[trade.seq]].add(trade);
      together.add(trade);
    }
    std::vector<const trade_sample*> members;
    bool has_dropped = false;
    for (const auto& sample : samples) {
      members.push_back(&sample);
      has_dropped = has_dropped || sample.dropped() > 0;
    }
    const std::vector<std::span<const trade_record>> spans{owned.begin(), owned.end()};
    CAPTURE(round);
    for (const auto& gates : {statistics_gates{}, open_gates}) {
      const auto all = compute_portfolio_statistics(spans, gates);
      const auto kept = compute_portfolio_statistics(members, &together, gates);
      const auto apart = compute_portfolio_statistics(members, nullptr, gates);
      if (!has_dropped) {
        REQUIRE(kept == all);
        REQUIRE(apart == all);
        continue;
      }
      require_same(kept, all, 1e-12);
      REQUIRE(kept.total_pnl == all.total_pnl);
      require_median(kept, in_order, capacity);

      // Without the common order only what needs it is missing, and says why.
      auto hidden = apart;
      auto expected = all;
      const bool is_blown = all.max_drawdown == 100 && all.compounded_return == -100;
      if (!is_blown)
        for (const auto member : {&trade_statistics::max_drawdown, &trade_statistics::calmar_ratio,
                                  &trade_statistics::recovery_factor}) {
          const auto reason = reason_unavailable(apart, key_of(member));
          REQUIRE_FALSE((apart.*member).has_value());
          REQUIRE((reason == "max_trade_sample" ||
                   reason == reason_unavailable(all, key_of(member)) ||
                   reason_unavailable(all, key_of(member)) == "zero_drawdown"));
          expected.*member = std::nullopt;
        }
      hidden.unavailable = expected.unavailable;
      require_same(hidden, expected, 1e-10);
      REQUIRE(apart.sampled.size() == 1);
    }
  }
}

TEST_CASE("trade sample: what closed before trades that are gone counts, and hides the order") {
  trade_sample sample{2};
  auto trades = trades_of({1, -1, 2, 3, -2});
  for (const std::size_t i : {1U, 2U, 3U, 4U, 0U})
    sample.add(trades[i]);
  CHECK_FALSE(sample.is_in_order());
  const auto kept = compute_sample_statistics(sample, open_gates);
  const auto all = compute_trade_statistics(trades, open_gates);
  CHECK(kept.total_signals == 5);
  CHECK(kept.win_count == 3);
  CHECK(*kept.total_pnl == doctest::Approx(*all.total_pnl).epsilon(1e-12));
  CHECK(*kept.std_dev == doctest::Approx(*all.std_dev).epsilon(1e-12));
  CHECK(*kept.compounded_return == doctest::Approx(*all.compounded_return).epsilon(1e-12));
  for (const char* key : {"max_drawdown", "calmar_ratio", "recovery_factor", "max_win_streak",
                          "max_loss_streak", "avg_win_streak_pnl", "avg_loss_streak_pnl"})
    CHECK_MESSAGE(reason_unavailable(kept, key) == "max_trade_sample", key);
  sample.clear();
  CHECK(sample.is_in_order());
  CHECK(sample.records().empty());
  CHECK(compute_sample_statistics(sample, open_gates) == compute_trade_statistics({}, open_gates));
}

TEST_CASE("trade sample: memory is bounded by the sample, whatever comes") {
  trade_sample sample{1000};
  for (int i = 0; i < 200'000; ++i) {
    const instant open = t0 + i * minute_ms;
    sample.add({open, open + minute_ms / 2, i % 3 - 0.9, {}, {}, static_cast<std::uint64_t>(i)});
  }
  CHECK(sample.records().size() == 1000);
  CHECK(sample.dropped() == 199'000);
  CHECK(*sample.time_open().within(t0, t0 + 200'000 * minute_ms) == 100'000 * minute_ms);
}

TEST_CASE("open time property: the minutes with an open position, counted one by one") {
  std::mt19937_64 random(23);
  for (int round = 0; round < 500; ++round) {
    open_time time;
    std::vector<bool> minutes(300);
    for (int i = 0; i < 20; ++i) {
      const auto from = static_cast<std::size_t>(random() % 250), length = random() % 30;
      time.add(t0 + static_cast<instant>(from) * minute_ms,
               t0 + static_cast<instant>(from + length) * minute_ms);
      for (std::size_t minute = from; minute < from + length; ++minute)
        minutes[minute] = true;
    }
    const auto start = random() % 200, end = start + random() % 100;
    const auto expected = std::count(minutes.begin() + static_cast<std::ptrdiff_t>(start),
                                     minutes.begin() + static_cast<std::ptrdiff_t>(end), true);
    REQUIRE(*time.within(t0 + static_cast<instant>(start) * minute_ms,
                         t0 + static_cast<instant>(end) * minute_ms) == expected * minute_ms);
  }
}

TEST_CASE(
    "open time: of very many stretches the oldest are a sum, and that is told when it matters") {
  open_time time;
  const instant count = 3 * static_cast<instant>(open_time::least_stretches);
  for (instant i = 0; i < count; ++i)
    time.add(t0 + 10 * i, t0 + 10 * i + 4);
  const instant end = t0 + 10 * count;
  CHECK(*time.within(t0, end) == 4 * count);
  CHECK(*time.within(t0, end - 8) == 4 * (count - 1) + 2);
  CHECK_FALSE(time.within(t0 + 1, end)); // within the sum
  auto longer = time;
  longer.add(end - 100, end + 1);
  CHECK(*longer.within(t0, end + 1) == 4 * (count - 10) + 101);
  longer.add(t0 + 5, end + 2); // which gaps of the sum it fills is not known
  CHECK_FALSE(longer.within(t0, end + 2));
}

// -- through the reports
// ---------------------------------------------------------------------------

TEST_CASE(
    "trade sample property: reports, portfolio and heat of a small sample and of a large one") {
  std::mt19937_64 random(24);
  for (int round = 0; round < 200; ++round) {
    configuration small, large;
    small.max_trade_sample = static_cast<std::int64_t>(1 + random() % 10);
    large.min_trades_ratio = small.min_trades_ratio = 2;
    report_book few(report_set::all()), all(report_set::all());
    std::vector<shared_identity> runs{identity("A"), identity("B"), identity("A", "grid")};
    std::vector<std::pair<trade_record, shared_identity>> closes;
    instant last = t0;
    for (const auto& run : runs)
      for (auto trade : random_trades(random, 40)) {
        trade.seq = closes.size();
        closes.emplace_back(trade, run);
        last = std::max(last, trade.close_ts);
      }
    std::stable_sort(closes.begin(), closes.end(), [](const auto& left, const auto& right) {
      return left.first.close_ts < right.first.close_ts;
    });
    const run_bounds bounds{t0, last + minute_ms, 100.0, 110.0};
    const auto tell = [&](report_book& book, const configuration& parameters) {
      for (const auto& run : runs)
        book.start(run, parameters);
      book.combine(runs, parameters);
      for (const auto& run : runs)
        book.set_bounds(*run, bounds);
      for (const auto& [trade, run] : closes)
        book.apply({topic::signal_backtest, closed_trade(run, trade)});
    };
    tell(few, small);
    tell(all, large);
    CAPTURE(round);
    require_same(few.portfolio_statistics(runs, small), all.portfolio_statistics(runs, large),
                 1e-12);
    for (const auto& run : runs)
      require_same(few.find_backtest(run->symbol, run->strategy_name)->statistics(),
                   all.find_backtest(run->symbol, run->strategy_name)->statistics(), 1e-12);
    const auto heat = few.find_heat("cross", run_mode::backtest)->data();
    const auto expected = all.find_heat("cross", run_mode::backtest)->data();
    require_same(heat.portfolio, expected.portfolio, 1e-12);
    REQUIRE(heat.symbols.size() == expected.symbols.size());
    // One of them alone was never kept together with others.
    require_same(few.portfolio_statistics({runs[1]}, small),
                 all.portfolio_statistics({runs[1]}, large), 1e-12);
  }
}

TEST_CASE("trade sample: a symbol that begins anew hides the portfolio's drawdown, not its sums") {
  configuration parameters;
  parameters.max_trade_sample = 3;
  heat_report heat{"cross", run_mode::backtest, parameters};
  std::uint64_t seq = 0;
  const auto tell = [&](const std::string& symbol) {
    for (auto trade : trades_of({1, -1, 2, -2, 3})) {
      trade.seq = seq++;
      heat.apply(closed_trade(identity(symbol), trade), trade.seq);
    }
  };
  for (const auto* symbol : {"A", "B"}) {
    heat.start(symbol, parameters);
    tell(symbol);
  }
  heat.start("A", parameters);
  CHECK(heat.data().portfolio.total_signals == 5);
  CHECK(heat.data().portfolio.max_drawdown); // of B alone
  tell("A");
  const auto figures = heat.data().portfolio;
  CHECK(figures.total_signals == 10);
  CHECK(*figures.total_pnl == doctest::Approx(6));
  CHECK(reason_unavailable(figures, "max_drawdown") == "max_trade_sample");
  CHECK(
      contains(heat.markdown(default_heat_columns()), "**Max Drawdown:** N/A (max_trade_sample)"));
  for (const auto* symbol : {"A", "B"})
    heat.start(symbol, parameters);
  tell("A");
  CHECK(heat.data().portfolio.max_drawdown);
}
