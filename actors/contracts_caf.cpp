#include "actors/client_contracts.hpp"

namespace backtest {

std::optional<error> problem_with(operator_command command) {
  if (is_one_of_first(command, operator_command_count))
    return std::nullopt;
  return error{error_code::invalid_argument, "there is no operator command " +
                                                 std::to_string(static_cast<int>(command)) +
                                                 ", expected pause, resume, cancel or close"};
}

void prepare_caf() {
#if BACKTEST_CAF_MODERN
  static const bool once = [] {
    caf::init_global_meta_objects<caf::id_block::backtest_published>();
    caf::init_global_meta_objects<caf::id_block::backtest_caf>();
    caf::init_global_meta_objects<caf::id_block::backtest_clients>();
    caf::core::init_global_meta_objects();
    return true;
  }();
  static_cast<void>(once);
#endif
}

} // namespace backtest
