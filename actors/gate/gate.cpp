#include "actors/gate/gate.hpp"

#include "actors/gate/gate_secret.hpp"
#include "messages/error.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <future>
#include <map>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include <fmt/format.h>

namespace backtest {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using io_result = boost::system::error_code;
using local_socket = asio::local::stream_protocol::socket;
using tls_stream = asio::ssl::stream<tcp::socket>;

constexpr std::size_t relay_buffer_bytes = 64 << 10;
/// What was written is given this long to leave once one side is over.
constexpr std::chrono::seconds farewell{5};
constexpr std::chrono::milliseconds pause_without_handles{100};
constexpr const char* secret_ciphers = "ECDHE-PSK-CHACHA20-POLY1305";
constexpr const char* secret_identity = "backtest";

failure connection_failure(std::string text) {
  return failure{error_code::connection_failed, std::move(text)};
}

// -- the thread ----------------------------------------------------------------------------------

/// Where all gates and connections of the process do their work.
class gate_thread {
public:
  static gate_thread& of_process() {
    static gate_thread only;
    return only;
  }

  asio::io_context& context() noexcept { return context_; }

  /// Runs there, and waits for it.
  template <class Work>
  void run(Work work) {
    std::packaged_task<void()> task{std::move(work)};
    auto done = task.get_future();
    asio::post(context_, [&task] { task(); });
    done.get();
  }

private:
  gate_thread() {
    // It cleans up at the end of the process, which must come after the last connection's.
    ::OPENSSL_init_ssl(0, nullptr);
    // Signals are for the threads of the program.
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
      thread_ = std::thread{[this] { work(); }};
    } catch (...) {
      ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
      throw;
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  ~gate_thread() {
    // The systems of actors are gone by now; what they wrote last may still be on its way.
    constexpr std::chrono::seconds longest{1};
    guard_.reset();
    if (over_.get_future().wait_for(longest) != std::future_status::ready)
      context_.stop();
    thread_.join();
  }

  void work() {
    while (true) {
      try {
        context_.run();
        break;
      } catch (const std::exception&) {
        // Memory ran out in a handler; the connection that it belonged to is gone with it.
      }
    }
    over_.set_value();
  }

  asio::io_context context_{1};
  asio::executor_work_guard<asio::io_context::executor_type> guard_{context_.get_executor()};
  std::promise<void> over_;
  std::thread thread_;
};

// -- proofs --------------------------------------------------------------------------------------

/// What a handshake with a secret needs to know, and what it found.
struct secret_proof {
  std::optional<gate_key> known;
  std::filesystem::path file;         ///< of a client that found the key
  std::optional<std::string> problem; ///< why a client has no key
};

int proof_index() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

secret_proof* proof_of(SSL* session) {
  return static_cast<secret_proof*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(session), proof_index()));
}

unsigned copy_key(const gate_key& key, unsigned char* into, unsigned most) {
  if (most < key.size())
    return 0;
  std::copy(key.begin(), key.end(), into);
  return static_cast<unsigned>(key.size());
}

unsigned answer_with_secret(SSL* session, const char*, unsigned char* into, unsigned most) {
  const auto* proof = proof_of(session);
  return proof && proof->known ? copy_key(*proof->known, into, most) : 0;
}

unsigned find_secret(SSL* session, const char* named, char* identity, unsigned most_identity,
                     unsigned char* into, unsigned most) {
  auto* proof = proof_of(session);
  if (!proof || most_identity < std::strlen(secret_identity) + 1)
    return 0;
  try {
    if (!proof->known) {
      const std::filesystem::path file = named ? named : "";
      if (file.is_relative()) {
        proof->problem = "the node does not say where its secret is, expected --secret FILE";
        return 0;
      }
      proof->known = read_gate_secret(file);
      proof->file = file;
    }
    std::strcpy(identity, secret_identity);
    return copy_key(*proof->known, into, most);
  } catch (const std::exception& thrown) {
    proof->problem = thrown.what();
    return 0;
  }
}

int never_ask_for_pass_phrase(char*, int, int, void*) { return 0; }

/// One set of proofs, for the connections of a gate or for one.
class tls_setup {
public:
  tls_setup(const node_security& security, bool is_server)
      : context_(is_server ? asio::ssl::context::tls_server : asio::ssl::context::tls_client) {
    require_consistent(security);
    auto* raw = context_.native_handle();
    SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
    // Every connection proves itself anew.
    SSL_CTX_set_options(raw, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(raw, 0);
    if (security.has_certificates())
      use_certificates(security);
    else
      use_secret(security, is_server);
  }

  asio::ssl::context& context() noexcept { return context_; }
  const secret_proof& proof() const noexcept { return proof_; }

private:
  void use_certificates(const node_security& security) {
    SSL_CTX_set_default_passwd_cb(context_.native_handle(), never_ask_for_pass_phrase);
    const auto take = [](const char* flag, const std::filesystem::path& file, auto use) {
      const auto content = read_proof_file(flag, file);
      io_result problem;
      use(asio::buffer(content), problem);
      if (problem)
        throw failure(error_code::io_failed, fmt::format("{} {}: {}, expected a PEM file", flag,
                                                         file.string(), problem.message()));
    };
    take("--tls-cert", security.tls_certificate,
         [this](auto content, auto& problem) { context_.use_certificate_chain(content, problem); });
    take("--tls-key", security.tls_key, [this](auto content, auto& problem) {
      context_.use_private_key(content, asio::ssl::context::pem, problem);
    });
    take("--tls-ca", security.tls_authority, [this](auto content, auto& problem) {
      context_.add_certificate_authority(content, problem);
    });
    auto* raw = context_.native_handle();
    if (sk_X509_OBJECT_num(X509_STORE_get0_objects(SSL_CTX_get_cert_store(raw))) < 1)
      throw failure(error_code::io_failed,
                    fmt::format("--tls-ca {}: no certificate in it, expected a PEM file",
                                security.tls_authority.string()));
    if (SSL_CTX_check_private_key(raw) != 1)
      throw failure(error_code::io_failed,
                    fmt::format("--tls-key {}: not the key of the certificate in {}",
                                security.tls_key.string(), security.tls_certificate.string()));
    SSL_CTX_set_verify(raw, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }

  void use_secret(const node_security& security, bool is_server) {
    auto* raw = context_.native_handle();
    SSL_CTX_set_max_proto_version(raw, TLS1_2_VERSION); // 1.3 has no way to name the file
    if (SSL_CTX_set_cipher_list(raw, secret_ciphers) != 1 ||
        SSL_CTX_set_ex_data(raw, proof_index(), &proof_) != 1)
      throw connection_failure(fmt::format("this OpenSSL has no cipher {}", secret_ciphers));
    if (!is_server) {
      if (!security.secret.empty()) {
        proof_.file = std::filesystem::absolute(security.secret);
        proof_.known = read_gate_secret(proof_.file);
      }
      SSL_CTX_set_psk_client_callback(raw, find_secret);
      return;
    }
    const auto file = std::filesystem::absolute(security.secret).lexically_normal();
    proof_.known = read_gate_secret(file);
    // One that is too long to be told must be named where it is read.
    if (file.native().size() <= PSK_MAX_IDENTITY_LEN)
      SSL_CTX_use_psk_identity_hint(raw, file.c_str());
    SSL_CTX_set_psk_server_callback(raw, answer_with_secret);
  }

  asio::ssl::context context_;
  secret_proof proof_;
};

bool is_tls_error(const io_result& reason) {
  return reason.category() == asio::error::get_ssl_category();
}

int tls_reason(const io_result& reason) {
  return is_tls_error(reason) ? ERR_GET_REASON(static_cast<unsigned long>(reason.value())) : 0;
}

bool is_plain_text(int reason) {
  return reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_HTTP_REQUEST ||
         reason == SSL_R_PACKET_LENGTH_TOO_LONG || reason == SSL_R_HTTPS_PROXY_REQUEST ||
         reason == SSL_R_RECORD_LENGTH_MISMATCH || reason == SSL_R_BAD_RECORD_TYPE;
}

bool refuses_certificate(int reason) {
  return reason == SSL_R_TLSV1_ALERT_UNKNOWN_CA ||
         reason == SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED ||
         reason == SSL_R_SSLV3_ALERT_BAD_CERTIFICATE ||
         reason == SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN ||
         reason == SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED ||
         reason == SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE ||
         reason == SSL_R_TLSV1_ALERT_ACCESS_DENIED;
}

std::string certificate_problem(SSL* session) {
  return X509_verify_cert_error_string(SSL_get_verify_result(session));
}

/// Short: they are counted.
std::string refusal_of(const io_result& reason, SSL* session) {
  const int why = tls_reason(reason);
  if (is_plain_text(why))
    return "no TLS";
  if (why == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE)
    return "no certificate";
  if (why == SSL_R_CERTIFICATE_VERIFY_FAILED)
    return "a certificate that is not accepted (" + certificate_problem(session) + ")";
  if (why == SSL_R_NO_SHARED_CIPHER || why == SSL_R_UNSUPPORTED_PROTOCOL)
    return "another kind of proof than ours";
  if (why == SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC)
    return "another secret";
  if (refuses_certificate(why))
    return "it does not accept our certificate";
  if (why == SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE)
    return "it gave up the handshake, as who has no proof does";
  if (is_tls_error(reason))
    return "a handshake that fails (" + reason.message() + ")";
  return "gone during the handshake";
}

std::string problem_of_connecting(const io_result& reason, SSL* session, const tls_setup& setup,
                                  bool has_certificates) {
  if (setup.proof().problem)
    return *setup.proof().problem;
  const int why = tls_reason(reason);
  if (is_plain_text(why))
    return "what answers there does not speak TLS: it is not a node, or one of an older version";
  if (why == SSL_R_CERTIFICATE_VERIFY_FAILED)
    return "its certificate is not accepted: " + certificate_problem(session) +
           "; expected one that an authority of --tls-ca signed";
  if (refuses_certificate(why))
    return "it does not accept our certificate (" + reason.message() + ")";
  if (why == SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED)
    return "it asks for a certificate, expected --tls-cert, --tls-key and --tls-ca";
  if (why == SSL_R_SSLV3_ALERT_BAD_RECORD_MAC || why == SSL_R_TLSV1_ALERT_DECRYPT_ERROR)
    return fmt::format("it knows another secret than the one in {}", setup.proof().file.string());
  if (is_tls_error(reason))
    return has_certificates
               ? "no certificate was asked for or given (" + reason.message() +
                     "); without --tls-cert, --tls-key and --tls-ca a node of this machine is "
                     "reached by its secret"
               : "it does not know how to prove itself by a secret (" + reason.message() +
                     "); one that was started with --tls-cert expects --tls-cert, --tls-key and "
                     "--tls-ca";
  if (reason == asio::error::eof || reason == asio::ssl::error::stream_truncated ||
      reason == asio::error::connection_reset || reason == asio::error::broken_pipe)
    return "it closed the connection without an answer: what listens there is not a node, or has "
           "too many connections (its warnings say which)";
  return reason.message();
}

// -- connections ---------------------------------------------------------------------------------

/// Carries the bytes of a connection that proved itself, until either side is over.
class relay : public std::enable_shared_from_this<relay> {
public:
  struct ends {
    std::unique_ptr<tls_stream> outer;
    local_socket inner;
    std::shared_ptr<tls_setup> setup; ///< outlives what was made of it
  };

  relay(ends both, frame_check check, gate_times times,
        std::function<void(const std::string&)> on_cut, std::function<void()> on_end)
      : outer_(std::move(both.outer)), inner_(std::move(both.inner)), setup_(std::move(both.setup)),
        check_(std::move(check)), silence_(times.silence), timer_(inner_.get_executor()),
        on_cut_(std::move(on_cut)), on_end_(std::move(on_end)) {}

  /// `first`: what was read of the other side already.
  void start(std::string_view first) {
    std::copy(first.begin(), first.end(), coming_.begin());
    waiting_ = first.size();
    watch_silence();
    pass_on();
    read_inner();
  }

private:
  void read_outer() {
    outer_->async_read_some(asio::buffer(coming_.data() + waiting_, coming_.size() - waiting_),
                            [me = shared_from_this()](const io_result& problem, std::size_t count) {
                              me->has_heard_ = true;
                              if (problem)
                                return me->outer_is_over();
                              me->waiting_ += count;
                              me->pass_on();
                            });
  }

  void pass_on() {
    if (inner_is_over_) { // nobody reads it any more
      waiting_ = 0;
      return read_outer();
    }
    const auto count = check_.passable({coming_.data(), waiting_});
    if (count == 0)
      return check_.problem() ? cut_off("it sent " + *check_.problem()) : read_outer();
    asio::async_write(inner_, asio::buffer(coming_.data(), count),
                      [me = shared_from_this(), count](const io_result& problem, std::size_t) {
                        if (problem)
                          return me->outer_is_over();
                        std::memmove(me->coming_.data(), me->coming_.data() + count,
                                     me->waiting_ - count);
                        me->waiting_ -= count;
                        me->pass_on();
                      });
  }

  void read_inner() {
    inner_.async_read_some(asio::buffer(going_),
                           [me = shared_from_this()](const io_result& problem, std::size_t count) {
                             if (problem)
                               return me->inner_ended();
                             if (me->outer_is_over_) // to its end, else it would be a reset
                               return me->read_inner();
                             me->write_outer(count);
                           });
  }

  void write_outer(std::size_t count) {
    asio::async_write(*outer_, asio::buffer(going_.data(), count),
                      [me = shared_from_this()](const io_result&, std::size_t) {
                        // A side that is gone is noticed by reading from it.
                        me->read_inner();
                      });
  }

  void outer_is_over() {
    outer_is_over_ = true;
    io_result ignored;
    inner_.shutdown(local_socket::shutdown_send, ignored);
    one_side_is_over();
  }

  void inner_ended() {
    inner_is_over_ = true;
    io_result ignored;
    outer_->lowest_layer().shutdown(tcp::socket::shutdown_send, ignored);
    one_side_is_over();
  }

  void cut_off(const std::string& why) {
    if (const auto tell = std::exchange(on_cut_, nullptr))
      tell(why);
    io_result ignored;
    outer_->lowest_layer().close(ignored);
    outer_is_over();
  }

  void one_side_is_over() {
    if (inner_is_over_ && outer_is_over_)
      return end();
    timer_.expires_after(farewell);
    timer_.async_wait([me = shared_from_this()](const io_result& cancelled) {
      if (!cancelled)
        me->end();
    });
  }

  void watch_silence() {
    timer_.expires_after(silence_);
    timer_.async_wait([me = shared_from_this()](const io_result& cancelled) {
      if (cancelled)
        return;
      if (!std::exchange(me->has_heard_, false))
        return me->cut_off(fmt::format("nothing came for {} s",
                                       std::chrono::duration<double>(me->silence_).count()));
      me->watch_silence();
    });
  }

  void end() {
    timer_.cancel();
    io_result ignored;
    outer_->lowest_layer().close(ignored);
    inner_.close(ignored);
    if (const auto tell = std::exchange(on_end_, nullptr))
      tell();
  }

  std::unique_ptr<tls_stream> outer_;
  local_socket inner_;
  std::shared_ptr<tls_setup> setup_;
  frame_check check_;
  std::chrono::milliseconds silence_;
  asio::steady_timer timer_;
  std::function<void(const std::string&)> on_cut_;
  std::function<void()> on_end_;
  std::array<char, relay_buffer_bytes> coming_{}; ///< from outside
  std::size_t waiting_ = 0;                       ///< of those
  std::array<char, relay_buffer_bytes> going_{};
  bool has_heard_ = false;
  bool outer_is_over_ = false;
  bool inner_is_over_ = false;
};

/// The end for the relay; the other one is for CAF.
std::pair<local_socket, gate_socket> local_pair(asio::io_context& context) {
  std::array<int, 2> handles{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, handles.data()) != 0)
    throw connection_failure(std::string{"cannot make a pair of sockets: "} + std::strerror(errno));
  gate_socket for_caf{handles[1]};
  gate_socket ours{handles[0]};
  local_socket inner{context, asio::local::stream_protocol{}, handles[0]};
  ours.release();
  return {std::move(inner), std::move(for_caf)};
}

/// Programs that this one starts shall not hold it.
void keep_from_children(int handle) { ::fcntl(handle, F_SETFD, FD_CLOEXEC); }

void tune(tls_stream& stream) {
  io_result ignored;
  auto& socket = stream.next_layer();
  keep_from_children(socket.native_handle());
  socket.set_option(tcp::no_delay{true}, ignored);
  socket.set_option(tcp::socket::keep_alive{true}, ignored);
}

std::string text_of_address(const tcp::endpoint& peer) {
  const auto address = peer.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
  return address.to_string();
}

} // namespace

gate_socket& gate_socket::operator=(gate_socket&& other) noexcept {
  std::swap(handle_, other.handle_);
  return *this;
}

gate_socket::~gate_socket() {
  if (handle_ >= 0)
    ::close(handle_);
}

int gate_socket::release() noexcept { return std::exchange(handle_, -1); }

// -- listening -----------------------------------------------------------------------------------

class gate::listening : public std::enable_shared_from_this<listening> {
public:
  listening(asio::io_context& context, gate_options options)
      : context_(context), options_(std::move(options)),
        setup_(std::make_shared<tls_setup>(options_.security, true)), bounds_(options_.limits),
        acceptor_(context), pause_(context), minute_(context) {}

  std::uint16_t open(const std::string& host, std::uint16_t port) {
    io_result problem;
    const auto found = tcp::resolver{context_}.resolve(host, std::to_string(port),
                                                       tcp::resolver::passive, problem);
    if (problem || found.empty())
      throw connection_failure("there is no host of that name");
    const tcp::endpoint where = *found.begin();
    if (options_.only_loopback && !where.address().is_loopback())
      throw failure(error_code::invalid_argument,
                    fmt::format("{} is {}, which other machines reach; expected certificates or an "
                                "address of this machine",
                                host, where.address().to_string()));
    acceptor_.open(where.protocol(), problem);
    if (!problem)
      keep_from_children(acceptor_.native_handle());
    // One that is started again finds its port still in use by connections of its former life.
    if (!problem)
      acceptor_.set_option(tcp::acceptor::reuse_address{true}, problem);
    if (!problem)
      acceptor_.bind(where, problem);
    if (!problem)
      acceptor_.listen(tcp::acceptor::max_listen_connections, problem);
    if (problem)
      throw connection_failure(problem.message());
    port_ = acceptor_.local_endpoint().port();
    accept();
    return port_;
  }

  void close() {
    is_closed_ = true;
    io_result ignored;
    acceptor_.close(ignored);
    pause_.cancel();
    minute_.cancel();
    for (const auto& [id, pending] : pending_)
      pending->abandon();
    pending_.clear();
    options_.admit = nullptr;
    options_.note = nullptr;
  }

private:
  /// A connection in its handshake.
  struct handshake {
    handshake(tcp::socket socket, tls_setup& setup)
        : stream(std::make_unique<tls_stream>(std::move(socket), setup.context())),
          limit(stream->get_executor()) {}

    void abandon() {
      limit.cancel();
      io_result ignored;
      if (stream)
        stream->lowest_layer().close(ignored);
    }

    std::unique_ptr<tls_stream> stream;
    asio::steady_timer limit;
    std::string address;
  };

  void accept() {
    acceptor_.async_accept([me = shared_from_this()](const io_result& problem, tcp::socket socket) {
      if (me->is_closed_)
        return;
      if (problem == asio::error::no_descriptors || problem == asio::error::no_memory ||
          problem == asio::error::no_buffer_space || problem.value() == ENFILE)
        return me->wait_for_handles();
      try {
        if (!problem)
          me->begin(std::move(socket));
      } catch (const std::exception& thrown) { // the next one may find more memory
        me->refuse("everybody", thrown.what());
      }
      me->accept();
    });
  }

  void wait_for_handles() {
    refuse("everybody", "no handles or memory left for connections");
    pause_.expires_after(pause_without_handles);
    pause_.async_wait([me = shared_from_this()](const io_result& cancelled) {
      if (!cancelled && !me->is_closed_)
        me->accept();
    });
  }

  void begin(tcp::socket socket) {
    io_result problem;
    const auto peer = socket.remote_endpoint(problem);
    if (problem)
      return; // gone already
    const auto address = text_of_address(peer);
    const auto answer = bounds_.admit(address);
    if (answer.gives_way)
      give_up(*answer.gives_way, "too many at once");
    if (!answer.admitted)
      return refuse(address, "too many at once");
    const auto id = *answer.admitted;
    const auto made = std::make_shared<handshake>(std::move(socket), *setup_);
    made->address = address;
    pending_[id] = made;
    tune(*made->stream);
    made->limit.expires_after(options_.times.handshake);
    made->limit.async_wait([me = shared_from_this(), id](const io_result& cancelled) {
      if (!cancelled)
        me->give_up(
            id, fmt::format("no handshake within {} s",
                            std::chrono::duration<double>(me->options_.times.handshake).count()));
    });
    made->stream->async_handshake(asio::ssl::stream_base::server, [me = shared_from_this(), made,
                                                                   id](const io_result& reason) {
      if (!me->pending_.count(id)) // it was given up
        return;
      if (reason)
        return me->give_up(id, refusal_of(reason, made->stream->native_handle()));
      me->let_in(id);
    });
  }

  void let_in(connection_bounds::connection_id id) {
    const auto proven = pending_.at(id);
    pending_.erase(id);
    proven->limit.cancel();
    bounds_.prove(id);
    const auto address = proven->address;
    try {
      auto [inner, for_caf] = local_pair(context_);
      const auto made = std::make_shared<relay>(
          relay::ends{std::move(proven->stream), std::move(inner), setup_},
          frame_check{options_.frames, frame_sender::client}, options_.times,
          [me = shared_from_this(), address](const std::string& why) { me->refuse(address, why); },
          [me = shared_from_this(), id] { me->bounds_.release(id); });
      if (options_.admit)
        options_.admit(std::move(for_caf), port_);
      made->start({});
    } catch (const std::exception& problem) {
      bounds_.release(id);
      refuse(address, problem.what());
    }
  }

  void give_up(connection_bounds::connection_id id, const std::string& why) {
    const auto found = pending_.find(id);
    if (found == pending_.end())
      return;
    const auto pending = found->second;
    pending_.erase(found);
    bounds_.release(id);
    pending->abandon();
    refuse(pending->address, why);
  }

  void refuse(const std::string& address, const std::string& why) {
    if (is_closed_)
      return;
    const auto text = notices_.note(address, why, options_.now());
    if (!text.empty())
      tell(text);
    if (!watches_minutes_)
      watch_minutes();
  }

  void watch_minutes() {
    watches_minutes_ = true;
    minute_.expires_after(std::chrono::seconds{1});
    minute_.async_wait([me = shared_from_this()](const io_result& cancelled) {
      if (cancelled || me->is_closed_)
        return;
      for (const auto& text : me->notices_.due(me->options_.now()))
        me->tell(text);
      if (me->notices_.is_quiet())
        me->watches_minutes_ = false;
      else
        me->watch_minutes();
    });
  }

  void tell(const std::string& text) {
    if (options_.note)
      options_.note(text);
  }

  asio::io_context& context_;
  gate_options options_;
  std::shared_ptr<tls_setup> setup_;
  connection_bounds bounds_;
  refusal_notices notices_;
  std::map<connection_bounds::connection_id, std::shared_ptr<handshake>> pending_;
  tcp::acceptor acceptor_;
  std::uint16_t port_ = 0;
  asio::steady_timer pause_;
  asio::steady_timer minute_;
  bool watches_minutes_ = false;
  bool is_closed_ = false;
};

gate::gate(const std::string& host, std::uint16_t port, gate_options options) {
  auto& thread = gate_thread::of_process();
  listening_ = std::make_shared<listening>(thread.context(), std::move(options));
  thread.run([&] {
    try {
      port_ = listening_->open(host, port);
    } catch (...) {
      listening_->close();
      throw;
    }
  });
}

gate::~gate() { close(); }

void gate::close() {
  if (const auto known = std::exchange(listening_, nullptr))
    gate_thread::of_process().run([&] { known->close(); });
}

// -- connecting ----------------------------------------------------------------------------------

namespace {

/// One attempt to reach a gate.
class reaching : public std::enable_shared_from_this<reaching> {
public:
  reaching(asio::io_context& context, const node_security& security, const frame_rules& frames,
           std::function<void(const std::string&)> note)
      : context_(context), has_certificates_(security.has_certificates()),
        setup_(std::make_shared<tls_setup>(security, false)), check_(frames, frame_sender::server),
        fresh_check_(check_), note_(std::move(note)), resolver_(context), limit_(context),
        stream_(std::make_unique<tls_stream>(context, setup_->context())) {}

  std::future<gate_socket> future() { return answer_.get_future(); }

  void start(const std::string& host, std::uint16_t port, std::chrono::milliseconds patience) {
    limit_.expires_after(patience);
    limit_.async_wait([me = shared_from_this(), patience](const io_result& cancelled) {
      if (!cancelled)
        me->fail(
            fmt::format("no answer within {} ms; is a node listening there?", patience.count()));
    });
    resolver_.async_resolve(host, std::to_string(port),
                            [me = shared_from_this()](const io_result& problem,
                                                      const tcp::resolver::results_type& found) {
                              if (me->is_over_)
                                return;
                              if (problem)
                                return me->fail("there is no host of that name");
                              for (const auto& item : found)
                                me->places_.push_back(item.endpoint());
                              me->try_next();
                            });
  }

private:
  void try_next() {
    if (places_.empty())
      return fail("nobody listens there, or it cannot be reached");
    const auto place = places_.front();
    places_.erase(places_.begin());
    io_result ignored;
    stream_->lowest_layer().close(ignored);
    stream_->lowest_layer().open(place.protocol(), ignored);
    if (stream_->lowest_layer().is_open())
      keep_from_children(stream_->lowest_layer().native_handle());
    stream_->lowest_layer().async_connect(place,
                                          [me = shared_from_this()](const io_result& problem) {
                                            if (me->is_over_)
                                              return;
                                            if (problem)
                                              return me->try_next();
                                            me->prove();
                                          });
  }

  void prove() {
    tune(*stream_);
    stream_->async_handshake(asio::ssl::stream_base::client,
                             [me = shared_from_this()](const io_result& problem) {
                               if (me->is_over_)
                                 return;
                               if (problem)
                                 return me->fail_with(problem);
                               me->listen_first();
                             });
  }

  /// In TLS 1.3 the other side's verdict about us comes with its first words.
  void listen_first() {
    stream_->async_read_some(
        asio::buffer(first_.data() + heard_, first_.size() - heard_),
        [me = shared_from_this()](const io_result& problem, std::size_t count) {
          if (me->is_over_)
            return;
          if (problem)
            return me->fail_with(problem);
          me->heard_ += count;
          if (me->heard_ < frame_check::header_bytes)
            return me->listen_first();
          me->check_first();
        });
  }

  void check_first() {
    check_.passable({first_.data(), heard_});
    if (check_.problem())
      return fail("what answers there is not a node, or one on another version of CAF: it sent " +
                  *check_.problem());
    try {
      auto [inner, for_caf] = local_pair(context_);
      const auto made =
          std::make_shared<relay>(relay::ends{std::move(stream_), std::move(inner), setup_},
                                  std::move(fresh_check_), gate_times{}, std::move(note_), nullptr);
      is_over_ = true;
      limit_.cancel();
      answer_.set_value(std::move(for_caf));
      made->start({first_.data(), heard_});
    } catch (const std::exception& problem) {
      fail(problem.what());
    }
  }

  void fail_with(const io_result& reason) {
    fail(problem_of_connecting(reason, stream_->native_handle(), *setup_, has_certificates_));
  }

  void fail(const std::string& text) {
    if (std::exchange(is_over_, true))
      return;
    limit_.cancel();
    resolver_.cancel();
    io_result ignored;
    if (stream_)
      stream_->lowest_layer().close(ignored);
    answer_.set_exception(std::make_exception_ptr(connection_failure(text)));
  }

  asio::io_context& context_;
  bool has_certificates_;
  std::shared_ptr<tls_setup> setup_;
  frame_check check_;
  frame_check fresh_check_; ///< the relay looks at the first words again
  std::function<void(const std::string&)> note_;
  tcp::resolver resolver_;
  asio::steady_timer limit_;
  std::unique_ptr<tls_stream> stream_;
  std::vector<tcp::endpoint> places_;
  std::array<char, 4096> first_{};
  std::size_t heard_ = 0;
  bool is_over_ = false;
  std::promise<gate_socket> answer_;
};

} // namespace

gate_socket connect_through_gate(const std::string& host, std::uint16_t port,
                                 const node_security& security, const frame_rules& frames,
                                 std::chrono::milliseconds patience,
                                 std::function<void(const std::string&)> note) {
  auto& thread = gate_thread::of_process();
  const auto attempt =
      std::make_shared<reaching>(thread.context(), security, frames, std::move(note));
  auto answer = attempt->future();
  asio::post(thread.context(),
             [attempt, host, port, patience] { attempt->start(host, port, patience); });
  return answer.get();
}

void require_readable(const node_security& security) {
  if (security.has_certificates())
    tls_setup{security, true};
}

void fill_with_random_bytes(unsigned char* first, std::size_t count) {
  if (RAND_bytes(first, static_cast<int>(count)) != 1)
    throw failure(error_code::io_failed, "the system gives no random bytes");
}

} // namespace backtest
