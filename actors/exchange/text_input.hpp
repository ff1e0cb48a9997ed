#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>

namespace backtest {

/// The text of a file, read front to back and unpacked on the way: never the whole text at once.
class text_input {
public:
  virtual ~text_input() = default;
  /// Fills the front of `buffer`; 0 at the end of the text. Throws `failure{io_failed}` naming the
  /// file when it cannot be read or unpacked (truncated, damaged).
  virtual std::size_t read(std::span<char> buffer) = 0;
  /// Share of the file read so far, above 0 to 1; an estimate for how much is still to come.
  virtual double progress() const = 0;
  /// True where progress counts bytes of text, not of packed data.
  virtual bool is_plain() const = 0;
};

/// Opens plain text, gzip (also several members) or a zip archive with exactly one file; which of
/// them is decided by the content, not the name. Throws `failure`: `io_failed` when the file cannot
/// be opened or read, `bad_candles` when a zip archive holds no file or several.
std::unique_ptr<text_input> open_text(const std::filesystem::path& path);

} // namespace backtest
