#include "actors/exchange/fetch_queue.hpp"

#include <algorithm>

namespace backtest {

fetch_queue::fetch_queue(std::size_t threads) : threads_(threads) {}

void fetch_queue::add(ticket request, const std::string& symbol) {
  auto& own = lines_[symbol];
  own.waiting.push_back(request);
  if (own.waiting.size() == 1)
    line_up(symbol, own);
}

void fetch_queue::line_up(const std::string& symbol, const line& of) {
  (of.ailing ? ailing_ : sound_).push_back(symbol);
}

std::optional<fetch_queue::ticket> fetch_queue::next(instant now) {
  while (!postponed_.empty() && postponed_.begin()->first <= now) {
    const auto due = postponed_.extract(postponed_.begin());
    line_up(due.value().second, lines_.at(due.value().second));
  }
  if (busy_ == threads_)
    return std::nullopt;
  const bool from_sound = !sound_.empty();
  if (!from_sound &&
      (ailing_.empty() || busy_with_ailing_ >= std::max<std::size_t>(threads_ / 2, 1)))
    return std::nullopt;
  auto& from = from_sound ? sound_ : ailing_;
  auto& chosen = lines_.at(from.front());
  from.pop_front();
  ++busy_;
  busy_with_ailing_ += chosen.ailing ? 1 : 0;
  return chosen.waiting.front();
}

void fetch_queue::done(const std::string& symbol, bool failed) {
  auto& own = lines_.at(symbol);
  leave(own, failed);
  own.waiting.pop_front();
  if (!own.waiting.empty())
    line_up(symbol, own);
}

void fetch_queue::postpone(const std::string& symbol, instant when) {
  leave(lines_.at(symbol), true);
  postponed_.emplace(when, symbol);
}

void fetch_queue::remove(ticket request, const std::string& symbol) {
  auto& own = lines_.at(symbol);
  const auto place = std::find(own.waiting.begin(), own.waiting.end(), request);
  const bool comes_next = place == own.waiting.begin();
  own.waiting.erase(place);
  if (!comes_next)
    return;
  const auto due = std::find_if(postponed_.begin(), postponed_.end(),
                                [&](const auto& item) { return item.second == symbol; });
  if (due == postponed_.end()) {
    if (own.waiting.empty())
      std::erase(own.ailing ? ailing_ : sound_, symbol);
    return;
  }
  postponed_.erase(due);
  if (!own.waiting.empty())
    line_up(symbol, own);
}

std::optional<fetch_queue::ticket> fetch_queue::first_of(const std::string& symbol) const {
  const auto found = lines_.find(symbol);
  if (found == lines_.end() || found->second.waiting.empty())
    return std::nullopt;
  return found->second.waiting.front();
}

void fetch_queue::leave(line& of, bool failed) {
  --busy_;
  busy_with_ailing_ -= of.ailing ? 1 : 0;
  of.ailing = failed;
}

std::optional<instant> fetch_queue::next_due() const {
  if (postponed_.empty())
    return std::nullopt;
  return postponed_.begin()->first;
}

} // namespace backtest
