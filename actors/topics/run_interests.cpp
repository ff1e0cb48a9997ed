#include "actors/topics/run_interests.hpp"

#include <cstddef>

namespace backtest {

std::size_t run_numbers::place_of(const run_identity* run) noexcept {
  return reinterpret_cast<std::uintptr_t>(run) / alignof(std::max_align_t) % recent_count;
}

std::uint32_t run_numbers::number_of(const shared_identity& run) {
  if (!run)
    return 0;
  auto& recent = recent_[place_of(run.get())];
  if (recent.names != run.get())
    recent = {run.get(), find_number(run)};
  return recent.number;
}

std::uint32_t run_numbers::find_number(const shared_identity& run) {
  const auto [found, is_new] =
      numbers_.try_emplace(run.get(), static_cast<std::uint32_t>(runs_.size() + 1));
  if (is_new)
    runs_.push_back(run);
  return found->second;
}

void run_numbers::clear() {
  numbers_.clear();
  runs_.clear();
  recent_.assign(recent_count, {});
}

event_marks marks_of(const event& item, run_numbers& runs) {
  event_marks marks{runs.number_of(identity_of(item)), item.on, false, tick_action::idle};
  if (const auto* tick = std::get_if<tick_result>(&item.payload)) {
    marks.is_tick = true;
    marks.action = tick->action;
  }
  return marks;
}

interest contents_of(const std::vector<event>& events) {
  interest contents;
  for (const auto& item : events) {
    contents |= interest::of(item.on);
    if (const auto* tick = std::get_if<tick_result>(&item.payload))
      contents |= interest::of(tick->action);
  }
  return contents;
}

void batch_index::build(const std::vector<event>& events, run_numbers& runs) {
  marks.clear();
  std::size_t used = 0;
  for (std::uint32_t place = 0; place < events.size(); ++place) {
    marks.push_back(marks_of(events[place], runs));
    const auto run = marks.back().run;
    if (group_of_.size() < runs.size())
      group_of_.resize(runs.size());
    auto& at = group_of_[run];
    if (at >= used || groups[at].run != run) {
      at = static_cast<std::uint32_t>(used++);
      if (groups.size() < used)
        groups.emplace_back(); // those of earlier batches keep their memory
      groups[at].run = run;
      groups[at].all = {};
      groups[at].events.clear();
    }
    groups[at].all |= interest::of(marks.back().on);
    if (marks.back().is_tick)
      groups[at].all |= interest::of(marks.back().action);
    groups[at].events.push_back(place);
  }
  groups.resize(used);
}

} // namespace backtest
