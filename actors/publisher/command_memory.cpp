#include "actors/publisher/command_memory.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace backtest {

namespace {

/// A command is on its way for less: it may have been taken that much later than it was asked.
constexpr std::int64_t slowest_arrival_ms = 15'000;

command_memory::finding refuse_command(error_code code, std::string why) {
  return {run_controlled{error{code, std::move(why)}}, false};
}

bool is_same_command(const control_run& left, const control_run& right) {
  return left.strategy_name == right.strategy_name && left.symbol == right.symbol &&
         left.command == right.command;
}

} // namespace

command_memory::finding command_memory::look_up(const control_run& command,
                                                std::int64_t now) const {
  const auto found = entries_.find(command.id);
  if (found == entries_.end())
    return of_unknown(command, now);
  const auto& known = found->second;
  if (!is_same_command(known.command, command))
    return refuse_command(error_code::invalid_argument,
                          fmt::format("control_run: id \"{}\" is that of {} of strategy {} on {}; "
                                      "expected an id of its own for every command",
                                      command.id, to_string(known.command.command),
                                      known.command.strategy_name, known.command.symbol));
  if (known.answer)
    return {known.answer, false};
  if (command.only_asks)
    return {run_controlled{std::nullopt, std::max<std::int64_t>(now - known.taken, 0)}, false};
  return {};
}

command_memory::finding command_memory::of_unknown(const control_run& command,
                                                   std::int64_t now) const {
  const auto asked = now - command.asked_ms_ago - slowest_arrival_ms;
  if (command.asked_ms_ago > 0 && asked <= remembers_since_)
    return refuse_command(
        error_code::invalid_argument,
        fmt::format(
            "asked {} s ago, but this node remembers the commands of the last {} s only; it "
            "may have been carried out before that, and is not carried out now (backtest "
            "status tells)",
            command.asked_ms_ago / 1000, (now - remembers_since_) / 1000));
  if (command.only_asks)
    return refuse_command(error_code::not_found,
                          fmt::format("no command with the id \"{}\" has come", command.id));
  if (entries_.size() - answered_.size() >= capacity_)
    return refuse_command(
        error_code::invalid_argument,
        fmt::format("{} commands wait to be carried out, expected fewer than that", capacity_));
  return {std::nullopt, true};
}

void command_memory::take(const control_run& command, std::int64_t now) {
  entries_[command.id] = {command, now, std::nullopt};
}

void command_memory::settle(const std::string& id, const run_controlled& answer) {
  entries_.at(id).answer = answer;
  answered_.push_back(id);
  while (answered_.size() > capacity_) {
    const auto oldest = entries_.find(answered_.front());
    remembers_since_ = std::max(remembers_since_, oldest->second.taken);
    entries_.erase(oldest);
    answered_.pop_front();
  }
}

} // namespace backtest
