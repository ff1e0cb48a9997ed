#pragma once

#include <memory>
#include <string>

namespace backtest::benchmarks {

/// Answers requests for klines on a free port of the loopback interface, on a thread of its own,
/// with one candle for each minute of the range, the same under every symbol.
class klines_server {
public:
  klines_server();
  ~klines_server();

  std::string url() const; ///< "http://127.0.0.1:PORT"

private:
  class engine;
  std::unique_ptr<engine> engine_;
};

} // namespace backtest::benchmarks
