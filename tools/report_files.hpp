#pragma once

#include "runtime/runtime.hpp"

#include <filesystem>
#include <vector>

namespace backtest::tools {

/// What a runtime must keep for a command whose --reports names this directory; "": none is written.
report_set reports_kept_for(const std::filesystem::path& directory);

/// Writes every markdown report of these runs: those of backtest or live into `directory`, the other
/// kinds into folders below it that bear their names. Throws `failure{io_failed}`.
void write_reports(runtime& target, const std::vector<shared_identity>& runs,
                   const std::filesystem::path& directory);

} // namespace backtest::tools
