#pragma once

#include "messages/logger.hpp"
#include "messages/signal.hpp"

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace backtest {

enum class message_role : std::uint8_t { system, user, assistant };

std::string_view to_string(message_role role) noexcept;

/// One message of a conversation with a model.
struct outline_message {
  message_role role = message_role::user;
  std::string content;
};

inline constexpr const char* default_outline_directory = "./dump/strategy";

/// Where a conversation is written to, and from which size on a message is worth a warning.
struct outline_options {
  std::filesystem::path directory = default_outline_directory;
  std::size_t warn_above_kib = 20;
  shared_logger log; ///< null: no warnings
};

/// Writes the conversation that led to a signal (or to none) as files in a directory of its own,
/// `directory / result_id`, all or nothing: the system messages and the signal, one file per other
/// message in order, the signal again. Returns the directory; what is there already stays as it is.
/// Throws `failure{io_failed}`.
std::filesystem::path dump_outline(std::string_view result_id,
                                   std::span<const outline_message> history,
                                   const std::optional<signal_request>& signal,
                                   const outline_options& options = {});

/// JSON without white space, as `json_writer` makes it, on indented lines.
std::string indented_json(std::string_view json);

} // namespace backtest
