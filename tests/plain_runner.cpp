// Prints every fact of every golden case there is, and of runs on synthetic markets, worked out by
// the plain cores alone. Two builds agree when they print the same bytes.

#include "actors/exchange/synthetic_candles.hpp"
#include "messages/event_json.hpp"
#include "runtime/configuration_file.hpp"
#include "tests/support/plain_portfolio.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>

using namespace backtest;
using namespace backtest::testing;

namespace {

void print(const std::vector<event>& events) {
  std::string text;
  for (const auto& item : events) {
    append_event_line(text, std::nullopt, item.on, item);
    text += '\n';
  }
  std::fwrite(text.data(), 1, text.size(), stdout);
}

void run(const loaded_configuration& loaded, const std::vector<std::string>& symbols) {
  print(run_plain_portfolio(loaded.schemas, loaded.parameters, loaded.schemas.exchanges.front(),
                            loaded.schemas.frames.front(), symbols)
            .events);
}

constexpr const char* synthetic = R"({
  "exchanges": [{"name": "synthetic", "type": "synthetic", "seed": 7,
                 "symbols": ["BTCUSDT", "ETHUSDT"], "start_price": 40000, "volatility": 0.8}],
  "frames": [{"name": "month", "interval": "1m", "start": "2024-01-01T00:00:00Z",
              "end": "2024-01-31T00:00:00Z"}],
  "risks": [{"name": "cap", "rules": [{"type": "max_positions", "limit": 2}]}],
  "strategies": [{"name": "cross", "type": "sma_cross", "risk_name": "cap"},
                 {"name": "grid", "type": "time_grid", "risk_name": "cap"},
                 {"name": "pullback", "type": "pullback_limit"},
                 {"name": "limit", "type": "marketable_limit"}]
})";

} // namespace

int main() {
  run(parse_configuration(synthetic, ".", "synthetic", with_built_ins()), {"BTCUSDT", "ETHUSDT"});
  const std::filesystem::path golden = std::filesystem::path{BACKTEST_SHARED_DIR} / "golden";
  std::vector<std::filesystem::path> cases;
  std::error_code missing;
  for (const auto& entry : std::filesystem::directory_iterator{golden, missing})
    if (std::filesystem::exists(entry.path() / "config.json"))
      cases.push_back(entry.path());
  std::sort(cases.begin(), cases.end());
  for (const auto& golden_case : cases) {
    const auto loaded = load_configuration(golden_case / "config.json", with_built_ins());
    run(loaded, loaded.schemas.exchanges.front().source->symbols());
  }
}
