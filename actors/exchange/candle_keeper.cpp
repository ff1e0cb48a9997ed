#include "actors/exchange/candle_keeper.hpp"

#include <exception>
#include <utility>

#include <fmt/format.h>

namespace backtest {

candle_keeper::candle_keeper(std::string exchange_name, std::shared_ptr<candle_archive> archive,
                             std::function<void(error)> report)
    : exchange_name_(std::move(exchange_name)), archive_(std::move(archive)),
      report_(std::move(report)) {}

cached_candles candle_keeper::find(const std::string& symbol, interval size, time_range range) {
  cached_candles found;
  found.missing = {range};
  if (range.from < 0)
    return found;
  const cached_series series{exchange_name_, symbol, size};
  try {
    archive_->read(
        [&](const store_reader& from) { found = read_cached_candles(from, series, range); });
  } catch (const std::exception& caught) {
    tell_failed(fmt::format("candles of {} are fetched, as those kept cannot be read", symbol),
                caught);
  }
  tell_damaged(series, std::exchange(found.corrupt, {}));
  return found;
}

void candle_keeper::keep(const std::string& symbol, interval size, time_range range,
                         std::vector<candle> candles) {
  if (range.from < 0 || range.from >= range.until)
    return;
  unstored_count_ += candles.size() + 1;
  unstored_.push_back({{exchange_name_, symbol, size}, range, std::move(candles)});
}

void candle_keeper::store() {
  try {
    archive_->write([this](backtest::store& target) { write(target); });
  } catch (const std::exception& caught) {
    tell_failed("candles could not be kept and will be fetched again", caught);
  }
  unstored_.clear();
  unstored_count_ = 0;
}

void candle_keeper::write(backtest::store& target) {
  store_batch batch;
  for (const auto& item : unstored_) {
    tell_damaged(item.series,
                 write_cached_candles(batch, target, item.series, item.range, item.candles));
    commit_if_large(target, batch);
  }
  target.commit(batch);
}

void candle_keeper::tell_damaged(const cached_series& series,
                                 const std::vector<std::string>& keys) {
  for (const auto& key : keys)
    report_({error_code::corrupt_state,
             fmt::format("exchange {}: kept {} candles of {} in {} are damaged; they are fetched "
                         "again",
                         exchange_name_, to_string(series.size), series.symbol, key)});
}

void candle_keeper::tell_failed(std::string_view what, const std::exception& caught) {
  report_({error_code::store_failed,
           fmt::format("exchange {}: {}: {}", exchange_name_, what, caught.what())});
}

} // namespace backtest
