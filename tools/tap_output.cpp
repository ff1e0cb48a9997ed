#include "tools/tap_output.hpp"

#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <utility>

namespace backtest::tools {

tap_output::tap_output(const std::string& cursor, std::stop_token stop) : stop_(std::move(stop)) {
  if (!cursor.empty())
    cursor_.emplace(cursor);
}

std::optional<std::int64_t> tap_output::first(std::optional<std::int64_t> from) const {
  return cursor_ && cursor_->next() ? cursor_->next() : from;
}

void tap_output::print(const journal_piece& piece) {
  for (const auto& line : piece.lines) {
    out_.buffer() += line.text;
    out_.buffer() += '\n';
  }
  out_.flush();
  if (out_.problem() == EPIPE)
    return; // `is_done` tells
  if (out_.problem() != 0)
    out_.close(); // throws
  if (cursor_)
    cursor_->save(piece.next);
}

bool tap_output::is_done() { return stop_.stop_requested() || out_.has_no_reader(); }

void tap_output::wait_for(std::chrono::milliseconds time) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock{mutex};
  never.wait_for(lock, stop_, time, [] { return false; });
}

} // namespace backtest::tools
