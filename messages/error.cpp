#include "messages/error.hpp"

#include <array>

namespace backtest {

namespace {

constexpr std::array<std::string_view, error_code_count> code_names{"data_gap",
                                                                    "data_ended",
                                                                    "invalid_signal",
                                                                    "signal_source_failed",
                                                                    "signal_timeout",
                                                                    "fetch_failed",
                                                                    "bad_candles",
                                                                    "risk_validation_failed",
                                                                    "callback_failed",
                                                                    "listener_failed",
                                                                    "store_failed",
                                                                    "journal_truncated",
                                                                    "not_found",
                                                                    "already_exists",
                                                                    "already_running",
                                                                    "invalid_argument",
                                                                    "invalid_configuration",
                                                                    "io_failed",
                                                                    "plugin_failed",
                                                                    "actor_failed",
                                                                    "orphaned_signals",
                                                                    "state_mismatch",
                                                                    "corrupt_state",
                                                                    "stale_position",
                                                                    "listener_behind",
                                                                    "connection_failed",
                                                                    "candle_revised",
                                                                    "listener_overdue",
                                                                    "store_lost"};

} // namespace

std::string_view to_string(error_code code) noexcept { return name_of(code_names, code); }

std::optional<error_code> parse_error_code(std::string_view text) noexcept {
  for (std::size_t i = 0; i < code_names.size(); ++i)
    if (code_names[i] == text)
      return static_cast<error_code>(i);
  return std::nullopt;
}

} // namespace backtest
