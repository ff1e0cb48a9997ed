#pragma once

#include "messages/error.hpp"
#include "storage/candle_archive.hpp"
#include "storage/candle_cache.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace backtest {

/// Closed candles of one exchange that outlive the process. Never throws: what cannot be read is
/// missing, what cannot be written is given up, and both are told. One thread at a time.
class candle_keeper {
public:
  /// `report` hears of damaged blocks (`corrupt_state`), of a store that fails (`store_failed`),
  /// and what `tell` is given.
  candle_keeper(std::string exchange_name, std::shared_ptr<candle_archive> archive,
                std::function<void(error)> report);

  /// What is kept of the range, and what must be asked for.
  cached_candles find(const std::string& symbol, interval size, time_range range);

  /// Remembers an answer for `store`: all of the range is closed, and the source has `candles` of
  /// it.
  void keep(const std::string& symbol, interval size, time_range range,
            std::vector<candle> candles);

  /// Something about candles that are or would have been kept: that they were revised, say.
  void tell(error problem) const { report_(std::move(problem)); }

  /// Candles and ranges without any that were remembered, and not yet written.
  std::size_t unstored() const noexcept { return unstored_count_; }
  /// Writes what was remembered, in as few commits as its size allows.
  void store();

private:
  struct kept_range {
    cached_series series;
    time_range range;
    std::vector<candle> candles;
  };

  void write(class store& target);
  void tell_damaged(const cached_series& series, const std::vector<std::string>& keys);
  void tell_failed(std::string_view what, const std::exception& caught);

  std::string exchange_name_;
  std::shared_ptr<candle_archive> archive_;
  std::function<void(error)> report_;
  std::vector<kept_range> unstored_;
  std::size_t unstored_count_ = 0;
};

} // namespace backtest
