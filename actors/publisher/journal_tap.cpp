#include "actors/publisher/journal_tap.hpp"

#include "messages/event_json.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace backtest {

namespace {

subscription subscription_of(const journal_filter& wanted) {
  auto topics = wanted.topics.empty() ? journalled_topics() : wanted.topics;
  return {std::move(topics), {}, wanted.symbols, wanted.strategies};
}

} // namespace

std::string journalled_topic_names() {
  std::vector<std::string_view> names;
  for (const auto on : journalled_topics())
    names.push_back(to_string(on));
  return fmt::format("{}", fmt::join(names, ", "));
}

topic journalled_topic(std::string_view name) {
  const auto on = parse_topic(name);
  if (!on)
    throw failure(
        error_code::invalid_argument,
        fmt::format("unknown topic \"{}\", expected some of {}", name, journalled_topic_names()));
  require_journalled({*on});
  return *on;
}

void require_journalled(const std::vector<topic>& topics) {
  const auto& known = journalled_topics();
  for (const auto on : topics)
    if (std::find(known.begin(), known.end(), on) == known.end())
      throw failure(error_code::invalid_argument,
                    fmt::format("topic {} is not in the journal and cannot be tapped, expected "
                                "some of {}",
                                to_string(on), journalled_topic_names()));
}

journal_tap::journal_tap(tap_request wanted, journal_bounds bounds)
    : filter_(subscription_of(wanted.wanted)),
      wants_everything_(wanted.wanted == journal_filter{}) {
  if (wanted.unreadable)
    throw failure(*wanted.unreadable);
  require_journalled(wanted.wanted.topics);
  if (wanted.credit < 0)
    throw failure(error_code::invalid_argument,
                  fmt::format("tap: credit must be 0 or more, got {}", wanted.credit));
  const auto first = std::max<std::int64_t>(bounds.first, 1);
  next_ = told_ = wanted.from.value_or(first);
  if (next_ < 1)
    throw failure(error_code::invalid_argument,
                  fmt::format("journal: numbers begin with 1, got {}", next_));
  if (next_ < first)
    throw journal_truncation(next_, first);
  if (next_ > bounds.last + 1)
    throw failure(error_code::invalid_argument,
                  fmt::format("journal: it ends with number {}, expected to begin with {} at most, "
                              "got {}; is it the journal of another node?",
                              bounds.last, bounds.last + 1, next_));
  if (wanted.ends)
    last_ = bounds.last;
  grant(wanted.credit);
}

void journal_tap::grant(std::int64_t lines) noexcept {
  if (lines > 0)
    credit_ = std::min(lines, most_tap_credit - credit_) + credit_;
}

bool journal_tap::may_read(std::int64_t newest) const noexcept {
  return credit_ > 0 && next_ <= newest && !is_over();
}

void journal_tap::require_still_there(const journal_bounds& bounds) const {
  if (bounds.last < next_ - 1)
    throw failure(error_code::store_lost,
                  fmt::format("journal: it went backwards: it ends with number {}, though {} was "
                              "there before",
                              bounds.last, next_ - 1));
}

bool journal_tap::wants(const journal_line& line) const {
  if (wants_everything_)
    return true;
  try {
    return filter_.wants(parse_event_line(line.text).item);
  } catch (const failure& problem) {
    throw failure(error_code::store_failed, fmt::format("journal: number {} is no event line: {}",
                                                        line.number, problem.what()));
  }
}

std::optional<journal_piece> journal_tap::read(const store_reader& from) {
  const auto lines_left = std::min(static_cast<std::size_t>(credit_), most_lines);
  auto entries = wants_everything_ ? lines_left : most_entries;
  if (last_)
    entries = std::min(entries, static_cast<std::size_t>(*last_ - next_ + 1));
  journal_piece piece;
  std::size_t bytes = 0;
  for (auto& line : read_journal(from, next_, entries)) {
    const bool wanted = wants(line);
    if (wanted && !piece.lines.empty() &&
        (piece.lines.size() == lines_left || bytes + line.text.size() > most_bytes))
      break;
    next_ = line.number + 1;
    if (!wanted)
      continue;
    bytes += line.text.size();
    piece.lines.push_back(std::move(line));
  }
  constexpr auto many = static_cast<std::int64_t>(most_entries);
  if (piece.lines.empty() && next_ - told_ < many)
    return std::nullopt;
  piece.next = told_ = next_;
  credit_ -= std::max<std::int64_t>(static_cast<std::int64_t>(piece.lines.size()), 1);
  return piece;
}

} // namespace backtest
