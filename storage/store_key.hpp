#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace backtest {

/// The first part of the keys of live runs; exchange, strategy and symbol follow.
inline constexpr std::string_view run_rows = "run";

/// The key of a tuple: each part percent-encoded outside [A-Za-z0-9._-], joined with '/'. Different
/// tuples have different keys. Throws `failure(invalid_argument)` for a tuple without parts.
std::string make_store_key(std::span<const std::string_view> parts);
std::string make_store_key(std::initializer_list<std::string_view> parts);

/// Starts the keys of exactly the longer tuples that begin with these parts: of ("a") those of
/// ("a", "b"), not of ("ab", "b"). Without parts, of all.
std::string make_store_prefix(std::span<const std::string_view> parts);
std::string make_store_prefix(std::initializer_list<std::string_view> parts);

/// The parts again; absent when `key` is not what `make_store_key` writes.
std::optional<std::vector<std::string>> split_store_key(std::string_view key);

/// A number as a key part: 20 digits, so that the order of keys is the order of numbers.
std::string number_key_part(std::uint64_t number);
std::optional<std::uint64_t> parse_number_key_part(std::string_view part) noexcept;

} // namespace backtest
