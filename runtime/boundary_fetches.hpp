#pragma once

#include "messages/time.hpp"

#include <cstddef>
#include <optional>
#include <vector>

namespace backtest {

/// Which symbols a boundary of the system clock waits for, and until when. A boundary waits for
/// the symbols that came in time before; one that failed or was late is fetched as well, and taken
/// along when it is there by then. A symbol is never asked for while it is being fetched. Plain
/// code: times are of the caller's clock.
class boundary_fetches {
public:
  using symbol_id = std::size_t;
  enum class outcome {
    complete,
    newest_missing, ///< but for the newest candle, which may still come
    failed
  };

  /// `newest_wait`: how long after a boundary its newest candle may come, in milliseconds;
  /// `patience`: how long anybody is waited for from when the boundary was begun with, or since a
  /// symbol came for the first time, with all the candles it needs.
  boundary_fetches(std::size_t symbols, instant newest_wait, instant patience);

  /// A boundary begins, with the symbols that are behind it; answers which of them to ask for: not
  /// those that are still being fetched. After the last one was closed.
  std::vector<symbol_id> begin(instant boundary, const std::vector<symbol_id>& behind, instant now);
  /// What came of the symbol; true: late, the others were not to wait so long.
  bool came(symbol_id symbol, outcome what, instant now);
  /// Whose newest candle may have come by now: they are asked for again.
  std::vector<symbol_id> begin_again(instant now);

  bool is_open() const noexcept { return boundary_.has_value(); }
  /// Of the boundary that is open.
  instant boundary() const noexcept { return *boundary_; }
  /// Everybody who is waited for is there, or the patience is at an end.
  bool may_close(instant now) const noexcept { return missing_ == 0 || now >= late_from_; }
  /// When to look again, as long as it is open and nothing comes.
  instant look_again_at() const noexcept;
  /// The others go on. Answers who was waited for in vain.
  std::vector<symbol_id> close();

private:
  struct symbol_state {
    bool under_way = false;
    bool came = false;        ///< ever
    bool came_in_time = true; ///< at last
    bool waited_for = false;  ///< by the boundary that is open
    instant boundary = 0;     ///< it was asked for
    instant late_from = 0;
    std::optional<instant> ask_again_at;
  };

  bool is_late(const symbol_state& symbol, instant now) const;
  void is_there(symbol_state& symbol);

  std::vector<symbol_state> symbols_;
  instant newest_wait_;
  instant patience_;
  std::optional<instant> boundary_;
  instant late_from_ = 0;
  std::size_t missing_ = 0; ///< waited for and not there
};

} // namespace backtest
