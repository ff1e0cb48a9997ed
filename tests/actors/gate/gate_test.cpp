#include "actors/gate/gate.hpp"

#include "actors/gate/gate_secret.hpp"
#include "messages/error.hpp"
#include "tests/support/contains.hpp"
#include "tests/support/failure_of.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/tls_peer.hpp"

#include <condition_variable>
#include <fstream>
#include <mutex>

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace backtest;
using namespace backtest::testing;

namespace {

constexpr std::uint64_t test_version = 3;

frame_rules test_rules() {
  frame_rules rules;
  rules.version = test_version;
  return rules;
}

std::string test_greeting() { return frame_header_bytes(0, 5, test_version) + "hello"; }
std::string client_words() { return frame_header_bytes(1, 2, 0) + "hi"; }

/// The end of a connection that CAF would have.
class inner_end {
public:
  explicit inner_end(gate_socket socket) : peer_(socket.release()) {}
  void write(std::string_view bytes) { peer_.write(bytes); }
  std::string read(std::size_t count) { return peer_.read(count); }
  bool is_ended() { return peer_.is_ended(); }

private:
  tls_peer peer_;
};

/// A gate with a secret of its own, that greets who is admitted.
class gate_under_test {
public:
  explicit gate_under_test(node_security security = {}, connection_limits limits = {},
                           std::chrono::milliseconds handshake = std::chrono::seconds{5}) {
    if (!security.has_certificates()) {
      gate_key key{};
      fill_with_random_bytes(key.data(), key.size());
      security.secret = folder.path() / gate_secret_name;
      keep_gate_secret(security.secret, key);
    }
    gate_options options;
    options.security = security;
    options.frames = test_rules();
    options.limits = limits;
    options.times.handshake = handshake;
    options.now = [] { return std::chrono::steady_clock::now(); };
    options.admit = [this](gate_socket socket, std::uint16_t) {
      inner_end end{std::move(socket)};
      end.write(test_greeting());
      const std::lock_guard lock{mutex_};
      admitted_.push_back(std::move(end));
      news_.notify_all();
    };
    options.note = [this](const std::string& text) {
      const std::lock_guard lock{mutex_};
      notes_.push_back(text);
      news_.notify_all();
    };
    gate_.emplace("127.0.0.1", std::uint16_t{0}, std::move(options));
  }

  gate& opened() { return *gate_; }
  std::uint16_t port() const { return gate_->port(); }
  std::string secret() const {
    std::string digits;
    std::ifstream{folder.path() / gate_secret_name} >> digits;
    return digits;
  }
  inner_end next() {
    std::unique_lock lock{mutex_};
    news_.wait(lock, [this] { return !admitted_.empty(); });
    auto end = std::move(admitted_.front());
    admitted_.erase(admitted_.begin());
    return end;
  }
  std::string first_note() {
    std::unique_lock lock{mutex_};
    news_.wait(lock, [this] { return !notes_.empty(); });
    return notes_.front();
  }
  std::size_t admitted() const {
    const std::lock_guard lock{mutex_};
    return admitted_.size();
  }

  temporary_directory folder;

private:
  mutable std::mutex mutex_;
  std::condition_variable news_;
  std::vector<inner_end> admitted_;
  std::vector<std::string> notes_;
  std::optional<gate> gate_;
};

inner_end reach_gate(std::uint16_t port, const node_security& security = {}) {
  return inner_end{
      connect_through_gate("127.0.0.1", port, security, test_rules(), std::chrono::seconds{10})};
}

std::string problem_of_reaching(std::uint16_t port, const node_security& security = {}) {
  const auto problem = failure_of([&] { reach_gate(port, security); });
  CHECK(problem.code() == error_code::connection_failed);
  return problem.what();
}

node_security certified(const std::filesystem::path& folder, const std::string& name,
                        const std::string& authority = "ca") {
  node_security security;
  security.tls_certificate = folder / (name + ".pem");
  security.tls_key = folder / (name + ".key");
  security.tls_authority = folder / (authority + ".pem");
  return security;
}

} // namespace

TEST_CASE("gate: by the secret of the file that it names, bytes go both ways, also many") {
  gate_under_test node;
  auto client = reach_gate(node.port());
  auto server = node.next();
  CHECK(client.read(37) == test_greeting());
  std::string many = client_words();
  for (int i = 0; i < 20; ++i)
    many += frame_header_bytes(2, 100'000, 1, 1, 1) + std::string(100'000, static_cast<char>(i));
  std::thread writer{[&] { client.write(many); }};
  CHECK(server.read(many.size()) == many);
  writer.join();
  server.write(frame_header_bytes(6, 0, 0));
  CHECK(client.read(32) == frame_header_bytes(6, 0, 0));
  node.opened().close(); // who is there stays
  server.write(frame_header_bytes(6, 0, 0));
  CHECK(client.read(32) == frame_header_bytes(6, 0, 0));
  CHECK(contains(problem_of_reaching(node.port()), "nobody listens there"));
  { const auto gone = std::move(client); }
  CHECK(server.is_ended());
}

TEST_CASE("gate: the last words of a side that is over arrive") {
  gate_under_test node;
  auto client = reach_gate(node.port());
  std::string last = frame_header_bytes(2, 300'000, 1, 1, 1) + std::string(300'000, 'z');
  std::thread writer{[&] {
    auto server = node.next();
    server.write(last);
  }};
  CHECK(client.read(37 + last.size()) == test_greeting() + last);
  writer.join();
  CHECK(client.is_ended());
}

TEST_CASE("gate: a header that CAF chokes on ends the connection, after the proof too") {
  gate_under_test node;
  tls_peer peer{node.port()};
  REQUIRE(peer.prove({node.secret(), "", "", "", ""}).empty());
  auto inner = node.next();
  peer.write(client_words() + frame_header_bytes(0, 0, 1));
  CHECK(inner.read(1000) == client_words());
  CHECK(peer.is_ended());
  CHECK(node.first_note() ==
        "refused a connection of 127.0.0.1: it sent a header with operation 0, expected one "
        "handshake, of the server");
  tls_peer large{node.port()};
  REQUIRE(large.prove({node.secret(), "", "", "", ""}).empty());
  auto other = node.next();
  large.write(client_words() + frame_header_bytes(2, 0xffffffff, 1, 1, 1));
  CHECK(other.read(1000) == client_words());
  CHECK(large.is_ended());
}

TEST_CASE("gate: without the proof nothing is admitted, and it is told why") {
  SUBCASE("32 bytes in plain text") {
    gate_under_test node;
    tls_peer peer{node.port()};
    peer.write(frame_header_bytes(0, 0, 1));
    CHECK(peer.is_ended());
    CHECK(node.first_note() == "refused a connection of 127.0.0.1: no TLS");
    CHECK(node.admitted() == 0);
  }
  SUBCASE("another secret") {
    gate_under_test node;
    tls_peer peer{node.port()};
    CHECK(!peer.prove({std::string(64, '0'), "", "", "", ""}).empty());
    CHECK(node.first_note() == "refused a connection of 127.0.0.1: another secret");
    CHECK(node.admitted() == 0);
  }
  SUBCASE("nothing at all, in time") {
    gate_under_test node{{}, {}, std::chrono::milliseconds{50}};
    tls_peer peer{node.port()};
    CHECK(peer.is_ended());
    CHECK(node.first_note() == "refused a connection of 127.0.0.1: no handshake within 0.05 s");
  }
  SUBCASE("half a handshake") {
    gate_under_test node;
    tls_peer peer{node.port()};
    peer.write(std::string{"\x16\x03\x01\x01\x00\x01", 6});
    peer.close();
    CHECK(node.first_note() == "refused a connection of 127.0.0.1: gone during the handshake");
  }
}

TEST_CASE("gate: certificates that the other side's authority signed, and no others") {
  const temporary_directory folder;
  make_certificates(folder.path());
  const auto desk = certified(folder.path(), "desk");
  gate_under_test node{certified(folder.path(), "node")};
  const auto note = [&] { return node.first_note(); };
  SUBCASE("both have one") {
    auto client = reach_gate(node.port(), desk);
    auto server = node.next();
    client.write(client_words());
    CHECK(server.read(34) == client_words());
    CHECK(client.read(37) == test_greeting());
  }
  SUBCASE("none, in either version of TLS") {
    peer_proof nothing;
    nothing.authority = desk.tls_authority;
    tls_peer peer{node.port()};
    peer.prove(nothing);
    CHECK(peer.is_ended());
    CHECK(note() == "refused a connection of 127.0.0.1: no certificate");
    CHECK(node.admitted() == 0);
  }
  SUBCASE("expired") {
    const auto problem = problem_of_reaching(node.port(), certified(folder.path(), "expired"));
    CHECK(contains(problem, "it does not accept our certificate"));
    CHECK(note() == "refused a connection of 127.0.0.1: a certificate that is not accepted "
                    "(certificate has expired)");
  }
  SUBCASE("of another authority") {
    const auto problem = problem_of_reaching(node.port(), certified(folder.path(), "stranger"));
    CHECK(contains(problem, "it does not accept our certificate"));
    CHECK(contains(note(), "a certificate that is not accepted (unable to get local issuer"));
  }
  SUBCASE("of a node that is another one") {
    const auto problem =
        problem_of_reaching(node.port(), certified(folder.path(), "desk", "other_ca"));
    CHECK(contains(problem, "its certificate is not accepted: "));
    CHECK(contains(note(), "it does not accept our certificate"));
  }
  SUBCASE("a secret instead") {
    const auto problem = problem_of_reaching(node.port());
    CHECK(contains(problem, "it does not know how to prove itself by a secret"));
    CHECK(contains(problem, "expects --tls-cert"));
    CHECK(note() == "refused a connection of 127.0.0.1: another kind of proof than ours");
  }
  SUBCASE("plain text") {
    tls_peer peer{node.port()};
    peer.write(client_words());
    CHECK(peer.is_ended());
    CHECK(note() == "refused a connection of 127.0.0.1: no TLS");
  }
  SUBCASE("the reverse: certificates for a node with a secret") {
    gate_under_test other;
    CHECK(
        contains(problem_of_reaching(other.port(), desk), "no certificate was asked for or given"));
  }
  CHECK(node.admitted() == 0);
}

TEST_CASE("gate: a server that is none, or lies, is told in words") {
  const tls_listener server;
  std::string problem;
  std::thread client;
  const auto begin = [&](node_security security = {}) {
    client = std::thread{[&problem, &server, security] {
      try {
        connect_through_gate("127.0.0.1", server.port(), security, test_rules(),
                             std::chrono::seconds{10});
      } catch (const failure& thrown) {
        problem = thrown.what();
      }
    }};
    return server.accept();
  };
  const temporary_directory folder;
  const auto file = folder.path() / gate_secret_name;
  keep_gate_secret(file, gate_key{});
  const std::string zeros(64, '0');
  SUBCASE("plain text") {
    auto peer = begin();
    peer.write(test_greeting());
    client.join();
    CHECK(contains(problem, "what answers there does not speak TLS"));
  }
  SUBCASE("it hangs up") {
    begin().close();
    client.join();
    CHECK(contains(problem, "it closed the connection without an answer"));
  }
  SUBCASE("it names a file that it does not know") {
    auto peer = begin();
    CHECK(!peer.prove({std::string(64, '1'), file.string(), "", "", ""}, true).empty());
    peer.close();
    client.join();
    CHECK(contains(problem, "it knows another secret than the one in " + file.string()));
  }
  SUBCASE("it names a file that is no secret") {
    auto peer = begin();
    CHECK(!peer.prove({zeros, "/etc/passwd", "", "", ""}, true).empty());
    peer.close();
    client.join();
    CHECK(contains(problem, "the secret /etc/passwd: it is not called gate.secret"));
  }
  SUBCASE("it names none") {
    auto peer = begin();
    CHECK(!peer.prove({zeros, "", "", "", ""}, true).empty());
    peer.close();
    client.join();
    CHECK(contains(problem, "the node does not say where its secret is, expected --secret FILE"));
  }
  SUBCASE("it proved itself, and sends the header that CAF does not survive") {
    auto peer = begin();
    CHECK(peer.prove({zeros, file.string(), "", "", ""}, true).empty());
    peer.write(frame_header_bytes(0, 0, 1));
    client.join();
    CHECK(contains(problem, "it sent a header with version 1, expected 3"));
  }
  SUBCASE("the secret is elsewhere") {
    node_security security;
    security.secret = file;
    auto peer = begin(security);
    CHECK(peer.prove({zeros, "/nowhere/gate.secret", "", "", ""}, true).empty());
    peer.write(test_greeting());
    client.join();
    CHECK(problem.empty());
  }
}

TEST_CASE("gate: patience holds for the whole") {
  const tls_listener silent;
  CHECK(contains(failure_of([&] {
                   connect_through_gate("127.0.0.1", silent.port(), {}, test_rules(),
                                        std::chrono::milliseconds{100});
                 }).what(),
                 "no answer within 100 ms"));
}

TEST_CASE("gate: hundreds that only wait keep nobody out") {
  gate_under_test node;
  std::vector<tls_peer> waiting;
  for (int i = 0; i < 400; ++i)
    waiting.emplace_back(node.port());
  auto client = reach_gate(node.port());
  CHECK(client.read(37) == test_greeting());
  CHECK(node.first_note() == "refused a connection of 127.0.0.1: too many at once");
  CHECK(waiting.front().is_ended());
}

TEST_CASE("gate: an address has its share of connections") {
  gate_under_test node{{}, {8, 2, 4}};
  auto first = reach_gate(node.port());
  auto second = reach_gate(node.port());
  CHECK(contains(problem_of_reaching(node.port()), "has too many connections"));
  tls_peer elsewhere{node.port(), "127.0.0.9"};
  CHECK(elsewhere.prove({node.secret(), "", "", "", ""}).empty());
  CHECK(elsewhere.read(37) == test_greeting());
}

TEST_CASE("gate: a name is judged by the address that it stands for") {
  const temporary_directory folder;
  gate_options options;
  options.security.secret = folder.path() / gate_secret_name;
  keep_gate_secret(options.security.secret, gate_key{});
  options.only_loopback = true;
  const auto problem = failure_of([&] { gate{"0.0.0.0", 0, options}; });
  CHECK(problem.code() == error_code::invalid_argument);
  CHECK(contains(problem.what(), "0.0.0.0 is 0.0.0.0, which other machines reach"));
  CHECK(gate{"localhost", 0, options}.port() > 0);
}

TEST_CASE("gate: files that cannot be used are named") {
  const temporary_directory folder;
  make_certificates(folder.path());
  std::ofstream{folder.path() / "empty.pem"}.close();
  const auto refused = [&](const node_security& security) {
    const auto problem = failure_of([&] { gate_under_test{security}; });
    CHECK(problem.code() == error_code::io_failed);
    return std::string{problem.what()};
  };
  auto security = certified(folder.path(), "node");
  security.tls_key = folder.path() / "desk.key";
  CHECK(contains(refused(security), "desk.key"));
  security.tls_key = folder.path() / "missing.key";
  CHECK(contains(refused(security), "missing.key: No such file"));
  security = certified(folder.path(), "node", "empty");
  CHECK(contains(refused(security), "empty.pem"));
  security = certified(folder.path(), "node");
  security.tls_certificate = "/dev/zero";
  CHECK(contains(refused(security), "--tls-cert /dev/zero: it is not a regular file"));
}
