#pragma once

#include "messages/error.hpp"
#include "messages/logger.hpp"
#include "messages/time.hpp"

#include <functional>
#include <set>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>

namespace backtest::tools {

/// What the command tells the shell.
inline constexpr int exit_done = 0;   ///< completed or stopped
inline constexpr int exit_failed = 1; ///< a run failed, or a file could not be read or written
inline constexpr int exit_usage = 2;  ///< flags, configuration, unknown names, plugins

int exit_code_of(error_code code) noexcept;

/// Flags of every command.
struct common_options {
  bool quiet = false;
  bool no_color = false;
  std::string log_level = "error";
};

/// What the parsed command line asks for; empty until a command was recognised.
using action = std::function<int()>;

/// Adds a command with the common flags and examples below its help.
CLI::App& add_command(CLI::App& parent, const std::string& name, const std::string& what,
                      const std::string& examples, common_options& common);

shared_logger make_logger(const common_options& common);

/// Whether text written to this file descriptor may be coloured: a terminal, and nobody objects.
bool wants_colour(const common_options& common, int descriptor);

/// The time given with a flag; throws `failure{invalid_argument}` naming the flag.
instant time_of(std::string_view flag, const std::string& text);

/// "a, b, c", or "none".
std::string comma_list(const std::vector<std::string>& names);

/// Text on stderr. Nothing comes of it when stderr is closed, or nobody reads it any more.
void print_note(std::string_view text) noexcept;

/// One line on stderr that says what went wrong.
void print_problem(std::string_view message);

/// Several things that do not depend on each other: one that fails is told on stderr, each reason
/// once, and the others are done all the same.
class attempts {
public:
  void make(const std::function<void()>& work);
  bool succeeded() const noexcept { return told_.empty(); }

private:
  std::set<std::string> told_;
};

/// Text on stdout; throws `failure{io_failed}` when it cannot be written.
void print_result(std::string_view text);

} // namespace backtest::tools
