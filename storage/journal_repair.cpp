#include "storage/journal_repair.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace backtest {

namespace {

constexpr std::string_view source_name = "repair";

event error_line(std::string message, instant now) {
  error_event lost;
  lost.code = error_code::store_lost;
  lost.message = std::move(message);
  lost.source = source_name;
  lost.timestamp = now;
  return {topic::error, std::move(lost)};
}

/// Lines of one batch; the next one begins behind them.
class repair_writer {
public:
  repair_writer(store& target, instant now) : target_(target), now_(now) {}

  void fill(number_range range) {
    for (auto number = range.first; number <= range.last; ++number)
      add(number, fmt::format("journal number {} was lost: the store was damaged and has been "
                              "repaired; what it told cannot be read",
                              number));
  }
  void add(std::int64_t number, std::string message) {
    journal_writer{number - 1}.append(batch_, error_line(std::move(message), now_));
    commit_if_large(target_, batch_);
  }
  void finish() { target_.commit(batch_); }

private:
  store& target_;
  instant now_;
  store_batch batch_;
};

} // namespace

std::string to_text(const std::vector<number_range>& ranges) {
  std::string text;
  for (const auto& range : ranges) {
    text += text.empty() ? "" : ", ";
    text += range.first == range.last ? fmt::format("{}", range.first)
                                      : fmt::format("{} to {}", range.first, range.last);
  }
  return text;
}

std::vector<number_range> repair_journal(store& target, std::int64_t first, std::int64_t last,
                                         instant now) {
  constexpr std::size_t at_once = 1000;
  const auto found = find_journal_bounds(target);
  if (first <= 0 || (found.first > 0 && found.first < first))
    first = std::max<std::int64_t>(found.first, 1);
  last = std::max(last, found.last);
  std::vector<number_range> lost;
  repair_writer writer{target, now};
  auto expected = first;
  const auto skip_to = [&](std::int64_t number) {
    if (expected >= number)
      return;
    lost.push_back({expected, number - 1});
    writer.fill(lost.back());
  };
  for (auto entries = target.scan(store_space::journal, {}, journal_key(first), at_once);
       !entries.empty();
       entries = target.scan(store_space::journal, {}, journal_key(expected), at_once))
    for (const auto& entry : entries) {
      const auto number = journal_number(entry.key);
      skip_to(number);
      expected = number + 1;
    }
  skip_to(last + 1);
  writer.add(last + 1, lost.empty()
                           ? std::string{"the store was damaged and has been repaired; no journal "
                                         "number was lost"}
                           : fmt::format("the store was damaged and has been repaired; journal "
                                         "numbers {} were lost",
                                         to_text(lost)));
  writer.finish();
  return lost;
}

} // namespace backtest
