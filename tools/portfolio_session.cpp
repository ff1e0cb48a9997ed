#include "tools/portfolio_session.hpp"

#include "actors/frame/timeline.hpp"
#include "storage/replaceable_file.hpp"
#include "storage/store.hpp"
#include "tools/audience.hpp"
#include "tools/html_file.hpp"
#include "tools/interruption.hpp"
#include "tools/report_files.hpp"
#include "tools/summary.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include <fmt/format.h>
#include <unistd.h>

namespace backtest::tools {

namespace {

std::vector<run_summary> summaries_of(const portfolio_outcome& outcome) {
  std::vector<run_summary> runs;
  for (const auto& [summary, statistics] : outcome.runs)
    runs.push_back(summary);
  return runs;
}

std::vector<shared_identity> identities_of(const portfolio_outcome& outcome) {
  std::vector<shared_identity> runs;
  for (const auto& [summary, statistics] : outcome.runs)
    runs.push_back(summary.identity);
  return runs;
}

void write_page(runtime& target, const portfolio_outcome& outcome, html_report& page,
                const std::filesystem::path& file, attempts& telling) {
  take_statistics(page, outcome);
  page.warnings = warnings_of(outcome);
  if (page.mode == run_mode::backtest) {
    const auto instants = timeline_of(target.get_frame(outcome.request.frame));
    page.bounds = {instants.first, instants.last};
  }
  take_candles(page, target.get_exchange(outcome.request.exchange), target.get_config(), telling);
  write_html(page, file);
}

void print_outcome(const portfolio_outcome& outcome, const output_options& outputs,
                   const common_options& common) {
  const int descriptor = outputs.stdout_is_taken() ? STDERR_FILENO : STDOUT_FILENO;
  print_summary(outputs, outputs.json ? to_json(outcome)
                                      : to_table(outcome, wants_colour(common, descriptor)));
}

/// The store did not take what a run had to write.
bool has_lost_store(const portfolio_outcome& outcome) {
  return std::any_of(outcome.runs.begin(), outcome.runs.end(), [](const auto& run) {
    const auto& problem = run.summary.problem;
    return problem && (problem->code == error_code::store_failed || !may_come_back(problem->code));
  });
}

} // namespace

std::vector<named_file> output_options::files() const {
  std::vector<named_file> named;
  for (const auto& file :
       {named_file{"--events", events}, named_file{"--trades", trades}, named_file{"--html", html}})
    if (!file.path.empty())
      named.push_back(file);
  return named;
}

void output_options::make_directories() const {
  const auto refuse = [](const std::filesystem::path& output, const std::string& cause) {
    throw failure(error_code::io_failed,
                  fmt::format("cannot write {}: {}", output.string(), cause));
  };
  std::error_code cause;
  for (const auto& [output, directory] :
       {std::pair{reports, reports}, std::pair{html, html.parent_path()}}) {
    if (directory.empty())
      continue;
    std::filesystem::create_directories(directory, cause);
    if (!cause)
      cause = refusal_to_replace(directory);
    if (cause)
      refuse(output, directory == output
                         ? cause.message()
                         : fmt::format("{}: {}", directory.string(), cause.message()));
  }
  if (std::filesystem::is_directory(html, cause))
    refuse(html, "it is a directory, expected a file");
  if (const auto refusal = html.empty() ? std::error_code{} : refusal_to_replace(html))
    refuse(html, refusal.message());
}

void add_output_options(CLI::App& command, output_options& options) {
  command.add_option("--events", options.events, "Write events as JSON lines (- for stdout)")
      ->type_name("FILE");
  command.add_option("--topics", options.topics, "Exactly these topics, separated by commas")
      ->delimiter(',')
      ->type_name("NAMES")
      ->allow_extra_args(false);
  command.add_flag("--ticks", options.ticks, "Also the events idle, waiting and active");
  command.add_flag("--json", options.json, "A summary object on stdout instead of the table");
  command.add_option("--trades", options.trades, "Write closed signals as CSV (- for stdout)")
      ->type_name("FILE");
  command.add_option("--html", options.html, "Write one page with charts (- for stdout)")
      ->type_name("FILE");
}

void add_threads_option(CLI::App& command, std::size_t& threads) {
  command.add_option("--threads", threads, "Threads (default: as many as the machine has)")
      ->check(CLI::Range(1, 1024))
      ->type_name("K");
}

void add_lockstep_option(CLI::App& command, bool& lockstep) {
  command.add_flag("--lockstep", lockstep,
                   "Minute by minute over all runs, on one thread: strategies that share something "
                   "see nothing from a run that is ahead; slower");
}

void print_summary(const output_options& outputs, const std::string& text) {
  if (outputs.stdout_is_taken())
    print_note(text);
  else
    print_result(text);
}

std::size_t thread_count(std::size_t given) {
  return given > 0 ? given : std::max(1U, std::thread::hardware_concurrency());
}

std::size_t thread_count(std::size_t given, bool lockstep) {
  if (lockstep && given > 1)
    throw failure(error_code::invalid_argument,
                  fmt::format("--threads {}: expected 1 with --lockstep", given));
  return lockstep ? 1 : thread_count(given);
}

void print_failed_runs(const std::vector<run_summary>& runs) {
  std::vector<std::pair<std::string, std::vector<const run_summary*>>> by_reason;
  for (const auto& run : runs)
    if (run.outcome == run_outcome::failed) {
      const auto reason = run.problem ? run.problem->message : "no reason given";
      auto at = std::find_if(by_reason.begin(), by_reason.end(),
                             [&](const auto& item) { return item.first == reason; });
      if (at == by_reason.end())
        at = by_reason.insert(at, {reason, {}});
      at->second.push_back(&run);
    }
  const auto print = [](const run_summary& run, std::string_view more, const std::string& reason) {
    print_problem(fmt::format("{} on {}{} failed: {}", run.identity->strategy_name,
                              run.identity->symbol, more, reason));
  };
  constexpr std::size_t most_lines = 10; // a store that is lost fails thousands of runs
  for (const auto& [reason, failed] : by_reason)
    if (failed.size() > most_lines)
      print(*failed.front(), fmt::format(" and {} more", failed.size() - 1), reason);
    else
      for (const auto* run : failed)
        print(*run, "", reason);
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
  const bool all_written = listeners.close();
  auto outcome = outcome_of(target, handle, header.mode);
  outcome.command = header.command;
  outcome.request = header.request;
  outcome.threads = threads;
  outcome.elapsed_seconds = elapsed.count();
  print_failed_runs(summaries_of(outcome));
  if (!common.quiet) {
    listeners.print_errors(outcome);
    for (const auto& warning : warnings_of(outcome))
      print_problem(warning);
  }
  attempts telling;
  telling.make([&] { print_outcome(outcome, outputs, common); });
  if (!outputs.reports.empty())
    telling.make([&] { write_reports(target, identities_of(outcome), outputs.reports); });
  if (auto* const page = listeners.page())
    telling.make([&] { write_page(target, outcome, *page, outputs.html, telling); });
  const int status =
      all_written && telling.succeeded() && !outcome.any_failed() ? exit_done : exit_failed;
  if (interrupted.token().stop_requested() && has_lost_store(outcome)) {
    // Its thread may wait for the store for ever, and the end of the runtime would wait for it.
    std::fflush(nullptr);
    std::_Exit(status);
  }
  return status;
}

} // namespace backtest::tools
