#include "actors/sizing/run_sizer.hpp"
#include "runtime/wall_clock.hpp"
#include "tools/candle_access.hpp"
#include "tools/commands.hpp"
#include "tools/coverage.hpp"
#include "tools/selection.hpp"

#include <algorithm>
#include <memory>
#include <optional>

#include <fmt/format.h>

namespace backtest::tools {

namespace {

struct check_options {
  common_options common;
  configuration_options configuration;
};

/// Oldest candle any strategy of the runtime asks for at the frame's first instant.
instant warm_up_of(const opened_configuration& opened, const frame_schema& frame,
                   const std::string& symbol) {
  const auto count = opened.file.parameters.avg_price_candles_count;
  auto sizings = opened.target->list_sizings();
  for (auto& sizing : sizings) // their callbacks are for runs
    sizing.callbacks = {};
  run_sizer sizer{std::make_shared<const std::vector<sizing_schema>>(std::move(sizings))};
  instant oldest = frame.start - count * minute_ms;
  for (const auto& strategy : opened.target->list_strategies())
    oldest = std::min(oldest, warm_up_start(strategy, symbol, frame.start, count, sizer));
  return oldest;
}

std::string describe(const opened_configuration& opened, const frame_schema& frame,
                     const candle_series& minutes) {
  const instant oldest = warm_up_of(opened, frame, minutes.symbol);
  const auto last = timeline_of(frame).last;
  const auto in_frame = coverage_of(minutes, frame.start, last);
  const auto before = coverage_of(minutes, oldest, frame.start);
  auto text = fmt::format("  frame {}, {}: {}; warm-up from {}: {}", frame.frame_name,
                          minutes.symbol, to_text(in_frame), to_iso(oldest), to_text(before));
  if (in_frame.misses_an_end() || before.misses_an_end())
    text += fmt::format("; {}", text_of_range(minutes));
  if (frame.start > wall_clock())
    text += "; the frame lies wholly in the future";
  return text + '\n';
}

/// What the frame needs of a market without beginning and end.
candle_series candles_for(const opened_configuration& opened, const exchange_schema& exchange,
                          const std::string& symbol, const frame_schema& frame) {
  return candles_of(exchange, symbol, warm_up_of(opened, frame, symbol), timeline_of(frame).last,
                    opened.file.parameters);
}

std::string describe_symbol(const opened_configuration& opened, const exchange_schema& exchange,
                            const std::string& symbol) {
  const auto frames = opened.target->list_frames();
  const auto whole =
      exchange.source->loads_everything()
          ? std::optional{candles_of(exchange, symbol, {}, {}, opened.file.parameters)}
          : std::nullopt;
  std::string text;
  for (const auto& frame : frames)
    text += describe(opened, frame, whole ? *whole : candles_for(opened, exchange, symbol, frame));
  if (frames.empty())
    text = fmt::format("  {}: there is no frame to compare with{}\n", symbol,
                       whole ? "; " + text_of_range(*whole) : "");
  return text;
}

/// False when a symbol's candles cannot be read.
bool check_exchange(const opened_configuration& opened, const exchange_schema& exchange) {
  std::string text = fmt::format("exchange {}\n", exchange.exchange_name);
  if (!exchange.source) {
    print_result(text + "  its candles are fetched when a run asks for them: not checked\n");
    return true;
  }
  bool readable = true;
  for (const auto& symbol : exchange.source->symbols()) {
    try {
      text += describe_symbol(opened, exchange, symbol);
    } catch (const std::exception& problem) {
      print_problem(
          fmt::format("exchange {}, {}: {}", exchange.exchange_name, symbol, problem.what()));
      readable = false;
    }
  }
  print_result(text);
  return readable;
}

template <class Schema>
void require_named(const std::string& path, std::string_view kind, const std::string& name,
                   const std::vector<Schema>& schemas, std::string Schema::*member) {
  std::vector<std::string> known;
  for (const auto& schema : schemas)
    known.push_back(schema.*member);
  if (std::find(known.begin(), known.end(), name) == known.end())
    throw failure(error_code::not_found, fmt::format("{}: {} \"{}\" not found, expected one of: {}",
                                                     path, kind, name, comma_list(known)));
}

/// Walkers may name what plugins bring, so their names are known only now.
void require_walker_names(const opened_configuration& opened, const std::string& file) {
  const auto& target = *opened.target;
  for (std::size_t i = 0; i < opened.file.schemas.walkers.size(); ++i) {
    const auto& walker = opened.file.schemas.walkers[i];
    const auto path = fmt::format("{}: walkers[{}]", file, i);
    require_named(path + ".exchange", "exchange", walker.exchange_name, target.list_exchanges(),
                  &exchange_schema::exchange_name);
    require_named(path + ".frame", "frame", walker.frame_name, target.list_frames(),
                  &frame_schema::frame_name);
    for (std::size_t at = 0; at < walker.strategies.size(); ++at)
      require_named(fmt::format("{}.strategies[{}]", path, at), "strategy", walker.strategies[at],
                    target.list_strategies(), &strategy_schema::strategy_name);
  }
}

int check(const check_options& options) {
  const auto opened =
      open_configuration(options.configuration, options_of(options.common));
  require_walker_names(opened, options.configuration.config.string());
  print_result(fmt::format("{}: valid\n", options.configuration.config.string()));
  bool readable = true;
  for (const auto& exchange : opened.target->list_exchanges())
    readable = check_exchange(opened, exchange) && readable;
  return readable ? exit_done : exit_failed;
}

} // namespace

void add_check_command(CLI::App& program, action& chosen) {
  const auto options = std::make_shared<check_options>();
  auto& command =
      add_command(program, "check", "Validate a configuration; do its candles cover the frames?",
                  "  backtest check --config config.json\n"
                  "  backtest check --config config.json --plugin ./my_strategy.so",
                  options->common);
  add_configuration_options(command, options->configuration);
  perform_when_chosen(command, chosen, options, &check);
}

} // namespace backtest::tools
