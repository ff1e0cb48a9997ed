#include "messages/error.hpp"
#include "runtime/runtime.hpp"
#include "tools/commands.hpp"
#include "tools/selection.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace backtest::tools {

namespace {

namespace fs = std::filesystem;

/// Far more than anybody writes: compilers read all of a file into memory.
constexpr std::uintmax_t largest_source = 16 * 1024 * 1024;

struct build_options {
  common_options common;
  fs::path source;
  fs::path library;
};

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const auto end = std::min(text.find(separator), text.size());
    if (end > 0)
      parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

/// Headers beside the installed command, else those of the build tree it came from.
fs::path header_directory() {
  std::error_code unknown;
  const auto command = fs::read_symlink("/proc/self/exe", unknown);
  const auto installed = command.parent_path().parent_path() / "include" / "backtest_caf";
  return fs::exists(installed / "runtime" / "plugin.hpp") ? installed
                                                          : fs::path{BACKTEST_HEADER_DIRECTORY};
}

/// $CXX, else the compiler the command was built with, else c++.
std::string compiler() {
  const char* wanted = std::getenv("CXX");
  if (wanted != nullptr && *wanted != '\0')
    return wanted;
  return fs::exists(BACKTEST_COMPILER) ? BACKTEST_COMPILER : "c++";
}

std::vector<std::string> compile_command(const build_options& options, const fs::path& library) {
  auto words = split(compiler(), ' ');
  for (auto& flag : split(BACKTEST_PLUGIN_FLAGS, ' '))
    words.push_back(std::move(flag));
  words.push_back("-I" + header_directory().string());
  for (const auto& directory : split(BACKTEST_PLUGIN_INCLUDES, ':')) // as in PATH
    words.insert(words.end(), {"-isystem", directory});
  words.insert(words.end(), {options.source.string(), "-o", library.string()});
  return words;
}

/// Runs a program and waits; its exit status, 128 + signal when it was killed.
int run_and_wait(std::vector<std::string> words) {
  std::vector<char*> pointers;
  for (auto& word : words)
    pointers.push_back(word.data());
  pointers.push_back(nullptr);
  pid_t child = 0;
  if (const int problem =
          ::posix_spawnp(&child, pointers[0], nullptr, nullptr, pointers.data(), environ))
    throw failure(error_code::io_failed, fmt::format("cannot start the compiler {}: {}", words[0],
                                                     std::strerror(problem)));
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR)
      throw failure(error_code::io_failed,
                    fmt::format("cannot wait for the compiler: {}", std::strerror(errno)));
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// Compilers are content with much that is no plugin, an empty file for one.
void require_plugin(const build_options& options, const fs::path& library) {
  try {
    runtime{options_of(options.common)}.load_plugin(fs::absolute(library));
  } catch (const failure& problem) {
    throw failure(problem.code(), fmt::format("{} was compiled, but it is no plugin: {}",
                                              options.source.string(), problem.what()));
  }
}

int build(const build_options& options) {
  std::error_code unknown;
  if (!fs::is_regular_file(options.source, unknown))
    throw failure(error_code::invalid_argument,
                  fmt::format("{}: expected a C++ source file", options.source.string()));
  if (fs::file_size(options.source, unknown) > largest_source)
    throw failure(error_code::invalid_argument,
                  fmt::format("{}: larger than {} bytes, expected a C++ source file",
                              options.source.string(), largest_source));
  auto library = options.library;
  if (library.empty())
    library = fs::path{options.source.filename()}.replace_extension(".so");
  const auto words = compile_command(options, library);
  if (const int status = run_and_wait(words)) {
    print_problem(fmt::format("{} was not built: the compiler ended with status {}: {}",
                              library.string(), status, fmt::join(words, " ")));
    return exit_failed;
  }
  require_plugin(options, library);
  print_result(library.string() + '\n');
  return exit_done;
}

} // namespace

void add_plugin_command(CLI::App& program, action& chosen) {
  const auto options = std::make_shared<build_options>();
  auto& plugin = add_command(program, "plugin", "Build plugins",
                             "  backtest plugin build my_strategy.cpp", options->common);
  plugin.require_subcommand(1);
  auto& command = add_command(plugin, "build", "Compile a C++ file into a plugin for this command",
                              "  backtest plugin build my_strategy.cpp\n"
                              "  backtest plugin build my_strategy.cpp -o plugins/my_strategy.so\n"
                              "  backtest run --config config.json --plugin ./my_strategy.so",
                              options->common);
  command.add_option("file", options->source, "C++ source file")->required()->type_name("FILE.cpp");
  command.add_option("-o,--out", options->library, "Library to write (default: FILE.so here)")
      ->type_name("P.so");
  perform_when_chosen(command, chosen, options, &build);
}

} // namespace backtest::tools
