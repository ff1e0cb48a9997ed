#include "runtime/error_notices.hpp"

#include "runtime/terminal_text.hpp"

#include <utility>

#include <fmt/format.h>

namespace backtest {

namespace {

std::string without_digits(std::string text) {
  std::erase_if(text, [](char c) { return c >= '0' && c <= '9'; });
  return text;
}

} // namespace

std::string error_heading(const error_event& problem) {
  std::string heading;
  if (problem.timestamp)
    heading = to_iso(*problem.timestamp) + ' ';
  heading += problem.run ? fmt::format("{} {}", problem.run->strategy_name, problem.run->symbol)
                         : problem.source;
  return printable(fmt::format("{} error {}", heading, to_string(problem.code)));
}

error_notices::kind error_notices::kind_of(const error_event& problem) {
  auto message = without_digits(problem.message);
  if (!problem.run)
    return {problem.code, problem.source, "", "", std::move(message)};
  const auto& run = *problem.run;
  const bool is_of_symbol = problem.source == "exchange"; // the same for all its strategies
  return {problem.code, run.exchange_name, is_of_symbol ? "" : run.strategy_name, run.symbol,
          std::move(message)};
}

error_notices::occurrences& error_notices::find(const error_event& problem) {
  auto wanted = kind_of(problem);
  const auto found = kinds_.find(wanted);
  if (found != kinds_.end())
    return found->second;
  if (kinds_.size() >= most_kinds)
    wanted = {};
  return kinds_[std::move(wanted)];
}

std::string error_notices::take(const error_event& problem, instant now) {
  due_ = due_.value_or(now + minute_ms);
  auto& same = find(problem);
  same.latest = now;
  if (same.is_shown || same.counted > 0 || lines_ >= most_lines) {
    ++same.counted;
    same.newest = problem;
    return {};
  }
  same.is_shown = true;
  ++lines_;
  return fmt::format("{}: {}\n", error_heading(problem), printable_lines(problem.message));
}

std::string error_notices::counts(instant now) {
  return due_ && now >= *due_ ? counts_so_far(now) : std::string{};
}

std::string error_notices::counts_so_far(instant now) {
  std::string text;
  std::size_t lines = 0;
  std::int64_t events_left = 0, kinds_left = 0;
  for (auto& [of, same] : kinds_) {
    const auto count = std::exchange(same.counted, 0);
    if (count == 0)
      continue;
    if (lines++ >= most_lines) {
      events_left += count;
      ++kinds_left;
      continue;
    }
    text += fmt::format("{}: {}{} in the last minute{}: {}\n", error_heading(same.newest), count,
                        same.is_shown ? " more" : "", count == 1 ? "" : ", the latest",
                        printable_lines(same.newest.message));
    same.is_shown = true;
  }
  if (kinds_left > 0)
    text +=
        fmt::format("{} more error event{} of {} other kind{} in the last minute\n", events_left,
                    events_left == 1 ? "" : "s", kinds_left, kinds_left == 1 ? "" : "s");
  due_.reset();
  lines_ = 0;
  forget(now);
  return text;
}

void error_notices::forget(instant now) {
  std::erase_if(kinds_,
                [now](const auto& item) { return now - item.second.latest >= forgotten_after; });
}

} // namespace backtest
