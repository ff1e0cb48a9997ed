#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace backtest {

struct named_count {
  std::string name;
  std::int64_t count = 0;

  friend bool operator==(const named_count&, const named_count&) = default;
};

/// How often each name occurred. Names may be free text, so only the first `max_names` are told
/// apart; the others count together as `other_names`.
class name_counts {
public:
  static constexpr std::string_view other_names = "(other)";

  explicit name_counts(std::int64_t max_names) : max_names_(static_cast<std::size_t>(max_names)) {}

  void add(const std::string& name);
  void clear() noexcept { counts_.clear(); }

  /// By count descending, then name.
  std::vector<named_count> sorted() const;

private:
  std::size_t max_names_;
  std::map<std::string, std::int64_t> counts_;
};

/// "- name: count" lines, each name on one line.
std::string bullet_list(const std::vector<named_count>& counts);

} // namespace backtest
