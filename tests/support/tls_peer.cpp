#include "tests/support/tls_peer.hpp"

#include <array>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace backtest::testing {

namespace {

constexpr timeval socket_patience{10, 0};

std::string last_tls_problem() {
  std::array<char, 256> text{};
  const auto code = ERR_peek_last_error();
  ERR_error_string_n(code, text.data(), text.size());
  ERR_clear_error();
  return code == 0 ? "the connection ended" : text.data();
}

std::string key_of_digits(const std::string& digits) {
  std::string key;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
    key += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
  return key;
}

unsigned copy_peer_key(SSL* session, unsigned char* into, unsigned most) {
  const auto key = key_of_digits(static_cast<const peer_proof*>(SSL_get_app_data(session))->secret);
  if (key.size() > most)
    return 0;
  std::memcpy(into, key.data(), key.size());
  return static_cast<unsigned>(key.size());
}

unsigned peer_as_server(SSL* session, const char*, unsigned char* into, unsigned most) {
  return copy_peer_key(session, into, most);
}

unsigned peer_as_client(SSL* session, const char*, char* identity, unsigned, unsigned char* into,
                        unsigned most) {
  std::strcpy(identity, "test");
  return copy_peer_key(session, into, most);
}

void require_true(bool holds, const char* what) {
  if (!holds)
    throw std::runtime_error(std::string{what} + ": " + last_tls_problem());
}

struct made_certificate {
  X509* certificate = nullptr;
  EVP_PKEY* key = nullptr;
};

void write_pem(const std::filesystem::path& directory, const std::string& name,
               const made_certificate& made) {
  std::FILE* file = std::fopen((directory / (name + ".pem")).c_str(), "w");
  require_true(file != nullptr && PEM_write_X509(file, made.certificate) == 1, "certificate");
  std::fclose(file);
  file = std::fopen((directory / (name + ".key")).c_str(), "w");
  require_true(file != nullptr &&
                   PEM_write_PrivateKey(file, made.key, nullptr, nullptr, 0, nullptr, nullptr) == 1,
               "key");
  std::fclose(file);
}

made_certificate make_certificate(const std::string& name, const made_certificate* signer,
                                  long first_second, long last_second) {
  made_certificate made{X509_new(), EVP_EC_gen("P-256")};
  require_true(made.certificate != nullptr && made.key != nullptr, "new certificate");
  static long serial = 1;
  X509_set_version(made.certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(made.certificate), serial++);
  X509_gmtime_adj(X509_getm_notBefore(made.certificate), first_second);
  X509_gmtime_adj(X509_getm_notAfter(made.certificate), last_second);
  X509_set_pubkey(made.certificate, made.key);
  auto* subject = X509_get_subject_name(made.certificate);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(made.certificate,
                       signer ? X509_get_subject_name(signer->certificate) : subject);
  X509V3_CTX context;
  X509V3_set_ctx(&context, signer ? signer->certificate : made.certificate, made.certificate,
                 nullptr, nullptr, 0);
  auto* basic = X509V3_EXT_conf_nid(nullptr, &context, NID_basic_constraints,
                                    signer ? "critical,CA:FALSE" : "critical,CA:TRUE");
  X509_add_ext(made.certificate, basic, -1);
  X509_EXTENSION_free(basic);
  require_true(X509_sign(made.certificate, signer ? signer->key : made.key, EVP_sha256()) > 0,
               "signature");
  return made;
}

void free_certificate(const made_certificate& made) {
  X509_free(made.certificate);
  EVP_PKEY_free(made.key);
}

sockaddr_in local_address(const std::string& host, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  ::inet_pton(AF_INET, host.c_str(), &address.sin_addr);
  return address;
}

} // namespace

struct tls_peer::session {
  peer_proof proof;
  SSL_CTX* context = nullptr;
  SSL* stream = nullptr;
  ~session() {
    SSL_free(stream);
    SSL_CTX_free(context);
  }
};

tls_peer::tls_peer(int socket) : socket_(socket) {
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &socket_patience, sizeof socket_patience);
  ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &socket_patience, sizeof socket_patience);
}

tls_peer::tls_peer(std::uint16_t port, const std::string& from)
    : tls_peer(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const auto source = local_address(from, 0);
  const auto target = local_address("127.0.0.1", port);
  if (::bind(socket_, reinterpret_cast<const sockaddr*>(&source), sizeof source) != 0 ||
      ::connect(socket_, reinterpret_cast<const sockaddr*>(&target), sizeof target) != 0)
    throw std::runtime_error(std::string{"cannot connect: "} + std::strerror(errno));
}

tls_peer::tls_peer(tls_peer&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), session_(std::move(other.session_)) {}

tls_peer& tls_peer::operator=(tls_peer&& other) noexcept {
  std::swap(socket_, other.socket_);
  std::swap(session_, other.session_);
  return *this;
}

tls_peer::~tls_peer() { close(); }

void tls_peer::close() {
  session_.reset();
  if (socket_ >= 0)
    ::close(std::exchange(socket_, -1));
}

void tls_peer::close_sending() { ::shutdown(socket_, SHUT_WR); }

std::string tls_peer::prove(const peer_proof& proof, bool is_server) {
  session_ = std::make_unique<session>();
  session_->proof = proof;
  session_->context = SSL_CTX_new(is_server ? TLS_server_method() : TLS_client_method());
  auto* context = session_->context;
  if (!proof.secret.empty()) {
    SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(context, "ECDHE-PSK-CHACHA20-POLY1305");
    if (is_server) {
      SSL_CTX_use_psk_identity_hint(context, proof.hint.c_str());
      SSL_CTX_set_psk_server_callback(context, peer_as_server);
    } else {
      SSL_CTX_set_psk_client_callback(context, peer_as_client);
    }
  }
  if (!proof.certificate.empty()) {
    require_true(SSL_CTX_use_certificate_chain_file(context, proof.certificate.c_str()) == 1,
                 "certificate");
    require_true(SSL_CTX_use_PrivateKey_file(context, proof.key.c_str(), SSL_FILETYPE_PEM) == 1,
                 "key");
  }
  if (!proof.authority.empty()) {
    SSL_CTX_load_verify_locations(context, proof.authority.c_str(), nullptr);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  session_->stream = SSL_new(context);
  SSL_set_app_data(session_->stream, &session_->proof);
  SSL_set_fd(session_->stream, socket_);
  ERR_clear_error();
  const int done = is_server ? SSL_accept(session_->stream) : SSL_connect(session_->stream);
  return done == 1 ? std::string{} : last_tls_problem();
}

void tls_peer::write(std::string_view bytes) {
  // What the other side does not take any more is its answer.
  if (session_)
    SSL_write(session_->stream, bytes.data(), static_cast<int>(bytes.size()));
  else [[maybe_unused]]
    const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

std::string tls_peer::read(std::size_t count) {
  std::string all;
  std::array<char, 4096> piece{};
  while (all.size() < count) {
    const auto got = session_
                         ? SSL_read(session_->stream, piece.data(), static_cast<int>(piece.size()))
                         : static_cast<int>(::recv(socket_, piece.data(), piece.size(), 0));
    if (got <= 0)
      break;
    all.append(piece.data(), static_cast<std::size_t>(got));
  }
  return all;
}

std::string tls_peer::read_some() {
  constexpr int patience_ms = 5;
  pollfd waiting{socket_, POLLIN, 0};
  const bool has_more = session_ && SSL_pending(session_->stream) > 0;
  return has_more || ::poll(&waiting, 1, patience_ms) > 0 ? read(1) : std::string{};
}

bool tls_peer::is_ended() {
  std::array<char, 4096> piece{};
  while (true) {
    const auto got = ::recv(socket_, piece.data(), piece.size(), 0);
    if (got > 0)
      continue;
    return got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
  }
}

tls_listener::tls_listener() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  auto address = local_address("127.0.0.1", 0);
  socklen_t size = sizeof address;
  if (::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(socket_, 16) != 0 ||
      ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw std::runtime_error("cannot listen");
  port_ = ntohs(address.sin_port);
}

tls_listener::~tls_listener() { ::close(socket_); }

tls_peer tls_listener::accept() const {
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &socket_patience, sizeof socket_patience);
  const int accepted = ::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
  if (accepted < 0)
    throw std::runtime_error("nobody connects");
  return tls_peer{accepted};
}

void make_certificates(const std::filesystem::path& directory) {
  constexpr long hour = 3600;
  const auto authority = make_certificate("test authority", nullptr, -hour, 24 * hour);
  const auto other = make_certificate("other authority", nullptr, -hour, 24 * hour);
  write_pem(directory, "ca", authority);
  write_pem(directory, "other_ca", other);
  for (const char* name : {"node", "desk"}) {
    const auto made = make_certificate(name, &authority, -hour, 24 * hour);
    write_pem(directory, name, made);
    free_certificate(made);
  }
  const auto expired = make_certificate("expired", &authority, -2 * hour, -hour);
  const auto stranger = make_certificate("stranger", &other, -hour, 24 * hour);
  write_pem(directory, "expired", expired);
  write_pem(directory, "stranger", stranger);
  for (const auto& made : {authority, other, expired, stranger})
    free_certificate(made);
}

std::string frame_header_bytes(unsigned operation, std::uint32_t payload, std::uint64_t data,
                               std::uint64_t source, std::uint64_t destination, unsigned flags) {
  std::string bytes;
  const auto add = [&bytes](std::uint64_t value, int count) {
    for (int shift = 8 * (count - 1); shift >= 0; shift -= 8)
      bytes += static_cast<char>(value >> static_cast<unsigned>(shift) & 0xffU);
  };
  add(operation, 1);
  add(0, 2);
  add(flags, 1);
  add(payload, 4);
  add(data, 8);
  add(source, 8);
  add(destination, 8);
  return bytes;
}

} // namespace backtest::testing
