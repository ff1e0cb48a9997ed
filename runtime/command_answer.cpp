#include "runtime/command_answer.hpp"

#include <fmt/format.h>

namespace backtest {

std::optional<std::string> problem_of_command(const node_answer& heard, double timeout_seconds) {
  const auto silence = fmt::format("no answer within {} s", timeout_seconds);
  if (!heard.answer)
    return fmt::format("{}; it is not known whether the command reached the node ({}): it may have "
                       "taken effect or not, which backtest status tells",
                       silence, heard.why);
  const auto& [problem, taken_ms_ago] = *heard.answer;
  if (taken_ms_ago)
    return fmt::format("{}; the node took the command {} s ago, and it has not become durable: it "
                       "may still take effect, which backtest status tells",
                       silence, *taken_ms_ago / 1000);
  if (!problem)
    return std::nullopt;
  if (problem->code == error_code::not_found)
    return fmt::format("{}; the command has not reached the node, and nothing was done", silence);
  return problem->message;
}

} // namespace backtest
