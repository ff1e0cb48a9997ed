#include "tools/audience.hpp"

#include "messages/json.hpp"
#include "runtime/terminal_text.hpp"
#include "tools/html_file.hpp"

#include <fmt/format.h>
#include <unistd.h>

namespace backtest::tools {

namespace {

/// What happens live, as it happens.
void print_status_line(const event& item) {
  const auto& tick = std::get<tick_result>(item.payload);
  const auto& signal = *tick.signal;
  std::string end;
  if (tick.closed_by)
    end = fmt::format(" {} {:+.2f} %", to_string(*tick.closed_by), tick.pnl->pnl_percentage);
  else if (tick.cancelled_by)
    end = fmt::format(" {}", to_string(*tick.cancelled_by));
  print_note(fmt::format("{} {} {} {} {} at {}{}\n", to_iso(tick.timestamp),
                         printable(tick.run->strategy_name), printable(tick.run->symbol),
                         to_string(tick.action), to_string(signal.position),
                         number_text(tick.current_price), end));
}

} // namespace

audience::audience(runtime& target, const run_header& header, const output_options& outputs,
                   const common_options& common, const std::vector<topic>& more_topics)
    : target_(target) {
  outputs.make_directories();
  if (!outputs.events.empty()) {
    auto wanted = subscription_for(outputs.topics, outputs.ticks, header.mode);
    if (outputs.topics.empty())
      wanted.topics.insert(wanted.topics.end(), more_topics.begin(), more_topics.end());
    events_ = std::make_unique<event_writer>(outputs.events, header);
    listen(wanted, [this](const event& item) { events_->hear(item); });
  }
  if (!outputs.trades.empty()) {
    trades_ = std::make_unique<trade_writer>(outputs.trades);
    listen({{header.mode == run_mode::live ? topic::signal_live : topic::signal_backtest},
            {tick_action::closed},
            {},
            {}},
           [this](const event& item) { trades_->hear(item); });
  }
  if (!outputs.html.empty()) {
    page_ = std::make_unique<html_report>(html_report_of(header, target.get_config()));
    listen(subscription_for({}, false, header.mode),
           [this](const event& item) { page_->apply(item); });
  }
  if (common.quiet)
    return;
  listen({{topic::error}, {}, {}, {}}, [this](const event& item) { note_error(item); });
  if (header.mode == run_mode::live) {
    listen(
        {{topic::signal_live},
         {tick_action::scheduled, tick_action::opened, tick_action::closed, tick_action::cancelled},
         {},
         {}},
        &print_status_line);
  } else if (::isatty(STDERR_FILENO) == 1) {
    progress_ = std::make_unique<progress_bar>(header.request.symbols.size() *
                                               header.request.strategies.size());
    listen({{topic::progress_backtest}, {}, {}, {}}, [this](const event& item) {
      progress_->hear(std::get<progress_backtest>(item.payload));
    });
  }
}

bool audience::close() {
  target_.flush();
  unsubscribe();
  if (progress_)
    progress_->clear();
  bool complete = true;
  const auto try_to_close = [&complete](auto& writer) {
    try {
      if (writer)
        writer->close();
    } catch (const failure& problem) {
      print_problem(problem.what());
      complete = false;
    }
  };
  try_to_close(events_);
  try_to_close(trades_);
  return complete;
}

void audience::print_errors(const portfolio_outcome& outcome) const {
  for (const auto& [summary, statistics] : outcome.runs) {
    const auto found =
        first_errors_.find({summary.identity->strategy_name, summary.identity->symbol});
    if (found != first_errors_.end())
      print_note(fmt::format("{} on {}: {} error event{}, the first: {}\n",
                             printable(found->first.first), printable(found->first.second),
                             summary.counters.errors, summary.counters.errors == 1 ? "" : "s",
                             printable_lines(found->second)));
  }
  if (const auto others = first_errors_.find({}); others != first_errors_.end())
    print_note(fmt::format("error outside the runs: {}\n", printable_lines(others->second)));
}

void audience::listen(subscription wanted, event_callback callback) {
  listeners_.push_back(target_.listen(std::move(wanted), std::move(callback)));
}

void audience::unsubscribe() {
  for (auto& listener : listeners_)
    listener.unsubscribe();
}

void audience::note_error(const event& item) {
  const auto& problem = std::get<error_event>(item.payload);
  run_names names;
  if (problem.run)
    names = {problem.run->strategy_name, problem.run->symbol};
  if (first_errors_.count(names) == 0)
    first_errors_.emplace(std::move(names),
                          problem.timestamp
                              ? fmt::format("{} ({}, {})", problem.message, to_string(problem.code),
                                            to_iso(*problem.timestamp))
                              : problem.message);
}

} // namespace backtest::tools
