#include "actors/topics/run_interests.hpp"

namespace backtest {

std::uint32_t run_numbers::number_of(const shared_identity& run) {
  if (!run)
    return 0;
  if (run.get() == latest_)
    return latest_number_;
  const auto [found, is_new] =
      numbers_.try_emplace(run.get(), static_cast<std::uint32_t>(runs_.size() + 1));
  if (is_new)
    runs_.push_back(run);
  latest_ = run.get();
  return latest_number_ = found->second;
}

void run_numbers::clear() {
  numbers_.clear();
  runs_.clear();
  latest_ = nullptr;
}

event_marks marks_of(const event& item, run_numbers& runs) {
  event_marks marks{runs.number_of(identity_of(item)), item.on, false, tick_action::idle};
  if (const auto* tick = std::get_if<tick_result>(&item.payload)) {
    marks.is_tick = true;
    marks.action = tick->action;
  }
  return marks;
}

} // namespace backtest
