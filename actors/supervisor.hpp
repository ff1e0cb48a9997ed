#pragma once

#include "actors/contracts.hpp"

#include <functional>
#include <map>

namespace backtest {

/// Reports a client that died; called inside the supervisor.
using failure_reporter = std::function<void(error reason)>;

/// Makes the client of a key. Throws `failure` when there is no schema for it.
template <class Key, class Interface> using client_factory = std::function<Interface(const Key&)>;

/// The memoised connection service: one client actor per key, spawned on the first `resolve`,
/// watched, and ended together with the supervisor. A client that dies is forgotten and reported;
/// the next `resolve` spawns a fresh one.
template <class Key, class Interface> class supervisor_state {
public:
  using contract = supervisor_actor<Key, Interface>;

  self_pointer<contract, supervisor_state> self = nullptr;

  ~supervisor_state() { end_all(); }

  void init(const char* name, client_factory<Key, Interface> make, failure_reporter report) {
    name_ = name;
    make_ = std::move(make);
    report_ = std::move(report);
  }

  typename contract::behavior_type make_behavior() {
    return {
        [this](const resolve<Key>& message) { return find_or_spawn(message.key); },
        [this](const clear_client<Key>& message) {
          if (const auto found = clients_.find(message.key); found != clients_.end()) {
            end_actor(found->second.handle);
            clients_.erase(found);
          }
        },
        [this](const clear_all&) { end_all(); },
        [this](const forget_client<Key>& message) { clients_.erase(message.key); },
        [this](const forget_all&) { clients_.clear(); },
        [this](const client_down<Key>& message) {
          const auto found = clients_.find(message.key);
          if (found == clients_.end() || found->second.generation != message.generation)
            return; // forgotten already, or replaced
          clients_.erase(found);
          if (!message.reason.empty())
            report_({error_code::actor_failed,
                     std::string{name_} + " client died: " + message.reason});
        },
        [this](const ask_client_count&) { return client_count{clients_.size()}; },
    };
  }

private:
  struct entry {
    Interface handle;
    std::uint64_t generation = 0;
  };

  resolved<Interface> find_or_spawn(const Key& key) {
    if (const auto found = clients_.find(key); found != clients_.end())
      return {found->second.handle, std::nullopt};
    try {
      entry fresh{make_(key), ++generations_};
      // The child must not keep its owner alive.
      on_exit(fresh.handle, [owner = weak_handle<contract>{contract{self}}, key,
                             generation = fresh.generation](const caf::error& reason) {
        const bool asked = !reason || reason == caf::exit_reason::user_shutdown;
        if (auto strong = owner.lock())
          send_anonymously(strong, client_down<Key>{key, generation,
                                                    asked ? std::string{} : text_of(reason)});
      });
      return {clients_.emplace(key, std::move(fresh)).first->second.handle, std::nullopt};
    } catch (const failure& caught) {
      return {Interface{}, caught.reason()};
    }
  }

  void end_all() {
    for (auto& [key, client] : clients_)
      end_actor(client.handle);
    clients_.clear();
  }

  const char* name_ = "";
  client_factory<Key, Interface> make_;
  failure_reporter report_;
  std::map<Key, entry> clients_;
  std::uint64_t generations_ = 0;
};

template <class Key, class Interface>
supervisor_actor<Key, Interface>
spawn_supervisor(caf::actor_system& system, const shared_census& census, const char* name,
                 client_factory<Key, Interface> make, failure_reporter report) {
  return spawn_actor<supervisor_state<Key, Interface>, supervisor_actor<Key, Interface>>(
      system, census, name, std::move(make), std::move(report));
}

} // namespace backtest
