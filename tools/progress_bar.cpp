#include "tools/progress_bar.hpp"

#include "tools/command_line.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace backtest::tools {

namespace {

constexpr auto between_drawings = std::chrono::milliseconds{100};
constexpr std::int64_t width = 30;
constexpr std::string_view line_start = "\r\x1b[K";

std::string rate_text(double per_second) {
  if (per_second >= 1e6)
    return fmt::format("{:.1f} M", per_second / 1e6);
  if (per_second >= 1e3)
    return fmt::format("{:.0f} k", per_second / 1e3);
  return fmt::format("{:.0f}", per_second);
}

} // namespace

std::string progress_text(std::int64_t processed, std::int64_t total, double seconds) {
  const auto done = std::clamp<std::int64_t>(processed, 0, total);
  const auto filled = static_cast<std::size_t>(total > 0 ? done * width / total : 0);
  auto text = fmt::format("[{}{}] {:3} %", std::string(filled, '#'),
                          std::string(static_cast<std::size_t>(width) - filled, '-'),
                          total > 0 ? done * 100 / total : 0);
  if (seconds <= 0 || done == 0)
    return text;
  const double rate = static_cast<double>(done) / seconds;
  return text + fmt::format("  {} instants/s  ETA {:.0f} s", rate_text(rate),
                            static_cast<double>(total - done) / rate);
}

void progress_bar::hear(const progress_backtest& progress) {
  auto& known = processed_[{progress.run->strategy_name, progress.run->symbol}];
  sum_ += progress.processed_frames - known;
  known = progress.processed_frames;
  const auto now = clock::now();
  if (now - drawn_ < between_drawings)
    return;
  drawn_ = now;
  // Every run of a portfolio has the same frame.
  print_note(
      fmt::format("{}{}", line_start,
                  progress_text(sum_, progress.total_frames * static_cast<std::int64_t>(runs_),
                                std::chrono::duration<double>(now - start_).count())));
}

void progress_bar::clear() {
  if (drawn_ == clock::time_point{})
    return;
  print_note(line_start);
}

} // namespace backtest::tools
