#pragma once

#include <string>
#include <string_view>
#include <variant>

namespace backtest {

// What a quantity is computed from, by the method of the sizing. Balances in quote units, prices
// and the average true range in quote units per base unit.

struct fixed_percentage_size {
  double balance = 0;
  double price_open = 0;
  double price_stop_loss = 0;
};

struct kelly_criterion_size {
  double balance = 0;
  double price_open = 0;
  double win_rate = 0;       ///< a fraction, 0 < win_rate < 1
  double win_loss_ratio = 0; ///< average win by average loss, > 0
};

struct atr_based_size {
  double balance = 0;
  double price_open = 0;
  double atr = 0; ///< > 0
};

using size_request = std::variant<fixed_percentage_size, kelly_criterion_size, atr_based_size>;

/// The sizings a signal source may use, by name. Used by one strategy client at a time.
class position_sizer {
public:
  virtual ~position_sizer() = default;

  /// Quantity in base units; 0: do not open. Throws `failure`: `not_found` for a name nobody
  /// registered, `invalid_argument` for another method than the sizing's or inputs out of range.
  virtual double size(std::string_view symbol, std::string_view sizing_name,
                      const size_request& request) = 0;
};

} // namespace backtest
