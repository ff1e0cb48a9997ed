#include "actors/exchange/candle_csv.hpp"
#include "actors/exchange/candle_report.hpp"
#include "actors/exchange/candle_writer.hpp"
#include "actors/exchange/csv_source.hpp"
#include "actors/exchange/synthetic_candles.hpp"
#include "runtime/wall_clock.hpp"
#include "storage/candle_import.hpp"
#include "storage/rocksdb_store.hpp"
#include "tools/candle_access.hpp"
#include "tools/commands.hpp"
#include "tools/selection.hpp"

#include <memory>

#include <fmt/format.h>

namespace backtest::tools {

namespace {

struct candle_options {
  common_options common;
  configuration_options configuration;
  std::vector<std::filesystem::path> files;
  std::string symbol;
  std::string exchange;
  std::string from;
  std::string to;
  std::string out;
  std::filesystem::path data_directory;
  std::uint64_t seed = 1;
  double start_price = 100;
  double volatility = 0.6;
};

/// To a file, or to stdout for "-".
void write_candles(const candle_series& series, const candle_options& options) {
  if (options.out == "-")
    return print_result(to_csv(series));
  write_candle_csv(series, options.out);
  if (!options.common.quiet)
    print_result(to_text(report_candles(series, configuration{})));
}

/// [--from, --to); throws `failure` when the range is empty.
void require_range(std::optional<instant> since, std::optional<instant> until) {
  if (since && until && *since >= *until)
    throw failure(error_code::invalid_argument,
                  fmt::format("--from {} must be before --to {}", to_iso(*since), to_iso(*until)));
}

int import_candles(const candle_options& options) {
  const bool keeps = !options.data_directory.empty();
  if (keeps == options.exchange.empty())
    throw failure(error_code::invalid_argument,
                  "candles import: --data-dir and --exchange go together");
  if (!keeps && options.out.empty())
    throw failure(error_code::invalid_argument,
                  "candles import: expected --out, or --data-dir with --exchange, or both");
  std::vector<named_file> read;
  for (const auto& file : matching_files(options.files))
    read.push_back({"FILE", file});
  if (!options.out.empty())
    require_distinct_files({{"--out", options.out}}, read);
  const auto series = read_candle_csv(options.files, options.symbol, configuration{});
  if (keeps) {
    const auto target = open_rocksdb_store(options.data_directory);
    backtest::import_candles(*target, {options.exchange, options.symbol, interval::m1},
                             series.candles, wall_clock());
    if (options.out != "-" && !options.common.quiet)
      print_result(fmt::format("{}: {} candles of {} kept for exchange {}\n",
                               options.data_directory.string(), series.candles.size(),
                               options.symbol, options.exchange));
  }
  if (!options.out.empty())
    write_candles(series, options);
  return exit_done;
}

int export_candles(const candle_options& options) {
  const auto since = time_or_nothing("--from", options.from);
  const auto until = time_or_nothing("--to", options.to);
  require_range(since, until);
  const auto opened = open_configuration(options.configuration, options_of(options.common));
  require_distinct_files({{"--out", options.out}}, files_read(options.configuration, opened));
  const auto exchange = chosen_exchange(opened, options.exchange);
  const auto symbol = chosen_symbols(exchange, {options.symbol}).front();
  const auto series = candles_of(exchange, symbol, since, until, opened.file.parameters,
                                 options.data_directory);
  if (series.empty())
    throw failure(error_code::bad_candles,
                  fmt::format("exchange {} has no candles of {} between --from and --to",
                              exchange.exchange_name, symbol));
  write_candles(series, options);
  return exit_done;
}

int synthesise_candles(const candle_options& options) {
  const auto since = time_of("--from", options.from);
  const auto until = time_of("--to", options.to);
  require_range(since, until);
  write_candles(generate_candles(options.seed, options.symbol, options.start_price,
                                 options.volatility, since, until),
                options);
  return exit_done;
}

std::vector<candle_report> reports_of(const exchange_schema& exchange,
                                      const candle_options& options, const configuration& limits) {
  std::vector<candle_report> reports;
  const auto* csv = dynamic_cast<const csv_source*>(exchange.source.get());
  for (const auto& symbol : chosen_symbols(exchange, {}))
    reports.push_back(
        csv ? report_candle_csv(csv->files().at(symbol), symbol, limits)
            : report_candles(candles_of(exchange, symbol, time_or_nothing("--from", options.from),
                                        time_or_nothing("--to", options.to), limits),
                             limits));
  return reports;
}

int check_candles_of(const candle_options& options) {
  if (options.files.empty() == options.configuration.config.empty())
    throw failure(error_code::invalid_argument,
                  "candles check: expected either candle files or --config");
  std::vector<candle_report> reports;
  for (const auto& file : options.files)
    reports.push_back(report_candle_csv(file, configuration{}));
  if (!options.configuration.config.empty()) {
    const auto opened = open_configuration(options.configuration, options_of(options.common));
    reports =
        reports_of(chosen_exchange(opened, options.exchange), options, opened.file.parameters);
  }
  std::string text;
  int status = exit_done;
  for (const auto& report : reports) {
    text += to_text(report);
    if (!report.is_sound())
      status = exit_failed;
  }
  print_result(text);
  return status;
}

CLI::App& add(CLI::App& candles, const std::string& name, const std::string& what,
              const std::string& examples, const std::shared_ptr<candle_options>& options,
              action& chosen, int (*perform)(const candle_options&)) {
  auto& command = add_command(candles, name, what, examples, options->common);
  perform_when_chosen(command, chosen, options, perform);
  return command;
}

void add_symbol(CLI::App& command, candle_options& options) {
  command.add_option("--symbol", options.symbol, "Symbol")->required()->type_name("NAME");
}

void add_out(CLI::App& command, candle_options& options, bool required = true) {
  command
      .add_option("-o,--out", options.out,
                  "File to write, compressed when it ends with .gz; - for stdout")
      ->required(required)
      ->type_name("FILE");
}

/// Exclusive, as candles are named by when they open.
void add_range(CLI::App& command, candle_options& options, bool required) {
  command.add_option("--from", options.from, "First open time (UTC)")
      ->type_name("TIME")
      ->required(required);
  command.add_option("--to", options.to, "End, exclusive (UTC)")
      ->type_name("TIME")
      ->required(required);
}

void add_exchange(CLI::App& command, candle_options& options) {
  command.add_option("--exchange", options.exchange, "Exchange, when the file has several")
      ->type_name("NAME");
}

} // namespace

void add_candles_command(CLI::App& program, action& chosen) {
  const auto options = std::make_shared<candle_options>();
  auto& candles = add_command(program, "candles", "Bring candles in and out, check, make them",
                              "  backtest candles check btc-1m.csv.gz\n"
                              "  backtest candles import --help",
                              options->common);
  candles.require_subcommand(1);

  auto& import = add(
      candles, "import",
      "Turn CSV or kline files (gzip, zip) into canonical CSV, or keep it in a data directory",
      "  backtest candles import BTCUSDT-1m-2024-01.zip --symbol BTCUSDT -o btc.csv.gz\n"
      "  backtest candles import BTCUSDT-1m-2024-*.zip --symbol BTCUSDT --data-dir data "
      "--exchange binance\n"
      "What is kept, live runs and backtests with that --data-dir do not fetch from the exchange.",
      options, chosen, &import_candles);
  import
      .add_option("files", options->files,
                  "CSV with header, or Binance klines; plain, gzip, zip; several are joined in the "
                  "order of their candles")
      ->required()
      ->type_name("FILE");
  add_symbol(import, *options);
  add_out(import, *options, false);
  import
      .add_option("--data-dir", options->data_directory,
                  "Where live runs and backtests keep candles; no live run may be using it")
      ->type_name("DIR");
  import.add_option("--exchange", options->exchange, "Name of the exchange they are candles of")
      ->type_name("NAME");

  auto& exported =
      add(candles, "export", "Write the candles of a configured exchange as CSV",
          "  backtest candles export --config config.json --symbol BTCUSDT -o btc.csv\n"
          "  backtest candles export --config config.json --symbol BTCUSDT "
          "--from 2024-01-01 --to 2024-01-02 -o -\n"
          "  backtest candles export --config config.json --symbol BTCUSDT --data-dir data "
          "--from 2024-01-01 --to 2024-02-01 -o btc.csv.gz",
          options, chosen, &export_candles);
  add_configuration_options(exported, options->configuration);
  add_symbol(exported, *options);
  add_exchange(exported, *options);
  add_data_directory(exported, options->data_directory);
  add_range(exported, *options, false);
  add_out(exported, *options);

  auto& check = add(candles, "check", "Report gaps and anomalies; exit code 1 for bad candles",
                    "  backtest candles check btc-1m.csv eth-1m.csv.gz\n"
                    "  backtest candles check --config config.json",
                    options, chosen, &check_candles_of);
  check.add_option("files", options->files, "Candle files")->type_name("FILE");
  add_configuration_options(check, options->configuration);
  check.get_option("--config")->required(false);
  add_exchange(check, *options);
  add_range(check, *options, false);

  auto& synth = add(candles, "synth", "Make up candles from a seed; the same bytes everywhere",
                    "  backtest candles synth --symbol AAAUSDT --seed 7 --from 2024-01-01 "
                    "--to 2024-02-01 -o aaa.csv.gz",
                    options, chosen, &synthesise_candles);
  add_symbol(synth, *options);
  synth.add_option("--seed", options->seed, "Seed of the random walk, an integer >= 0")
      ->required()
      ->check(CLI::NonNegativeNumber);
  add_range(synth, *options, true);
  synth.add_option("--start-price", options->start_price, "Price at 2024-01-01")
      ->capture_default_str();
  synth.add_option("--volatility", options->volatility, "Deviation of a year's logarithmic return")
      ->capture_default_str();
  add_out(synth, *options);
}

} // namespace backtest::tools
