#include "runtime/run_handles.hpp"

#include <utility>

namespace backtest {

void started_run::stop() {
  for (auto& source : stops)
    source.request_stop();
  if (stop_told)
    stop_told();
}

void run_handle::wait() const {
  if (finished())
    return;
  run_.callers->require_may_wait("run_handle.wait", waiting_for::runs);
  run_.record->wait();
}

signal_stream::signal_stream(signal_stream&& other) noexcept
    : begin_(std::exchange(other.begin_, nullptr)), callers_(other.callers_),
      run_(std::exchange(other.run_, std::nullopt)) {}

signal_stream& signal_stream::operator=(signal_stream&& other) noexcept {
  std::swap(begin_, other.begin_);
  std::swap(callers_, other.callers_);
  std::swap(run_, other.run_);
  return *this;
}

signal_stream::~signal_stream() {
  if (!run_ || run_->record->finished())
    return;
  run_->end_at_once(); // not `stop`: a live run would make durable what a stop does
  if (callers_->may_wait(waiting_for::runs)) // else it ends by itself
    run_->record->wait();
}

std::optional<tick_result> signal_stream::next() {
  if (!run_ && !begin_)
    return std::nullopt;
  callers_->require_may_wait("signal_stream.next", waiting_for::runs);
  if (!run_)
    run_ = begin_();
  return run_->stream->next(run_->demand);
}

void signal_stream::stop() {
  if (run_)
    run_->stop();
}

std::vector<run_summary> signal_stream::summaries() const {
  return run_ ? run_->record->summaries() : std::vector<run_summary>{};
}

} // namespace backtest
