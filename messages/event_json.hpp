#pragma once

#include "messages/event.hpp"
#include "messages/json_reader.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace backtest {

/// One line of an event file.
struct event_line {
  std::optional<std::int64_t> seq; ///< absent where there is no number
  event item;

  friend bool operator==(const event_line&, const event_line&) = default;
};

/// Appends `{"seq":1,"topic":"signal_backtest","event":{...}}`, without the line feed. `shown_on`
/// is the topic to print, which for a tick result may be `signal` instead of the event's own.
void append_event_line(std::string& out, std::optional<std::int64_t> seq, topic shown_on,
                       const event& item);

/// Appends what follows the number in that line, `,"topic":...}`.
void append_behind_number(std::string& out, topic shown_on, const event& item);

/// Appends the payload alone, the object behind `event`.
void append_payload(json_writer& out, const event_payload& payload);

/// Appends `{"topic":...,"event":{...}}`.
void append_event(json_writer& out, const event& item);

/// Throws `failure` naming line and column, or the path of the field that is missing or wrong; an
/// unknown topic, and a topic without such payload, is an error too.
event_line parse_event_line(std::string_view line, error_code code = error_code::invalid_argument);
event_line parse_event_line(const boost::json::value& line,
                            error_code code = error_code::invalid_argument);

void write_json(json_writer& out, const event& item);
void read_json(const json_reader& in, event& item);

} // namespace backtest
