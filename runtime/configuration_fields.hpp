#pragma once

#include "messages/json_reader.hpp"
#include "runtime/exchange_factories.hpp"
#include "runtime/type_registry.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace backtest {

/// What the sections of a configuration file need while they are read.
struct configuration_surroundings {
  const std::filesystem::path& directory;
  const type_registry& types;
  const exchange_factories& factories;
  const configuration& parameters;
};

/// One element of `exchanges`. Throws `json_failure`.
exchange_schema read_exchange(const json_reader& in, const configuration_surroundings& around);

// Members with a range; each throws `json_failure` naming what was expected.

std::string non_empty_text(const json_reader& in, std::string_view key);
/// A list of strings, none empty, none twice.
std::vector<std::string> distinct_texts(const json_reader& in);
/// The same as a member, with at least one element.
std::vector<std::string> some_distinct_texts(const json_reader& in, std::string_view key);
double number_in(const json_reader& in, std::string_view key, double fallback, bool fine(double),
                 std::string_view expected);
double positive_number(const json_reader& in, std::string_view key, double fallback);
double non_negative_number(const json_reader& in, std::string_view key, double fallback);
std::optional<double> optional_non_negative(const json_reader& in, std::string_view key);

} // namespace backtest
