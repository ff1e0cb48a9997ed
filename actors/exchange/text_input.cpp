#include "actors/exchange/text_input.hpp"

#include "messages/error.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <system_error>
#include <vector>

#include <fmt/format.h>
#include <zip.h>
#include <zlib.h>

namespace backtest {

namespace {

[[noreturn]] void fail(const std::string& name, std::string_view problem) {
  throw failure(error_code::io_failed, fmt::format("{}: {}", name, problem));
}

[[noreturn]] void fail_with_errno(const std::string& name, std::string_view action) {
  fail(name, fmt::format("cannot {}: {}", action, std::generic_category().message(errno)));
}

double share_of(std::uint64_t part, std::uint64_t whole) {
  constexpr double half = 0.5; // of a pipe: as much as came may still come
  if (whole == 0)
    return half;
  return part == 0 || part >= whole ? 1.0 : static_cast<double>(part) / static_cast<double>(whole);
}

struct close_file {
  void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};

/// A file's own bytes; the first few can be looked at before reading, also from a pipe.
class raw_file {
public:
  explicit raw_file(const std::filesystem::path& path)
      : name_(path.string()), file_(std::fopen(path.c_str(), "rb")) {
    if (!file_)
      fail_with_errno(name_, "open the file");
    std::setvbuf(file_.get(), nullptr, _IONBF, 0);
    std::error_code unknown;
    if (const auto size = std::filesystem::file_size(path, unknown); !unknown)
      size_ = size;
    head_size_ = read_more(head_);
  }

  std::string_view head() const noexcept { return {head_.data(), head_size_}; }
  const std::string& name() const noexcept { return name_; }
  double progress() const noexcept { return share_of(consumed_, size_); }
  bool has_size() const noexcept { return size_ > 0; }

  std::size_t read(std::span<char> buffer) {
    std::size_t count = 0;
    if (head_given_ < head_size_) {
      count = std::min(buffer.size(), head_size_ - head_given_);
      std::memcpy(buffer.data(), head_.data() + head_given_, count);
      head_given_ += count;
    }
    count += read_more(buffer.subspan(count));
    consumed_ += count;
    return count;
  }

private:
  std::size_t read_more(std::span<char> buffer) {
    const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), file_.get());
    if (count < buffer.size() && std::ferror(file_.get()))
      fail_with_errno(name_, "read the file");
    return count;
  }

  std::string name_;
  std::unique_ptr<std::FILE, close_file> file_;
  std::array<char, 4> head_{};
  std::size_t head_size_ = 0;
  std::size_t head_given_ = 0;
  std::uint64_t size_ = 0;
  std::uint64_t consumed_ = 0;
};

class plain_input final : public text_input {
public:
  explicit plain_input(raw_file file) : file_(std::move(file)) {}
  std::size_t read(std::span<char> buffer) override { return file_.read(buffer); }
  double progress() const override { return file_.progress(); }
  bool is_plain() const override { return file_.has_size(); }

private:
  raw_file file_;
};

class gzip_input final : public text_input {
public:
  explicit gzip_input(raw_file file) : file_(std::move(file)), packed_(32 * 1024) {
    constexpr int gzip_only = 16 + MAX_WBITS;
    if (inflateInit2(&stream_, gzip_only) != Z_OK)
      fail(file_.name(), "cannot start unpacking gzip data");
  }
  gzip_input(const gzip_input&) = delete;
  gzip_input& operator=(const gzip_input&) = delete;
  ~gzip_input() override { inflateEnd(&stream_); }

  std::size_t read(std::span<char> buffer) override {
    stream_.next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream_.avail_out = static_cast<uInt>(buffer.size());
    while (stream_.avail_out > 0 && !ended_) {
      if (stream_.avail_in == 0)
        refill();
      if (ended_)
        break;
      between_members_ = false;
      const int status = inflate(&stream_, Z_NO_FLUSH);
      if (status == Z_STREAM_END) {
        between_members_ = true;
        inflateReset(&stream_);
      } else if (status != Z_OK && status != Z_BUF_ERROR) {
        fail(file_.name(), fmt::format("damaged gzip data ({}); expected a complete gzip file",
                                       stream_.msg ? stream_.msg : "unknown reason"));
      }
    }
    return buffer.size() - stream_.avail_out;
  }
  double progress() const override { return file_.progress(); }
  bool is_plain() const override { return false; }

private:
  void refill() {
    stream_.next_in = reinterpret_cast<Bytef*>(packed_.data());
    stream_.avail_in = static_cast<uInt>(file_.read(packed_));
    if (stream_.avail_in > 0)
      return;
    if (!between_members_)
      fail(file_.name(), "truncated gzip data; expected a complete gzip file");
    ended_ = true;
  }

  raw_file file_;
  std::vector<char> packed_;
  z_stream stream_{};
  bool between_members_ = false;
  bool ended_ = false;
};

struct close_zip {
  void operator()(zip_t* archive) const noexcept { zip_discard(archive); }
  void operator()(zip_file_t* entry) const noexcept { zip_fclose(entry); }
};

struct zip_entry {
  zip_uint64_t index = 0;
  std::string name; ///< as messages show it
};

/// Folders, and what file managers and archivers leave beside what was packed.
bool is_no_file_of_data(std::string_view entry) {
  if (entry.ends_with('/') || entry.starts_with("__MACOSX/") ||
      entry.find("/__MACOSX/") != std::string_view::npos)
    return true;
  const auto slash = entry.rfind('/');
  return entry.substr(slash == std::string_view::npos ? 0 : slash + 1).starts_with('.');
}

bool ends_with_csv(std::string_view entry) {
  constexpr std::string_view suffix = ".csv";
  return entry.size() >= suffix.size() &&
         std::equal(
             suffix.begin(), suffix.end(), entry.end() - suffix.size(),
             [](char expected, char c) { return c == expected || c + 'a' - 'A' == expected; });
}

std::string printable_name(std::string_view entry) {
  constexpr std::size_t most_shown = 100;
  std::string text;
  for (const char c : entry.substr(0, most_shown))
    text += c >= ' ' && c <= '~' ? c : '?';
  return text;
}

/// " (a.csv, b.csv, ...)"
std::string listed(const std::vector<zip_entry>& entries) {
  constexpr std::size_t most = 5;
  if (entries.empty())
    return {};
  std::string text = " (";
  for (std::size_t i = 0; i < std::min(entries.size(), most); ++i)
    text += (i == 0 ? "" : ", ") + entries[i].name;
  return text + (entries.size() > most ? ", ...)" : ")");
}

class zip_input final : public text_input {
public:
  explicit zip_input(const std::filesystem::path& path) : name_(path.string()) {
    int code = 0;
    archive_.reset(zip_open(path.c_str(), ZIP_RDONLY, &code));
    if (!archive_) {
      zip_error_t reason;
      zip_error_init_with_code(&reason, code);
      const std::string text = zip_error_strerror(&reason);
      zip_error_fini(&reason);
      fail(name_, fmt::format("damaged zip archive ({})", text));
    }
    const zip_uint64_t index = only_file();
    zip_stat_t facts;
    zip_stat_init(&facts);
    if (zip_stat_index(archive_.get(), index, 0, &facts) == 0 && (facts.valid & ZIP_STAT_SIZE))
      size_ = facts.size;
    entry_.reset(zip_fopen_index(archive_.get(), index, 0));
    if (!entry_)
      fail(name_, fmt::format("cannot unpack the zip archive ({})", zip_strerror(archive_.get())));
  }

  std::size_t read(std::span<char> buffer) override {
    const zip_int64_t count = zip_fread(entry_.get(), buffer.data(), buffer.size());
    if (count < 0)
      fail(name_, fmt::format("damaged zip archive ({})", zip_file_strerror(entry_.get())));
    consumed_ += static_cast<std::uint64_t>(count);
    return static_cast<std::size_t>(count);
  }
  double progress() const override { return share_of(consumed_, size_); }
  bool is_plain() const override { return false; } // the size is the archive's claim

private:
  zip_uint64_t only_file() const {
    std::vector<zip_entry> files, csv_files;
    const auto entries = static_cast<zip_uint64_t>(zip_get_num_entries(archive_.get(), 0));
    for (zip_uint64_t i = 0; i < entries; ++i) {
      const char* const name = zip_get_name(archive_.get(), i, 0);
      const std::string_view entry = name ? name : "";
      if (is_no_file_of_data(entry))
        continue;
      files.push_back({i, printable_name(entry)});
      if (ends_with_csv(entry))
        csv_files.push_back(files.back());
    }
    const auto& candidates = csv_files.empty() ? files : csv_files;
    if (candidates.size() == 1)
      return candidates.front().index;
    const std::string which = csv_files.empty() ? "files" : "CSV files";
    throw failure(error_code::bad_candles,
                  fmt::format("{}: the zip archive holds {} {}{}; expected exactly one CSV file",
                              name_, candidates.size(), which, listed(candidates)));
  }

  std::string name_;
  std::unique_ptr<zip_t, close_zip> archive_;
  std::unique_ptr<zip_file_t, close_zip> entry_; // closed before its archive
  std::uint64_t size_ = 0;
  std::uint64_t consumed_ = 0;
};

/// An archive says at its end what it holds.
std::unique_ptr<text_input> open_archive(const std::filesystem::path& path) {
  std::error_code unknown;
  if (!std::filesystem::is_regular_file(path, unknown))
    fail(path.string(), "a zip archive that comes through a pipe cannot be unpacked; expected a "
                        "file, or its unpacked text");
  return std::make_unique<zip_input>(path);
}

} // namespace

std::unique_ptr<text_input> open_text(const std::filesystem::path& path) {
  using namespace std::string_view_literals;
  raw_file file{path};
  if (file.head().starts_with("\x1f\x8b"sv))
    return std::make_unique<gzip_input>(std::move(file));
  if (file.head() == "PK\x03\x04"sv || file.head() == "PK\x05\x06"sv) // the latter: no entries
    return open_archive(path);
  return std::make_unique<plain_input>(std::move(file));
}

} // namespace backtest
