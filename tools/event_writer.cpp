#include "tools/event_writer.hpp"

#include "messages/event_json.hpp"
#include "messages/json.hpp"
#include "tools/command_line.hpp"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

namespace backtest::tools {

namespace {

std::string header_line(const run_header& header) {
  std::string line;
  json_writer out{line};
  const auto names = [&out](std::string_view key, const std::vector<std::string>& list) {
    out.key(key).begin_array();
    for (const auto& name : list)
      out.string(name);
    out.end_array();
  };
  out.begin_object().key("topic").string("run").key("event").begin_object();
  out.key("version").string(BACKTEST_VERSION).key("command").string(header.command);
  out.key("configuration").value(header.configuration);
  names("symbols", header.request.symbols);
  names("strategies", header.request.strategies);
  out.key("frame").string(header.request.frame).key("exchange").string(header.request.exchange);
  if (header.from)
    out.key("from").integer(*header.from);
  if (header.to)
    out.key("to").integer(*header.to);
  if (!header.topics.empty())
    names("topics", header.topics);
  out.end_object().end_object();
  return line + '\n';
}

auto names_of(const event& item) {
  const auto& run = identity_of(item);
  return run ? std::tuple<std::string_view, std::string_view>{run->strategy_name, run->symbol}
             : std::tuple<std::string_view, std::string_view>{};
}

} // namespace

const std::vector<topic>& default_topics(run_mode mode) {
  static const std::vector<topic> of_live{
      topic::signal_live, topic::partial_profit, topic::partial_loss, topic::risk,
      topic::validation,  topic::error,          topic::exit,         topic::control,
      topic::done_live};
  static const std::vector<topic> of_backtest{
      topic::signal_backtest, topic::partial_profit, topic::partial_loss, topic::risk,
      topic::validation,      topic::error,          topic::exit,         topic::done_backtest};
  return mode == run_mode::live ? of_live : of_backtest;
}

subscription subscription_for(const std::vector<std::string>& names, bool ticks, run_mode mode) {
  subscription wanted;
  for (const auto& name : names) {
    const auto found = parse_topic(name);
    if (!found) {
      std::vector<std::string> known;
      for (std::size_t i = 0; i < topic_count; ++i)
        known.emplace_back(to_string(static_cast<topic>(i)));
      throw failure(error_code::invalid_argument,
                    fmt::format("--topics: unknown topic \"{}\", expected some of {}", name,
                                comma_list(known)));
    }
    wanted.topics.push_back(*found);
  }
  if (wanted.topics.empty())
    wanted.topics = default_topics(mode);
  if (!ticks)
    wanted.actions = {tick_action::scheduled, tick_action::opened, tick_action::closed,
                      tick_action::cancelled};
  return wanted;
}

event_writer::event_writer(const std::string& destination, const run_header& header)
    : out_(destination), mode_(header.mode) {
  out_.write(header_line(header));
  out_.flush();
}

void event_writer::hear(const event& item) {
  if (mode_ == run_mode::live || instant_of(item))
    append(item);
  else
    without_instant_.push_back(item);
}

void event_writer::append(const event& item) {
  std::optional<std::int64_t> seq;
  if (mode_ == run_mode::backtest)
    seq = ++last_seq_;
  else if (item.number > 0)
    seq = item.number;
  append_event_line(out_.buffer(), seq, item.on, item);
  out_.buffer() += '\n';
  if (mode_ == run_mode::live)
    out_.flush(); // somebody may be reading along
  else
    out_.drain();
}

void event_writer::close() {
  std::stable_sort(
      without_instant_.begin(), without_instant_.end(),
      [](const event& left, const event& right) { return names_of(left) < names_of(right); });
  for (const auto& item : without_instant_)
    append(item);
  out_.close();
}

} // namespace backtest::tools
