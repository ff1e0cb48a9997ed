#include "actors/contracts.hpp"

namespace backtest {

void prepare_caf() {
#if BACKTEST_CAF_MODERN
  static const bool once = [] {
    caf::init_global_meta_objects<caf::id_block::backtest_published>();
    caf::init_global_meta_objects<caf::id_block::backtest_caf>();
    caf::core::init_global_meta_objects();
    return true;
  }();
  static_cast<void>(once);
#endif
}

} // namespace backtest
