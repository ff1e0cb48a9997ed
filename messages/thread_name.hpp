#pragma once

#include <string>

namespace backtest {

/// A thread goes by the name of the one that started it until it gets one of its own. At most 15
/// bytes.
void name_this_thread(const char* name) noexcept;

std::string name_of_this_thread();

} // namespace backtest
