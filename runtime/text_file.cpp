#include "runtime/text_file.hpp"

#include "messages/error.hpp"
#include "storage/replaceable_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <fmt/format.h>
#include <memory>
#include <system_error>

namespace backtest {

namespace {

constexpr std::size_t longest_name = 100;

bool is_plain(char c) noexcept {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

/// FNV-1a, 32 bits.
std::uint32_t hash_of(std::string_view text) noexcept {
  std::uint32_t hash = 2166136261u;
  for (const char c : text)
    hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  return hash;
}

/// What a file may be called of `name`.
std::string plain_part(std::string_view name) {
  std::string safe(name.substr(0, longest_name));
  std::replace_if(
      safe.begin(), safe.end(), [](char c) { return !is_plain(c); }, '_');
  // Names that mean a directory, or nothing.
  if (safe.empty() || safe == "." || safe == "..")
    safe.assign(1, '_');
  return safe;
}

[[noreturn]] void fail(const std::filesystem::path& path, std::string_view step,
                       const std::string& cause) {
  throw failure(error_code::io_failed,
                fmt::format("cannot write {}: {}: {}", path.string(), step, cause));
}

std::string last_error() { return std::generic_category().message(errno); }

struct file_closer {
  void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};
using open_file = std::unique_ptr<std::FILE, file_closer>;

bool write_all(std::FILE* file, std::string_view text) {
  return std::fwrite(text.data(), 1, text.size(), file) == text.size() && std::fflush(file) == 0;
}

/// A file beside `path` that did not exist before, so that two writers never share one.
std::pair<std::filesystem::path, open_file> create_temporary(const std::filesystem::path& path) {
  constexpr int attempts = 1000;
  for (int i = 0; i < attempts; ++i) {
    std::filesystem::path temporary = path;
    temporary += fmt::format(".tmp{}", i);
    if (open_file file{std::fopen(temporary.c_str(), "wx")})
      return {std::move(temporary), std::move(file)};
    if (errno != EEXIST)
      fail(path, "opening " + temporary.string(), last_error());
  }
  fail(path, "creating a temporary file", "too many left behind beside it");
}

} // namespace

std::string safe_file_name(std::string_view name) {
  std::string safe = plain_part(name);
  return safe == name ? safe : hashed_file_name(name);
}

std::string hashed_file_name(std::string_view name) {
  return fmt::format("{}-{:08x}", plain_part(name), hash_of(name));
}

std::string read_text_file(const std::filesystem::path& path, std::size_t most) {
  const auto refuse = [&](const std::string& cause) {
    throw failure(error_code::io_failed, fmt::format("{}: {}", path.string(), cause));
  };
  const open_file file{std::fopen(path.c_str(), "r")};
  if (!file)
    refuse("cannot open the file: " + last_error());
  std::string text;
  constexpr std::size_t piece = 64 * 1024;
  for (std::size_t got = piece; got == piece;) {
    const auto held = text.size();
    text.resize(held + piece);
    got = std::fread(text.data() + held, 1, piece, file.get());
    text.resize(held + got);
    if (text.size() > most)
      refuse(fmt::format("larger than {} bytes", most));
  }
  if (std::ferror(file.get()) != 0)
    refuse("cannot read the file: " + last_error());
  return text;
}

void write_text_file(const std::filesystem::path& path, std::string_view text) {
  std::error_code cause;
  if (path.has_parent_path())
    std::filesystem::create_directories(path.parent_path(), cause);
  if (cause)
    fail(path, "creating its directory", cause.message());

  if (const auto refusal = refusal_to_replace(path))
    fail(path, "opening", refusal.message());
  const auto replaced = replaceable_file(path);
  if (!replaced) {
    open_file file{std::fopen(path.c_str(), "w")};
    if (!file)
      fail(path, "opening", last_error());
    if (!write_all(file.get(), text))
      fail(path, "writing", last_error());
    return;
  }
  auto [temporary, file] = create_temporary(*replaced);
  const bool is_written = write_all(file.get(), text);
  const std::string write_error = is_written ? "" : last_error();
  file.reset();
  if (is_written)
    std::filesystem::rename(temporary, *replaced, cause);
  if (is_written && !cause)
    return;
  std::error_code ignored;
  std::filesystem::remove(temporary, ignored);
  fail(path, is_written ? "renaming its temporary file" : "writing",
       is_written ? cause.message() : write_error);
}

std::filesystem::path write_text_file(const std::filesystem::path& directory,
                                      std::string_view file_name, std::string_view text) {
  std::filesystem::path path = directory / file_name;
  write_text_file(path, text);
  return path;
}

} // namespace backtest
