#include "runtime/portfolio.hpp"

#include <algorithm>
#include <array>

namespace backtest {

std::string_view to_string(run_state state) noexcept {
  constexpr std::array<std::string_view, 4> names{"ready", "pending", "fulfilled", "rejected"};
  return names[static_cast<std::size_t>(state)];
}

// -- portfolio_record ---------------------------------------------------------------------------------

portfolio_record::portfolio_record(std::uint64_t id, std::vector<shared_identity> runs,
                                   instant started_at)
    : id_(id) {
  for (auto& identity : runs) {
    statuses_.push_back(
        {id, *identity, run_state::pending, started_at, std::nullopt, std::nullopt});
    run_summary summary;
    summary.identity = std::move(identity);
    summaries_.push_back(std::move(summary));
  }
}

void portfolio_record::finish_run(std::size_t run, run_summary summary, instant finished_at) {
  const std::lock_guard lock{mutex_};
  statuses_[run].state =
      summary.outcome == run_outcome::failed ? run_state::rejected : run_state::fulfilled;
  statuses_[run].finished_at = finished_at;
  statuses_[run].problem = summary.problem;
  summaries_[run] = std::move(summary);
}

void portfolio_record::finish(std::optional<error> problem) {
  const std::lock_guard lock{mutex_};
  for (std::size_t run = 0; run < statuses_.size(); ++run)
    if (statuses_[run].state == run_state::pending) { // it never came to an end of its own
      statuses_[run].state = problem ? run_state::rejected : run_state::fulfilled;
      statuses_[run].problem = problem;
      summaries_[run].outcome = problem ? run_outcome::failed : run_outcome::stopped;
      summaries_[run].problem = problem;
    }
  finished_ = true;
  over_.notify_all();
}

bool portfolio_record::finished() const {
  const std::lock_guard lock{mutex_};
  return finished_;
}

void portfolio_record::wait() const {
  std::unique_lock lock{mutex_};
  over_.wait(lock, [this] { return finished_; });
}

std::vector<run_summary> portfolio_record::summaries() const {
  const std::lock_guard lock{mutex_};
  return summaries_;
}

std::vector<run_status> portfolio_record::statuses() const {
  const std::lock_guard lock{mutex_};
  return statuses_;
}

// -- stream_channel -----------------------------------------------------------------------------------

void stream_channel::push(tick_result element) {
  const std::lock_guard lock{mutex_};
  elements_.push_back(std::move(element));
  changed_.notify_all();
}

void stream_channel::close(std::optional<error> problem) {
  const std::lock_guard lock{mutex_};
  if (!closed_)
    problem_ = std::move(problem);
  closed_ = true;
  changed_.notify_all();
}

std::optional<tick_result> stream_channel::next(const std::function<void()>& ask) {
  std::unique_lock lock{mutex_};
  if (elements_.empty() && !closed_) {
    lock.unlock();
    ask();
    lock.lock();
    changed_.wait(lock, [this] { return closed_ || !elements_.empty(); });
  }
  if (!elements_.empty()) {
    auto element = std::move(elements_.front());
    elements_.pop_front();
    return element;
  }
  if (problem_)
    throw failure(*problem_);
  return std::nullopt;
}

// -- participants ---------------------------------------------------------------------------------------

std::vector<risk_participant> participants_of(const portfolio_setup& setup,
                                              const std::vector<std::string>& profiles) {
  std::vector<risk_participant> participants;
  for (const auto& run : setup.runs) {
    auto named = profiles_of(*run.strategy);
    if (!named.empty() &&
        std::find(profiles.begin(), profiles.end(), named.front()) != profiles.end())
      participants.push_back({run.identity, std::move(named)});
  }
  return participants;
}

} // namespace backtest
