#include "runtime/network.hpp"

#include "actors/gate/gate.hpp"
#include "actors/gate/gate_secret.hpp"
#include "messages/caf_network.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include <sys/resource.h>

#include <fmt/format.h>

namespace backtest {

namespace {

std::string why(const caf::actor_system& system, const caf::error& reason,
                std::chrono::milliseconds patience) {
  if (speaks_differently(reason))
    return "what answers there is not a node, or one on another version of CAF";
  if (reason == caf::sec::request_timeout)
    return fmt::format("no answer within {} ms; is a node listening there?", patience.count());
  return text_of(system, reason);
}

frame_rules rules_of_caf() {
  frame_rules rules;
  rules.version = protocol_version();
  return rules;
}

std::size_t most_handles() {
  rlimit limit{};
  constexpr std::size_t usual = 1024;
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? static_cast<std::size_t>(limit.rlim_cur) : usual;
}

/// Below the directory for temporary files, for this user alone.
std::filesystem::path own_directory() {
  auto name = (std::filesystem::temp_directory_path() / "backtest-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr)
    throw failure(
        error_code::io_failed,
        fmt::format("cannot create a directory for a secret, {}: {}", name, std::strerror(errno)));
  return name;
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
                        const node_security& security, std::chrono::milliseconds patience,
                        std::function<void(const std::string&)> note) {
  require_network(system, "connect_node");
  const calling_thread visit{system};
  const auto cannot = [&](const std::string& problem) {
    return failure(error_code::connection_failed,
                   fmt::format("cannot connect to {}: {}", to_string(address), problem));
  };
  gate_socket socket;
  try {
    socket = connect_through_gate(address.host, address.port, security, rules_of_caf(), patience,
                                  std::move(note));
  } catch (const failure& problem) {
    if (problem.code() == error_code::connection_failed)
      throw cannot(problem.what());
    throw;
  }
  caf::scoped_actor self{system};
  node_actor node;
  std::string problem;
  request_connection(self, system, socket.release(), address.port, patience)
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
    throw cannot(problem);
  return node;
}

void require_publishable(const node_address& address, const node_security& security) {
  require_consistent(security);
  if (!is_loopback(address) && !security.has_certificates() && !security.insecure)
    throw failure(error_code::invalid_argument,
                  fmt::format("publish on {}: other machines reach it, expected certificates "
                              "(--tls-cert, --tls-key and --tls-ca) or --insecure",
                              to_string(address)));
  require_readable(security);
}

class publication::open_port {
public:
  open_port(caf::actor_system& system, const node_actor& node, const node_address& address,
            const publish_options& options)
      : system_(system), node_(node), address_(address) {
    auto security = options.security;
    require_publishable(address, security);
    try {
      if (!security.has_certificates())
        prepare_secret(security);
      open(security, options.note);
    } catch (...) {
      remove_own_directory();
      throw;
    }
  }
  ~open_port() { close(); }
  open_port(const open_port&) = delete;
  open_port& operator=(const open_port&) = delete;

  const node_address& address() const noexcept { return address_; }

  void close() {
    const std::lock_guard lock{mutex_};
    gate_.reset();
    remove_own_directory();
    const auto node = std::exchange(node_, weak_handle<node_actor>{}).lock();
    if (!node)
      return;
    const calling_thread visit{system_};
    withdraw(system_, caf::actor_cast<caf::strong_actor_ptr>(node), address_.port);
  }

private:
  void prepare_secret(node_security& security) {
    if (security.secret.empty())
      security.secret = (own_directory_ = own_directory()) / gate_secret_name;
    gate_key fresh{};
    fill_with_random_bytes(fresh.data(), fresh.size());
    keep_gate_secret(security.secret, fresh);
  }

  void open(const node_security& security, const std::function<void(const std::string&)>& note) {
    gate_options wanted;
    wanted.security = security;
    wanted.only_loopback = !security.has_certificates() && !security.insecure;
    wanted.frames = rules_of_caf();
    wanted.limits = connection_limits{}.within(most_handles());
    wanted.now = [] { return std::chrono::steady_clock::now(); };
    wanted.note = note;
    wanted.admit = [this](gate_socket socket, std::uint16_t port) {
      offer(std::move(socket), port);
    };
    try {
      gate_.emplace(address_.host, address_.port, std::move(wanted));
    } catch (const failure& problem) {
      throw failure(problem.code(),
                    fmt::format("cannot publish on {}: {}", to_string(address_), problem.what()));
    }
    address_.port = gate_->port();
  }

  void offer(gate_socket socket, std::uint16_t port) {
    const calling_thread visit{system_};
    if (const auto node = node_.lock())
      offer_over(system_, socket.release(), port, caf::actor_cast<caf::strong_actor_ptr>(node),
                 system_.message_types(node));
  }

  void remove_own_directory() noexcept {
    std::error_code ignored;
    if (!own_directory_.empty())
      std::filesystem::remove_all(own_directory_, ignored);
    own_directory_.clear();
  }

  caf::actor_system& system_;
  weak_handle<node_actor> node_; ///< with its end the port is closed too
  node_address address_;
  std::filesystem::path own_directory_;
  std::optional<gate> gate_;
  std::mutex mutex_; ///< of `close`
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
                         const node_address& address, const publish_options& options) {
  if (!node)
    throw failure(error_code::invalid_argument, "publish: node must be an actor");
  require_network(system, "publish");
  return publication{std::make_shared<publication::open_port>(system, node, address, options)};
}

} // namespace backtest
