#include "actors/exchange/candle_writer.hpp"

#include "messages/error.hpp"
#include "storage/replaceable_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <optional>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <zlib.h>

namespace backtest {

namespace {

constexpr std::string_view header = "open_time,open,high,low,close,volume\n";

template <class Number>
void append_number(std::string& text, Number value, char separator) {
  std::array<char, 32> digits; // the longest double takes 24
  char* const end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  text.append(digits.data(), end);
  text += separator;
}

void append_rows(std::string& text, std::span<const candle> rows) {
  for (const candle& row : rows) {
    append_number(text, row.open_time, ',');
    append_number(text, row.open, ',');
    append_number(text, row.high, ',');
    append_number(text, row.low, ',');
    append_number(text, row.close, ',');
    append_number(text, row.volume, '\n');
  }
}

[[noreturn]] void fail(const std::filesystem::path& path, std::string_view action) {
  const std::string cause =
      errno != 0 ? std::generic_category().message(errno) : std::string{"unknown cause"};
  throw failure(error_code::io_failed,
                fmt::format("{}: cannot {} the file: {}", path.string(), action, cause));
}

/// A file that is written under another name and takes its own once complete; a device or pipe is
/// written in place.
class pending_file {
public:
  explicit pending_file(const std::filesystem::path& path)
      : path_(path), replaced_(replaceable_file(path)) {
    if (replaced_)
      temporary_ = replaced_->string() + ".tmp";
    errno = refusal_to_replace(path).value();
    if (errno != 0)
      fail(path_, "replace");
    // "T": written as it is, for the one writer to serve both kinds.
    file_ = gzopen(replaced_ ? temporary_.c_str() : path.c_str(),
                   path.extension() == ".gz" ? "wb" : "wbT");
    if (!file_)
      fail(path_, "create");
  }
  pending_file(const pending_file&) = delete;
  pending_file& operator=(const pending_file&) = delete;
  ~pending_file() {
    if (file_)
      gzclose(file_);
    if (!complete_ && replaced_) {
      std::error_code ignored; // what failed has been said already
      std::filesystem::remove(temporary_, ignored);
    }
  }

  void write(std::string_view text) {
    errno = 0;
    if (gzwrite(file_, text.data(), static_cast<unsigned>(text.size())) !=
        static_cast<int>(text.size()))
      fail(path_, "write");
  }

  void complete() {
    errno = 0;
    if (gzclose(std::exchange(file_, nullptr)) != Z_OK)
      fail(path_, "write");
    if (replaced_)
      rename();
    complete_ = true;
  }

private:
  void rename() {
    std::error_code status;
    std::filesystem::rename(temporary_, *replaced_, status);
    if (status) {
      errno = status.value();
      fail(path_, "replace");
    }
  }

  std::filesystem::path path_;
  std::optional<std::filesystem::path> replaced_;
  std::filesystem::path temporary_; ///< of the file that is replaced
  gzFile file_ = nullptr;
  bool complete_ = false;
};

} // namespace

std::string to_csv(const candle_series& series) {
  std::string text{header};
  append_rows(text, series.candles);
  return text;
}

void write_candle_csv(const candle_series& series, const std::filesystem::path& path) {
  pending_file file{path};
  file.write(header);
  std::string text;
  for (std::span<const candle> rest{series.candles}; !rest.empty();) {
    const std::size_t count = std::min<std::size_t>(rest.size(), 1024);
    text.clear();
    append_rows(text, rest.first(count));
    file.write(text);
    rest = rest.subspan(count);
  }
  file.complete();
}

} // namespace backtest
