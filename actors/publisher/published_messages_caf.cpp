#include "actors/contracts.hpp"

#include "messages/event_json.hpp"
#include "messages/signal_json.hpp"

#include <fmt/format.h>

namespace backtest {

namespace {

constexpr auto malformed = error_code::invalid_argument;

/// What another process sends is never a reason to throw.
template <class Message, class Read>
std::optional<std::string> read_object(std::string_view text, Message& message, Read&& read) {
  try {
    const auto document = parse_json(text, malformed);
    Message made;
    read(json_reader{document, malformed}, made);
    message = std::move(made);
    return std::nullopt;
  } catch (const std::exception& caught) {
    return caught.what();
  }
}

/// A question or an answer arrives all the same and says itself why it is none.
template <class Message>
std::optional<std::string> tell_in(Message& message, std::optional<error> Message::*problem,
                                   std::string_view name, const std::optional<std::string>& why) {
  if (why) {
    message = {};
    message.*problem = error{malformed, fmt::format("{}: {}", name, *why)};
  }
  return std::nullopt;
}

template <class Write>
std::string object_text(Write&& write) {
  std::string text;
  json_writer out{text};
  out.begin_object();
  write(out);
  out.end_object();
  return text;
}

void write_id(json_writer& out, tap_id id) { out.key("id").integer(static_cast<std::int64_t>(id)); }

tap_id read_id(const json_reader& in) {
  const auto id = in.integer("id");
  if (id < 0)
    in.fail_at("id", fmt::format("expected 0 or more, got {}", id));
  return static_cast<tap_id>(id);
}

void write_problem(json_writer& out, const std::optional<error>& problem) {
  if (problem)
    write_json(out.key("problem"), *problem);
}

void read_problem(const json_reader& in, std::optional<error>& problem) {
  if (const auto found = in.find("problem"))
    read_json(*found, problem.emplace());
}

/// Milliseconds, up to a year.
std::optional<std::int64_t> read_age(const json_reader& in, std::string_view key) {
  constexpr std::int64_t longest = std::int64_t{366} * 24 * 60 * 60 * 1000;
  const auto age = in.optional_integer(key);
  if (age && (*age < 0 || *age > longest))
    in.fail_at(key, fmt::format("expected 0 to {}, got {}", longest, *age));
  return age;
}

void write_names(json_writer& out, std::string_view key, const std::vector<std::string>& names) {
  if (names.empty())
    return;
  out.key(key).begin_array();
  for (const auto& name : names)
    out.string(name);
  out.end_array();
}

std::vector<std::string> read_names(const json_reader& in, std::string_view key) {
  std::vector<std::string> names;
  if (const auto list = in.find(key))
    for (const auto& name : list->elements())
      names.emplace_back(name.text());
  return names;
}

} // namespace

std::string to_json_text(const tap_request& message) {
  return object_text([&](json_writer& out) {
    std::vector<std::string> topics;
    for (const auto on : message.wanted.topics)
      topics.emplace_back(to_string(on));
    write_names(out, "topics", topics);
    write_names(out, "symbols", message.wanted.symbols);
    write_names(out, "strategies", message.wanted.strategies);
    if (message.from)
      out.key("from").integer(*message.from);
    out.key("credit").integer(message.credit);
    out.key("ends").boolean(message.ends);
  });
}

std::optional<std::string> read_json_text(std::string_view text, tap_request& message) {
  const auto why = read_object(text, message, [](const json_reader& in, tap_request& made) {
    for (const auto& name : read_names(in, "topics")) {
      const auto on = parse_topic(name);
      if (!on)
        in.fail_at("topics", fmt::format("expected a topic, got \"{}\"", name));
      made.wanted.topics.push_back(*on);
    }
    made.wanted.symbols = read_names(in, "symbols");
    made.wanted.strategies = read_names(in, "strategies");
    made.from = in.optional_integer("from");
    made.credit = in.integer("credit");
    made.ends = in.flag_or("ends", false);
  });
  return tell_in(message, &tap_request::unreadable, "tap_request", why);
}

// A head with the numbers, then the lines as they stand in the journal.
std::string to_json_text(const journal_batch& message) {
  auto text = object_text([&](json_writer& out) {
    write_id(out, message.id);
    out.key("next").integer(message.next);
    out.key("numbers").begin_array();
    for (const auto& line : message.lines)
      out.integer(line.number);
    out.end_array();
  });
  for (const auto& line : message.lines)
    (text += '\n') += line.text;
  return text;
}

std::optional<std::string> read_json_text(std::string_view text, journal_batch& message) {
  const auto head = text.substr(0, text.find('\n'));
  return read_object(head, message, [&](const json_reader& in, journal_batch& made) {
    made.id = read_id(in);
    made.next = in.integer("next");
    auto rest = text.substr(head.size());
    for (const auto& number : in.member("numbers").elements()) {
      if (rest.empty())
        in.fail_at("numbers", "expected a line for each");
      rest.remove_prefix(1);
      const auto line = rest.substr(0, rest.find('\n'));
      made.lines.push_back({number.integer(), std::string{line}});
      rest.remove_prefix(line.size());
    }
    if (!rest.empty())
      in.fail_at("numbers", "expected one for each line");
  });
}

std::string to_json_text(const journal_ended& message) {
  return object_text([&](json_writer& out) {
    write_id(out, message.id);
    out.key("next").integer(message.next);
    write_problem(out, message.problem);
  });
}

std::optional<std::string> read_json_text(std::string_view text, journal_ended& message) {
  const auto why = read_object(text, message, [](const json_reader& in, journal_ended& made) {
    made.id = read_id(in);
    made.next = in.integer("next");
    read_problem(in, made.problem);
  });
  return tell_in(message, &journal_ended::problem, "journal_ended", why);
}

std::string to_json_text(const journal_followed& message) {
  return object_text([&](json_writer& out) {
    write_id(out, message.id);
    out.key("first").integer(message.bounds.first);
    out.key("last").integer(message.bounds.last);
    write_problem(out, message.problem);
  });
}

std::optional<std::string> read_json_text(std::string_view text, journal_followed& message) {
  const auto why = read_object(text, message, [](const json_reader& in, journal_followed& made) {
    made.id = read_id(in);
    made.bounds = {in.integer("first"), in.integer("last")};
    read_problem(in, made.problem);
  });
  return tell_in(message, &journal_followed::problem, "journal_followed", why);
}

std::string to_json_text(const grant_credit& message) {
  return object_text([&](json_writer& out) {
    write_id(out, message.id);
    out.key("lines").integer(message.lines);
  });
}

std::optional<std::string> read_json_text(std::string_view text, grant_credit& message) {
  return read_object(text, message, [](const json_reader& in, grant_credit& made) {
    made = {read_id(in), in.integer("lines")};
  });
}

std::string to_json_text(const unfollow_journal& message) {
  return object_text([&](json_writer& out) { write_id(out, message.id); });
}

std::optional<std::string> read_json_text(std::string_view text, unfollow_journal& message) {
  return read_object(text, message,
                     [](const json_reader& in, unfollow_journal& made) { made = {read_id(in)}; });
}

std::string to_json_text(const control_run& message) {
  return object_text([&](json_writer& out) {
    out.key("strategy_name").string(message.strategy_name);
    out.key("symbol").string(message.symbol);
    out.key("command").string(to_string(message.command));
    if (message.id.empty())
      return;
    out.key("id").string(message.id);
    out.key("asked_ms_ago").integer(message.asked_ms_ago);
    if (message.only_asks)
      out.key("only_asks").boolean(true);
  });
}

std::optional<std::string> read_json_text(std::string_view text, control_run& message) {
  const auto why = read_object(text, message, [](const json_reader& in, control_run& made) {
    made.strategy_name = in.text("strategy_name");
    made.symbol = in.text("symbol");
    made.command = in.one_of("command", &parse_operator_command, "pause, resume, cancel or close");
    made.id = in.optional_text("id").value_or("");
    constexpr std::size_t longest_id = 64;
    if (made.id.size() > longest_id)
      in.fail_at("id",
                 fmt::format("expected at most {} characters, got {}", longest_id, made.id.size()));
    made.asked_ms_ago = read_age(in, "asked_ms_ago").value_or(0);
    made.only_asks = in.flag_or("only_asks", false);
  });
  return tell_in(message, &control_run::unreadable, "control_run", why);
}

std::string to_json_text(const run_controlled& message) {
  return object_text([&](json_writer& out) {
    write_problem(out, message.problem);
    if (message.taken_ms_ago)
      out.key("taken_ms_ago").integer(*message.taken_ms_ago);
  });
}

std::optional<std::string> read_json_text(std::string_view text, run_controlled& message) {
  const auto why = read_object(text, message, [](const json_reader& in, run_controlled& made) {
    read_problem(in, made.problem);
    made.taken_ms_ago = read_age(in, "taken_ms_ago");
  });
  return tell_in(message, &run_controlled::problem, "run_controlled", why);
}

} // namespace backtest
