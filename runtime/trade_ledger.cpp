#include "runtime/trade_ledger.hpp"

#include "runtime/report_text.hpp"

#include <algorithm>
#include <array>
#include <iterator>

namespace backtest {

namespace {

/// Since when the sample tells what was held: from the start of the run, or from the oldest trade
/// that was not dropped.
instant known_since(const trade_sample& trades, instant start) {
  if (trades.dropped() == 0)
    return start;
  const auto records = trades.records();
  const auto oldest =
      std::min_element(records.begin(), records.end(), [](const auto& left, const auto& right) {
        return left.open_ts < right.open_ts;
      });
  return std::max(start, oldest->open_ts);
}

} // namespace

trade_ledger::trade_ledger(const configuration& config)
    : gates_(gates_of(config)), trades_(static_cast<std::size_t>(config.max_trade_sample)) {}

void trade_ledger::apply(const tick_result& result, std::optional<std::uint64_t> seq) {
  if (result.action == tick_action::opened) {
    open_since_ = result.timestamp;
  } else if (result.action == tick_action::closed) {
    open_since_.reset();
    trades_.add(record_of(result, seq.value_or(static_cast<std::uint64_t>(trades_.total()))));
  }
}

void trade_ledger::clear() noexcept {
  trades_.clear();
  open_since_.reset();
  bounds_.reset();
}

trade_statistics trade_ledger::statistics() const {
  statistics_inputs inputs;
  inputs.total_signals = trades_.total();
  if (bounds_) {
    if (bounds_->first_close && bounds_->last_close)
      inputs.buy_and_hold_return = buy_and_hold_return(*bounds_->first_close, *bounds_->last_close);
    const auto held = open_position(open_since_, bounds_->end);
    const std::array spans{trades_.records(), std::span<const trade_record>{held}};
    inputs.exposure = exposure_of(spans, known_since(trades_, bounds_->start), bounds_->end);
  }
  return compute_trade_statistics(trades_.records(), gates_, inputs);
}

std::string trade_ledger::summary() const {
  const trade_statistics figures = statistics();
  return join_blocks(
      {trade_summary(figures), reliability_note(figures, gates_, trades_.dropped())});
}

trade_statistics pooled_statistics(std::span<const trade_ledger* const> members,
                                   const statistics_gates& gates) {
  std::vector<std::span<const trade_record>> pool;
  statistics_inputs inputs;
  std::int64_t total = 0;
  instant start = end_of_time, end = 0;
  for (const trade_ledger* member : members) {
    pool.push_back(member->trades().records());
    total += member->trades().total();
    if (const auto& bounds = member->bounds()) {
      start = std::min(start, bounds->start);
      end = std::max(end, bounds->end);
    }
  }
  inputs.total_signals = total;
  if (start < end) {
    std::vector<trade_record> held;
    for (const trade_ledger* member : members)
      if (const auto& bounds = member->bounds())
        std::ranges::copy(open_position(member->open_since(), bounds->end),
                          std::back_inserter(held));
    auto spans = pool;
    spans.emplace_back(held);
    inputs.exposure = exposure_of(spans, start, end);
  }
  return compute_portfolio_statistics(pool, gates, inputs);
}

} // namespace backtest
