#include "runtime/trade_sample.hpp"

#include <limits>

namespace backtest {

trade_record record_of(const tick_result& closed, std::uint64_t seq) {
  trade_record record;
  record.open_ts = closed.signal ? closed.signal->pending_at.value_or(0) : 0;
  record.close_ts = closed.close_timestamp.value_or(0);
  record.pnl = closed.pnl ? closed.pnl->pnl_percentage : std::numeric_limits<double>::quiet_NaN();
  record.peak = closed.peak_pnl;
  record.fall = closed.fall_pnl;
  record.seq = seq;
  return record;
}

std::vector<trade_record> open_position(std::optional<instant> since, instant until) {
  if (!since || *since >= until)
    return {};
  trade_record held;
  held.open_ts = *since;
  held.close_ts = until;
  return {held};
}

} // namespace backtest
