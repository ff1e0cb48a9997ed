#include "tools/portfolio_session.hpp"

#include "messages/json.hpp"
#include "tools/html_file.hpp"
#include "tools/interruption.hpp"
#include "tools/progress_bar.hpp"
#include "tools/report_files.hpp"
#include "tools/summary.hpp"
#include "tools/trade_writer.hpp"

#include <chrono>
#include <map>
#include <memory>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

namespace backtest::tools {

namespace {

using run_names = std::pair<std::string, std::string>; ///< strategy, symbol

/// What happens live, as it happens.
void print_status_line(const event& item) {
  const auto& tick = std::get<tick_result>(item.payload);
  const auto& signal = *tick.signal;
  std::string end;
  if (tick.closed_by)
    end = fmt::format(" {} {:+.2f} %", to_string(*tick.closed_by), tick.pnl->pnl_percentage);
  else if (tick.cancelled_by)
    end = fmt::format(" {}", to_string(*tick.cancelled_by));
  fmt::print(stderr, "{} {} {} {} {} at {}{}\n", to_iso(tick.timestamp), tick.run->strategy_name,
             tick.run->symbol, to_string(tick.action), to_string(signal.position),
             number_text(tick.current_price), end);
}

/// Everything that listens to a run on behalf of the person who started it. Each listener has a
/// thread of its own; what they collect is read after `close`.
class audience {
public:
  audience(runtime& target, const run_header& header, const output_options& outputs,
           const common_options& common)
      : target_(target) {
    if (!outputs.events.empty()) {
      const auto wanted = subscription_for(outputs.topics, outputs.ticks, header.mode);
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
      listen({{topic::signal_live},
              {tick_action::scheduled, tick_action::opened, tick_action::closed,
               tick_action::cancelled},
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

  ~audience() { unsubscribe(); }
  audience(const audience&) = delete;
  audience& operator=(const audience&) = delete;

  /// Returns once everything was heard. False, and the causes printed, when a file is incomplete.
  bool close() {
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

  /// The page that was asked for; null when none was.
  html_report* page() const noexcept { return page_.get(); }

  /// First error event of a run, and how many there were.
  void print_errors(const portfolio_outcome& outcome) const {
    for (const auto& [summary, statistics] : outcome.runs) {
      const auto found =
          first_errors_.find({summary.identity->strategy_name, summary.identity->symbol});
      if (found != first_errors_.end())
        fmt::print(stderr, "{} on {}: {} error event{}, the first: {}\n", found->first.first,
                   found->first.second, summary.counters.errors,
                   summary.counters.errors == 1 ? "" : "s", found->second);
    }
    if (const auto others = first_errors_.find({}); others != first_errors_.end())
      fmt::print(stderr, "error outside the runs: {}\n", others->second);
  }

private:
  void listen(subscription wanted, event_callback callback) {
    listeners_.push_back(target_.listen(std::move(wanted), std::move(callback)));
  }

  void unsubscribe() {
    for (auto& listener : listeners_)
      listener.unsubscribe();
  }

  void note_error(const event& item) {
    const auto& problem = std::get<error_event>(item.payload);
    run_names names;
    if (problem.run)
      names = {problem.run->strategy_name, problem.run->symbol};
    if (first_errors_.count(names) == 0)
      first_errors_.emplace(std::move(names),
                            problem.timestamp
                                ? fmt::format("{} ({}, {})", problem.message,
                                              to_string(problem.code), to_iso(*problem.timestamp))
                                : problem.message);
  }

  runtime& target_;
  std::unique_ptr<event_writer> events_;
  std::unique_ptr<trade_writer> trades_;
  std::unique_ptr<html_report> page_;
  std::unique_ptr<progress_bar> progress_;
  std::map<run_names, std::string> first_errors_;
  std::vector<listener_handle> listeners_;
};

void print_failures(const portfolio_outcome& outcome) {
  for (const auto& [summary, statistics] : outcome.runs)
    if (summary.outcome == run_outcome::failed)
      print_problem(fmt::format("{} on {} failed: {}", summary.identity->strategy_name,
                                summary.identity->symbol,
                                summary.problem ? summary.problem->message : "no reason given"));
}

std::vector<shared_identity> identities_of(const portfolio_outcome& outcome) {
  std::vector<shared_identity> runs;
  for (const auto& [summary, statistics] : outcome.runs)
    runs.push_back(summary.identity);
  return runs;
}

void write_page(runtime& target, const portfolio_outcome& outcome, html_report& page,
                const std::filesystem::path& file) {
  take_statistics(page, outcome);
  if (page.mode == run_mode::backtest) {
    const auto frame = target.get_frame(outcome.request.frame);
    page.bounds = {frame.start, frame.end};
  }
  take_candles(page, target.get_exchange(outcome.request.exchange), target.get_config());
  write_html(page, file);
}

void print_outcome(const portfolio_outcome& outcome, const output_options& outputs,
                   const common_options& common) {
  const int descriptor = outputs.stdout_is_taken() ? STDERR_FILENO : STDOUT_FILENO;
  const auto text =
      outputs.json ? to_json(outcome) : to_table(outcome, wants_colour(common, descriptor));
  if (outputs.stdout_is_taken())
    fmt::print(stderr, "{}", text);
  else
    print_result(text);
}

} // namespace

void add_output_options(CLI::App& command, output_options& options) {
  command.add_option("--events", options.events, "Write events as JSON lines (- for stdout)")
      ->type_name("FILE");
  command.add_option("--topics", options.topics, "Exactly these topics, separated by commas")
      ->delimiter(',')
      ->type_name("NAMES")
      ->allow_extra_args(false);
  command.add_flag("--ticks", options.ticks, "Also the events idle, waiting and active");
  command.add_flag("--json", options.json, "A summary object on stdout instead of the table");
  command.add_option("--trades", options.trades, "Write closed signals as CSV")->type_name("FILE");
  command.add_option("--html", options.html, "Write one page with charts")->type_name("FILE");
}

std::size_t thread_count(std::size_t given) {
  return given > 0 ? given : std::max(1U, std::thread::hardware_concurrency());
}

int run_portfolio(runtime& target, const run_header& header, const output_options& outputs,
                  const common_options& common, std::size_t threads) {
  return run_session(target, header, outputs, common, threads,
                     [&] { return target.backtest().background(header.request); });
}

int run_session(runtime& target, const run_header& header, const output_options& outputs,
                const common_options& common, std::size_t threads,
                const std::function<run_handle()>& begin) {
  interruption interrupted;
  audience listeners{target, header, outputs, common};
  const auto began = std::chrono::steady_clock::now();
  auto handle = begin();
  {
    const std::stop_callback stop{interrupted.token(), [&handle] { handle.cancel(); }};
    handle.wait();
  }
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - began;
  bool good = listeners.close();
  auto outcome = outcome_of(target, handle, header.mode);
  outcome.command = header.command;
  outcome.request = header.request;
  outcome.threads = threads;
  outcome.elapsed_seconds = elapsed.count();
  print_failures(outcome);
  if (!common.quiet)
    listeners.print_errors(outcome);
  try {
    print_outcome(outcome, outputs, common);
    if (!outputs.reports.empty())
      write_reports(target, identities_of(outcome), outputs.reports);
    if (auto* const page = listeners.page())
      write_page(target, outcome, *page, outputs.html);
  } catch (const failure& problem) {
    print_problem(problem.what());
    good = false;
  }
  return good && !outcome.any_failed() ? exit_done : exit_failed;
}

} // namespace backtest::tools
