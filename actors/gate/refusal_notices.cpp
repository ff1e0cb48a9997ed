#include "actors/gate/refusal_notices.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace backtest {

namespace {

std::string with_thousands(std::size_t number) {
  auto digits = fmt::format("{}", number);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3)
    digits.insert(static_cast<std::size_t>(at), 1, ',');
  return digits;
}

} // namespace

std::string refusal_notices::note(const std::string& address, std::string_view reason,
                                  time_point now) {
  auto found = open_.find(address);
  if (found == open_.end() && open_.size() >= most_addresses) {
    const std::string others = "other addresses";
    found = open_.find(others);
    if (found == open_.end())
      found = open_.try_emplace(others, minute{now, {}}).first;
  }
  if (found == open_.end()) {
    open_.try_emplace(address, minute{now, {}});
    return fmt::format("refused a connection of {}: {}", address, reason);
  }
  auto& reasons = found->second.reasons;
  const auto known = reasons.find(reason);
  if (known != reasons.end())
    ++known->second;
  else
    ++reasons[reasons.size() < most_reasons ? std::string{reason} : "other reasons"];
  return {};
}

std::vector<std::string> refusal_notices::due(time_point now) {
  std::vector<std::string> told;
  for (auto it = open_.begin(); it != open_.end();) {
    auto& [address, since] = *it;
    if (now - since.began < span) {
      ++it;
      continue;
    }
    if (since.reasons.empty()) { // it was quiet: the next one is told at once
      it = open_.erase(it);
      continue;
    }
    std::vector<std::pair<std::size_t, std::string>> ordered;
    std::size_t count = 0;
    for (const auto& [reason, times] : since.reasons) {
      ordered.emplace_back(times, reason);
      count += times;
    }
    std::sort(ordered.begin(), ordered.end(),
              [](const auto& a, const auto& b) { return a.first > b.first; });
    std::string text;
    for (const auto& [times, reason] : ordered)
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", with_thousands(times), reason);
    told.push_back(fmt::format("refused {} connection{} of {} in the last minute: {}",
                               with_thousands(count), count == 1 ? "" : "s", address, text));
    since = {now, {}};
    ++it;
  }
  return told;
}

} // namespace backtest
