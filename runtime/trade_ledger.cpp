#include "runtime/trade_ledger.hpp"

#include "runtime/report_text.hpp"

#include <algorithm>
#include <iterator>

namespace backtest {

namespace {

bool has_dropped(std::span<const trade_ledger* const> members) noexcept {
  return std::any_of(members.begin(), members.end(),
                     [](const auto* member) { return member->trades().dropped() > 0; });
}

/// Adds the share of [start, end] with an open position, or why it is not known.
void add_exposure(statistics_inputs& inputs, std::span<const trade_ledger* const> members,
                  const trade_sample* together, instant start, instant end) {
  std::vector<trade_record> still_open;
  for (const trade_ledger* member : members)
    if (const auto& bounds = member->bounds())
      std::ranges::copy(open_position(member->open_since(), bounds->end),
                        std::back_inserter(still_open));
  if (!has_dropped(members)) {
    std::vector<std::span<const trade_record>> held;
    for (const trade_ledger* member : members)
      held.push_back(member->trades().records());
    held.emplace_back(still_open);
    inputs.exposure = exposure_of(held, start, end);
    return;
  }
  open_time time;
  if (together != nullptr)
    time = together->time_open();
  else
    for (const trade_ledger* member : members)
      time.merge(member->trades().time_open());
  for (const trade_record& position : still_open)
    time.add(position.open_ts, position.close_ts);
  if (const auto open = time.within(start, end))
    inputs.exposure = exposure_of(*open, start, end);
  else
    inputs.no_exposure = "max_trade_sample";
}

} // namespace

trade_ledger::trade_ledger(const configuration& config)
    : gates_(gates_of(config)), trades_(static_cast<std::size_t>(config.max_trade_sample)) {}

std::optional<trade_record> trade_ledger::apply(const tick_result& result,
                                                std::optional<std::uint64_t> seq) {
  if (result.action == tick_action::opened)
    open_since_ = result.timestamp;
  if (result.action != tick_action::closed)
    return std::nullopt;
  open_since_.reset();
  const auto trade = record_of(result, seq.value_or(static_cast<std::uint64_t>(trades_.total())));
  trades_.add(trade);
  return trade;
}

void trade_ledger::clear() noexcept {
  trades_.clear();
  open_since_.reset();
  bounds_.reset();
}

trade_statistics trade_ledger::statistics() const {
  statistics_inputs inputs;
  if (bounds_) {
    if (bounds_->first_close && bounds_->last_close)
      inputs.buy_and_hold_return = buy_and_hold_return(*bounds_->first_close, *bounds_->last_close);
    const trade_ledger* const alone = this;
    add_exposure(inputs, {&alone, 1}, &trades_, bounds_->start, bounds_->end);
  }
  return compute_sample_statistics(trades_, gates_, inputs);
}

std::string trade_ledger::summary() const {
  const trade_statistics figures = statistics();
  return join_blocks({trade_summary(figures), reliability_note(figures, gates_)});
}

trade_statistics pooled_statistics(std::span<const trade_ledger* const> members,
                                   const statistics_gates& gates, const trade_sample* together) {
  std::vector<const trade_sample*> samples;
  std::int64_t total = 0;
  instant start = end_of_time, end = 0;
  for (const trade_ledger* member : members) {
    samples.push_back(&member->trades());
    total += member->trades().total();
    if (const auto& bounds = member->bounds()) {
      start = std::min(start, bounds->start);
      end = std::max(end, bounds->end);
    }
  }
  const auto traded = std::find_if(samples.begin(), samples.end(),
                                   [](const auto* sample) { return sample->total() > 0; });
  if (traded != samples.end() && (*traded)->total() == total)
    together = *traded; // the only one
  else if (together != nullptr && (together->total() != total || !together->is_in_order()))
    together = nullptr; // it knows of other runs, or not of all of them
  statistics_inputs inputs;
  if (start < end)
    add_exposure(inputs, members, together, start, end);
  return compute_portfolio_statistics(samples, together, gates, inputs);
}

} // namespace backtest
