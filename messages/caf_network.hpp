#pragma once

// What differs between CAF 0.17 and CAF 1.x in the I/O module; see messages/caf.hpp.

#include "messages/caf.hpp"

#include <caf/io/basp/version.hpp>
#include <caf/io/middleman.hpp>
#include <caf/io/network/multiplexer.hpp>
#include <caf/io/scribe.hpp>
#if !BACKTEST_CAF_MODERN
#include <caf/io/basp_broker.hpp>
#endif

#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <utility>

namespace backtest {

/// Gives actor systems made from `configuration` the I/O module.
inline void load_network(caf::actor_system_config& configuration) {
  // The gates notice a peer from which not even these come. CAF's own timeout stays off: it would
  // end connections that have just begun.
  constexpr std::chrono::seconds heartbeat{10};
  constexpr caf::timespan never{0};
  // Both versions number connections by their sockets and clean up behind one that was closed only
  // once these threads have read what it had sent. A connection that came meanwhile may have the
  // same number: it lost its route, and whoever asked by it never got an answer. Without such
  // threads the cleaning up comes before anything else is read.
  constexpr std::int64_t reading_threads = 0;
#if BACKTEST_CAF_MODERN
  static const bool once = [] {
    caf::io::middleman::init_global_meta_objects();
    return true;
  }();
  static_cast<void>(once);
  configuration.load<caf::io::middleman>();
  configuration.set("caf.middleman.heartbeat-interval", caf::timespan{heartbeat});
  configuration.set("caf.middleman.connection-timeout", never);
  configuration.set("caf.middleman.workers", reading_threads);
#else
  configuration.load<caf::io::middleman>();
  configuration.set("middleman.heartbeat-interval", caf::timespan{heartbeat});
  configuration.set("middleman.connection-timeout", never);
  configuration.set("middleman.workers", reading_threads);
#endif
}

/// Lets `Message` cross to other processes under this name; 1.x knows it from its block of type
/// ids.
template <class Message>
void announce_message(caf::actor_system_config& configuration, const char* name) {
#if BACKTEST_CAF_MODERN
  static_cast<void>(configuration);
  static_cast<void>(name);
#else
  configuration.add_message_type<Message>(name);
#endif
}

/// Whether `Message` was announced.
template <class Message>
bool is_announced(caf::actor_system& system) {
#if BACKTEST_CAF_MODERN
  static_cast<void>(system);
  return true;
#else
  return system.types().make_value(typeid(Message)) != nullptr;
#endif
}

/// Of CAF's protocol, as servers announce it.
constexpr std::uint64_t protocol_version() { return caf::io::basp::version; }

/// Speaks the protocol with other processes.
inline caf::actor protocol_broker(caf::actor_system& system) {
#if BACKTEST_CAF_MODERN
  return system.middleman().get_named_broker("BASP");
#else
  return system.middleman().named_broker<caf::io::basp_broker>(caf::atom("BASP"));
#endif
}

/// Begins to speak the protocol as a server over a connected local socket, which is the broker's
/// from now on, and offers `whom` there. `port` is only a name for what is offered.
inline void offer_over(caf::actor_system& system, int socket, std::uint16_t port,
                       caf::strong_actor_ptr whom, std::set<std::string> interface) {
  auto& backend = system.middleman().backend();
#if BACKTEST_CAF_MODERN
  caf::anon_mail(caf::publish_atom_v, backend.new_scribe(socket), port, std::move(whom),
                 std::move(interface))
      .send(protocol_broker(system));
#else
  caf::anon_send(protocol_broker(system), caf::publish_atom::value, backend.new_scribe(socket),
                 port, std::move(whom), std::move(interface));
#endif
}

/// Offers nothing under this name any more; connections stay.
inline void withdraw(caf::actor_system& system, const caf::strong_actor_ptr& whom,
                     std::uint16_t port) {
  const auto address = caf::actor_cast<caf::actor_addr>(whom);
#if BACKTEST_CAF_MODERN
  caf::anon_mail(caf::unpublish_atom_v, address, port).send(protocol_broker(system));
#else
  caf::anon_send(protocol_broker(system), caf::unpublish_atom::value, address, port);
#endif
}

/// Asks for the actor that is offered at the other end of a connected local socket.
template <class Self>
auto request_connection(Self&& self, caf::actor_system& system, int socket, std::uint16_t port,
                        std::chrono::milliseconds patience) {
  auto& backend = system.middleman().backend();
#if BACKTEST_CAF_MODERN
  return self->mail(caf::connect_atom_v, backend.new_scribe(socket), port)
      .request(protocol_broker(system), patience);
#else
  return self->request(protocol_broker(system), patience, caf::connect_atom::value,
                       backend.new_scribe(socket), port);
#endif
}

/// Whether connecting failed because what answered does not speak like us.
inline bool speaks_differently(const caf::error& reason) {
#if BACKTEST_CAF_MODERN
  return reason == caf::sec::malformed_message || reason == caf::sec::incompatible_versions ||
         reason == caf::sec::incompatible_application_ids ||
         reason == caf::sec::disconnect_during_handshake;
#else
  return reason == caf::sec::malformed_basp_message || reason == caf::sec::incompatible_versions ||
         reason == caf::sec::incompatible_application_ids ||
         reason == caf::sec::disconnect_during_handshake;
#endif
}

} // namespace backtest
