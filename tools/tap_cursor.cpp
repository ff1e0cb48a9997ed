#include "tools/tap_cursor.hpp"

#include "messages/error.hpp"
#include "runtime/text_file.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

namespace backtest::tools {

namespace {

// Always as many digits, so that a number is replaced by writing over it.
constexpr std::size_t digits = 20;

std::filesystem::path cursor_directory() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::filesystem::path{value == nullptr ? "" : value};
  };
  auto state = variable("XDG_STATE_HOME");
  if (!state.is_absolute()) {
    const auto home = variable("HOME");
    if (!home.is_absolute())
      throw failure(error_code::io_failed,
                    "--cursor: expected a directory to remember in, but neither XDG_STATE_HOME nor "
                    "HOME names one");
    state = home / ".local" / "state";
  }
  return state / "backtest" / "cursors";
}

[[noreturn]] void fail(const std::filesystem::path& path, std::string_view step, int cause) {
  throw failure(error_code::io_failed,
                fmt::format("cursor {}: {} failed: {}", path.string(), step, std::strerror(cause)));
}

} // namespace

tap_cursor::tap_cursor(const std::string& name) : path_(cursor_directory() / safe_file_name(name)) {
  std::error_code problem;
  std::filesystem::create_directories(path_.parent_path(), problem);
  if (problem)
    fail(path_, "creating its directory", problem.value());
  descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor_ < 0)
    fail(path_, "opening", errno);
  const auto refuse = [&](error_code code, const std::string& message) {
    ::close(descriptor_);
    throw failure(code, message);
  };
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0)
    refuse(error_code::already_running,
           fmt::format("cursor {}: another tap uses it; give this one a name of its own",
                       path_.string()));
  std::array<char, digits> text{};
  const auto got = ::pread(descriptor_, text.data(), text.size(), 0);
  if (got == 0)
    return;
  std::int64_t number = 0;
  if (got == static_cast<::ssize_t>(digits)) {
    const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (wrong == std::errc{} && end == text.data() + text.size() && number > 0) {
      next_ = number;
      return;
    }
  }
  refuse(error_code::io_failed,
         fmt::format("cursor {}: expected a number of {} digits from 1 on; remove the file to "
                     "begin anew",
                     path_.string(), digits));
}

tap_cursor::~tap_cursor() {
  if (descriptor_ >= 0)
    ::close(descriptor_);
}

void tap_cursor::save(std::int64_t next) {
  if (next_ == next)
    return;
  const auto text = fmt::format("{:0{}}\n", next, digits);
  if (::pwrite(descriptor_, text.data(), text.size(), 0) != static_cast<::ssize_t>(text.size()))
    fail(path_, "writing", errno);
  if (::fdatasync(descriptor_) != 0)
    fail(path_, "syncing", errno);
  next_ = next;
}

} // namespace backtest::tools
