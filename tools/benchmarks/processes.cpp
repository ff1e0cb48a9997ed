#include "tools/benchmarks/processes.hpp"

#include "messages/error.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>

namespace backtest::benchmarks {

std::int64_t status_kib(const std::string& name) {
  std::ifstream status{"/proc/self/status"};
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(name + ":"))
      return std::stoll(line.substr(name.size() + 1));
  throw failure(error_code::io_failed, "/proc/self/status has no " + name);
}

std::istringstream run_again(const std::string& arguments) {
  const auto self = std::filesystem::read_symlink("/proc/self/exe").string();
  std::FILE* pipe = ::popen(fmt::format("'{}' {}", self, arguments).c_str(), "r");
  if (pipe == nullptr)
    throw failure(error_code::io_failed, "cannot run " + self);
  std::string text;
  for (char buffer[256]; std::fgets(buffer, sizeof buffer, pipe) != nullptr;)
    text += buffer;
  if (::pclose(pipe) != 0)
    throw failure(error_code::io_failed, fmt::format("{} {} failed", self, arguments));
  return std::istringstream{text};
}

} // namespace backtest::benchmarks
