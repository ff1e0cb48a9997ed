#include "runtime/event_file.hpp"

#include "actors/frame/timeline.hpp"
#include "messages/configuration_parameters.hpp"
#include "runtime/html_report_text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace backtest {

namespace {

constexpr auto unreadable = error_code::io_failed;

std::vector<std::string> names_at(const json_reader& in, std::string_view key) {
  std::vector<std::string> names;
  for (const auto& element : in.member(key).elements())
    names.emplace_back(element.text());
  return names;
}

bool is_run_line(const json_reader& line) {
  return line.has("topic") && line.text("topic") == "run";
}

recorded_run read_run(const json_reader& line) {
  if (!is_run_line(line))
    line.fail("expected the line that begins an event file, with topic \"run\"");
  const auto in = line.member("event");
  recorded_run run;
  run.version = in.text("version");
  run.command = in.text("command");
  run.configuration = in.member("configuration").object();
  run.symbols = names_at(in, "symbols");
  run.strategies = names_at(in, "strategies");
  run.frame = in.text("frame");
  run.exchange = in.text("exchange");
  run.from = in.optional_integer("from");
  run.to = in.optional_integer("to");
  return run;
}

/// The next line without its end, and what follows it.
std::string_view take_line(std::string_view& text) {
  const auto end = std::min(text.find('\n'), text.size());
  auto line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  if (line.ends_with('\r'))
    line.remove_suffix(1);
  return line;
}

} // namespace

recorded_run read_events(std::string_view text, std::string_view file_name,
                         const std::function<void(event_line&&)>& hear) {
  std::size_t number = 1;
  try {
    if (text.empty())
      throw failure(unreadable, "expected the line that begins an event file, found an empty file");
    const auto first = parse_json(take_line(text), unreadable);
    auto run = read_run(json_reader{first, unreadable});
    while (!text.empty()) {
      ++number;
      const auto line = parse_json(take_line(text), unreadable);
      if (is_run_line(json_reader{line, unreadable}))
        throw failure(unreadable, "a second run begins here; expected one run in a file");
      hear(parse_event_line(line, unreadable));
    }
    return run;
  } catch (const failure& problem) {
    throw failure(problem.code(), fmt::format("{}:{}: {}", file_name, number, problem.what()));
  }
}

configuration parameters_of(const recorded_run& run) {
  configuration parameters;
  const boost::json::value document(run.configuration);
  const json_reader in{document, error_code::invalid_configuration, "configuration"};
  if (const auto given = in.find("config"))
    read_json(*given, parameters);
  require_valid(parameters);
  return parameters;
}

std::optional<std::pair<instant, instant>> bounds_of(const recorded_run& run) {
  const boost::json::value document(run.configuration);
  const json_reader in{document, error_code::invalid_configuration, "configuration"};
  auto from = run.from, to = run.to;
  frame_schema schema;
  if (const auto frames = in.find("frames"))
    for (const auto& frame : frames->elements())
      if (frame.text("name") == run.frame) {
        if (!from)
          from = parse_iso(frame.text("start"));
        if (!to)
          to = parse_iso(frame.text("end"));
        schema.size = parse_interval(frame.text_or("interval", "1m")).value_or(interval::m1);
      }
  if (!from || !to || *from > *to || *from % minute_ms != 0)
    return std::nullopt;
  schema.start = *from;
  schema.end = *to;
  const auto instants = timeline_of(schema);
  return std::pair{instants.first, instants.last};
}

html_facts facts_of(const recorded_run& run) {
  return {run.version,    run.command, run.symbols,
          run.strategies, run.frame,   run.exchange,
          run.from,       run.to,      html::indented_json(run.configuration)};
}

} // namespace backtest
