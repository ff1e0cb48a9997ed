#pragma once

#include "messages/event.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace backtest::testing {

/// One fact of a golden case, in a form two sources of facts can be compared by.
struct fact {
  instant when = 0;
  std::string strategy;
  std::string symbol;
  std::string action;
  /// Every other field by name; numbers as they were written.
  std::vector<std::pair<std::string, std::string>> fields;
};

/// Golden cases beside the project, in order of their names; empty (with a message) when they are
/// not there.
std::vector<std::filesystem::path> golden_cases();

std::vector<fact> expected_facts(const std::filesystem::path& golden_case);

/// Facts of events; what is no fact (progress, done, ...) is left out.
std::vector<fact> facts_of(const std::vector<event>& events);

fact unfinished_fact(const signal_row& signal, instant when);

/// Brings facts into the order of a golden file: instant, strategy, symbol, then as they stand.
void sort_facts(std::vector<fact>& facts);

/// First difference, in words; nothing when the facts agree (numbers to a relative 1e-9).
std::optional<std::string> first_difference(const std::vector<fact>& expected,
                                            const std::vector<fact>& actual);

} // namespace backtest::testing
