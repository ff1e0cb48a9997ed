#pragma once

// What differs between CAF 0.17 and CAF 1.x in the I/O module; see messages/caf.hpp.

#include "messages/caf.hpp"

#include <caf/io/middleman.hpp>
#include <caf/io/middleman_actor.hpp>

#include <chrono>
#include <cstdint>
#include <set>
#include <string>

namespace backtest {

/// Gives actor systems made from `configuration` the I/O module.
inline void load_network(caf::actor_system_config& configuration) {
  // A peer whose machine went away without a word is noticed because it does not take them.
  constexpr std::chrono::seconds heartbeat{10};
#if BACKTEST_CAF_MODERN
  static const bool once = [] {
    caf::io::middleman::init_global_meta_objects();
    return true;
  }();
  static_cast<void>(once);
  configuration.load<caf::io::middleman>();
  configuration.set("caf.middleman.heartbeat-interval", caf::timespan{heartbeat});
#else
  configuration.load<caf::io::middleman>();
  configuration.set("middleman.heartbeat-interval", caf::timespan{heartbeat});
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

/// Asks the I/O module for the actor published at a port.
template <class Self>
auto request_connection(Self&& self, caf::actor_system& system, const std::string& host,
                        std::uint16_t port, std::chrono::milliseconds patience) {
#if BACKTEST_CAF_MODERN
  return self->mail(caf::connect_atom_v, host, port)
      .request(system.middleman().actor_handle(), patience);
#else
  return self->request(system.middleman().actor_handle(), patience, caf::connect_atom::value, host,
                       port);
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
