#pragma once

#include "runtime/runtime.hpp"
#include "tools/command_line.hpp"
#include "tools/distinct_files.hpp"
#include "tools/event_writer.hpp"

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace backtest::tools {

/// Where results go, beside the table.
struct output_options {
  std::string events;
  std::vector<std::string> topics;
  bool ticks = false;
  bool json = false;
  std::string trades;
  std::filesystem::path reports;
  std::filesystem::path html;

  /// A file goes to stdout; what would be printed there goes to stderr.
  bool stdout_is_taken() const noexcept { return events == "-" || trades == "-" || html == "-"; }

  /// Those that were asked for, but for the reports.
  std::vector<named_file> files() const;

  /// Makes the directories of the page and the reports, so that a long run does not end with files
  /// that cannot be written. Throws `failure{io_failed}`.
  void make_directories() const;
};

/// Adds the flags for all of them but `reports`.
void add_output_options(CLI::App& command, output_options& options);

void add_threads_option(CLI::App& command, std::size_t& threads);

/// Prints what a run came to where it belongs. Throws `failure{io_failed}`.
void print_summary(const output_options& outputs, const std::string& text);

/// Threads of the scheduler for --threads K; 0 (not given): as many as the machine has.
std::size_t thread_count(std::size_t given);

void add_lockstep_option(CLI::App& command, bool& lockstep);
/// The same for a run that may be in lockstep, which takes one thread; throws
/// `failure{invalid_argument}` when more were asked for.
std::size_t thread_count(std::size_t given, bool lockstep);

/// Says on stderr which runs failed, and why.
void print_failed_runs(const std::vector<run_summary>& runs);

/// Starts a run and tells about it as `run_portfolio` does.
int run_session(runtime& target, const run_header& header, const output_options& outputs,
                const common_options& common, std::size_t threads,
                const std::function<run_handle()>& begin);

/// Runs a portfolio and tells about it in every way asked for; the exit code. Ctrl-C stops it.
/// Throws `failure` before anything runs; later problems are printed.
int run_portfolio(runtime& target, const run_header& header, const output_options& outputs,
                  const common_options& common, std::size_t threads);

} // namespace backtest::tools
