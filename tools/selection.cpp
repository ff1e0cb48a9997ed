#include "tools/selection.hpp"

#include "actors/exchange/csv_source.hpp"
#include "runtime/wall_clock.hpp"
#include "tools/command_line.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace backtest::tools {

namespace {

template <class Schema>
std::vector<std::string> names_of(const std::vector<Schema>& schemas, std::string Schema::*name) {
  std::vector<std::string> names;
  for (const auto& schema : schemas)
    names.push_back(schema.*name);
  return names;
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

void require_known(std::string_view flag, const std::string& name, std::string_view kind,
                   const std::vector<std::string>& known) {
  if (!contains(known, name))
    throw failure(error_code::not_found,
                  fmt::format("{}: there is no {} \"{}\", expected one of {}", flag, kind, name,
                              comma_list(known)));
}

/// The name given, or the only candidate: of the file, else of the plugins.
std::string the_one(std::string_view flag, std::string_view kind, const std::string& given,
                    const std::vector<std::string>& of_file,
                    const std::vector<std::string>& known) {
  if (!given.empty()) {
    require_known(flag, given, kind, known);
    return given;
  }
  const auto& candidates = of_file.empty() ? known : of_file;
  if (candidates.size() == 1)
    return candidates.front();
  throw failure(error_code::invalid_argument,
                candidates.empty()
                    ? fmt::format("the configuration has no {}", kind)
                    : fmt::format("{} is required: the configuration has more than one {}: {}",
                                  flag, kind, comma_list(candidates)));
}

void sort_and_unite(std::vector<std::string>& names) {
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
}

std::vector<std::string> chosen_strategies(const opened_configuration& opened,
                                           std::vector<std::string> names) {
  const auto known = names_of(opened.target->list_strategies(), &strategy_schema::strategy_name);
  for (const auto& name : names)
    require_known("--strategy", name, "strategy", known);
  if (names.empty())
    names = names_of(opened.file.schemas.strategies, &strategy_schema::strategy_name);
  if (names.empty())
    names = known;
  if (names.empty())
    throw failure(error_code::invalid_argument, "the configuration has no strategy");
  sort_and_unite(names);
  return names;
}

void change_bounds(const opened_configuration& opened, const std::string& frame,
                   const selection_options& options) {
  const auto from = time_or_nothing("--from", options.from);
  const auto to = time_or_nothing("--to", options.to);
  if (!from && !to)
    return;
  const auto schema = opened.target->get_frame(frame);
  const instant start = from.value_or(schema.start);
  const instant end = to.value_or(schema.end);
  const auto bound = [&](std::string_view flag, bool given) {
    return given ? std::string{flag} : fmt::format("of frame {}", frame);
  };
  if (start > end)
    throw failure(error_code::invalid_argument,
                  fmt::format("start {} ({}) is after end {} ({})", to_iso(start),
                              bound("--from", from.has_value()), to_iso(end),
                              bound("--to", to.has_value())));
  if (start % minute_ms != 0)
    throw failure(error_code::invalid_argument,
                  fmt::format("--from: expected a whole minute, got {}", to_iso(start)));
  opened.target->override_frame(frame, [&](frame_schema& changed) {
    changed.start = start;
    changed.end = end;
  });
}

} // namespace

runtime_options options_of(const common_options& common, std::size_t threads) {
  runtime_options options;
  options.threads = threads;
  options.log = make_logger(common);
  return options;
}

void add_plugin_option(CLI::App& command, std::vector<std::filesystem::path>& plugins) {
  command.add_option("--plugin", plugins, "Shared library with strategies, ... (repeatable)")
      ->type_name("FILE")
      ->allow_extra_args(false);
}

void add_configuration_options(CLI::App& command, configuration_options& options) {
  command.add_option("--config", options.config, "Configuration file (JSON)")
      ->required()
      ->type_name("FILE");
  add_plugin_option(command, options.plugins);
}

void add_optional_configuration(CLI::App& command, configuration_options& options,
                                const std::string& what_for) {
  command.add_option("--config", options.config, what_for)->type_name("FILE");
  add_plugin_option(command, options.plugins);
}

opened_configuration open_configuration(const configuration_options& options,
                                        runtime_options of_runtime) {
  opened_configuration opened;
  opened.target = std::make_unique<runtime>(std::move(of_runtime));
  for (const auto& plugin : options.plugins)
    opened.target->load_plugin(plugin);
  opened.file = load_configuration(options.config, opened.target->types());
  opened.target->set_config(opened.file.parameters);
  opened.target->add(opened.file.schemas);
  return opened;
}

std::optional<opened_configuration> open_if_given(const configuration_options& options,
                                                  const common_options& common) {
  if (!options.config.empty())
    return open_configuration(options, options_of(common));
  if (!options.plugins.empty())
    throw failure(error_code::invalid_argument, "--plugin: only with --config");
  return std::nullopt;
}

std::vector<named_file> files_read(const configuration_options& options,
                                   const opened_configuration& opened) {
  std::vector<named_file> files{{"--config", options.config}};
  for (const auto& plugin : options.plugins)
    files.push_back({"--plugin", plugin});
  for (const auto& exchange : opened.file.schemas.exchanges)
    if (const auto* csv = dynamic_cast<const csv_source*>(exchange.source.get()))
      for (const auto& [symbol, paths] : csv->files())
        for (const auto& path : paths)
          files.push_back({fmt::format("candles of {}", symbol), path});
  return files;
}

void add_run_selection_options(CLI::App& command, selection_options& options) {
  command.add_option("--symbol", options.symbols, "Symbol (repeatable; default: all)")
      ->type_name("NAME")
      ->allow_extra_args(false);
  command
      .add_option("--strategy", options.strategies,
                  "Strategy (repeatable; default: all of the file)")
      ->type_name("NAME")
      ->allow_extra_args(false);
  command.add_option("--exchange", options.exchange, "Exchange, when the file has several")
      ->type_name("NAME");
}

void add_selection_options(CLI::App& command, selection_options& options) {
  add_run_selection_options(command, options);
  command.add_option("--frame", options.frame, "Frame, when the file has several")
      ->type_name("NAME");
  command.add_option("--from", options.from, "First instant, instead of the frame's (UTC)")
      ->type_name("TIME");
  command.add_option("--to", options.to, "Last instant, instead of the frame's (UTC)")
      ->type_name("TIME");
}

exchange_schema chosen_exchange(const opened_configuration& opened, const std::string& name) {
  return opened.target->get_exchange(
      the_one("--exchange", "exchange", name,
              names_of(opened.file.schemas.exchanges, &exchange_schema::exchange_name),
              names_of(opened.target->list_exchanges(), &exchange_schema::exchange_name)));
}

std::vector<std::string> chosen_symbols(const exchange_schema& exchange,
                                        std::vector<std::string> names) {
  if (exchange.source) {
    const auto known = exchange.source->symbols();
    for (const auto& name : names)
      require_known("--symbol", name, "symbol", known);
    if (names.empty())
      names = known;
  }
  if (names.empty())
    throw failure(error_code::invalid_argument,
                  fmt::format("--symbol is required: exchange {} does not list its symbols",
                              exchange.exchange_name));
  sort_and_unite(names);
  return names;
}

backtest_request chosen_runs(const opened_configuration& opened,
                             const selection_options& options) {
  const auto exchange = chosen_exchange(opened, options.exchange);
  backtest_request request;
  request.exchange = exchange.exchange_name;
  request.symbols = chosen_symbols(exchange, options.symbols);
  request.strategies = chosen_strategies(opened, options.strategies);
  return request;
}

backtest_request chosen_request(const opened_configuration& opened,
                                const selection_options& options) {
  auto request = chosen_runs(opened, options);
  request.frame = the_one("--frame", "frame", options.frame,
                          names_of(opened.file.schemas.frames, &frame_schema::frame_name),
                          names_of(opened.target->list_frames(), &frame_schema::frame_name));
  change_bounds(opened, request.frame, options);
  return request;
}

void note_future_frame(const runtime& target, const std::string& frame,
                       const common_options& common) {
  const auto now = wall_clock();
  if (!common.quiet && target.get_frame(frame).start > now)
    print_problem(
        fmt::format("note: frame {} lies wholly in the future, it is now {}", frame, to_iso(now)));
}

std::optional<instant> time_or_nothing(std::string_view flag, const std::string& text) {
  if (text.empty())
    return std::nullopt;
  return time_of(flag, text);
}

void add_data_directory(CLI::App& command, std::filesystem::path& directory) {
  command
      .add_option(
          "--data-dir", directory,
          "Keep fetched candles here, and fetch none that are kept; may be that of a live node")
      ->type_name("DIR");
}

} // namespace backtest::tools
