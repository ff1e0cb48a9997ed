#include "runtime/network.hpp"

#include "messages/caf_network.hpp"

#include <string>
#include <utility>

#include <fmt/format.h>

namespace backtest {

namespace {

std::string why(const caf::actor_system& system, const caf::error& reason,
                std::chrono::milliseconds patience) {
  if (speaks_differently(reason))
    return "what answers there is not a node, or one on another version of CAF";
  if (reason == caf::sec::request_timeout)
    return fmt::format("no answer within {} ms; is a node listening there?", patience.count());
  if (reason == caf::sec::cannot_connect_to_node) {
    const auto text = text_of(system, reason);
    return text.find("no such host") != std::string::npos
               ? "there is no host of that name"
               : "nobody listens there, or it cannot be reached";
  }
  return text_of(system, reason);
}

} // namespace

void require_network(caf::actor_system& system, std::string_view source) {
  if (!system.has_middleman() || !is_announced<journal_batch>(system))
    throw failure(error_code::invalid_argument,
                  fmt::format("{}: the actor system cannot reach other processes; expected "
                              "runtime_options::network = true where it is the runtime's own, else "
                              "backtest::prepare_network on its configuration before it is made",
                              source));
}

void prepare_network(caf::actor_system_config& configuration) {
  load_network(configuration);
#define BACKTEST_ANNOUNCE(type) announce_message<type>(configuration, "backtest::" #type);
  BACKTEST_PUBLISHED_MESSAGES(BACKTEST_ANNOUNCE)
#undef BACKTEST_ANNOUNCE
}

node_actor connect_node(caf::actor_system& system, const node_address& address,
                        std::chrono::milliseconds patience) {
  require_network(system, "connect_node");
  const calling_thread visit{system};
  caf::scoped_actor self{system};
  node_actor node;
  std::string problem;
  request_connection(self, system, address.host, address.port, patience)
      .receive(
          [&](const caf::node_id&, const caf::strong_actor_ptr& found,
              const std::set<std::string>& interface) {
            if (found && system.assignable<node_actor>(interface))
              node = caf::actor_cast<node_actor>(found);
            else
              problem = "what is published there is not a node, or one of another version";
          },
          [&](const caf::error& reason) { problem = why(system, reason, patience); });
  if (!node)
    throw failure(error_code::connection_failed,
                  fmt::format("cannot connect to {}: {}", to_string(address), problem));
  return node;
}

class publication::open_port {
public:
  open_port(caf::actor_system& system, const node_actor& node, const node_address& address)
      : system_(system), node_(node), address_(address) {
    const calling_thread visit{system};
    // A node that is started again finds its port still in use by connections of its former life.
    constexpr bool reuse = true;
    const auto port = system.middleman().publish(node, address.port, address.host.c_str(), reuse);
    if (!port)
      throw failure(error_code::connection_failed,
                    fmt::format("cannot publish on {}: {}", to_string(address),
                                text_of(system, port.error())));
    address_.port = *port;
  }

  const node_address& address() const noexcept { return address_; }

  void close() {
    const auto node = std::exchange(node_, weak_handle<node_actor>{}).lock();
    if (!node)
      return;
    const calling_thread visit{system_};
    system_.middleman().unpublish(node, address_.port);
  }

private:
  caf::actor_system& system_;
  weak_handle<node_actor> node_; ///< with its end the port is closed too
  node_address address_;
};

const node_address& publication::address() const {
  static const node_address nowhere;
  return port_ ? port_->address() : nowhere;
}

void publication::close() {
  if (port_)
    port_->close();
}

publication publish_node(caf::actor_system& system, const node_actor& node,
                         const node_address& address) {
  if (!node)
    throw failure(error_code::invalid_argument, "publish: node must be an actor");
  require_network(system, "publish");
  return publication{std::make_shared<publication::open_port>(system, node, address)};
}

} // namespace backtest
