#include "tools/report_files.hpp"

#include <set>
#include <utility>

namespace backtest::tools {

report_set reports_kept_for(const std::filesystem::path& directory) {
  return directory.empty() ? runtime_options{}.reports : report_set::all();
}

void write_reports(runtime& target, const std::vector<shared_identity>& runs,
                   const std::filesystem::path& directory) {
  std::set<std::pair<std::string, run_mode>> strategies;
  for (const auto& run : runs) {
    const auto& [symbol, strategy] = std::tie(run->symbol, run->strategy_name);
    const auto mode = run->mode;
    if (mode == run_mode::live)
      target.live().dump(symbol, strategy, directory);
    else
      target.backtest().dump(symbol, strategy, directory);
    target.schedule().dump(symbol, strategy, mode, directory);
    target.performance().dump(symbol, strategy, mode, directory);
    target.partial().dump(symbol, strategy, mode, directory);
    target.risk().dump(symbol, strategy, mode, directory);
    strategies.emplace(strategy, mode);
  }
  for (const auto& [strategy, mode] : strategies)
    target.heat().dump(strategy, mode, directory);
}

} // namespace backtest::tools
