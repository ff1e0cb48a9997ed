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

/// Opens plain text, gzip (also several members) or a zip archive with one CSV file; which of them
/// is decided by the content, not the name. In an archive, folders, what lies in __MACOSX/ and
/// names that begin with a dot do not count; of several files the only one whose name ends with
/// .csv is read. Throws `failure`: `io_failed` when the file cannot be opened or read, also for a
/// zip archive that is no file but a pipe; `bad_candles` when an archive holds no CSV file or
/// several.
std::unique_ptr<text_input> open_text(const std::filesystem::path& path);

} // namespace backtest
