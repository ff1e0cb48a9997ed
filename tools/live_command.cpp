#include "storage/redis_store.hpp"
#include "tools/commands.hpp"
#include "tools/node_flags.hpp"
#include "tools/portfolio_session.hpp"
#include "tools/report_files.hpp"
#include "tools/selection.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <memory>

#include <sys/resource.h>

#include <fmt/format.h>

namespace backtest::tools {

namespace {

struct live_options {
  common_options common;
  configuration_options configuration;
  selection_options selection;
  output_options outputs;
  std::filesystem::path data_directory;
  std::string store = "rocksdb";
  std::string clock = "system";
  std::string speed;
  std::string until;
  std::string orphans;
  std::string publish;
  node_security security;
  std::size_t threads = 0;
  bool lockstep = false;
};

double speed_of(const std::string& text) {
  if (text.empty())
    return 1;
  if (text == "max")
    return std::numeric_limits<double>::infinity();
  double speed = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), speed);
  if (problem != std::errc{} || end != text.data() + text.size() || !(speed > 0) ||
      speed > std::numeric_limits<double>::max())
    throw failure(error_code::invalid_argument,
                  fmt::format("--speed: expected a positive number or max, got \"{}\"", text));
  return speed;
}

orphan_policy policy_of(const std::string& text) {
  return text == "watch"  ? orphan_policy::watch
         : text == "drop" ? orphan_policy::drop
                          : orphan_policy::refuse;
}

/// The store's files and the network share the handles of the process.
void take_all_handles_allowed() {
  constexpr rlim_t enough = 65'536;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= enough)
    return;
  limit.rlim_cur = std::min(limit.rlim_max, enough);
  // Where it is refused, fewer connections are taken.
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

void publish(runtime& target, const node_address& wanted, const live_options& options) {
  const auto& common = options.common;
  publish_options offered;
  offered.security = options.security;
  if (!common.quiet)
    offered.note = [](const std::string& text) {
      print_note(fmt::format("backtest: warning: --publish: {}\n", text));
    };
  const auto address = target.publish(wanted, std::move(offered)).address();
  if (!is_loopback(address) && !options.security.has_certificates())
    print_note(fmt::format(
        "backtest: warning: --publish {}: other machines reach this address, and who has a copy of "
        "{} reads every event and may close positions; no certificate is asked for\n",
        to_string(address), (options.data_directory / "gate.secret").string()));
  if (!common.quiet || wanted.port == 0) // nobody else knows it
    print_note(fmt::format("backtest: published on {}\n", to_string(address)));
}

int run_live(const live_options& options) {
  const bool replays = options.clock == "replay";
  if (!replays && (!options.speed.empty() || !options.selection.frame.empty()))
    throw failure(error_code::invalid_argument,
                  fmt::format("{}: only with --clock replay",
                              options.speed.empty() ? "--frame" : "--speed"));
  const auto published = options.publish.empty()
                             ? std::nullopt
                             : std::optional{address_of("--publish", options.publish)};
  require_usable(options.security, "--publish", published.has_value());
  take_all_handles_allowed();
  if (published)
    require_publishable(*published, options.security);
  const auto threads = thread_count(options.threads, options.lockstep);
  auto of_runtime = options_of(options.common, threads);
  of_runtime.reports = reports_kept_for(options.outputs.reports);
  of_runtime.data_directory = options.data_directory;
  of_runtime.network = published.has_value();
  if (options.store != "rocksdb")
    of_runtime.open_store = [url = options.store, mark = redis_mark_path(options.data_directory)] {
      return open_redis_store(url, {.mark = mark});
    };
  const auto opened = open_configuration(options.configuration, std::move(of_runtime));
  require_distinct_files(options.outputs.files(), files_read(options.configuration, opened));
  run_header header;
  header.command = "live";
  header.mode = run_mode::live;
  header.configuration = opened.file.raw;
  header.request = replays ? chosen_request(opened, options.selection)
                           : chosen_runs(opened, options.selection);
  live_request request;
  request.symbols = header.request.symbols;
  request.strategies = header.request.strategies;
  request.exchange = header.request.exchange;
  request.frame = header.request.frame;
  request.lockstep = options.lockstep;
  request.until = time_or_nothing("--until", options.until);
  request.orphans = policy_of(options.orphans);
  if (replays)
    note_future_frame(*opened.target, request.frame, options.common);
  if (replays)
    request.clock = make_replay_clock(speed_of(options.speed));
  if (published)
    publish(*opened.target, *published, options);
  return run_session(
      *opened.target, header, options.outputs, options.common, threads,
      [&] { return opened.target->live().background(request); });
}

} // namespace

void add_live_command(CLI::App& program, action& chosen) {
  const auto options = std::make_shared<live_options>();
  auto& command = add_command(
      program, "live", "Run strategies against the market, or a replay of it, until stopped",
      "  backtest live --config config.json --data-dir data\n"
      "  backtest live --config config.json --data-dir data --symbol BTCUSDT --events -\n"
      "  backtest live --config config.json --data-dir data --clock replay --speed max --frame q1\n"
      "  backtest live --config config.json --data-dir data --publish 4711\n"
      "What it holds survives in the data directory: start it again, and it goes on. With "
      "--publish\n"
      "backtest tap and backtest control of the same user reach it; other machines with "
      "certificates\n"
      "(--tls-cert, --tls-key, --tls-ca on both sides) when a HOST is given.",
      options->common);
  add_configuration_options(command, options->configuration);
  add_run_selection_options(command, options->selection);
  command.add_option("--data-dir", options->data_directory, "Where signals survive; one process each")
      ->required()
      ->type_name("DIR");
  add_store(command, options->store);
  command.add_option("--clock", options->clock, "system or replay")
      ->check(CLI::IsMember({"system", "replay"}))
      ->type_name("CLOCK");
  command.add_option("--speed", options->speed, "Minutes of history a minute, or max (replay)")
      ->type_name("X");
  command.add_option("--frame", options->selection.frame, "First and last instant of a replay")
      ->type_name("NAME");
  command.add_option("--until", options->until, "No new signals after this instant (UTC)")
      ->type_name("TIME");
  command
      .add_option("--orphans", options->orphans,
                  "Stored signals of other runs: watch them to their end, or drop them")
      ->check(CLI::IsMember({"watch", "drop"}))
      ->type_name("WHAT");
  command
      .add_option("--publish", options->publish,
                  "Offer events and control to other processes (port 0: one that is free)")
      ->type_name("[HOST:]PORT");
  add_security(command, options->security, false);
  command.add_flag("--insecure", options->security.insecure,
                   "Let other machines in without certificates, by a copy of the secret");
  add_threads_option(command, options->threads);
  add_lockstep_option(command, options->lockstep);
  add_output_options(command, options->outputs);
  command.add_option("--reports", options->outputs.reports, "Write markdown reports of each run")
      ->type_name("DIR");
  perform_when_chosen(command, chosen, options, &run_live);
}

} // namespace backtest::tools
