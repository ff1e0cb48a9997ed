#include "messages/json_reader.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace backtest {

namespace {

std::string message_of(const std::string& path, const std::string& problem) {
  return path.empty() ? problem : path + ": " + problem;
}

std::string_view view(boost::json::string_view text) noexcept { return {text.data(), text.size()}; }

} // namespace

json_failure::json_failure(error_code code, std::string path, std::string problem)
    : failure(code, message_of(path, problem)), path_(std::move(path)),
      problem_(std::move(problem)) {}

std::string join_path(std::string_view outer, std::string_view inner) {
  std::string path{outer};
  if (!outer.empty() && !inner.empty() && inner.front() != '[')
    path += '.';
  path += inner;
  return path;
}

std::string describe(const boost::json::value& value) {
  constexpr std::size_t longest = 60;
  if (value.is_array())
    return fmt::format("an array of {} elements", value.get_array().size());
  if (value.is_object())
    return fmt::format("an object of {} members", value.get_object().size());
  std::string text;
  if (const auto* whole = value.if_string(); whole && whole->size() > longest) {
    json_writer{text}.string(view(whole->subview(0, longest)));
    return text + "...";
  }
  json_writer{text}.value(value);
  return text;
}

void json_reader::fail_at(std::string_view key, std::string_view problem) const {
  throw json_failure(code_, join_path(path_, key), std::string{problem});
}

void json_reader::fail_type(const boost::json::value& value, std::string_view key,
                            std::string_view expected) const {
  fail_at(key, fmt::format("expected {}, got {}", expected, describe(value)));
}

const boost::json::object& json_reader::object() const {
  if (const auto* found = value_->if_object())
    return *found;
  fail_type(*value_, {}, "an object");
}

std::size_t json_reader::size() const {
  if (const auto* found = value_->if_array())
    return found->size();
  fail_type(*value_, {}, "an array");
}

json_reader json_reader::element(std::size_t index) const {
  if (index >= size())
    fail_at(fmt::format("[{}]", index), "expected a value, the array is shorter");
  return json_reader{value_->get_array()[index], code_, fmt::format("{}[{}]", path_, index)};
}

std::vector<json_reader> json_reader::elements() const {
  std::vector<json_reader> readers;
  readers.reserve(size());
  for (std::size_t i = 0; i < size(); ++i)
    readers.push_back(element(i));
  return readers;
}

json_reader json_reader::member(std::string_view key) const {
  return json_reader{required(key), code_, join_path(path_, key)};
}

std::optional<json_reader> json_reader::find(std::string_view key) const {
  if (const auto* found = find_value(key))
    return json_reader{*found, code_, join_path(path_, key)};
  return std::nullopt;
}

const boost::json::value* json_reader::find_value(std::string_view key) const {
  return object().if_contains(boost::json::string_view{key.data(), key.size()});
}

const boost::json::value& json_reader::required(std::string_view key) const {
  if (const auto* found = find_value(key))
    return *found;
  fail_at(key, "missing");
}

bool json_reader::flag_of(const boost::json::value& value, std::string_view key) const {
  if (const auto* found = value.if_bool())
    return *found;
  fail_type(value, key, "true or false");
}

std::int64_t json_reader::integer_of(const boost::json::value& value, std::string_view key) const {
  if (const auto* found = value.if_int64())
    return *found;
  // 5.0 and 1e3 are integers too.
  constexpr double exact_integers = 9007199254740992.0; // 2^53
  if (const auto* found = value.if_double();
      found && std::trunc(*found) == *found && std::abs(*found) <= exact_integers)
    return static_cast<std::int64_t>(*found);
  fail_type(value, key, "an integer");
}

double json_reader::number_of(const boost::json::value& value, std::string_view key) const {
  if (const auto* found = value.if_double())
    return *found;
  if (const auto* found = value.if_int64())
    return static_cast<double>(*found);
  if (const auto* found = value.if_uint64())
    return static_cast<double>(*found);
  fail_type(value, key, "a number");
}

std::string_view json_reader::text_of(const boost::json::value& value, std::string_view key) const {
  if (const auto* found = value.if_string())
    return view(found->subview());
  fail_type(value, key, "a string");
}

bool json_reader::flag_or(std::string_view key, bool fallback) const {
  const auto* found = find_value(key);
  return found ? flag_of(*found, key) : fallback;
}

std::int64_t json_reader::integer_or(std::string_view key, std::int64_t fallback) const {
  return optional_integer(key).value_or(fallback);
}

double json_reader::number_or(std::string_view key, double fallback) const {
  return optional_number(key).value_or(fallback);
}

std::string_view json_reader::text_or(std::string_view key, std::string_view fallback) const {
  const auto* found = find_value(key);
  return found ? text_of(*found, key) : fallback;
}

std::optional<std::int64_t> json_reader::optional_integer(std::string_view key) const {
  const auto* found = find_value(key);
  return found ? std::optional{integer_of(*found, key)} : std::nullopt;
}

std::optional<double> json_reader::optional_number(std::string_view key) const {
  const auto* found = find_value(key);
  return found ? std::optional{number_of(*found, key)} : std::nullopt;
}

std::optional<std::string> json_reader::optional_text(std::string_view key) const {
  const auto* found = find_value(key);
  return found ? std::optional<std::string>{text_of(*found, key)} : std::nullopt;
}

void json_reader::allow_only(std::span<const std::string_view> keys) const {
  for (const auto& item : object())
    if (std::find(keys.begin(), keys.end(), view(item.key())) == keys.end())
      fail_at(view(item.key()), keys.empty() ? "unknown key, expected none"
                                             : fmt::format("unknown key, expected one of: {}",
                                                           fmt::join(keys, ", ")));
}

} // namespace backtest
