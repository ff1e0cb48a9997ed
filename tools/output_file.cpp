#include "tools/output_file.hpp"

#include "messages/error.hpp"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

namespace backtest::tools {

namespace {

constexpr std::size_t piece_bytes = 1 << 20;

[[noreturn]] void fail(const std::string& name, int cause) {
  throw failure(error_code::io_failed,
                fmt::format("cannot write {}: {}", name == "-" ? "standard output" : name,
                            std::strerror(cause)));
}

} // namespace

output_file::output_file(std::string name) : name_(std::move(name)) {
  if (name_ == "-") {
    descriptor_ = STDOUT_FILENO;
    return;
  }
  descriptor_ = ::open(name_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor_ < 0)
    fail(name_, errno);
}

output_file::~output_file() {
  if (descriptor_ > STDOUT_FILENO)
    ::close(descriptor_);
}

void output_file::write(std::string_view text) noexcept {
  buffer_ += text;
  drain();
}

void output_file::drain() noexcept {
  if (buffer_.size() >= piece_bytes)
    flush();
}

void output_file::flush() noexcept {
  std::string_view rest{buffer_};
  while (!rest.empty() && problem_ == 0) {
    const auto written = ::write(descriptor_, rest.data(), rest.size());
    if (written >= 0)
      rest.remove_prefix(static_cast<std::size_t>(written));
    else if (errno != EINTR)
      problem_ = errno;
  }
  buffer_.clear();
}

bool output_file::has_no_reader() const noexcept {
  pollfd other_end{descriptor_, 0, 0};
  return problem_ == EPIPE ||
         (::poll(&other_end, 1, 0) == 1 && (other_end.revents & (POLLERR | POLLHUP)) != 0);
}

void output_file::close() {
  flush();
  const int descriptor = std::exchange(descriptor_, -1);
  if (descriptor > STDOUT_FILENO && ::close(descriptor) != 0 && problem_ == 0)
    problem_ = errno;
  if (problem_ != 0)
    fail(name_, problem_);
}

} // namespace backtest::tools
