#include "runtime/name_counts.hpp"

#include "runtime/cell_text.hpp"
#include "runtime/column.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace backtest {

void name_counts::add(const std::string& name) {
  const bool is_new = counts_.find(name) == counts_.end();
  ++counts_[is_new && counts_.size() >= max_names_ ? std::string(other_names) : name];
}

std::vector<named_count> name_counts::sorted() const {
  std::vector<named_count> list;
  for (const auto& [name, count] : counts_)
    list.push_back({name, count});
  std::stable_sort(list.begin(), list.end(), [](const named_count& left, const named_count& right) {
    return left.count > right.count;
  });
  return list;
}

std::string bullet_list(const std::vector<named_count>& counts) {
  std::string list;
  for (const auto& [name, count] : counts)
    list += fmt::format("- {}: {}\n", text_or_na(single_line(name)), count);
  return list;
}

} // namespace backtest
