#include "runtime/outline_dump.hpp"

#include "messages/error.hpp"
#include "messages/json_text.hpp"
#include "runtime/column.hpp"
#include "runtime/report_text.hpp"
#include "runtime/text_file.hpp"

#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace backtest {

namespace {

namespace fs = std::filesystem;

struct outline_file {
  std::string name;
  std::string text;
};

[[noreturn]] void fail(const fs::path& target, const std::error_code& cause) {
  throw failure(error_code::io_failed,
                fmt::format("cannot write {}: {}", target.string(), cause.message()));
}

std::string head(std::string_view title, std::string_view result_id) {
  return fmt::format("# {}\n\n{}", title, labelled_line("Result ID", single_line(result_id)));
}

/// A fence longer than any run of back ticks inside cannot be closed from there.
std::string fenced(std::string_view language, std::string_view text) {
  std::string fence = "```";
  while (text.find(fence) != std::string_view::npos)
    fence += '`';
  return fmt::format("{}{}\n{}\n{}\n", fence, language, text, fence);
}

std::string signal_block(const std::optional<signal_request>& signal) {
  return signal ? fenced("json", indented_json(to_json_text(*signal))) : "";
}

std::string system_file(std::string_view result_id, std::span<const outline_message> history,
                        const std::optional<signal_request>& signal) {
  std::string messages;
  int number = 0;
  for (const auto& message : history)
    if (message.role == message_role::system)
      messages += fmt::format("\n### System Message {}\n\n{}\n", ++number, message.content);
  return join_blocks({head("Outline Result Summary", result_id), signal ? "## Output Data\n" : "",
                      signal_block(signal)}) +
         (messages.empty() ? "" : "\n## System Messages\n" + messages);
}

std::string message_file(std::string_view result_id, const outline_message& message, int number) {
  const std::string_view title = message.role == message_role::user ? "User" : "Assistant";
  return join_blocks(
      {head(fmt::format("{} Message {}", title, number), result_id), message.content + '\n'});
}

std::vector<outline_file> files_of(std::string_view result_id,
                                   std::span<const outline_message> history,
                                   const std::optional<signal_request>& signal) {
  std::vector<outline_file> files{{"00_system_prompt.md", system_file(result_id, history, signal)}};
  int number = 0;
  for (const auto& message : history) {
    if (message.role == message_role::system)
      continue;
    ++number;
    files.push_back({fmt::format("{:02}_{}_message.md", number, to_string(message.role)),
                     message_file(result_id, message, number)});
  }
  files.push_back({fmt::format("{:02}_llm_output.md", number + 1),
                   join_blocks({head("Full Outline Result", result_id),
                                signal ? signal_block(signal) : "No signal.\n"})});
  return files;
}

void warn_of_size(const outline_message& message, std::string_view result_id,
                  const outline_options& options) {
  const std::size_t kib = message.content.size() / 1024;
  if (options.log && kib > options.warn_above_kib && options.log->enabled(log_level::warn))
    options.log->write(log_level::warn, "dump_outline",
                       fmt::format("result {}: {} message of {} KiB, more than {}", result_id,
                                   to_string(message.role), kib, options.warn_above_kib),
                       {});
}

/// A directory beside the target that did not exist before.
fs::path create_temporary(const fs::path& target) {
  std::error_code cause;
  if (target.has_parent_path())
    fs::create_directories(target.parent_path(), cause);
  for (int i = 0; !cause && i < 1000; ++i) {
    fs::path temporary = target;
    temporary += fmt::format(".tmp{}", i);
    if (fs::create_directory(temporary, cause))
      return temporary;
  }
  fail(target, cause ? cause : std::make_error_code(std::errc::file_exists));
}

} // namespace

std::string_view to_string(message_role role) noexcept {
  switch (role) {
  case message_role::system: return "system";
  case message_role::user: return "user";
  case message_role::assistant: return "assistant";
  }
  return "";
}

std::string indented_json(std::string_view json) {
  std::string text;
  std::size_t depth = 0;
  bool is_inside_string = false;
  const auto break_line = [&] { text += '\n' + std::string(2 * depth, ' '); };
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (is_inside_string) {
      text += c;
      if (c == '\\' && i + 1 < json.size())
        text += json[++i];
      is_inside_string = c != '"';
      continue;
    }
    const char next = i + 1 < json.size() ? json[i + 1] : '\0';
    if ((c == '}' || c == ']') && depth > 0) {
      --depth;
      break_line();
    }
    text += c;
    is_inside_string = c == '"';
    if ((c == '{' && next == '}') || (c == '[' && next == ']')) {
      text += next;
      ++i;
    } else if (c == '{' || c == '[') {
      ++depth;
      break_line();
    } else if (c == ',') {
      break_line();
    } else if (c == ':') {
      text += ' ';
    }
  }
  return text;
}

fs::path dump_outline(std::string_view result_id, std::span<const outline_message> history,
                      const std::optional<signal_request>& signal, const outline_options& options) {
  fs::path target = options.directory / safe_file_name(result_id);
  std::error_code cause;
  if (fs::exists(target, cause))
    return target;
  for (const auto& message : history)
    warn_of_size(message, result_id, options);

  const fs::path temporary = create_temporary(target);
  try {
    for (const auto& [name, text] : files_of(result_id, history, signal))
      write_text_file(temporary, name, text);
    fs::rename(temporary, target, cause);
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(temporary, ignored);
    throw;
  }
  if (!cause)
    return target;
  std::error_code ignored;
  fs::remove_all(temporary, ignored);
  if (!fs::exists(target, ignored)) // else somebody was quicker
    fail(target, cause);
  return target;
}

} // namespace backtest
