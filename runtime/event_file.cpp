#include "runtime/event_file.hpp"

#include "actors/frame/timeline.hpp"
#include "messages/configuration_parameters.hpp"
#include "runtime/html_report_text.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <optional>
#include <system_error>
#include <vector>

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

struct text_line {
  std::string_view text;
  bool is_whole = false; ///< its end was there
};

/// Lines one after the other, each valid until the next one is asked for.
using line_source = std::function<std::optional<text_line>()>;

std::string_view without_carriage_return(std::string_view line) {
  if (line.ends_with('\r'))
    line.remove_suffix(1);
  return line;
}

/// The lines of a file. A piece is read at a time, so that a device without end is left in time.
class file_lines {
public:
  explicit file_lines(const std::filesystem::path& file)
      : file_(std::fopen(file.c_str(), "rb")), piece_(64 * 1024) {
    if (!file_)
      throw failure(unreadable,
                    fmt::format("{}: cannot open the file: {}; expected one that run or "
                                "live wrote",
                                file.string(), last_error()));
  }

  std::optional<text_line> next() {
    line_.clear();
    bool any = false;
    while (!rest_.empty() || read_piece()) {
      any = true;
      const auto end = rest_.find('\n');
      line_ += rest_.substr(0, end);
      if (end != std::string_view::npos) {
        rest_.remove_prefix(end + 1);
        return text_line{without_carriage_return(line_), true};
      }
      rest_ = {};
      if (line_.size() > longest_line)
        throw failure(unreadable, fmt::format("the line is longer than {} bytes; expected an event",
                                              longest_line));
    }
    return any ? std::optional{text_line{line_}} : std::nullopt;
  }

private:
  static constexpr std::size_t longest_line = 64 * 1024 * 1024;

  static std::string last_error() { return std::generic_category().message(errno); }

  bool read_piece() {
    const auto count = std::fread(piece_.data(), 1, piece_.size(), file_.get());
    if (count == 0 && std::ferror(file_.get()) != 0)
      throw failure(unreadable, "cannot read the file: " + last_error());
    rest_ = {piece_.data(), count};
    return count > 0;
  }

  struct file_closer {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
  };

  std::unique_ptr<std::FILE, file_closer> file_;
  std::vector<char> piece_;
  std::string_view rest_; ///< of the piece
  std::string line_;
};

recorded_run read_lines(const line_source& next, std::size_t& number,
                        const std::function<void(event_line&&)>& hear) {
  const auto header = next();
  if (!header)
    throw failure(unreadable, "expected the line that begins an event file, found an empty file");
  const auto first = parse_json(header->text, unreadable);
  auto run = read_run(json_reader{first, unreadable});
  for (++number;; ++number) {
    const auto found = next();
    if (!found)
      return run;
    boost::json::value line;
    try {
      line = parse_json(found->text, unreadable);
    } catch (const failure&) {
      if (found->is_whole)
        throw;
      run.cut_line = number;
      return run;
    }
    if (is_run_line(json_reader{line, unreadable}))
      throw failure(unreadable, "a second run begins here; expected one run in a file");
    hear(parse_event_line(line, unreadable));
  }
}

/// What goes wrong is told with the file and the line that is read.
template <class Read>
recorded_run at_line(std::string_view file_name, Read read) {
  std::size_t number = 1;
  try {
    return read(number);
  } catch (const failure& problem) {
    throw failure(problem.code(), fmt::format("{}:{}: {}", file_name, number, problem.what()));
  }
}

} // namespace

recorded_run read_events(std::string_view text, std::string_view file_name,
                         const std::function<void(event_line&&)>& hear) {
  return at_line(file_name, [&](std::size_t& number) {
    const auto next = [&text]() -> std::optional<text_line> {
      if (text.empty())
        return std::nullopt;
      const auto end = std::min(text.find('\n'), text.size());
      const text_line line{without_carriage_return(text.substr(0, end)), end < text.size()};
      text.remove_prefix(std::min(end + 1, text.size()));
      return line;
    };
    return read_lines(next, number, hear);
  });
}

recorded_run read_event_file(const std::filesystem::path& file,
                             const std::function<void(event_line&&)>& hear) {
  file_lines lines{file};
  return at_line(file.string(), [&](std::size_t& number) {
    return read_lines([&lines] { return lines.next(); }, number, hear);
  });
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
