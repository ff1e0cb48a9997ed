#include "runtime/caller_checks.hpp"

#include "messages/error.hpp"

#include <array>

#include <fmt/format.h>

namespace backtest {

namespace {

constexpr std::array<std::string_view, waiting_for_count> waited_for{
    "an actor", "the store", "every subscriber", "a live run", "a live run", "a run", "a walker",
};

bool waits_for_an_answer_alone(waiting_for what) {
  return what == waiting_for::actors || what == waiting_for::store;
}

} // namespace

std::optional<std::string> caller_checks::place_against(waiting_for what) const {
  // Actors of another system may wait for the runtime, but for those that it waits for itself: its
  // subscribers and signal sources. Looked at first, before a call makes it unrecognisable.
  const bool is_of_actors = looks_like_worker_thread();
  const bool shares_thread =
      workers_.has_this_thread() || (is_of_actors && !waits_for_an_answer_alone(what));
  return place_not_to_wait(runtime_, shares_thread, what);
}

bool caller_checks::may_wait(waiting_for what) const { return !place_against(what); }

void caller_checks::require_may_wait(std::string_view function, waiting_for what) const {
  if (const auto place = place_against(what))
    throw failure(error_code::invalid_argument,
                  fmt::format("{}: called from {}, where it may not wait for {}; expected a thread "
                              "of your own or a detached actor, or a message to runtime::actor()",
                              function, *place, waited_for[static_cast<std::size_t>(what)]));
}

bool caller_checks::is_inside() const {
  if (workers_.has_this_thread())
    return true;
  for (const auto* mark = place_mark::innermost(); mark != nullptr; mark = mark->outer())
    if (mark->runtime() == runtime_)
      return true;
  return false;
}

} // namespace backtest
