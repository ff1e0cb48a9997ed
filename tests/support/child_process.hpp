#pragma once

#include <cerrno>
#include <csignal>
#include <stdexcept>
#include <string>
#include <vector>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace backtest::testing {

/// A program and the pipe of its standard output. Killed and waited for when this goes.
class child_process {
public:
  /// `settings` are added to the environment, as NAME=VALUE.
  explicit child_process(std::vector<std::string> command, std::vector<std::string> settings = {}) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0)
      throw std::runtime_error("cannot make a pipe");
    for (char** at = environ; *at != nullptr; ++at)
      settings.emplace_back(*at); // the first of two equal names counts
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    const int problem = ::posix_spawnp(&id_, command.front().c_str(), &actions, nullptr,
                                       pointers(command).data(), pointers(settings).data());
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    output_ = ends[0];
    if (problem != 0) {
      ::close(output_);
      throw std::runtime_error("cannot start " + command.front());
    }
  }
  child_process(const child_process&) = delete;
  child_process& operator=(const child_process&) = delete;
  ~child_process() {
    if (id_ > 0) {
      ::kill(id_, SIGKILL);
      wait();
    }
    ::close(output_);
  }

  pid_t id() const noexcept { return id_; }

  /// The next line without its end; false when the output has ended.
  bool read_line(std::string& line) {
    line.clear();
    char c = 0;
    while (true) {
      const auto count = ::read(output_, &c, 1);
      if (count < 0 && errno == EINTR)
        continue;
      if (count <= 0)
        return !line.empty();
      if (c == '\n')
        return true;
      line += c;
    }
  }

  /// How it ended, as `waitpid` says it.
  int wait() {
    int status = 0;
    while (::waitpid(id_, &status, 0) < 0 && errno == EINTR) {
    }
    id_ = 0;
    return status;
  }

private:
  static std::vector<char*> pointers(std::vector<std::string>& arguments) {
    std::vector<char*> all;
    for (auto& text : arguments)
      all.push_back(text.data());
    all.push_back(nullptr);
    return all;
  }

  pid_t id_ = 0;
  int output_ = -1;
};

} // namespace backtest::testing
