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
#include <optional>

#include <fmt/format.h>

namespace backtest::tools {

namespace {

struct candle_options {
  common_options common;
  configuration_options configuration;
  std::vector<std::filesystem::path> files;
  std::vector<std::string> symbols;
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

/// The parameters candles are checked with.
configuration limits_of(const candle_options& options) {
  const auto opened = open_if_given(options.configuration, options.common);
  return opened ? opened->file.parameters : configuration{};
}

/// To a file, or to stdout for "-".
void write_candles(const candle_series& series, const candle_options& options,
                   const configuration& limits) {
  if (options.out == "-")
    return print_result(to_csv(series));
  write_candle_csv(series, options.out);
  if (!options.common.quiet)
    print_result(to_text(report_candles(series, limits)));
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
  const auto limits = limits_of(options);
  const auto series = read_candle_csv(options.files, options.symbol, limits);
  if (keeps) {
    rocksdb_options of_store;
    of_store.reserve_bytes = limits.store_reserve_bytes;
    const auto target = open_rocksdb_store(options.data_directory, of_store);
    backtest::import_candles(*target, {options.exchange, options.symbol, interval::m1},
                             series.candles, wall_clock());
    if (options.out != "-" && !options.common.quiet)
      print_result(fmt::format("{}: {} candles of {} kept for exchange {}\n",
                               options.data_directory.string(), series.candles.size(),
                               options.symbol, options.exchange));
  }
  if (!options.out.empty())
    write_candles(series, options, limits);
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
  write_candles(series, options, opened.file.parameters);
  return exit_done;
}

int synthesise_candles(const candle_options& options) {
  const auto since = time_of("--from", options.from);
  const auto until = time_of("--to", options.to);
  require_range(since, until);
  write_candles(generate_candles(options.seed, options.symbol, options.start_price,
                                 options.volatility, since, until),
                options, limits_of(options));
  return exit_done;
}

/// Examines one file or symbol after the other; one that cannot be read does not keep the others
/// from being examined.
class candle_examination {
public:
  template <class Report>
  void examine(Report report_of) {
    std::optional<candle_report> report;
    reading_.make([&] { report = report_of(); });
    if (!report)
      return;
    print_result(to_text(*report));
    all_sound_ = all_sound_ && report->is_sound();
  }

  int status() const noexcept {
    return all_sound_ && reading_.succeeded() ? exit_done : exit_failed;
  }

private:
  attempts reading_;
  bool all_sound_ = true;
};

void examine_symbols(candle_examination& all, const exchange_schema& exchange,
                     const candle_options& options, const configuration& limits) {
  const auto since = time_or_nothing("--from", options.from);
  const auto until = time_or_nothing("--to", options.to);
  require_bounds(exchange, since, until);
  const auto* csv = dynamic_cast<const csv_source*>(exchange.source.get());
  for (const auto& symbol : chosen_symbols(exchange, options.symbols))
    all.examine([&] {
      return csv ? report_candle_csv(csv->files().at(symbol), symbol, limits)
                 : report_candles(candles_of(exchange, symbol, since, until, limits), limits);
    });
}

int check_candles_of(const candle_options& options) {
  if (options.files.empty() && options.configuration.config.empty())
    throw failure(error_code::invalid_argument,
                  "candles check: expected candle files, or --config, or both");
  if (!options.files.empty() && !options.symbols.empty())
    throw failure(error_code::invalid_argument,
                  "candles check: --symbol chooses from the exchange of --config, not from files");
  const auto opened = open_if_given(options.configuration, options.common);
  const auto limits = opened ? opened->file.parameters : configuration{};
  candle_examination all;
  for (const auto& file : options.files)
    all.examine([&] { return report_candle_csv(file, limits); });
  if (options.files.empty())
    examine_symbols(all, chosen_exchange(*opened, options.exchange), options, limits);
  return all.status();
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

/// For the limits that candles are checked with.
void add_limits(CLI::App& command, candle_options& options) {
  add_optional_configuration(command, options.configuration,
                             "Configuration file: its \"config\" section has the limits of the "
                             "checks");
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
      "  backtest candles import old.csv --symbol OLDUSDT -o old.csv.gz --config limits.json\n"
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
  add_limits(import, *options);

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
                    "  backtest candles check --config config.json\n"
                    "  backtest candles check --config config.json btc-1m.csv\n"
                    "With --config the limits of its \"config\" section hold, for the files given, "
                    "else for those\n"
                    "of its exchange. What cannot be read is told, and the others are examined.",
                    options, chosen, &check_candles_of);
  check.add_option("files", options->files, "Candle files")->type_name("FILE");
  add_optional_configuration(check, options->configuration, "Configuration file (JSON)");
  check
      .add_option("--symbol", options->symbols, "Symbol of the exchange (repeatable; default: all)")
      ->type_name("NAME")
      ->allow_extra_args(false);
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
  add_limits(synth, *options);
}

} // namespace backtest::tools
