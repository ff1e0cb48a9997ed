#pragma once

#include "actors/gate/connection_bounds.hpp"
#include "actors/gate/frame_check.hpp"
#include "actors/gate/node_security.hpp"
#include "actors/gate/refusal_notices.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace backtest {

// A gate stands between the network and CAF, on either side of a connection: it lets nothing
// through before the other end has proven itself, and afterwards only headers that CAF can take.
// CAF reads and writes one end of a pair of local sockets; the gate has the other one. All gates of
// a process share one thread, which ends with the process, or once its connections are over.

/// A socket of this process, closed with it.
class gate_socket {
public:
  gate_socket() = default;
  explicit gate_socket(int handle) : handle_(handle) {}
  gate_socket(gate_socket&& other) noexcept : handle_(other.release()) {}
  gate_socket& operator=(gate_socket&& other) noexcept;
  ~gate_socket();
  int release() noexcept;

private:
  int handle_ = -1;
};

/// What a connection may cost, in time.
struct gate_times {
  std::chrono::milliseconds handshake{5000}; ///< from its first byte to its proof
  /// One from which nothing comes for longer is cut off; looked at when as much time has passed.
  std::chrono::milliseconds silence{60'000};
};

struct gate_options {
  node_security security; ///< without certificates: `secret` is a file that is there
  bool only_loopback = false;
  frame_rules frames;
  connection_limits limits;
  gate_times times;
  /// Takes the end for CAF of a connection that proved itself to the gate at this port. On the
  /// thread of the gates, and must not block.
  std::function<void(gate_socket, std::uint16_t)> admit;
  /// Hears of refused connections, at most one sentence a minute and address. As `admit`.
  std::function<void(const std::string&)> note;
  std::function<refusal_notices::time_point()> now;
};

/// Listens, and admits who proves himself. From any thread but that of the gates.
class gate {
public:
  /// Throws `failure`: `invalid_argument`, `io_failed` (a file of `security`), `connection_failed`.
  gate(const std::string& host, std::uint16_t port, gate_options options);
  ~gate();
  gate(const gate&) = delete;
  gate& operator=(const gate&) = delete;

  std::uint16_t port() const noexcept { return port_; }
  /// Nobody is admitted any more, and no callback runs when it returns. Connections that were
  /// admitted stay. Idempotent.
  void close();

private:
  class listening;
  std::shared_ptr<listening> listening_;
  std::uint16_t port_ = 0;
};

/// The end for CAF of a connection to a gate elsewhere, once both proved themselves and the other
/// side has begun to speak. Blocks, `patience` at most. `note` hears, on the thread of the gates,
/// why the connection was cut off later. Throws `failure`: `invalid_argument`, `io_failed` (a file
/// of `security`), `connection_failed`.
gate_socket connect_through_gate(const std::string& host, std::uint16_t port,
                                 const node_security& security, const frame_rules& frames,
                                 std::chrono::milliseconds patience,
                                 std::function<void(const std::string&)> note = {});

/// Reads the certificates that a gate would use, if any. Throws `failure`: `invalid_argument`,
/// `io_failed` naming the file.
void require_readable(const node_security& security);

/// Bytes for secrets, from the system. Throws `failure{io_failed}`.
void fill_with_random_bytes(unsigned char* first, std::size_t count);

} // namespace backtest
