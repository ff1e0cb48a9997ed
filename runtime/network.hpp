#pragma once

#include "actors/contracts.hpp"
#include "actors/gate/node_security.hpp"
#include "runtime/node_address.hpp"

#include <chrono>
#include <functional>
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

/// The node at an address. Both sides prove themselves before anything else is said: without more
/// in `security`, by the secret of a node of the same user on this machine. Blocks, `patience` at
/// most, not from an actor; monitor the handle to hear of the node's end. `note` hears, on another
/// thread, why a connection was cut off by this side. Throws `failure`: `invalid_argument` (a
/// system without `prepare_network`), `io_failed` (a TLS file), `connection_failed`.
node_actor connect_node(caf::actor_system& system, const node_address& address,
                        const node_security& security = {},
                        std::chrono::milliseconds patience = std::chrono::seconds{10},
                        std::function<void(const std::string&)> note = {});

/// A port where a node is published. Copies speak of the same one; letting go of it changes
/// nothing, it is open until `close` or the end of its runtime.
class publication {
public:
  class open_port;

  publication() = default;
  explicit publication(std::shared_ptr<open_port> port) : port_(std::move(port)) {}

  /// With the port that was chosen.
  const node_address& address() const;
  /// Nobody connects any more; taps that are connected stay. Idempotent. Not from an actor.
  void close();

private:
  std::shared_ptr<open_port> port_;
};

/// How a node is offered, besides where.
struct publish_options {
  /// Without certificates and without `secret`: the secret lies in a directory of its own below
  /// that for temporary files, and goes with the publication.
  node_security security;
  /// Hears of refused connections, a sentence a minute and address; on a thread that must not be
  /// held up.
  std::function<void(const std::string&)> note;
};

/// Throws `failure`: `invalid_argument` where other machines would reach a node without
/// certificates, `io_failed` for certificates that cannot be read.
void require_publishable(const node_address& address, const node_security& security);

/// Opens a port for `node`. A secret that is not there is made. Throws `failure`:
/// `invalid_argument` (a system without `prepare_network`; beyond loopback without certificates or
/// `insecure`), `io_failed` (a file of `security`), `connection_failed`.
publication publish_node(caf::actor_system& system, const node_actor& node,
                         const node_address& address, const publish_options& options = {});

} // namespace backtest
