#include "runtime/undurable_work.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace backtest {

std::string to_text(const undurable_work& left) {
  if (left.runs.empty())
    return "nothing else was waiting to become durable";
  constexpr std::size_t most_names = 8;
  std::string names;
  for (std::size_t i = 0; i < std::min(left.runs.size(), most_names); ++i)
    names += fmt::format("{}{} on {}", i == 0 ? "" : ", ", left.runs[i]->strategy_name,
                         left.runs[i]->symbol);
  if (left.runs.size() > most_names)
    names += fmt::format(" and {} more", left.runs.size() - most_names);
  return fmt::format(
      "not known to be durable, and told to nobody: {} event{}{}, and what changed in "
      "{}",
      left.events, left.events == 1 ? "" : "s",
      left.last_number > 0 ? fmt::format(" behind number {}", left.last_number) : "", names);
}

} // namespace backtest
