#include "messages/process_limits.hpp"

#include "messages/error.hpp"

#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

namespace backtest {

namespace {

/// For what is allocated until the first run begins.
constexpr std::size_t memory_to_begin = std::size_t{32} << 20;

using limited_resource = decltype(RLIMIT_NOFILE);

void append_limit(std::string& text, limited_resource which, std::size_t unit,
                  const char* described) {
  rlimit found{};
  if (::getrlimit(which, &found) != 0 || found.rlim_cur == RLIM_INFINITY)
    return;
  text +=
      fmt::format("{}{} {}", text.empty() ? "at most " : ", ", found.rlim_cur / unit, described);
}

[[noreturn]] void refuse_to_begin(const std::string& what) {
  const auto limits = describe_process_limits();
  throw failure(
      error_code::actor_failed,
      fmt::format("{}{}", what, limits.empty() ? "" : "; this process may have " + limits));
}

void require_files(std::size_t count) {
  std::vector<int> opened;
  opened.reserve(count);
  int cause = 0;
  while (opened.size() < count && cause == 0)
    if (const int file = ::open("/dev/null", O_RDONLY | O_CLOEXEC); file >= 0)
      opened.push_back(file);
    else
      cause = errno;
  for (const int file : opened)
    ::close(file);
  if (cause != 0)
    refuse_to_begin(
        fmt::format("too few open files are allowed: {} more can be opened, expected {} ({})",
                    opened.size(), count, std::strerror(cause)));
}

/// Threads that wait until all of them are there, or there are no more.
class waiting_threads {
public:
  explicit waiting_threads(std::size_t count) {
    threads_.reserve(count);
    try {
      while (threads_.size() < count)
        threads_.emplace_back([this] {
          std::unique_lock lock{mutex_};
          over_.wait(lock, [this] { return is_over_; });
        });
    } catch (const std::exception& caught) {
      cause_ = caught.what();
    }
  }
  ~waiting_threads() {
    {
      const std::lock_guard lock{mutex_};
      is_over_ = true;
      over_.notify_all();
    }
    for (auto& thread : threads_)
      thread.join();
  }
  waiting_threads(const waiting_threads&) = delete;
  waiting_threads& operator=(const waiting_threads&) = delete;

  std::size_t size() const noexcept { return threads_.size(); }
  const std::string& cause() const noexcept { return cause_; }

private:
  std::mutex mutex_;
  std::condition_variable over_;
  bool is_over_ = false;
  std::vector<std::thread> threads_;
  std::string cause_; ///< there are not more of them
};

} // namespace

std::string describe_process_limits() {
  std::string text;
  constexpr std::size_t kilobyte = 1024;
  append_limit(text, RLIMIT_AS, kilobyte, "kB of memory (ulimit -v)");
  append_limit(text, RLIMIT_NOFILE, 1, "open files (ulimit -n)");
  append_limit(text, RLIMIT_NPROC, 1, "threads of this user (ulimit -u)");
  return text;
}

void require_room_for(std::size_t threads, std::size_t files) {
  require_files(files);
  const waiting_threads started{threads};
  if (!started.cause().empty())
    refuse_to_begin(fmt::format("too few threads can be started, or there is too little memory for "
                                "their stacks: {} of them, expected {} ({})",
                                started.size(), threads, started.cause()));
  // Asked of the system: `new` may end the process, and an allocation nobody uses may be left out.
  void* const memory =
      ::mmap(nullptr, memory_to_begin, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    refuse_to_begin(fmt::format("too little memory: expected {} MB beside the stacks of {} threads",
                                memory_to_begin >> 20, threads));
  ::munmap(memory, memory_to_begin);
}

} // namespace backtest
