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
  if (in.has("topics"))
    run.topics = names_at(in, "topics");
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
      const bool has_end = text.find('\n') != std::string_view::npos;
      boost::json::value line;
      try {
        line = parse_json(take_line(text), unreadable);
      } catch (const failure&) {
        if (has_end)
          throw;
        run.cut_line = number;
        return run;
      }
      if (is_run_line(json_reader{line, unreadable}))
        throw failure(unreadable, "a second run begins here; expected one run in a file");
      hear(parse_event_line(line, unreadable));
    }
    return run;
  } catch (const failure& problem) {
    throw failure(problem.code(), fmt::format("{}:{}: {}", file_name, number, problem.what()));
  }
}

void event_file_check::hear(const event_line& line) {
  if (const auto* done = std::get_if<done_event>(&line.item.payload); done != nullptr && done->run)
    ended_.emplace(done->run->symbol,
                   line.item.on == topic::done_walker ? "" : done->run->strategy_name);
  if (!line.seq)
    return;
  constexpr std::size_t most_breaks = 3;
  const auto note = [this](std::string text) {
    if (breaks_.size() < most_breaks)
      breaks_.push_back(std::move(text));
  };
  const auto seq = *line.seq;
  const auto expected = last_seq_ + 1;
  if (!first_seq_) {
    first_seq_ = seq;
  } else if (seq > expected) {
    left_out_ += seq - expected;
    note(seq == expected + 1 ? fmt::format("number {} is missing", expected)
                             : fmt::format("numbers {} to {} are missing", expected, seq - 1));
  } else if (seq < expected) {
    note(fmt::format("number {} comes after {}", seq, last_seq_));
  }
  last_seq_ = seq;
}

missing_lines event_file_check::findings(const recorded_run& run) const {
  missing_lines found;
  const bool is_live = run.command == "live", is_walk = run.command == "walk";
  if (!is_live && first_seq_ && *first_seq_ != 1)
    found.lost.push_back(fmt::format("the first number is {}, expected 1", *first_seq_));
  if (!is_live || run.topics.empty()) {
    found.lost.insert(found.lost.end(), breaks_.begin(), breaks_.end());
    if (left_out_ > 1)
      found.lost.push_back(fmt::format("{} numbers are missing in all", left_out_));
  }
  if (run.cut_line)
    found.lost.push_back(fmt::format("line {}, the last one, is cut off", *run.cut_line));
  const auto on = is_walk ? topic::done_walker : is_live ? topic::done_live : topic::done_backtest;
  if (!run.topics.empty() &&
      std::find(run.topics.begin(), run.topics.end(), to_string(on)) == run.topics.end())
    return found;
  std::vector<std::string> names;
  for (const auto& symbol : run.symbols) {
    if (is_walk && ended_.count({symbol, ""}) == 0)
      names.push_back("the walk on " + symbol);
    for (const auto& strategy : run.strategies)
      if (!is_walk && ended_.count({symbol, strategy}) == 0)
        names.push_back(strategy + " on " + symbol);
  }
  if (names.empty())
    return found;
  constexpr std::size_t most_names = 3;
  const auto more = names.size() - std::min(names.size(), most_names);
  names.resize(names.size() - more);
  found.unended.push_back(
      fmt::format("there is no {} event of {}{}: {}", to_string(on), fmt::join(names, ", "),
                  more > 0 ? fmt::format(" and {} more", more) : "",
                  is_live ? "what is told here is not over, was killed, or had ended before"
                          : "the run was killed before its end, or has not come to it yet"));
  return found;
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

instant step_of(const boost::json::object& configuration, std::string_view frame_name) {
  const boost::json::value document(configuration);
  const json_reader in{document, error_code::invalid_configuration, "configuration"};
  auto size = interval::m1;
  if (const auto frames = in.find("frames"))
    for (const auto& frame : frames->elements())
      if (frame.text("name") == frame_name)
        size = parse_interval(frame.text_or("interval", "1m")).value_or(interval::m1);
  return length_of(size);
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
