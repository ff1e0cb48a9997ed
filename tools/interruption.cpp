#include "tools/interruption.hpp"

#include "messages/error.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <unistd.h>

namespace backtest::tools {

namespace {

constexpr char interrupted = 'i';
constexpr char finished = 'f';
constexpr int status_of_interrupted = 130;
constexpr std::array<int, 3> signals{SIGINT, SIGTERM, SIGHUP};

std::atomic<int> writing_end{-1};

extern "C" void pass_on(int) {
  const int kept = errno;
  // The pipe never fills: two bytes end the process.
  [[maybe_unused]] const auto written = ::write(writing_end.load(), &interrupted, 1);
  errno = kept;
}

/// Started with nohup, a command outlives its terminal.
bool is_to_outlive_terminal(int number) {
  struct sigaction present {};
  return number == SIGHUP && ::sigaction(number, nullptr, &present) == 0 &&
         present.sa_handler == SIG_IGN;
}

void handle_signals_with(void (*handler)(int)) {
  struct sigaction wanted {};
  wanted.sa_handler = handler;
  wanted.sa_flags = SA_RESTART;
  sigemptyset(&wanted.sa_mask);
  for (const int number : signals)
    if (!is_to_outlive_terminal(number))
      ::sigaction(number, &wanted, nullptr);
}

} // namespace

interruption::interruption() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    throw failure(error_code::io_failed,
                  std::string{"cannot watch for signals: "} + std::strerror(errno));
  reading_end_ = ends[0];
  writing_end = ends[1];
  watcher_ = std::thread{[this] { watch(); }};
  handle_signals_with(&pass_on);
}

interruption::~interruption() {
  handle_signals_with(SIG_DFL);
  [[maybe_unused]] const auto written = ::write(writing_end.load(), &finished, 1);
  watcher_.join();
  ::close(writing_end.exchange(-1));
  ::close(reading_end_);
}

void interruption::watch() {
  for (char what = finished;;) {
    const auto got = ::read(reading_end_, &what, 1);
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0 || what == finished)
      return;
    if (stop_.stop_requested())
      ::_exit(status_of_interrupted);
    stop_.request_stop();
    constexpr std::string_view told = "\nbacktest: stopping; interrupt again to end at once\n";
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, told.data(), told.size());
  }
}

} // namespace backtest::tools
