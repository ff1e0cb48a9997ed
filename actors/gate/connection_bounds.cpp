#include "actors/gate/connection_bounds.hpp"

#include <algorithm>

namespace backtest {

connection_limits connection_limits::within(std::size_t handles) const {
  const auto most = std::max<std::size_t>(handles / 4 / handles_each, 1);
  return {std::min(all, most), std::min(of_address, most), std::min(unproven, most)};
}

connection_bounds::admission connection_bounds::admit(const std::string& address) {
  std::size_t of_address = 0;
  std::size_t unproven = 0;
  for (const auto& [id, item] : known_) {
    of_address += item.address == address ? 1 : 0;
    unproven += item.is_proven ? 0 : 1;
  }
  admission answer;
  const bool address_is_full = of_address >= limits_.of_address;
  if (address_is_full || unproven >= limits_.unproven || known_.size() >= limits_.all) {
    answer.gives_way = oldest_unproven(&address);
    if (!answer.gives_way && !address_is_full)
      answer.gives_way = oldest_unproven(nullptr);
    if (!answer.gives_way)
      return answer;
    release(*answer.gives_way);
  }
  answer.admitted = next_++;
  known_[*answer.admitted].address = address;
  return answer;
}

void connection_bounds::prove(connection_id id) {
  if (const auto found = known_.find(id); found != known_.end())
    found->second.is_proven = true;
}

void connection_bounds::release(connection_id id) { known_.erase(id); }

std::optional<connection_bounds::connection_id>
connection_bounds::oldest_unproven(const std::string* address) const {
  const auto found = std::find_if(known_.begin(), known_.end(), [address](const auto& item) {
    return !item.second.is_proven && (!address || item.second.address == *address);
  });
  return found == known_.end() ? std::nullopt : std::optional{found->first};
}

} // namespace backtest
