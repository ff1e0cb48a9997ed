// Hostile and broken peers of the real command: of a node, of a tap, of an operator.

#include "actors/gate/gate_secret.hpp"
#include "messages/caf_network.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/command.hpp"
#include "tests/support/command_files.hpp"
#include "tests/support/contains.hpp"
#include "tests/support/damaged_frames.hpp"
#include "tests/support/live_fixture.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/sanitizers.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/tls_peer.hpp"

#include <atomic>
#include <csignal>
#include <fstream>
#include <random>
#include <thread>

#include <sys/resource.h>
#include <sys/stat.h>

using namespace backtest;
using namespace backtest::testing;

namespace {

/// `backtest live --publish` on a replay that outlasts a test.
class published_node {
public:
  explicit published_node(const std::vector<std::string>& more = {},
                          const std::vector<std::string>& through = {}) {
    const auto configuration = folder.path() / "config.json";
    std::ofstream{configuration} << five_symbols();
    std::vector<std::string> arguments{"live",       "--config", configuration.string(),
                                       "--data-dir", data(),     "--clock",
                                       "replay",     "--speed",  "600",
                                       "--publish",  "0"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    command_.emplace(arguments, std::vector<std::string>{}, through);
    address = command_->wait_for_line("backtest: published on ");
    REQUIRE(address.find("127.0.0.1:") == 0);
  }

  std::string data() const { return (folder.path() / "data").string(); }
  std::uint16_t port() const {
    return static_cast<std::uint16_t>(std::stoi(address.substr(address.find(':') + 1)));
  }
  std::string secret() const {
    std::string digits;
    std::ifstream{folder.path() / "data" / gate_secret_name} >> digits;
    return digits;
  }
  /// It lives, commits and answers: a pause is durable before it is answered.
  void check_alive(const std::vector<std::string>& proof = {}) const {
    for (const char* order : {"pause", "resume"}) {
      std::vector<std::string> arguments{"control",  "--connect", address,      order,
                                         "--symbol", "AAAUSDT",   "--strategy", "pullback"};
      arguments.insert(arguments.end(), proof.begin(), proof.end());
      const auto answered = run_command(arguments);
      CAPTURE(answered.err);
      CHECK(answered.status == 0);
    }
  }
  void wait_for_warning(const std::string& text) { CHECK(command_->wait_for_stderr(text)); }
  command_result stop() {
    command_->send_signal(SIGTERM);
    command_->send_signal(SIGTERM);
    return command_->wait();
  }

  temporary_directory folder;
  std::string address;

private:
  std::optional<running_command> command_;
};

constexpr std::uint32_t all_of_it = 0xffffffff;

/// What CAF does not survive, or takes all memory for.
std::vector<std::string> hostile_headers() {
  return {frame_header_bytes(0, 0, 1),
          frame_header_bytes(0, 0, 3),
          frame_header_bytes(1, 0, 0),
          frame_header_bytes(1, 0, 0, 0, 0, 2),
          frame_header_bytes(2, all_of_it, 1, 1, 1),
          frame_header_bytes(0, all_of_it, 3)};
}

peer_proof by_secret(const std::string& digits, const std::string& hint = "") {
  return {digits, hint, "", "", ""};
}

/// The first words of a sound peer: its handshake.
std::string first_frame(tls_peer& peer) {
  auto bytes = peer.read(32);
  if (bytes.size() < 32)
    return bytes;
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(bytes[at]); };
  const auto length =
      static_cast<std::size_t>(byte(4) << 24 | byte(5) << 16 | byte(6) << 8 | byte(7));
  if (bytes.size() < 32 + length)
    bytes += peer.read(32 + length - bytes.size());
  return bytes.substr(0, 32 + length);
}

std::vector<std::string> tls_flags(const std::filesystem::path& folder, const std::string& name,
                                   const std::string& authority = "ca") {
  return {"--tls-cert", (folder / (name + ".pem")).string(),
          "--tls-key",  (folder / (name + ".key")).string(),
          "--tls-ca",   (folder / (authority + ".pem")).string()};
}

command_result tap_at(const std::string& address, const std::vector<std::string>& more = {}) {
  std::vector<std::string> arguments{"tap", "--connect", address, "--quiet"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run_command(arguments);
}

/// A server that proves itself by a secret which the command finds.
class lying_server {
public:
  lying_server() { keep_gate_secret(file_, gate_key{}); }
  std::string address() const { return fmt::format("127.0.0.1:{}", listener_.port()); }
  tls_peer accept() {
    auto peer = listener_.accept();
    CHECK(peer.prove(by_secret(std::string(64, '0'), file_.string()), true).empty());
    return peer;
  }
  /// Says these bytes to the next who connects, then hangs up; what he said first.
  std::string serve(const std::string& bytes) {
    auto peer = accept();
    peer.write(bytes);
    auto heard = first_frame(peer);
    return heard;
  }

private:
  temporary_directory folder_;
  std::filesystem::path file_ = folder_.path() / gate_secret_name;
  tls_listener listener_;
};

/// What a tap and its node say to each other, handshakes and lines of the journal among it.
struct recorded_tap {
  explicit recorded_tap(const published_node& node) {
    lying_server between;
    running_command tapping{{"tap", "--connect", between.address(), "--quiet", "--follow"}};
    auto tap = between.accept();
    tls_peer real{node.port()};
    CHECK(real.prove(by_secret(node.secret())).empty());
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{30};
    while (lines() < 3 && std::chrono::steady_clock::now() < deadline) {
      const auto asked = tap.read_some();
      const auto answered = real.read_some();
      real.write(asked);
      tap.write(answered);
      of_tap += asked;
      of_node += answered;
    }
    CHECK(lines() >= 3);
    tapping.send_signal(SIGKILL);
    tapping.wait();
  }

  std::size_t lines() const {
    std::size_t count = 0;
    for (auto at = of_node.find("seq"); at != std::string::npos; at = of_node.find("seq", at + 1))
      ++count;
    return count;
  }

  std::string of_tap;
  std::string of_node;
};

} // namespace

TEST_CASE("command live --publish: a recorded tap, damaged in 1,000 ways, ends no node") {
  const watchdog guard{std::chrono::seconds{280}};
  published_node node;
  node.check_alive(); // something is in the journal
  node.check_alive();
  const recorded_tap said{node};
  frame_rules rules;
  rules.version = protocol_version();
  damage_in_1000_ways(said.of_node, rules, frame_sender::server);
  damage_in_1000_ways(said.of_tap, rules, frame_sender::client);
  const std::uint32_t ways = is_sanitized ? 200 : 1000;
  for (std::uint32_t seed = 0; seed < ways; ++seed) {
    CAPTURE(seed);
    tls_peer proven{node.port()};
    REQUIRE(proven.prove(by_secret(node.secret())).empty());
    proven.write(damaged_in_way(said.of_tap, seed));
    proven.read_some();
  }
  node.check_alive();
  CHECK(node.stop().peak_kilobytes < 1024 * 1024);
}

TEST_CASE(
    "command live --publish: 32 bytes that CAF does not survive reach nobody, before the proof "
    "and after a proper handshake") {
  const watchdog guard{std::chrono::seconds{240}};
  published_node node;
  // What a real tap says first.
  lying_server recorder;
  std::string greeting;
  std::thread recording{[&] {
    tls_peer real{node.port()};
    real.prove(by_secret(node.secret()));
    greeting = recorder.serve(first_frame(real));
  }};
  CHECK(tap_at(recorder.address()).status == 1);
  recording.join();
  REQUIRE(greeting.size() > 32);
  for (const auto& header : hostile_headers()) {
    tls_peer plain{node.port()};
    plain.write(header);
    CHECK(plain.is_ended());
    tls_peer proven{node.port()};
    REQUIRE(proven.prove(by_secret(node.secret())).empty());
    CHECK(first_frame(proven).size() > 32);
    proven.write(greeting);
    proven.write(header);
    CHECK(proven.is_ended());
  }
  // What a node says to a tap that has just come.
  tls_peer listening{node.port()};
  REQUIRE(listening.prove(by_secret(node.secret())).empty());
  auto said = first_frame(listening);
  listening.write(greeting);
  said += first_frame(listening);
  frame_rules rules;
  rules.version = protocol_version();
  damage_in_1000_ways(said, rules, frame_sender::server);
  damage_in_1000_ways(greeting, rules, frame_sender::client);
  node.check_alive();
  node.wait_for_warning("refused a connection of 127.0.0.1: ");
  CHECK(node.stop().peak_kilobytes < 1024 * 1024);
}

TEST_CASE("command tap and control: a server that sends such headers is an error in words") {
  const watchdog guard{std::chrono::seconds{240}};
  published_node node;
  tls_peer real{node.port()};
  REQUIRE(real.prove(by_secret(node.secret())).empty());
  const auto greeting = first_frame(real);
  for (const auto& first : {std::string{}, greeting})
    for (const auto& header : hostile_headers()) {
      for (const bool taps : {true, false}) {
        lying_server server;
        std::thread serving{[&] { server.serve(first + header); }};
        const auto result = taps ? tap_at(server.address())
                                 : run_command({"control", "--connect", server.address(), "pause",
                                                "--symbol", "A", "--strategy", "B"});
        serving.join();
        CAPTURE(result.err);
        CHECK(result.status == 1);
        CHECK(result.out.empty());
        const bool is_sound = first.empty() && header == frame_header_bytes(0, all_of_it, 3);
        CHECK((is_sound || contains(result.err, "it sent a header with") ||
               contains(result.err, "was lost")));
        CHECK(result.peak_kilobytes < 1024 * 1024);
      }
    }
}

TEST_CASE("command live --publish: certificates are asked for, on both sides") {
  const watchdog guard{std::chrono::seconds{240}};
  const temporary_directory folder;
  make_certificates(folder.path());
  published_node node{tls_flags(folder.path(), "node")};
  CHECK(!std::filesystem::exists(folder.path() / "data" / gate_secret_name));
  const auto desk = tls_flags(folder.path(), "desk");
  node.check_alive(desk);
  CHECK(tap_at(node.address, desk).status == 0);
  const auto refused = [&](const std::vector<std::string>& proof, const std::string& text) {
    const auto result = tap_at(node.address, proof);
    CAPTURE(result.err);
    CHECK(result.status == 1);
    CHECK(result.out.empty());
    CHECK(contains(result.err, text));
  };
  refused({}, "expects --tls-cert, --tls-key and --tls-ca");
  refused(tls_flags(folder.path(), "expired"), "it does not accept our certificate");
  refused(tls_flags(folder.path(), "stranger"), "it does not accept our certificate");
  refused(tls_flags(folder.path(), "desk", "other_ca"), "its certificate is not accepted");
  tls_peer plain{node.port()};
  plain.write(frame_header_bytes(0, 0, 1));
  CHECK(plain.is_ended());
  published_node by_file;
  refused({"--secret", (by_file.folder.path() / "data/gate.secret").string()}, "by a secret");
  const auto reverse = tap_at(by_file.address, desk);
  CHECK(reverse.status == 1);
  CHECK(contains(reverse.err, "no certificate was asked for or given"));
  node.check_alive(desk);
  node.wait_for_warning("refused a connection of 127.0.0.1: ");
}

TEST_CASE(
    "command live --publish: 2,000 connections that only wait, and half handshakes, keep nobody "
    "out and the store goes on") {
  const watchdog guard{std::chrono::seconds{240}};
  // Few handles: the store must find some all the same.
  published_node node{{}, {"prlimit", "--nofile=256:256"}};
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  const std::size_t count = std::min<std::size_t>(2000, limit.rlim_cur / 2);
  std::vector<tls_peer> waiting;
  for (std::size_t i = 0; i < count; ++i) {
    waiting.emplace_back(node.port(), i % 3 == 0 ? "127.0.0.2" : "127.0.0.1");
    if (i % 2 == 0)
      waiting.back().write(std::string{"\x16\x03\x01\x02\x00\x01\x00", 7});
  }
  node.check_alive();
  node.wait_for_warning("refused a connection of 127.0.0.2: too many at once");
  CHECK(tap_at(node.address).status == 0);
  CHECK(waiting.front().is_ended());
  waiting.clear();
  node.check_alive();
}

TEST_CASE("command live --publish: the secret is for the user of the node alone") {
  const watchdog guard{std::chrono::seconds{240}};
  published_node node;
  const auto file = node.folder.path() / "data" / gate_secret_name;
  struct stat known {};
  REQUIRE(::stat(file.c_str(), &known) == 0);
  CHECK((known.st_mode & 07777) == 0600);
  CHECK(node.secret().size() == 64);
  const auto copy = node.folder.path() / "elsewhere" / gate_secret_name;
  std::filesystem::create_directories(copy.parent_path());
  std::filesystem::copy_file(file, copy);
  ::chmod(copy.c_str(), 0600);
  CHECK(tap_at(node.address, {"--secret", copy.string()}).status == 0);
  ::chmod(copy.c_str(), 0644);
  const auto open = tap_at(node.address, {"--secret", copy.string()});
  CHECK(open.status == 1);
  CHECK(contains(open.err, "its mode 0644 lets others at it"));
  if (::geteuid() == 0) {
    std::filesystem::permissions(node.folder.path(), std::filesystem::perms::all);
    const auto other = run_command({"tap", "--connect", node.address}, {},
                                   {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"});
    CHECK(other.status != 0);
    CHECK(other.out.empty());
    MESSAGE(other.err);
  }
}

TEST_CASE("command live --publish, tap, control: flags that miss each other are usage errors") {
  const temporary_directory folder;
  make_certificates(folder.path());
  const auto tls = tls_flags(folder.path(), "desk");
  const auto check = [](const command_result& result, const std::string& text) {
    CAPTURE(result.err);
    CHECK(result.status == 2);
    CHECK(contains(result.err, text));
  };
  check(tap_at("127.0.0.1:1", {tls[0], tls[1]}), "--tls-cert, --tls-key and --tls-ca together");
  check(tap_at("127.0.0.1:1", {tls[0], tls[1], tls[2], tls[3], tls[4], tls[5], "--secret", "x"}),
        "--secret: not together with --tls-cert");
  check(run_command({"tap", "--data-dir", folder.path().string(), "--secret", "x"}),
        "--secret: only with --connect");
  const auto configuration = folder.path() / "config.json";
  std::ofstream{configuration} << small_configuration();
  const std::vector<std::string> live{"live", "--config", configuration.string(), "--data-dir",
                                      (folder.path() / "data").string()};
  auto without = live;
  without.insert(without.end(), tls.begin(), tls.end());
  check(run_command(without), "--tls-cert: only with --publish");
  without = live;
  without.push_back("--insecure");
  check(run_command(without), "--insecure: only with --publish");
}

TEST_CASE("command tap: whatever is damaged on the way, it prints whole lines of the truth or an "
          "error") {
  const watchdog guard{std::chrono::seconds{280}};
  published_node node;
  node.check_alive(); // something is in the journal
  const auto secret = (node.folder.path() / "data" / gate_secret_name).string();
  const auto truth = run_command({"tap", "--data-dir", node.data()}).out;
  REQUIRE(!truth.empty());
  for (unsigned seed = 0; seed < 6; ++seed) {
    CAPTURE(seed);
    std::mt19937 random{seed};
    const tls_listener between;
    std::thread relaying{[&] {
      auto tap = between.accept();
      tls_peer real{node.port()};
      std::thread back{[&] {
        for (std::string bytes; !(bytes = tap.read(1)).empty();)
          real.write(bytes);
        real.close_sending();
      }};
      std::size_t seen = 0;
      const auto damaged_at = 10 + random() % 3000;
      for (std::string bytes; !(bytes = real.read(1)).empty();) {
        if (damaged_at >= seen && damaged_at < seen + bytes.size())
          bytes[damaged_at - seen] = static_cast<char>(bytes[damaged_at - seen] ^ 0x10);
        seen += bytes.size();
        tap.write(bytes);
      }
      tap.close_sending();
      back.join();
    }};
    const auto result = tap_at(fmt::format("127.0.0.1:{}", between.port()), {"--secret", secret});
    relaying.join();
    CAPTURE(result.err);
    CHECK((result.status == 0 || result.status == 1));
    const auto now = run_command({"tap", "--data-dir", node.data()}).out;
    CHECK(now.find(result.out) == 0);
    if (result.status == 0)
      CHECK(result.out.size() >= truth.size());
    else
      CHECK(!result.err.empty());
  }
}
