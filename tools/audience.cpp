#include "tools/audience.hpp"

#include "messages/json.hpp"
#include "runtime/event_file.hpp"
#include "runtime/terminal_text.hpp"
#include "tools/html_file.hpp"

#include <chrono>

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

/// Minutes are those of the person who reads, also in a replay.
instant steady_now() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

/// Whether the log on stderr has every error event already.
bool logs_error_events(const common_options& common) { return common.log_level != "error"; }

} // namespace

audience::audience(runtime& target, const run_header& header, const output_options& outputs,
                   const common_options& common, const std::vector<topic>& more_topics)
    : target_(target), gaps_(step_of(header.configuration, header.request.frame)) {
  outputs.make_directories();
  if (!outputs.events.empty()) {
    auto wanted = subscription_for(outputs.topics, outputs.ticks, header.mode);
    if (outputs.topics.empty())
      wanted.topics.insert(wanted.topics.end(), more_topics.begin(), more_topics.end());
    auto first_line = header;
    first_line.topics = outputs.topics;
    events_ = std::make_unique<event_writer>(outputs.events, first_line);
    listen("event file", std::move(wanted), [this](const event& item) { events_->hear(item); });
  }
  if (!outputs.trades.empty()) {
    trades_ = std::make_unique<trade_writer>(outputs.trades);
    listen("trade file",
           {{header.mode == run_mode::live ? topic::signal_live : topic::signal_backtest},
            {tick_action::closed},
            {},
            {}},
           [this](const event& item) { trades_->hear(item); });
  }
  if (!outputs.html.empty()) {
    page_ = std::make_unique<html_report>(html_report_of(header, target.get_config()));
    listen("html page", subscription_for({}, false, header.mode),
           [this](const event& item) { page_->apply(item); });
  }
  if (common.quiet)
    return;
  const bool shows_errors = header.mode == run_mode::live && !logs_error_events(common);
  if (shows_errors)
    counting_ = std::jthread{[this](const std::stop_token& stop) { show_counts(stop); }};
  listen("errors of runs", {{topic::error}, {}, {}, {}}, [this, shows_errors](const event& item) {
    const auto& problem = std::get<error_event>(item.payload);
    note_error(problem);
    gaps_.hear(item);
    if (shows_errors)
      show_error(problem);
  });
  if (header.mode == run_mode::live) {
    listen(
        "status lines",
        {{topic::signal_live},
         {tick_action::scheduled, tick_action::opened, tick_action::closed, tick_action::cancelled},
         {},
         {}},
        &print_status_line);
  } else if (::isatty(STDERR_FILENO) == 1) {
    progress_ = std::make_unique<progress_bar>(header.request.symbols.size() *
                                               header.request.strategies.size());
    listen("progress bar", {{topic::progress_backtest}, {}, {}, {}}, [this](const event& item) {
      progress_->hear(std::get<progress_backtest>(item.payload));
    });
  }
}

audience::~audience() {
  unsubscribe();
  stop_counting();
}

bool audience::close() {
  target_.flush();
  unsubscribe();
  stop_counting();
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
  auto left = errors_;
  const auto others = left.extract(run_names{});
  const auto print = [](const run_names& run, const heard_errors& heard, std::int64_t all) {
    // A live run counts those of earlier starts, too.
    const auto since =
        heard.count < all ? fmt::format(", {} of them since this start", heard.count) : "";
    print_note(fmt::format("{} on {}: {} error event{}{}, the first: {}\n", printable(run.first),
                           printable(run.second), all, all == 1 ? "" : "s", since,
                           printable_lines(heard.first)));
  };
  for (const auto& [summary, statistics] : outcome.runs)
    if (const auto found =
            left.extract(run_names{summary.identity->strategy_name, summary.identity->symbol}))
      print(found.key(), found.mapped(), summary.errors);
  for (const auto& [run, heard] : left) // runs that the store keeps, and that do not run now
    print(run, heard, heard.count);
  if (others)
    print_note(fmt::format("{} error event{} outside the runs, the first: {}\n",
                           others.mapped().count, others.mapped().count == 1 ? "" : "s",
                           printable_lines(others.mapped().first)));
  for (const auto& line : gaps_.lines(outcome))
    print_note(line);
}

void audience::listen(const char* name, subscription wanted, event_callback callback) {
  wanted.name = name;
  listeners_.push_back(target_.listen(std::move(wanted), std::move(callback)));
}

void audience::unsubscribe() {
  for (auto& listener : listeners_)
    listener.unsubscribe();
}

void audience::note_error(const error_event& problem) {
  run_names names;
  if (problem.run)
    names = {problem.run->strategy_name, problem.run->symbol};
  auto& heard = errors_[std::move(names)];
  if (++heard.count == 1)
    heard.first = problem.timestamp
                      ? fmt::format("{} ({}, {})", problem.message, to_string(problem.code),
                                    to_iso(*problem.timestamp))
                      : problem.message;
}

void audience::show_error(const error_event& problem) {
  const std::lock_guard lock{notices_mutex_};
  print_note(notices_.take(problem, steady_now()));
  noticed_.notify_all();
}

void audience::show_counts(const std::stop_token& stop) {
  std::unique_lock lock{notices_mutex_};
  while (!stop.stop_requested()) {
    if (const auto due = notices_.next_due())
      noticed_.wait_for(lock, stop, std::chrono::milliseconds{*due - steady_now()},
                        [] { return false; });
    else
      noticed_.wait(lock, stop, [this] { return notices_.next_due().has_value(); });
    print_note(notices_.counts(steady_now()));
  }
}

void audience::stop_counting() {
  if (!counting_.joinable())
    return;
  counting_.request_stop();
  counting_.join();
  print_note(notices_.counts_so_far(steady_now()));
}

} // namespace backtest::tools
