#pragma once

#include "runtime/node_address.hpp"

#include <string>
#include <string_view>

namespace backtest::tools {

/// The address given with a flag; throws `failure{invalid_argument}` naming the flag.
node_address address_of(std::string_view flag, const std::string& text);

} // namespace backtest::tools
