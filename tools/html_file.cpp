#include "tools/html_file.hpp"

#include "runtime/event_file.hpp"
#include "runtime/html_report_text.hpp"
#include "runtime/text_file.hpp"
#include "tools/candle_access.hpp"

#include <algorithm>
#include <set>

namespace backtest::tools {

html_report html_report_of(const run_header& header, const configuration& parameters) {
  html_report report;
  report.facts = {BACKTEST_VERSION,
                  header.command,
                  header.request.symbols,
                  header.request.strategies,
                  header.request.frame,
                  header.request.exchange,
                  header.from,
                  header.to,
                  html::indented_json(header.configuration)};
  report.step = step_of(header.configuration, header.request.frame);
  report.mode = header.mode;
  report.gates = gates_of(parameters);
  for (const auto& symbol : header.request.symbols)
    for (const auto& strategy : header.request.strategies)
      report.runs[{symbol, strategy}];
  return report;
}

void take_statistics(html_report& report, const portfolio_outcome& outcome) {
  for (const auto& [summary, statistics] : outcome.runs)
    report.runs[{summary.identity->symbol, summary.identity->strategy_name}].statistics =
        statistics;
  report.portfolio = outcome.portfolio;
}

void take_candles(html_report& report, const exchange_schema& exchange,
                  const configuration& parameters, attempts& reading) {
  if (!exchange.source || !report.first_instant)
    return;
  const auto known = exchange.source->symbols();
  std::set<std::string> symbols;
  for (const auto& [key, run] : report.runs)
    if (run.outcome != run_outcome::failed && // it may be these candles it failed for
        std::find(known.begin(), known.end(), key.first) != known.end())
      symbols.insert(key.first);
  for (const auto& symbol : symbols)
    reading.make([&] {
      report.candles[symbol] = std::make_shared<const candle_series>(candles_of(
          exchange, symbol, *report.first_instant - minute_ms, *report.last_instant, parameters));
    });
}

void write_html(const html_report& report, const std::filesystem::path& file) {
  if (file == "-")
    print_result(html_page(report));
  else
    write_text_file(file, html_page(report));
}

} // namespace backtest::tools
