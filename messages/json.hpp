#pragma once

#include "messages/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

#include <boost/json/value.hpp>

namespace backtest {

/// Deepest nesting of arrays and objects that is read.
inline constexpr std::size_t max_json_depth = 64;

/// Reads one JSON document. Integers that fit become int64 (or uint64), every other number the
/// double nearest to its digits, so what `json_writer` wrote comes back equal. Throws
/// `failure{code}` naming line and column (from 1, in bytes) for malformed text, bytes that are not
/// UTF-8, a repeated key, a number no double holds, nesting beyond `max_json_depth`, text after the
/// document.
boost::json::value parse_json(std::string_view text,
                              error_code code = error_code::invalid_configuration);

/// Appends JSON without white space to a string and allocates nothing else. The caller keeps the
/// order right: a key before each member of an object, an end for each begin.
class json_writer {
public:
  /// `out` must outlive the writer; what it holds already is kept.
  explicit json_writer(std::string& out) noexcept : out_(&out) {}

  json_writer& begin_object() { return open('{'); }
  json_writer& end_object() { return close('}'); }
  json_writer& begin_array() { return open('['); }
  json_writer& end_array() { return close(']'); }
  json_writer& key(std::string_view name);

  /// Bytes that are not UTF-8 become U+FFFD.
  json_writer& string(std::string_view text);
  json_writer& integer(std::int64_t value);
  /// The shortest digits that read back equal, whole numbers below 1e21 without an exponent; NaN
  /// and infinity become null.
  json_writer& number(double value);
  json_writer& boolean(bool value);
  json_writer& null();
  /// A value that is JSON already.
  json_writer& raw(std::string_view json);
  json_writer& value(const boost::json::value& tree);

private:
  json_writer& open(char bracket);
  json_writer& close(char bracket);
  void separate();

  std::string* out_;
  bool comma_due_ = false;
};

/// Appends `value` as `json_writer::number` writes it.
void append_number(std::string& out, double value);
std::string number_text(double value);

} // namespace backtest
