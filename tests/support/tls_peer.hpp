#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace backtest::testing {

/// How a peer of a test proves itself: by the key of a secret, or by certificates; nothing: not at
/// all, it speaks plain text.
struct peer_proof {
  std::string secret; ///< 64 hexadecimal digits
  std::string hint;   ///< of a server: where it says that its secret is
  std::filesystem::path certificate;
  std::filesystem::path key;
  std::filesystem::path authority;
};

/// One end of a connection, without any manners of ours. Blocks, some ten seconds at most.
class tls_peer {
public:
  /// Connects to 127.0.0.1, from another address of the machine if one is given.
  explicit tls_peer(std::uint16_t port, const std::string& from = "127.0.0.1");
  explicit tls_peer(int socket);
  tls_peer(tls_peer&&) noexcept;
  tls_peer& operator=(tls_peer&&) noexcept;
  ~tls_peer();

  /// The handshake; what went wrong, or nothing.
  std::string prove(const peer_proof& proof, bool is_server = false);
  void write(std::string_view bytes);
  /// At least so many bytes, or all until the end.
  std::string read(std::size_t count);
  /// What has come, waiting for it a few milliseconds; nothing at the end, too.
  std::string read_some();
  /// The other side ended the connection; reads what is left.
  bool is_ended();
  void close();
  /// The other side reads an end; what it says can still be read.
  void close_sending();

private:
  struct session;
  int socket_ = -1;
  std::unique_ptr<session> session_;
};

/// Listens on a free port of 127.0.0.1.
class tls_listener {
public:
  tls_listener();
  ~tls_listener();
  tls_listener(const tls_listener&) = delete;
  tls_listener& operator=(const tls_listener&) = delete;
  std::uint16_t port() const noexcept { return port_; }
  tls_peer accept() const;

private:
  int socket_ = -1;
  std::uint16_t port_ = 0;
};

/// Certificates in a directory: `ca.pem` signed `node.pem`, `desk.pem` and `expired.pem`;
/// `other_ca.pem` signed `stranger.pem`; keys beside them (`node.key`).
void make_certificates(const std::filesystem::path& directory);

/// A header of CAF's protocol.
std::string frame_header_bytes(unsigned operation, std::uint32_t payload, std::uint64_t data,
                               std::uint64_t source = 0, std::uint64_t destination = 0,
                               unsigned flags = 0);

} // namespace backtest::testing
