#include "actors/topics/subscription_filter.hpp"

#include "messages/error.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace backtest {

namespace {

bool accepts_name(const std::vector<std::string>& wanted, const std::string& name) {
  return wanted.empty() || std::find(wanted.begin(), wanted.end(), name) != wanted.end();
}

/// Those of events, as they are published: none is known by another name.
interest every_topic() {
  interest topics;
  for (std::size_t i = 0; i < topic_count; ++i)
    if (const auto on = static_cast<topic>(i); on != topic::signal)
      topics |= interest::of(on);
  return topics;
}

} // namespace

std::string text_of(const subscription& wanted) {
  std::vector<std::string_view> topics;
  for (const auto on : wanted.topics)
    topics.push_back(to_string(on));
  auto text = wanted.name.empty() ? std::string{} : fmt::format("\"{}\" ", wanted.name);
  text += topics.empty() ? std::string{"(every topic"}
                         : fmt::format("(topics {}", fmt::join(topics, ", "));
  const auto append = [&text](std::string_view what, const std::vector<std::string>& names) {
    constexpr std::size_t most = 5;
    if (!names.empty())
      text += fmt::format(
          "; {} {}{}", what,
          fmt::join(names.begin(),
                    names.begin() + static_cast<std::ptrdiff_t>(std::min(most, names.size())),
                    ", "),
          names.size() > most ? ", ..." : "");
  };
  append("symbols", wanted.symbols);
  append("strategies", wanted.strategies);
  return text + ")";
}

void require_valid(const subscription& wanted) {
  const auto refuse = [](const char* what, std::size_t value, std::size_t count) {
    throw failure(
        error_code::invalid_argument,
        fmt::format("subscription: there is no {} {}, expected 0 to {}", what, value, count - 1));
  };
  for (const auto on : wanted.topics)
    if (!is_one_of_first(on, topic_count))
      refuse("topic", static_cast<std::size_t>(on), topic_count);
  for (const auto action : wanted.actions)
    if (!is_one_of_first(action, tick_action_count))
      refuse("action", static_cast<std::size_t>(action), tick_action_count);
}

subscription_filter::subscription_filter(subscription wanted)
    : wanted_(std::move(wanted)), topics_(wanted_.topics.empty() ? every_topic() : interest{}) {
  for (const auto on : wanted_.topics)
    topics_ |= interest::of(on);
  for (std::size_t i = 0; i < tick_action_count; ++i) {
    const auto action = static_cast<tick_action>(i);
    if (wanted_.actions.empty() ||
        std::find(wanted_.actions.begin(), wanted_.actions.end(), action) != wanted_.actions.end())
      actions_ |= interest::of(action);
  }
}

bool subscription_filter::accepts(const shared_identity& run) const {
  if (wanted_.symbols.empty() && wanted_.strategies.empty())
    return true;
  return run && accepts_name(wanted_.symbols, run->symbol) &&
         accepts_name(wanted_.strategies, run->strategy_name);
}

interest subscription_filter::interest_in(const run_identity& run) const {
  if (!accepts_name(wanted_.symbols, run.symbol) ||
      !accepts_name(wanted_.strategies, run.strategy_name))
    return {};
  return has_signals_of(run.mode) ? topics_ | actions_ : topics_;
}

bool subscription_filter::has_signals_of(run_mode mode) const {
  const auto own = mode == run_mode::backtest ? topic::signal_backtest : topic::signal_live;
  return topics_.has(topic::signal) || topics_.has(own);
}

bool subscription_filter::wants_idle_of(run_mode mode) const {
  return has_signals_of(mode) && actions_.has(tick_action::idle);
}

bool subscription_filter::wants(const event& item) const {
  const auto* tick = std::get_if<tick_result>(&item.payload);
  if (!topics_.has(item.on) && !(tick != nullptr && topics_.has(topic::signal)))
    return false;
  return (tick == nullptr || actions_.has(tick->action)) && accepts(identity_of(item));
}

void subscription_filter::deliver(event item, std::vector<event>& out) const {
  const bool as_signal =
      std::holds_alternative<tick_result>(item.payload) && topics_.has(topic::signal);
  if (as_signal && topics_.has(item.on))
    out.push_back(item);
  if (as_signal)
    item.on = topic::signal;
  out.push_back(std::move(item));
}

} // namespace backtest
