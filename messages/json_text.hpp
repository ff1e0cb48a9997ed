#pragma once

#include "messages/configuration_parameters.hpp"
#include "messages/event_json.hpp"
#include "messages/signal_json.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace backtest {

template <class T>
void write_json(json_writer& out, const std::vector<T>& items) {
  out.begin_array();
  for (const auto& item : items)
    write_json(out, item);
  out.end_array();
}

template <class T>
void read_json(const json_reader& in, std::vector<T>& items) {
  items.assign(in.size(), T{});
  for (std::size_t i = 0; i < items.size(); ++i)
    read_json(in.element(i), items[i]);
}

/// The JSON text of an event, signal row or request, run identity, candle, candle series,
/// configuration or error, or of a vector of them.
template <class T>
std::string to_json_text(const T& value) {
  std::string text;
  json_writer out{text};
  write_json(out, value);
  return text;
}

/// The value whose text this is: equal to what was written, finite numbers and UTF-8 provided.
/// Throws `failure{code}` naming line and column, or the path of a field.
template <class T>
T from_json_text(std::string_view text, error_code code = error_code::invalid_argument) {
  const auto document = parse_json(text, code);
  T value{};
  read_json(json_reader{document, code}, value);
  return value;
}

} // namespace backtest
