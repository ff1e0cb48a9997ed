#include "messages/calling_place.hpp"

#include <array>

namespace backtest {

namespace {

thread_local const place_mark* innermost_mark = nullptr;

constexpr std::array<std::string_view, calling_place_count> place_names{
    "a function of strategy",     "a function of risk profile",
    "the callback of frame",      "the function of a report's column",
    "the callback of sizing",     "the logger",
    "a function of exchange",     "the blocking signal function of strategy",
    "the callback of a listener", "a callback of walker",
    "a function of the store",    "the function that opens the store",
};

std::string text_of(const place_mark& mark) {
  std::string text{place_names[static_cast<std::size_t>(mark.where())]};
  if (!mark.name().empty())
    text.append(" ").append(mark.name());
  return text;
}

/// Its thread is one that actors share, which is seen by the thread itself.
bool is_on_shared_thread(calling_place where) noexcept {
  return where <= calling_place::report_column;
}

} // namespace

place_mark::place_mark(calling_place where, const void* runtime, std::string_view name) noexcept
    : where_(where), runtime_(runtime), name_(name), outer_(innermost_mark) {
  innermost_mark = this;
}

place_mark::~place_mark() { innermost_mark = outer_; }

const place_mark* place_mark::innermost() noexcept { return innermost_mark; }

bool can_wait(calling_place where, waiting_for what) noexcept {
  switch (where) {
  case calling_place::strategy:
  case calling_place::risk_profile:
  case calling_place::frame:
  case calling_place::report_column:
  case calling_place::logger: // anybody may log, whatever they hold
  case calling_place::store:
  case calling_place::opening_store: return false;
  case calling_place::sizing: // of a thread that asked for a size and holds nothing
    return true;
  case calling_place::exchange: // runs wait for its candles
  case calling_place::blocking_strategy:
    return what == waiting_for::actors || what == waiting_for::store ||
           what == waiting_for::subscribers;
  case calling_place::listener: // whoever publishes may wait for it; a run on the market never does
    return what == waiting_for::actors || what == waiting_for::store ||
           what == waiting_for::commands;
  case calling_place::walker: return what != waiting_for::walkers;
  }
  return false;
}

std::optional<std::string> place_not_to_wait(const void* runtime, bool shares_thread,
                                             waiting_for what) {
  for (const auto* mark = innermost_mark; mark != nullptr; mark = mark->outer()) {
    if (is_on_shared_thread(mark->where())) {
      // Another runtime, with threads of its own, may be waited for.
      if (shares_thread && what != waiting_for::store)
        return text_of(*mark);
      continue;
    }
    const bool concerns = mark->runtime() == nullptr || mark->runtime() == runtime;
    if (concerns && !can_wait(mark->where(), what))
      return text_of(*mark);
  }
  if (shares_thread && what != waiting_for::store)
    return "an actor that shares its thread with others";
  return std::nullopt;
}

} // namespace backtest
