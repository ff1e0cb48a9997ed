#include "actors/exchange/fresh_candles.hpp"

#include <algorithm>
#include <utility>

namespace backtest {

namespace {

constexpr auto opens_before = [](const candle& item, instant when) {
  return item.open_time < when;
};

} // namespace

fresh_candles::position fresh_candles::first_from(instant when) {
  return std::lower_bound(candles_.begin(), candles_.end(), when, opens_before);
}

bool fresh_candles::holds_any(time_range range) const {
  const auto first = std::lower_bound(candles_.begin(), candles_.end(), range.from, opens_before);
  return first != candles_.end() && first->open_time < range.until;
}

bool fresh_candles::continues(time_range next) const noexcept {
  return next.from == asked_until_ || (seen_until_ <= next.from && next.from < asked_until_);
}

std::vector<settled_candles> fresh_candles::begin_at(instant from) {
  std::vector<settled_candles> settled;
  hand_over(settled_until_, settled);
  candles_.clear();
  known_from_ = settled_until_ = seen_until_ = asked_until_ = from;
  return settled;
}

std::vector<settled_candles> fresh_candles::skip_until(instant when) {
  std::vector<settled_candles> settled;
  hand_over(settled_until_, settled);
  candles_.erase(candles_.begin(), first_from(when));
  known_from_ = settled_until_ = std::max(settled_until_, when);
  return settled;
}

instant fresh_candles::ask_from(time_range next, instant revision) const {
  const instant day = align_down(next.from, day_ms);
  if (revision == 0 || !holds_any({std::max(settled_until_, day), next.from}))
    return next.from;
  return std::max(settled_until_, day);
}

std::optional<time_range> fresh_candles::rest_of_days_before(time_range next, instant now,
                                                             instant revision) const {
  const instant day = align_down(next.from, day_ms);
  if (revision == 0 || day + revision > now || !holds_any({settled_until_, day}))
    return std::nullopt;
  return time_range{std::max(settled_until_, day - day_ms), day};
}

fresh_candles::taken fresh_candles::take(time_range asked, std::span<const candle> answer,
                                         instant now, interval size, instant revision) {
  const instant length = length_of(size);
  taken result;
  // The newest candles may be late; of an old range the answer is the last word.
  const bool is_old = asked.until + revision <= now;
  const instant told_until = is_old           ? asked.until
                             : answer.empty() ? asked.from
                                              : answer.back().open_time + length;
  compare(asked, answer, told_until, length, result.changes);
  asked_until_ = std::max(asked_until_, asked.until);
  settle(asked, told_until, now, length, revision, result.settled);
  const bool is_complete = seen_until_ == asked_until_; // nothing follows that belongs to it
  hand_over(is_complete ? settled_until_
                        : align_down(settled_until_, std::max(length, settled_at_once)),
            result.settled);
  return result;
}

void fresh_candles::compare(time_range asked, std::span<const candle> answer, instant told_until,
                            instant length, std::vector<candle_change>& changes) {
  const auto first = first_from(asked.from);
  auto old = first;
  std::vector<candle> merged;
  merged.reserve(answer.size());
  auto next = answer.begin();
  while (next != answer.end() || (old != candles_.end() && old->open_time < told_until)) {
    const bool was_there =
        old != candles_.end() && (next == answer.end() || old->open_time <= next->open_time);
    const bool is_there = next != answer.end() && (!was_there || next->open_time == old->open_time);
    if (!was_there ? next->open_time < seen_until_ : !is_there || *old != *next)
      changes.push_back({was_there ? std::optional{*old} : std::nullopt,
                         is_there ? std::optional{*next} : std::nullopt});
    if (is_there)
      merged.push_back(*next++);
    if (was_there)
      ++old;
  }
  merged.insert(merged.end(), old, candles_.end());
  candles_.erase(first, candles_.end());
  candles_.insert(candles_.end(), merged.begin(), merged.end());
  if (!candles_.empty())
    seen_until_ = std::max(seen_until_, candles_.back().open_time + length);
}

void fresh_candles::settle(time_range asked, instant told_until, instant now, instant length,
                           instant revision, std::vector<settled_candles>& settled) {
  std::vector<time_range> gaps; // that are young: nobody knows yet whether they remain
  const instant settled_before = settled_until_;
  for (auto item = first_from(settled_before); item != candles_.end(); ++item) {
    const bool was_asked_for = item->open_time >= asked.from && item->open_time < told_until;
    if (!was_asked_for || item->open_time + length + revision > now)
      break;
    if (item->open_time != settled_until_ && item->open_time > now - latest_arrival)
      gaps.push_back({settled_until_, item->open_time});
    settled_until_ = item->open_time + length;
  }
  for (const auto& gap : gaps) {
    hand_over(gap.from, settled);
    known_from_ = gap.until;
  }
}

void fresh_candles::hand_over(instant until, std::vector<settled_candles>& settled) {
  if (until <= known_from_)
    return;
  const auto end = first_from(until);
  settled.push_back({{known_from_, until}, {candles_.begin(), end}});
  candles_.erase(candles_.begin(), end);
  known_from_ = until;
}

} // namespace backtest
