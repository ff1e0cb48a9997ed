#pragma once

#include "actors/publisher/run_control.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

namespace backtest {

/// What a node remembers of commands with an id, so that one that is asked again is answered again
/// and not carried out twice. Times are milliseconds of a clock that only goes forward. Plain code.
class command_memory {
public:
  static constexpr std::size_t usual_capacity = 1024;

  /// Remembers that many answers, and as many commands under way. `now`: none came before.
  explicit command_memory(std::int64_t now, std::size_t capacity = usual_capacity)
      : capacity_(capacity), remembers_since_(now) {}

  struct finding {
    std::optional<run_controlled> answer; ///< to be given at once; without one it is waited for
    bool is_new = false;                  ///< to be taken and carried out
  };
  finding look_up(const control_run& command, std::int64_t now) const;

  /// A command that `look_up` called new is being carried out.
  void take(const control_run& command, std::int64_t now);
  /// It came to this. The oldest answers are forgotten.
  void settle(const std::string& id, const run_controlled& answer);

private:
  struct entry {
    control_run command;
    std::int64_t taken = 0;
    std::optional<run_controlled> answer;
  };

  finding of_unknown(const control_run& command, std::int64_t now) const;

  std::size_t capacity_;
  std::int64_t remembers_since_; ///< every command taken later than this is known
  std::map<std::string, entry> entries_;
  std::deque<std::string> answered_; ///< the oldest first
};

} // namespace backtest
