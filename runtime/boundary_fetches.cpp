#include "runtime/boundary_fetches.hpp"

#include <algorithm>
#include <utility>

namespace backtest {

namespace {

/// How soon a newest candle that is late is asked for again.
constexpr instant ask_again_ms = 1000;

} // namespace

boundary_fetches::boundary_fetches(std::size_t symbols, instant newest_wait, instant patience)
    : symbols_(symbols), newest_wait_(newest_wait), patience_(patience) {}

std::vector<boundary_fetches::symbol_id>
boundary_fetches::begin(instant boundary, const std::vector<symbol_id>& behind, instant now) {
  boundary_ = boundary;
  late_from_ = std::max(boundary + newest_wait_, now + patience_);
  std::vector<symbol_id> asked;
  for (const auto id : behind)
    if (!symbols_[id].under_way)
      asked.push_back(id);
  const bool some_are_reliable = std::any_of(
      asked.begin(), asked.end(), [this](symbol_id id) { return symbols_[id].came_in_time; });
  for (const auto id : asked) {
    auto& symbol = symbols_[id];
    symbol.under_way = true;
    symbol.boundary = boundary;
    symbol.late_from = late_from_;
    symbol.waited_for = symbol.came_in_time || !some_are_reliable;
    missing_ += symbol.waited_for ? 1 : 0;
  }
  return asked;
}

bool boundary_fetches::is_late(const symbol_state& symbol, instant now) const {
  return now >= (boundary_ == symbol.boundary ? late_from_ : symbol.late_from);
}

bool boundary_fetches::came(symbol_id id, outcome what, instant now) {
  auto& symbol = symbols_[id];
  const bool late = is_late(symbol, now);
  symbol.came_in_time = what != outcome::failed && !late;
  if (what != outcome::failed && !std::exchange(symbol.came, true) &&
      boundary_ == symbol.boundary && !late)
    late_from_ = std::max(late_from_, now + patience_);
  if (what == outcome::newest_missing && boundary_ == symbol.boundary &&
      now < symbol.boundary + newest_wait_) {
    missing_ += symbol.waited_for ? 0 : 1; // it answers, so it is worth waiting
    symbol.waited_for = true;
    symbol.ask_again_at = now + ask_again_ms;
  } else {
    symbol.under_way = false;
    is_there(symbol);
  }
  return late;
}

void boundary_fetches::is_there(symbol_state& symbol) {
  missing_ -= std::exchange(symbol.waited_for, false) ? 1 : 0;
}

std::vector<boundary_fetches::symbol_id> boundary_fetches::begin_again(instant now) {
  std::vector<symbol_id> asked;
  for (symbol_id id = 0; id < symbols_.size(); ++id)
    if (symbols_[id].ask_again_at && *symbols_[id].ask_again_at <= now) {
      symbols_[id].ask_again_at.reset();
      asked.push_back(id);
    }
  return asked;
}

instant boundary_fetches::look_again_at() const noexcept {
  instant when = late_from_;
  for (const auto& symbol : symbols_)
    when = std::min(when, symbol.ask_again_at.value_or(when));
  return when;
}

std::vector<boundary_fetches::symbol_id> boundary_fetches::close() {
  std::vector<symbol_id> in_vain;
  for (symbol_id id = 0; id < symbols_.size(); ++id) {
    auto& symbol = symbols_[id];
    if (symbol.ask_again_at) { // a gap
      symbol.ask_again_at.reset();
      symbol.under_way = false;
    } else if (symbol.waited_for) {
      symbol.came_in_time = false;
      in_vain.push_back(id);
    }
    is_there(symbol);
  }
  boundary_.reset();
  return in_vain;
}

} // namespace backtest
