#pragma once

#include "messages/error.hpp"
#include "messages/json.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace backtest {

/// A value that is not what was expected, and where it stands. The message is `path: problem`.
class json_failure : public failure {
public:
  json_failure(error_code code, std::string path, std::string problem);

  /// As in `strategies[0].params.fast`; "" is the document itself.
  const std::string& path() const noexcept { return path_; }
  const std::string& problem() const noexcept { return problem_; }

private:
  std::string path_;
  std::string problem_;
};

/// `outer.inner`, `outer[2]`: what `inner` is called when its document is a part of another one.
std::string join_path(std::string_view outer, std::string_view inner);

/// One value of a document together with its path. Every function throws `json_failure` naming the
/// path, what was expected and what was found. The document must outlive the reader.
class json_reader {
public:
  explicit json_reader(const boost::json::value& document,
                       error_code code = error_code::invalid_configuration, std::string path = {})
      : value_(&document), code_(code), path_(std::move(path)) {}

  const boost::json::value& value() const noexcept { return *value_; }
  const std::string& path() const noexcept { return path_; }
  error_code code() const noexcept { return code_; }

  /// The value itself.
  bool flag() const { return flag_of(*value_, {}); }
  std::int64_t integer() const { return integer_of(*value_, {}); }
  double number() const { return number_of(*value_, {}); }
  std::string_view text() const { return text_of(*value_, {}); }
  const boost::json::object& object() const;
  std::size_t size() const; ///< of an array

  /// Elements of an array, members of an object.
  json_reader element(std::size_t index) const;
  std::vector<json_reader> elements() const;
  json_reader member(std::string_view key) const;
  std::optional<json_reader> find(std::string_view key) const;
  bool has(std::string_view key) const { return find_value(key) != nullptr; }

  bool flag(std::string_view key) const { return flag_of(required(key), key); }
  std::int64_t integer(std::string_view key) const { return integer_of(required(key), key); }
  double number(std::string_view key) const { return number_of(required(key), key); }
  std::string_view text(std::string_view key) const { return text_of(required(key), key); }

  bool flag_or(std::string_view key, bool fallback) const;
  std::int64_t integer_or(std::string_view key, std::int64_t fallback) const;
  double number_or(std::string_view key, double fallback) const;
  std::string_view text_or(std::string_view key, std::string_view fallback) const;
  std::optional<std::int64_t> optional_integer(std::string_view key) const;
  std::optional<double> optional_number(std::string_view key) const;
  std::optional<std::string> optional_text(std::string_view key) const;

  /// A member that names one of a few values: `parse` knows them, `expected` lists them.
  template <class Enum>
  Enum one_of(std::string_view key, std::optional<Enum> (*parse)(std::string_view) noexcept,
              std::string_view expected) const {
    const std::string_view name = text(key);
    if (const auto found = parse(name))
      return *found;
    fail_at(key, "expected " + std::string{expected} + ", got \"" + std::string{name} + '"');
  }

  /// Every member must be one of `keys`.
  void allow_only(std::span<const std::string_view> keys) const;
  void allow_only(std::initializer_list<std::string_view> keys) const {
    allow_only(std::span{keys.begin(), keys.size()});
  }

  [[noreturn]] void fail(std::string_view problem) const { fail_at({}, problem); }
  [[noreturn]] void fail_at(std::string_view key, std::string_view problem) const;

private:
  // Paths of single members are put together only when something is wrong with them.
  const boost::json::value* find_value(std::string_view key) const;
  const boost::json::value& required(std::string_view key) const;
  bool flag_of(const boost::json::value& value, std::string_view key) const;
  std::int64_t integer_of(const boost::json::value& value, std::string_view key) const;
  double number_of(const boost::json::value& value, std::string_view key) const;
  std::string_view text_of(const boost::json::value& value, std::string_view key) const;
  [[noreturn]] void fail_type(const boost::json::value& value, std::string_view key,
                              std::string_view expected) const;

  const boost::json::value* value_;
  error_code code_;
  std::string path_;
};

/// A value as messages quote it: its JSON, shortened when long.
std::string describe(const boost::json::value& value);

} // namespace backtest
