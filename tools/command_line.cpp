#include "tools/command_line.hpp"

#include "runtime/spdlog_logger.hpp"
#include "runtime/terminal_text.hpp"
#include "tools/output_file.hpp"

#include <cstdio>
#include <cstdlib>
#include <memory>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

namespace backtest::tools {

namespace {

log_level level_named(const std::string& name) noexcept {
  for (const auto level : {log_level::debug, log_level::info, log_level::warn})
    if (name == to_string(level))
      return level;
  return log_level::error;
}

/// Leaves out how runs failed: the command tells that itself, once they are over.
class command_logger final : public logger {
public:
  explicit command_logger(shared_logger out) : out_(std::move(out)) {}

  bool enabled(log_level level) const noexcept override { return out_->enabled(level); }
  void write(log_level level, std::string_view topic, std::string_view payload,
             const log_context& context) override {
    if (level != log_level::error || !context.run)
      out_->write(level, topic, payload, context);
  }

private:
  shared_logger out_;
};

} // namespace

int exit_code_of(error_code code) noexcept {
  switch (code) {
  case error_code::not_found:
  case error_code::already_exists:
  case error_code::invalid_argument:
  case error_code::invalid_configuration:
  case error_code::plugin_failed: return exit_usage;
  default: return exit_failed;
  }
}

CLI::App& add_command(CLI::App& parent, const std::string& name, const std::string& what,
                      const std::string& examples, common_options& common) {
  CLI::App& command = *parent.add_subcommand(name, what);
  command.footer("Examples:\n" + examples);
  command.set_version_flag("--version", "backtest " BACKTEST_VERSION, "Print the version and exit");
  command.add_flag("-q,--quiet", common.quiet, "No progress bar and no notes on stderr");
  command.add_flag("--no-color", common.no_color, "No colours (also: NO_COLOR in the environment)");
  command.add_option("--log-level", common.log_level, "Least severe log lines shown on stderr")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}))
      ->capture_default_str();
  return command;
}

shared_logger make_logger(const common_options& common) {
  return std::make_shared<command_logger>(
      make_spdlog_logger(level_named(common.log_level), wants_colour(common, STDERR_FILENO)));
}

bool wants_colour(const common_options& common, int descriptor) {
  const char* refusal = std::getenv("NO_COLOR");
  return !common.no_color && (refusal == nullptr || *refusal == '\0') && ::isatty(descriptor) == 1;
}

instant time_of(std::string_view flag, const std::string& text) {
  if (const auto when = parse_iso(text))
    return *when;
  throw failure(error_code::invalid_argument,
                fmt::format("{}: expected a UTC time as in 2024-01-31 or 2024-01-31T23:59:00Z, got "
                            "\"{}\"",
                            flag, text));
}

std::string comma_list(const std::vector<std::string>& names) {
  return names.empty() ? std::string{"none"} : fmt::format("{}", fmt::join(names, ", "));
}

void print_note(std::string_view text) noexcept {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

void print_problem(std::string_view message) {
  print_note(fmt::format("backtest: {}\n", printable_lines(std::string{message})));
}

void attempts::make(const std::function<void()>& work) {
  try {
    work();
  } catch (const std::exception& problem) {
    if (told_.insert(problem.what()).second)
      print_problem(problem.what());
  }
}

void print_result(std::string_view text) {
  output_file out{"-"};
  out.write(text);
  out.close();
}

} // namespace backtest::tools
