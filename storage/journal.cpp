#include "storage/journal.hpp"

#include "messages/event_json.hpp"
#include "storage/store_key.hpp"

#include <variant>

#include <fmt/format.h>

namespace backtest {

const std::vector<topic>& journalled_topics() {
  static const std::vector<topic> topics{
      topic::signal,         topic::signal_live,  topic::error, topic::validation,
      topic::partial_profit, topic::partial_loss, topic::risk,  topic::control,
      topic::done_live};
  return topics;
}

bool is_journalled(const event& item) noexcept {
  switch (item.on) {
  case topic::signal:
  case topic::signal_live: {
    const auto* tick = std::get_if<tick_result>(&item.payload);
    return tick != nullptr &&
           (tick->action == tick_action::scheduled || tick->action == tick_action::opened ||
            tick->action == tick_action::closed || tick->action == tick_action::cancelled);
  }
  case topic::error: {
    // It says that nothing can be written.
    const auto* problem = std::get_if<error_event>(&item.payload);
    return problem == nullptr ||
           (problem->code != error_code::store_failed && may_come_back(problem->code));
  }
  case topic::partial_profit:
  case topic::partial_loss:
  case topic::risk:
  case topic::validation:
  case topic::control:
  case topic::done_live: return true;
  default: return false;
  }
}

std::string journal_key(std::int64_t number) {
  return number_key_part(static_cast<std::uint64_t>(number));
}

std::int64_t journal_number(const std::string& key) {
  const auto number = parse_number_key_part(key);
  if (!number || *number == 0 || *number > INT64_MAX)
    throw failure(
        error_code::store_failed,
        fmt::format("journal: the key \"{}\" is not a number from 1 on with 20 digits", key));
  return static_cast<std::int64_t>(*number);
}

std::string journal_text(const event& item) {
  thread_local std::string longest; // so that every text takes the memory it needs and no more
  longest.clear();
  append_behind_number(longest, item.on, item);
  return longest;
}

journal_entry journal_writer::append(store_batch& batch, std::string_view text) {
  const auto key = journal_key(++last_);
  std::string line;
  line.reserve(text.size() + 32);
  json_writer{line}.begin_object().key("seq").integer(last_);
  line += text;
  const journal_entry entry{last_, key.size() + line.size()};
  batch.put(store_space::journal, key, line);
  return entry;
}

journal_bounds find_journal_bounds(const store_reader& from) {
  const auto first = from.scan(store_space::journal, {}, {}, 1);
  const auto last = from.last(store_space::journal, {});
  if (first.empty() || !last)
    return {};
  return {journal_number(first.front().key), journal_number(last->key)};
}

failure journal_truncation(std::int64_t asked, std::int64_t first_kept) {
  return {error_code::journal_truncated,
          fmt::format("journal: number {} is no longer kept; the first kept is {}", asked,
                      first_kept)};
}

std::vector<journal_line> read_journal(const store_reader& from, std::int64_t first,
                                       std::size_t limit) {
  if (first < 1)
    throw failure(error_code::invalid_argument,
                  fmt::format("journal: numbers begin with 1, got {}", first));
  std::vector<journal_line> lines;
  std::int64_t expected = first;
  for (auto& entry : from.scan(store_space::journal, {}, journal_key(first), limit)) {
    const auto number = journal_number(entry.key);
    if (number != expected) {
      const auto kept = find_journal_bounds(from).first;
      if (expected == first && first < kept)
        throw journal_truncation(first, kept);
      throw failure(
          error_code::store_failed,
          fmt::format("journal: number {} is missing; expected it before {}", expected, number));
    }
    lines.push_back({number, std::move(entry.value)});
    ++expected;
  }
  return lines;
}

} // namespace backtest
