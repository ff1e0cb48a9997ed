#pragma once

#include "messages/signal.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace backtest {

enum class log_level : std::uint8_t { debug, info, warn, error };

std::string_view to_string(log_level level) noexcept;

/// The run a line belongs to; empty fields are left out when printed.
struct log_context {
  shared_identity run;         ///< null outside a run
  std::optional<instant> when; ///< the instant, inside a run
};

/// Where the library's own lines go. Implementations are called from any thread and must not block
/// for long; whatever they throw is swallowed.
class logger {
public:
  virtual ~logger() = default;
  virtual bool enabled(log_level level) const noexcept = 0;
  virtual void write(log_level level, std::string_view topic, std::string_view payload,
                     const log_context& context) = 0;
};

using shared_logger = std::shared_ptr<logger>;

/// `topic payload strategy exchange frame symbol time mode`, without absent parts; no word twice.
std::string format_log_line(std::string_view topic, std::string_view payload,
                            const log_context& context);

} // namespace backtest
