#pragma once

#include <stop_token>
#include <thread>

namespace backtest::tools {

/// Turns Ctrl-C (SIGINT), SIGTERM and SIGHUP (the terminal went away; unless ignored, as with
/// nohup) into a stop request while it lives; a second one ends the process at once with status
/// 130. At most one at a time.
class interruption {
public:
  interruption();
  ~interruption();
  interruption(const interruption&) = delete;
  interruption& operator=(const interruption&) = delete;

  std::stop_token token() const noexcept { return stop_.get_token(); }

private:
  void watch();

  std::stop_source stop_;
  int reading_end_ = -1;
  std::thread watcher_;
};

} // namespace backtest::tools
