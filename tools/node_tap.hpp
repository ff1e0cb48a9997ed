#pragma once

#include "actors/gate/node_security.hpp"
#include "runtime/node_address.hpp"
#include "tools/tap_output.hpp"

#include <functional>
#include <string>

namespace backtest::tools {

/// Prints the journal of the node at an address. Unless `request.ends` it goes on when the node is
/// started again, and tells `note` why it waits. Throws `failure`: `connection_failed` when the
/// node is not there at first, or gone before the end; what the node answers.
void tap_node(const node_address& address, const node_security& security, tap_request request,
              tap_output& output, const std::function<void(const std::string&)>& note);

} // namespace backtest::tools
