#include "messages/caf.hpp"

namespace backtest {

#if BACKTEST_CAF_MODERN

std::string text_of(const caf::error& reason) { return caf::to_string(reason); }

std::string text_of(const caf::actor_system&, const caf::error& reason) { return text_of(reason); }

#else

namespace {

// Each of an enumerator that is an error: one that is none has no category.
bool is_sec(const caf::error& reason) {
  return reason.category() == caf::make_error(caf::sec::unexpected_message).category();
}
bool is_exit_reason(const caf::error& reason) {
  return reason.category() == caf::make_error(caf::exit_reason::kill).category();
}
bool is_pec(const caf::error& reason) {
  return reason.category() == caf::make_error(caf::pec::trailing_character).category();
}

std::string words_of(const caf::error& reason) {
  if (is_sec(reason))
    return caf::to_string(static_cast<caf::sec>(reason.code()));
  if (is_exit_reason(reason))
    return caf::to_string(static_cast<caf::exit_reason>(reason.code()));
  if (is_pec(reason))
    return caf::to_string(static_cast<caf::pec>(reason.code()));
  return "error " + std::to_string(reason.code()) + " of " + caf::to_string(reason.category());
}

} // namespace

std::string text_of(const caf::error& reason) {
  if (!reason)
    return "no error";
  const auto words = words_of(reason);
  const auto& context = reason.context();
  if (context.empty())
    return words;
  if (context.match_elements<std::string>())
    return words + ": " + context.get_as<std::string>(0);
  return words + ": " + caf::to_string(context);
}

std::string text_of(const caf::actor_system& system, const caf::error& reason) {
  if (!reason || is_sec(reason) || is_exit_reason(reason) || is_pec(reason))
    return text_of(reason);
  // What CAF says of a kind nobody gave it words for.
  const auto rendered = system.render(reason);
  return rendered == caf::to_string(reason) ? text_of(reason) : rendered;
}

#endif

} // namespace backtest
