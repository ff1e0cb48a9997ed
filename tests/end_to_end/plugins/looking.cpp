// A plugin whose strategies read on behind what they are given, and write what they find there into
// the file that BACKTEST_LOOKING_FILE names, a line a question.
#include "runtime/plugin.hpp"

#include <array>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>
#include <mutex>
#include <span>
#include <stdexcept>

namespace {

using namespace backtest;

constexpr std::array every_interval{interval::m1,  interval::m3, interval::m5,  interval::m15,
                                    interval::m30, interval::h1, interval::h2,  interval::h4,
                                    interval::h6,  interval::h8, interval::h12, interval::d1};

constexpr std::size_t further_behind = 1000;

bool is_unknown(const candle& read) {
  return read.open_time < 0 && std::isnan(read.open) && std::isnan(read.high) &&
         std::isnan(read.low) && std::isnan(read.close) && std::isnan(read.volume);
}

const char* found_behind(std::span<const candle> given, interval size, instant when) {
  if (given.back().open_time != align_down(when, length_of(size)) - length_of(size))
    return "not the newest closed candle";
  for (std::size_t further = 0; further < further_behind; ++further)
    if (!is_unknown(given.data()[given.size() + further]))
      return "a candle behind the newest one";
  return "nothing behind the newest one";
}

/// Runs ask at the same time.
void write_line(const std::string& line) {
  static std::mutex mutex;
  const std::lock_guard lock{mutex};
  const char* const file = std::getenv("BACKTEST_LOOKING_FILE");
  if (file == nullptr)
    throw std::runtime_error("BACKTEST_LOOKING_FILE is not set, expected the name of a file");
  std::ofstream{file, std::ios::app} << line << '\n';
}

std::optional<signal_request> look(const run_context& context) {
  std::map<std::string, int> found;
  for (const auto size : every_interval)
    for (const auto* const symbol : {"AAAUSDT", "BBBUSDT"}) {
      ++found[found_behind(context.candles(symbol, size, 1), size, context.when())];
      ++found[found_behind(context.candles_present(symbol, size, 30), size, context.when())];
    }
  auto line = context.strategy_name() + " " + context.symbol() + " " + to_iso(context.when());
  for (const auto& [what, count] : found)
    line += ", " + std::to_string(count) + " times " + what;
  write_line(line);
  return std::nullopt;
}

strategy_schema looking(const char* name, bool blocking) {
  strategy_schema schema;
  schema.strategy_name = name;
  schema.size = interval::m15;
  schema.get_signal = &look;
  schema.blocking = blocking;
  return schema;
}

} // namespace

std::uint32_t backtest_plugin_abi() { return plugin_abi_version; }

void backtest_plugin_register(runtime& target) {
  target.add_strategy(looking("looking", false));
  target.add_strategy(looking("looking_blocking", true));
}
