#pragma once

#include "tools/command_line.hpp"

namespace backtest::tools {

// Each adds one command, which puts what it would do into `chosen` when it is recognised.
void add_run_command(CLI::App& program, action& chosen);
void add_live_command(CLI::App& program, action& chosen);
void add_status_command(CLI::App& program, action& chosen);
void add_tap_command(CLI::App& program, action& chosen);
void add_control_command(CLI::App& program, action& chosen);
void add_repair_command(CLI::App& program, action& chosen);
void add_walk_command(CLI::App& program, action& chosen);
void add_parity_command(CLI::App& program, action& chosen);
void add_demo_command(CLI::App& program, action& chosen);
void add_candles_command(CLI::App& program, action& chosen);
void add_report_command(CLI::App& program, action& chosen);
void add_check_command(CLI::App& program, action& chosen);
void add_list_command(CLI::App& program, action& chosen);
void add_plugin_command(CLI::App& program, action& chosen);

/// The usual end of adding: parsing fills `options`, `perform` runs once parsing succeeded.
template <class Options>
void perform_when_chosen(CLI::App& command, action& chosen, std::shared_ptr<Options> options,
                         int (*perform)(const Options&)) {
  command.callback(
      [&chosen, options, perform] { chosen = [options, perform] { return perform(*options); }; });
}

} // namespace backtest::tools
