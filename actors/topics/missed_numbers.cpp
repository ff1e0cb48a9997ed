#include "actors/topics/missed_numbers.hpp"

#include <iterator>

namespace backtest {

void missed_numbers::add(std::int64_t first, std::int64_t last) {
  auto next = stretches_.upper_bound(first);
  if (next != stretches_.begin())
    if (const auto before = std::prev(next); before->second == first - 1) {
      first = before->first;
      stretches_.erase(before);
    }
  if (next != stretches_.end() && next->first == last + 1) {
    last = next->second;
    stretches_.erase(next);
  }
  stretches_.emplace(first, last);
}

void missed_numbers::remove_up_to(std::int64_t number) {
  while (!stretches_.empty() && first() <= number) {
    const auto last = last_of_first();
    stretches_.erase(stretches_.begin());
    if (last > number)
      stretches_.emplace(number + 1, last);
  }
}

} // namespace backtest
