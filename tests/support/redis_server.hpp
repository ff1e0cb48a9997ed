#pragma once

#include "tests/support/child_process.hpp"
#include "tests/support/temporary_directory.hpp"

#include <cstdlib>
#include <memory>
#include <sstream>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace backtest::testing {

/// A Redis of our own on a free port of the loopback interface, its files in a temporary directory.
/// Ends with this, and with the test program, however that ends.
class redis_server {
public:
  static bool available() { return !find("redis-server").empty(); }

  /// `settings` as on its command line; without them it keeps what it acknowledged.
  explicit redis_server(std::vector<std::string> settings = {"--appendonly", "yes", "--appendfsync",
                                                             "always"})
      : settings_(std::move(settings)) {
    start();
  }

  std::string url(int database = 0) const {
    return "redis://127.0.0.1:" + std::to_string(port_) + "/" + std::to_string(database);
  }

  /// Ends it at once, as a crash would.
  void stop() { process_.reset(); }

  /// Again on the same port, with the same files.
  void start() {
    constexpr int attempts = 20; // another program may take the port that was free a moment ago
    for (int attempt = 0; attempt < attempts; ++attempt) {
      const int port = port_ != 0 ? port_ : free_port();
      std::vector<std::string> command;
      // Where the helper is there, the server dies with its parent.
      if (const auto helper = find("setpriv"); !helper.empty())
        command = {helper, "--pdeathsig", "KILL"};
      const std::string port_text = std::to_string(port);
      const std::string folder = directory_.path().string();
      command.insert(command.end(),
                     {find("redis-server"), "--port", port_text, "--bind", "127.0.0.1",
                      "--daemonize", "no", "--save", "", "--dir", folder});
      command.insert(command.end(), settings_.begin(), settings_.end());
      process_ = std::make_unique<child_process>(command);
      for (std::string line; process_->read_line(line);)
        if (line.find("Ready to accept connections") != std::string::npos) {
          port_ = port;
          return;
        }
    }
    throw std::runtime_error("redis-server does not start");
  }

private:
  static std::string find(const std::string& program) {
    const char* path = std::getenv("PATH");
    std::istringstream folders{path == nullptr ? "/usr/bin:/bin" : path};
    for (std::string folder; std::getline(folders, folder, ':');)
      if (const auto file = folder + "/" + program; ::access(file.c_str(), X_OK) == 0)
        return file;
    return {};
  }

  static int free_port() {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    ::bind(socket, reinterpret_cast<const sockaddr*>(&address), length);
    ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length);
    ::close(socket);
    return ntohs(address.sin_port);
  }

  temporary_directory directory_;
  std::vector<std::string> settings_;
  int port_ = 0;
  std::unique_ptr<child_process> process_;
};

} // namespace backtest::testing
