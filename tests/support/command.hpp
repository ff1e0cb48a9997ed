#pragma once

#include <map>
#include <string>
#include <vector>

#include <sys/types.h>

namespace backtest::testing {

/// What a finished command left behind. Status: as the shell shows it, 128 + signal when killed.
struct command_result {
  int status = 0;
  std::string out;
  std::string err;
  long peak_kilobytes = 0; ///< of memory, the most there was at a time
};

/// The built `backtest` while it runs, with stdout and stderr captured.
class running_command {
public:
  /// `through`: a program and its arguments that run the command, `timeout` for one.
  explicit running_command(const std::vector<std::string>& arguments,
                           const std::vector<std::string>& environment = {},
                           const std::vector<std::string>& through = {});
  ~running_command();
  running_command(const running_command&) = delete;
  running_command& operator=(const running_command&) = delete;

  void send_signal(int number) const;
  /// Blocks until stderr holds the text, or ends; whether it was there.
  bool wait_for_stderr(const std::string& text);
  /// Blocks until a line of stderr begins like this and gives its rest; "" when stderr ends first.
  std::string wait_for_line(const std::string& beginning);
  /// Blocks until it is over.
  command_result wait();

private:
  /// Reads what there is on either pipe; false once both ended.
  bool read_some();

  pid_t child_ = -1;
  int out_ = -1;
  int err_ = -1;
  command_result result_;
};

/// `backtest` with these arguments; `environment` adds variables as NAME=value.
command_result run_command(const std::vector<std::string>& arguments,
                           const std::vector<std::string>& environment = {},
                           const std::vector<std::string>& through = {});

} // namespace backtest::testing
