#pragma once

#include "messages/enum_names.hpp"

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace backtest {

/// What went wrong, as programs see it; `to_string` gives the snake_case name used in JSON.
enum class error_code : std::uint8_t {
  data_gap,              ///< a candle or price that was asked for does not exist
  data_ended,            ///< the frame goes on after the symbol's last candle
  invalid_signal,        ///< a signal request broke the validation rules
  signal_source_failed,  ///< get_signal threw
  signal_timeout,        ///< get_signal answered after its deadline
  fetch_failed,          ///< a candle source failed on every attempt
  bad_candles,           ///< a candle source delivered candles that fail the checks
  risk_validation_failed, ///< a user's risk function threw
  callback_failed,       ///< a user's callback threw
  listener_failed,       ///< a topic listener threw, or a subscriber answered with an error
  store_failed,          ///< the store refused or lost a write
  journal_truncated,     ///< the journal no longer holds the number asked for
  not_found,             ///< an unknown name
  already_exists,        ///< a name registered twice
  already_running,       ///< a run of the same key is not over
  invalid_argument,      ///< a value outside its range
  invalid_configuration, ///< a configuration file or parameter is wrong
  io_failed,             ///< a file cannot be read or written
  plugin_failed,         ///< a plugin does not load
  actor_failed,          ///< one of our own actors died
  orphaned_signals,      ///< stored signals of runs that a live start does not include
  state_mismatch,        ///< a stored row speaks of another run than its key
  corrupt_state,         ///< a stored row that cannot be understood; it was moved aside
  stale_position,        ///< a stored risk position without a signal behind it; it was dropped
  listener_behind,       ///< a live listener is so slow that events were not kept for it
  connection_failed,     ///< another process cannot be reached, or speaks differently
  candle_revised,        ///< an exchange shows a closed candle differently from before
  listener_overdue,      ///< a subscriber did not answer within `subscriber_patience_seconds`
  store_lost,            ///< the store is gone for good: trying again would not bring it back
};

inline constexpr std::size_t error_code_count = 29;

std::string_view to_string(error_code code) noexcept;
std::optional<error_code> parse_error_code(std::string_view text) noexcept;

/// The one error value: a code for programs and a message for people that names what, where,
/// which value, and what was expected.
struct error {
  error_code code = error_code::invalid_argument;
  std::string message;

  friend bool operator==(const error&, const error&) = default;
};

/// A code that is none of these counts as `invalid_argument`.
constexpr error_code known(error_code code) noexcept {
  return is_one_of_first(code, error_code_count) ? code : error_code::invalid_argument;
}

/// Thrown by public functions; carries the same error value, with a known code.
class failure : public std::runtime_error {
public:
  explicit failure(error reason) : std::runtime_error(reason.message), reason_(std::move(reason)) {
    reason_.code = known(reason_.code);
  }
  failure(error_code code, const std::string& message)
      : std::runtime_error(message), reason_{known(code), message} {}

  const error& reason() const noexcept { return reason_; }
  error_code code() const noexcept { return reason_.code; }

private:
  error reason_;
};

} // namespace backtest
