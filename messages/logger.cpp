#include "messages/logger.hpp"

namespace backtest {

std::string_view to_string(log_level level) noexcept {
  switch (level) {
  case log_level::debug: return "debug";
  case log_level::info: return "info";
  case log_level::warn: return "warn";
  case log_level::error: return "error";
  }
  return "info";
}

namespace {

/// Messages name what they speak of: "exchange csv: ..." needs no "exchange" in front.
bool begins_with_word(std::string_view text, std::string_view word) {
  return text.starts_with(word) && text.substr(word.size()).starts_with(' ');
}

} // namespace

std::string format_log_line(std::string_view topic, std::string_view payload,
                            const log_context& context) {
  std::string line{begins_with_word(payload, topic) ? std::string_view{} : topic};
  const auto append = [&line](std::string_view part) {
    if (!part.empty()) {
      if (!line.empty())
        line += ' ';
      line += part;
    }
  };
  append(payload);
  if (context.run) {
    append(context.run->strategy_name);
    append(context.run->exchange_name);
    append(context.run->frame_name);
    append(context.run->symbol);
  }
  if (context.when)
    append(to_iso(*context.when));
  if (context.run)
    append(to_string(context.run->mode));
  return line;
}

} // namespace backtest
