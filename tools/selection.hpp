#pragma once

#include "runtime/configuration_file.hpp"
#include "runtime/runtime.hpp"
#include "tools/command_line.hpp"
#include "tools/distinct_files.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace backtest::tools {

/// A runtime for a command: so many threads, and the logger its flags ask for.
runtime_options options_of(const common_options& common, std::size_t threads = 1);

/// Where schemas come from.
struct configuration_options {
  std::filesystem::path config;
  std::vector<std::filesystem::path> plugins;
};

/// Adds --config (required) and --plugin.
void add_configuration_options(CLI::App& command, configuration_options& options);
void add_plugin_option(CLI::App& command, std::vector<std::filesystem::path>& plugins);
/// The same for a command that also does without; `what_for` is what --config's help says.
void add_optional_configuration(CLI::App& command, configuration_options& options,
                                const std::string& what_for);

/// A runtime that knows what plugins and a configuration file brought.
struct opened_configuration {
  std::unique_ptr<runtime> target;
  loaded_configuration file;
};

/// Plugins first, so that the file may name their types. Throws `failure`: `plugin_failed`, and
/// what `load_configuration` throws.
opened_configuration open_configuration(const configuration_options& options,
                                        runtime_options of_runtime);

/// Nothing without --config. Throws what `open_configuration` throws, and
/// `failure{invalid_argument}` for plugins without it.
std::optional<opened_configuration> open_if_given(const configuration_options& options,
                                                  const common_options& common);

/// The configuration, the plugins, and the candle files it names.
std::vector<named_file> files_read(const configuration_options& options,
                                   const opened_configuration& opened);

/// Which part of it to run; empty: everything, or the only one there is.
struct selection_options {
  std::vector<std::string> symbols;
  std::vector<std::string> strategies;
  std::string exchange;
  std::string frame;
  std::string from; ///< ISO 8601
  std::string to;
};

void add_selection_options(CLI::App& command, selection_options& options);

/// The exchange asked for, or the only one of the file. Throws `failure`: `not_found`, or
/// `invalid_argument` when the flag is needed; both name what is known.
exchange_schema chosen_exchange(const opened_configuration& opened, const std::string& name);

/// The symbols of `exchange` asked for, or all; sorted, each once. Throws like chosen_exchange.
std::vector<std::string> chosen_symbols(const exchange_schema& exchange,
                                        std::vector<std::string> names);

/// Adds the flags but for frame and bounds.
void add_run_selection_options(CLI::App& command, selection_options& options);

/// Resolves all names but the frame's.
backtest_request chosen_runs(const opened_configuration& opened, const selection_options& options);

/// Resolves all names; --from and --to change the chosen frame in `opened.target`.
backtest_request chosen_request(const opened_configuration& opened,
                                const selection_options& options);

/// Says on stderr, unless --quiet, that a frame lies wholly in the future.
void note_future_frame(const runtime& target, const std::string& frame,
                       const common_options& common);

/// The times given with --from and --to.
std::optional<instant> time_or_nothing(std::string_view flag, const std::string& text);

/// --data-dir of a command that works on candles.
void add_data_directory(CLI::App& command, std::filesystem::path& directory);

} // namespace backtest::tools
