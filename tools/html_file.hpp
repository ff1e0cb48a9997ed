#pragma once

#include "actors/exchange/exchange_schema.hpp"
#include "runtime/html_report.hpp"
#include "tools/command_line.hpp"
#include "tools/event_writer.hpp"
#include "tools/summary.hpp"

#include <filesystem>

namespace backtest::tools {

/// The report of a run that begins; events are added as they come.
html_report html_report_of(const run_header& header, const configuration& parameters);

/// The figures of the run itself, which know more than the events do.
void take_statistics(html_report& report, const portfolio_outcome& outcome);

/// Candles for the price charts, where reading them needs no network: an attempt for each symbol;
/// the charts of those that cannot be read do with less.
void take_candles(html_report& report, const exchange_schema& exchange,
                  const configuration& parameters, attempts& reading);

/// To stdout for "-". Throws `failure{io_failed}`.
void write_html(const html_report& report, const std::filesystem::path& file);

} // namespace backtest::tools
