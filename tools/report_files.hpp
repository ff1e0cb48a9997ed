#pragma once

#include "runtime/runtime.hpp"

#include <filesystem>
#include <vector>

namespace backtest::tools {

/// What a runtime must keep for a command whose --reports names this directory; "": none is written.
report_set reports_kept_for(const std::filesystem::path& directory);

/// Writes every markdown report of these runs, each kind into its own folder of `directory`. Throws
/// `failure{io_failed}`.
void write_reports(runtime& target, const std::vector<shared_identity>& runs,
                   const std::filesystem::path& directory);

} // namespace backtest::tools
