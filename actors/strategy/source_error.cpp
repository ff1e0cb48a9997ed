#include "actors/strategy/source_error.hpp"

#include <exception>

namespace backtest {

error error_of_source() {
  try {
    throw;
  } catch (const failure& caught) {
    const auto code = caught.code();
    const bool is_of_market = code == error_code::data_gap || code == error_code::fetch_failed ||
                              code == error_code::bad_candles;
    return {is_of_market ? code : error_code::signal_source_failed, caught.what()};
  } catch (const std::exception& caught) {
    return {error_code::signal_source_failed, caught.what()};
  } catch (...) {
    return {error_code::signal_source_failed,
            "get_signal threw something that is not a std::exception"};
  }
}

} // namespace backtest
