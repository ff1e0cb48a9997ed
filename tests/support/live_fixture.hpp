#pragma once

#include "runtime/configuration_file.hpp"
#include "storage/journal.hpp"
#include "storage/memory_store.hpp"
#include "tests/support/faulty_store.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/runtime_fixture.hpp"
#include "tests/support/shared_store.hpp"

#include <limits>
#include <map>

namespace backtest::testing {

/// After a boundary, on the system clock: the default `settle_delay_ms`.
inline constexpr instant settled = 1500;

inline std::shared_ptr<live_clock> at_full_speed() {
  return make_replay_clock(std::numeric_limits<double>::infinity());
}

/// What a data directory is: it outlives runtimes.
class test_disk {
public:
  std::function<std::unique_ptr<store>()> opener() const {
    return [inner = inner_] { return std::make_unique<shared_store>(inner); };
  }
  /// Commits meet these fates, then they work.
  std::function<std::unique_ptr<store>()> faulty_opener(std::vector<faulty_store::fate> fates) const {
    return [inner = inner_, fates = std::move(fates)] {
      return std::make_unique<faulty_store>(
          std::make_unique<shared_store>(inner),
          [fates, next = std::size_t{0}]() mutable {
            return next < fates.size() ? fates[next++] : faulty_store::fate::works;
          });
    };
  }
  store& content() { return *inner_; }
  std::vector<std::string> journal() const {
    std::vector<std::string> lines;
    for (auto& line : read_journal(*inner_, 1))
      lines.push_back(std::move(line.text));
    return lines;
  }
  std::vector<store_entry> state() const { return inner_->scan(store_space::state, ""); }

private:
  std::shared_ptr<store> inner_{make_memory_store()};
};

inline runtime_options on(const test_disk& disk, std::size_t threads = 2) {
  auto options = quiet(threads);
  options.open_store = disk.opener();
  return options;
}

/// Five synthetic symbols, three strategies and a shared cap of three positions over some days.
inline std::string five_symbols(int days = 2) {
  const auto end = to_iso(first_instant + days * day_ms - minute_ms);
  return R"({
  "exchanges": [ { "name": "made_up", "type": "synthetic", "seed": 11, "start_price": 40000,
                   "volatility": 1.2,
                   "symbols": ["AAAUSDT", "BBBUSDT", "CCCUSDT", "DDDUSDT", "EEEUSDT"] } ],
  "frames": [ { "name": "days", "interval": "1m", "start": "2024-01-01T00:00:00Z",
                "end": ")" + end + R"(" } ],
  "risks": [ { "name": "cap", "rules": [ { "type": "max_positions", "limit": 3 } ] } ],
  "strategies": [
    { "name": "cross", "type": "sma_cross", "interval": "5m", "risk_name": "cap" },
    { "name": "grid", "type": "time_grid", "risk_name": "cap" },
    { "name": "pullback", "type": "pullback_limit", "risk_name": "cap",
      "params": { "threshold": 0.0015, "offset": 0.001 } } ]
})";
}

inline void add_five_symbols(runtime& target, int days = 2) {
  auto loaded = parse_configuration(five_symbols(days), ".", "five_symbols", target.types());
  target.set_config(loaded.parameters);
  target.add(std::move(loaded.schemas));
}

inline live_request five_symbols_live() {
  live_request request;
  request.symbols = {"AAAUSDT", "BBBUSDT", "CCCUSDT", "DDDUSDT", "EEEUSDT"};
  request.strategies = {"cross", "grid", "pullback"};
  request.exchange = "made_up";
  request.frame = "days";
  request.clock = at_full_speed();
  return request;
}

/// "buyer" on BTC over the wave exchange, on the clock given.
inline live_request one_buyer(std::shared_ptr<live_clock> clock) {
  live_request request;
  request.symbols = {"BTC"};
  request.strategies = {"buyer"};
  request.exchange = "exchange";
  if (clock->is_replay())
    request.frame = "frame";
  request.clock = std::move(clock);
  return request;
}

/// The journal of an undisturbed run of the five symbols.
inline const std::vector<std::string>& undisturbed_journal(int days = 2) {
  static std::map<int, std::vector<std::string>> known;
  auto& lines = known[days];
  if (lines.empty()) {
    const test_disk disk;
    runtime target{on(disk)};
    add_five_symbols(target, days);
    target.live().background(five_symbols_live()).wait();
    lines = disk.journal();
  }
  return lines;
}

} // namespace backtest::testing
