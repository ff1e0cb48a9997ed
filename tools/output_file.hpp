#pragma once

#include <string>
#include <string_view>

namespace backtest::tools {

/// A file, or standard output for "-", written in large pieces. One thread at a time.
class output_file {
public:
  /// Creates or empties the file; throws `failure{io_failed}` naming path and cause.
  explicit output_file(std::string name);
  ~output_file();
  output_file(const output_file&) = delete;
  output_file& operator=(const output_file&) = delete;

  /// Never throws: after a failure everything is dropped, and `close` tells the cause.
  void write(std::string_view text) noexcept;
  /// The buffer, to append to; call `drain` now and then.
  std::string& buffer() noexcept { return buffer_; }
  /// Writes the buffer once it is large.
  void drain() noexcept;
  void flush() noexcept;
  /// errno of the first failure, 0 while there was none.
  int problem() const noexcept { return problem_; }
  /// Whatever was at the other end of a pipe is gone; known without writing.
  bool has_no_reader() const noexcept;
  /// Throws `failure{io_failed}` when any piece could not be written.
  void close();

private:
  std::string name_;
  std::string buffer_;
  int descriptor_;
  int problem_ = 0; ///< errno of the first failure
};

} // namespace backtest::tools
