#pragma once

#include "storage/store.hpp"

#include <functional>

namespace backtest {

/// The store whose candles several threads share, each for series of its own. Thread-safe.
class candle_archive {
public:
  candle_archive() = default;
  candle_archive(const candle_archive&) = delete;
  candle_archive& operator=(const candle_archive&) = delete;
  virtual ~candle_archive() = default;

  /// Calls `work` with the store as it is; does nothing while there is none. Throws what `work`
  /// throws and `failure`.
  virtual void read(const std::function<void(const store_reader&)>& work) = 0;

  /// Calls `work`, which may commit; does nothing while another process writes there. Throws as
  /// `read` does.
  virtual void write(const std::function<void(store&)>& work) = 0;
};

} // namespace backtest
