#include "tests/support/command.hpp"
#include "tests/support/paths.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace backtest::testing {

namespace {

std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (auto& word : words)
    pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

/// Appends what can be read; closes the descriptor at its end.
void read_into(int& descriptor, std::string& text) {
  std::array<char, 65536> piece{};
  const auto got = ::read(descriptor, piece.data(), piece.size());
  if (got > 0) {
    text.append(piece.data(), static_cast<std::size_t>(got));
  } else if (got == 0 || errno != EINTR) {
    ::close(descriptor);
    descriptor = -1;
  }
}

} // namespace

running_command::running_command(const std::vector<std::string>& arguments,
                                 const std::vector<std::string>& environment,
                                 const std::vector<std::string>& through) {
  std::vector<std::string> words = through;
  words.push_back(backtest::testing::command_path());
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<std::string> variables = environment;
  for (char** item = environ; *item != nullptr; ++item)
    variables.emplace_back(*item);
  std::array<int, 2> out{};
  std::array<int, 2> err{};
  if (::pipe2(out.data(), O_CLOEXEC) != 0 || ::pipe2(err.data(), O_CLOEXEC) != 0)
    throw std::runtime_error(std::string{"pipe: "} + std::strerror(errno));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err[1], STDERR_FILENO);
  auto argument_pointers = pointers_to(words);
  auto variable_pointers = pointers_to(variables);
  const int problem = ::posix_spawnp(&child_, words.front().c_str(), &actions, nullptr,
                                     argument_pointers.data(), variable_pointers.data());
  posix_spawn_file_actions_destroy(&actions);
  ::close(out[1]);
  ::close(err[1]);
  out_ = out[0];
  err_ = err[0];
  if (problem != 0)
    throw std::runtime_error(std::string{"cannot start the command: "} + std::strerror(problem));
}

running_command::~running_command() {
  if (child_ <= 0)
    return;
  ::kill(child_, SIGKILL);
  wait();
}

void running_command::send_signal(int number) const { ::kill(child_, number); }

bool running_command::wait_for_stderr(const std::string& text) {
  while (result_.err.find(text) == std::string::npos)
    if (!read_some())
      return false;
  return true;
}

std::string running_command::wait_for_line(const std::string& beginning) {
  do {
    const auto at = ('\n' + result_.err).find('\n' + beginning);
    const auto end = at == std::string::npos ? at : result_.err.find('\n', at);
    if (end != std::string::npos)
      return result_.err.substr(at + beginning.size(), end - at - beginning.size());
  } while (read_some());
  return {};
}

command_result running_command::wait() {
  while (read_some()) {
  }
  int status = 0;
  rusage used{};
  while (::wait4(child_, &status, 0, &used) < 0 && errno == EINTR) {
  }
  result_.peak_kilobytes = used.ru_maxrss;
  child_ = -1;
  result_.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result_;
}

bool running_command::read_some() {
  std::array<pollfd, 2> waiting{{{out_, POLLIN, 0}, {err_, POLLIN, 0}}}; // -1 is left out
  if (out_ < 0 && err_ < 0)
    return false;
  if (::poll(waiting.data(), waiting.size(), -1) < 0)
    return errno == EINTR;
  if (waiting[0].revents != 0)
    read_into(out_, result_.out);
  if (waiting[1].revents != 0)
    read_into(err_, result_.err);
  return true;
}

command_result run_command(const std::vector<std::string>& arguments,
                           const std::vector<std::string>& environment,
                           const std::vector<std::string>& through) {
  return running_command{arguments, environment, through}.wait();
}

} // namespace backtest::testing
