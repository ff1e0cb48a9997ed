#pragma once

#include "actors/contracts.hpp"
#include "runtime/node_address.hpp"

#include <chrono>
#include <memory>
#include <string_view>

namespace backtest {

// Live nodes and what connects to them, through CAF's I/O module. What they say to each other is in
// actors/contracts.hpp, under "publisher".

/// For the configuration of an actor system that publishes or connects, before the system is made.
void prepare_network(caf::actor_system_config& configuration);

/// Throws `failure{invalid_argument}` for a system without `prepare_network`; `source` is who needs
/// it.
void require_network(caf::actor_system& system, std::string_view source);

/// The node at an address. Blocks, not from an actor; monitor the handle to hear of the node's end.
/// Throws `failure`: `invalid_argument` (a system without `prepare_network`), `connection_failed`.
node_actor connect_node(caf::actor_system& system, const node_address& address,
                        std::chrono::milliseconds patience = std::chrono::seconds{10});

/// A port where a node is published. Copies speak of the same one; letting go of it changes
/// nothing, it is open until `close` or the end of its runtime.
class publication {
public:
  class open_port;

  publication() = default;
  explicit publication(std::shared_ptr<open_port> port) : port_(std::move(port)) {}

  /// With the port that was chosen.
  const node_address& address() const;
  /// Nobody connects any more; taps that are connected stay. Idempotent.
  void close();

private:
  std::shared_ptr<open_port> port_;
};

/// Opens a port for `node`. Throws `failure`: `invalid_argument` (a system without
/// `prepare_network`), `connection_failed`.
publication publish_node(caf::actor_system& system, const node_actor& node,
                         const node_address& address);

} // namespace backtest
