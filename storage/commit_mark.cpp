#include "storage/commit_mark.hpp"

#include "messages/error.hpp"
#include "storage/store_key.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <iterator>
#include <string>
#include <system_error>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>

namespace backtest {

namespace {

namespace fs = std::filesystem;

std::uint32_t checksum_of(std::string_view text) {
  return static_cast<std::uint32_t>(crc32(crc32(0, nullptr, 0),
                                          reinterpret_cast<const Bytef*>(text.data()),
                                          static_cast<uInt>(text.size())));
}

constexpr std::string_view labels[] = {"backtest commit mark 1, commits ", " journal ",
                                       " manifest ", " bytes "};
constexpr std::size_t digits = 20;

/// Always as many bytes, so that one mark is written over another.
std::string text_of(const commit_mark& mark) {
  const std::uint64_t numbers[] = {mark.commits, static_cast<std::uint64_t>(mark.journal_last),
                                   mark.manifest, mark.manifest_bytes};
  std::string text;
  for (std::size_t i = 0; i < std::size(labels); ++i)
    text += fmt::format("{}{:0{}}", labels[i], numbers[i], digits);
  text += fmt::format(" checksum {:08x}\n", checksum_of(text));
  return text;
}

std::optional<commit_mark> parse(std::string_view text) {
  std::uint64_t numbers[std::size(labels)]{};
  std::size_t at = 0;
  for (std::size_t i = 0; i < std::size(labels); ++i) {
    at += labels[i].size();
    if (at + digits > text.size())
      return std::nullopt;
    std::from_chars(text.data() + at, text.data() + at + digits, numbers[i]);
    at += digits;
  }
  if (numbers[1] > INT64_MAX)
    return std::nullopt;
  const commit_mark mark{numbers[0], static_cast<std::int64_t>(numbers[1]), numbers[2], numbers[3]};
  return text_of(mark) == text ? std::optional{mark} : std::nullopt;
}

/// Absent for a key that no journal of ours has.
std::optional<std::int64_t> number_of_key(std::string_view key) {
  const auto number = parse_number_key_part(key);
  return number && *number <= INT64_MAX ? std::optional{static_cast<std::int64_t>(*number)}
                                        : std::nullopt;
}

[[noreturn]] void fail(const fs::path& path, std::string_view step) {
  throw failure(error_code::store_failed,
                fmt::format("commit mark {}: {} failed: {}", path.string(), step,
                            std::generic_category().message(errno)));
}

void write_to(int descriptor, const fs::path& path, const commit_mark& mark) {
  const auto text = text_of(mark);
  const auto written = ::pwrite(descriptor, text.data(), text.size(), 0);
  if (written >= 0 && written != static_cast<::ssize_t>(text.size()))
    errno = ENOSPC;
  if (written != static_cast<::ssize_t>(text.size()))
    fail(path, "writing");
}

} // namespace

std::optional<std::int64_t> last_journal_number(const store_batch& batch) {
  std::optional<std::int64_t> last;
  for (const auto& write : batch)
    if (write.space == store_space::journal && write.value)
      if (const auto number = number_of_key(write.key))
        last = std::max(last.value_or(0), *number);
  return last;
}

std::optional<std::int64_t> newest_journal_number(const std::optional<store_entry>& newest) {
  return newest ? number_of_key(newest->key) : 0;
}

std::optional<commit_mark> read_commit_mark(const fs::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0 && errno == ENOENT)
    return std::nullopt;
  if (descriptor < 0)
    fail(path, "opening");
  std::array<char, 4096> bytes{};
  std::optional<commit_mark> mark;
  ::ssize_t got = 0;
  constexpr int attempts = 5; // the writer may be in the middle of it
  for (int attempt = 0; attempt < attempts && !mark; ++attempt) {
    if (attempt > 0)
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
    got = ::pread(descriptor, bytes.data(), bytes.size(), 0);
    if (got < 0)
      break;
    mark = parse({bytes.data(), static_cast<std::size_t>(got)});
  }
  const int cause = errno;
  ::close(descriptor);
  errno = cause;
  if (got < 0)
    fail(path, "reading");
  if (!mark)
    throw failure(
        error_code::store_lost,
        fmt::format("commit mark {}: its {} bytes do not fit their checksum; expected the "
                    "last commit and journal number that were acknowledged",
                    path.string(), got));
  return mark;
}

std::string missing_numbers(const commit_mark& mark, std::int64_t found) {
  if (found >= mark.journal_last)
    return "";
  if (found + 1 == mark.journal_last)
    return fmt::format("journal number {} is missing", mark.journal_last);
  return fmt::format("journal numbers {} to {} are missing", found + 1, mark.journal_last);
}

commit_mark_file::commit_mark_file(const fs::path& path, const commit_mark& first) : path_(path) {
  if (!read_commit_mark(path)) {
    // Whole or not at all: a mark that is cut short would be taken for damage.
    const auto made = fs::path{path.string() + ".new"};
    const int descriptor = ::open(made.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (descriptor < 0)
      fail(made, "creating");
    try {
      write_to(descriptor, made, first);
      if (::fsync(descriptor) != 0)
        fail(made, "syncing");
    } catch (...) {
      ::close(descriptor);
      throw;
    }
    ::close(descriptor);
    if (::rename(made.c_str(), path.c_str()) != 0)
      fail(path, "creating");
  }
  descriptor_ = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (descriptor_ < 0)
    fail(path, "opening");
}

commit_mark_file::~commit_mark_file() {
  if (descriptor_ >= 0)
    ::close(descriptor_);
}

void commit_mark_file::write(const commit_mark& mark) {
  constexpr std::chrono::seconds between_syncs{1};
  write_to(descriptor_, path_, mark);
  const auto now = std::chrono::steady_clock::now();
  if (now - synced_ < between_syncs)
    return;
  if (::fdatasync(descriptor_) != 0)
    fail(path_, "syncing");
  synced_ = now;
}

} // namespace backtest
