#include "actors/strategy/run_rows.hpp"
#include "messages/signal_json.hpp"
#include "runtime/terminal_text.hpp"
#include "storage/journal.hpp"
#include "storage/quarantine.hpp"
#include "storage/rocksdb_store.hpp"
#include "storage/store_key.hpp"
#include "tools/commands.hpp"
#include "tools/node_flags.hpp"
#include "tools/summary.hpp"

#include <algorithm>
#include <filesystem>
#include <memory>

#include <fmt/format.h>

namespace backtest::tools {

namespace {

struct status_options {
  common_options common;
  std::filesystem::path data_directory;
  bool json = false;
  std::chrono::milliseconds patience = usual_follower_patience;
};

struct node_status {
  stored_runs found;
  journal_bounds journal;
  std::vector<quarantined_row> quarantine;
  std::size_t positions = 0;
};

node_status read_status(const status_options& options) {
  const auto reader = open_rocksdb_reader(options.data_directory, options.patience);
  node_status status;
  status.found = read_runs(*reader);
  status.journal = find_journal_bounds(*reader);
  status.quarantine = list_quarantine(*reader);
  status.positions =
      reader->scan(store_space::state, make_store_prefix({position_rows})).size();
  return status;
}

std::string name_of(const run_identity& run) {
  return fmt::format("{} on {} at {}", printable(run.strategy_name), printable(run.symbol),
                     printable(run.exchange_name));
}

bool is_same_run(const run_identity& left, const run_identity& right) {
  return left.exchange_name == right.exchange_name && left.strategy_name == right.strategy_name &&
         left.symbol == right.symbol;
}

std::int64_t errors_of(const stored_runs& found, const run_identity& run) {
  const auto told = std::find_if(found.errors.begin(), found.errors.end(),
                                 [&](const auto& item) { return is_same_run(item.run, run); });
  return told == found.errors.end() ? 0 : told->count;
}

/// Of runs that have completed no instant yet.
std::vector<told_errors> errors_before_first_instants(const stored_runs& found) {
  std::vector<told_errors> early;
  for (const auto& told : found.errors)
    if (std::none_of(found.runs.begin(), found.runs.end(),
                     [&](const auto& run) { return is_same_run(run.identity, told.run); }))
      early.push_back(told);
  return early;
}

std::string_view state_name(const stored_run& run) {
  switch (run.memory.machine.state) {
  case signal_state::scheduled: return "scheduled";
  case signal_state::pending: return "pending";
  case signal_state::idle: break;
  }
  return "idle";
}

std::string to_text(const node_status& status) {
  std::string text;
  for (const auto& run : status.found.runs) {
    text += fmt::format("{}: {}{}, last instant {}\n", name_of(run.identity), state_name(run),
                        run.memory.paused ? ", paused" : "", to_iso(run.memory.last_instant));
    if (run.ended)
      text += fmt::format("  ended: {}\n", to_string(run.ended->outcome));
    if (const auto& signal = run.memory.machine.signal)
      text += fmt::format("  {} {}: open {}, take profit {}, stop loss {}, since {}\n",
                          to_string(signal->position), signal->id, number_text(signal->price_open),
                          number_text(signal->price_take_profit),
                          number_text(signal->price_stop_loss),
                          to_iso(signal->pending_at.value_or(signal->scheduled_at)));
    const auto& counters = run.memory.counters;
    text +=
        fmt::format("  signals: {} scheduled, {} opened, {} closed, {} cancelled; {} refused by "
                    "risk, {} errors\n",
                    counters.scheduled, counters.opened, counters.closed, counters.cancelled,
                    counters.risk_rejections, errors_of(status.found, run.identity));
  }
  const auto early = errors_before_first_instants(status.found);
  for (const auto& [run, errors] : early)
    text += fmt::format("{}: has not come to its first instant yet\n  {} errors\n", name_of(run),
                        errors);
  if (status.found.runs.empty() && early.empty())
    text += "no runs\n";
  text += fmt::format("risk positions: {}\n", status.positions);
  text += status.journal.last == 0
              ? std::string{"journal: empty\n"}
              : fmt::format("journal: {} to {}\n", status.journal.first, status.journal.last);
  const auto row = [&text](std::string_view kind, std::string_view key, std::string_view reason) {
    text += fmt::format("{}: {}: {}\n", kind, key, reason);
  };
  for (const auto& item : status.found.corrupt)
    row("corrupt", item.row.key, item.reason);
  for (const auto& item : status.found.mismatched)
    row("mismatched", item.row.key, item.reason);
  for (const auto& item : status.quarantine)
    row(fmt::format("quarantine, {}", to_iso(item.time)), item.key, item.reason);
  return text;
}

std::string to_json(const node_status& status) {
  std::string text;
  json_writer out{text};
  out.begin_object().key("runs").begin_array();
  const auto begin_run = [&out](const run_identity& run) {
    out.begin_object();
    out.key("strategy_name").string(run.strategy_name);
    out.key("symbol").string(run.symbol);
    out.key("exchange_name").string(run.exchange_name);
  };
  for (const auto& run : status.found.runs) {
    begin_run(run.identity);
    out.key("state").string(state_name(run));
    out.key("paused").boolean(run.memory.paused);
    out.key("last_instant").integer(run.memory.last_instant);
    if (run.ended)
      out.key("ended").string(to_string(run.ended->outcome));
    if (run.memory.machine.signal)
      write_json(out.key("signal"), *run.memory.machine.signal);
    write_signal_counts(out, run.memory.counters);
    out.key("errors").integer(errors_of(status.found, run.identity)).end_object();
  }
  for (const auto& [run, errors] : errors_before_first_instants(status.found)) {
    begin_run(run);
    out.key("state").string("idle").key("paused").boolean(false).key("last_instant").null();
    write_signal_counts(out, {});
    out.key("errors").integer(errors).end_object();
  }
  out.end_array();
  out.key("positions").integer(static_cast<std::int64_t>(status.positions));
  out.key("journal").begin_object().key("first").integer(status.journal.first);
  out.key("last").integer(status.journal.last).end_object();
  out.key("quarantine").begin_array();
  for (const auto& item : status.quarantine) {
    out.begin_object().key("key").string(item.key).key("time").integer(item.time);
    out.key("reason").string(item.reason).end_object();
  }
  out.end_array().end_object();
  return text + '\n';
}

int show(const status_options& options) {
  const auto status = read_status(options);
  print_result(options.json ? to_json(status) : to_text(status));
  return exit_done;
}

} // namespace

void add_status_command(CLI::App& program, action& chosen) {
  const auto options = std::make_shared<status_options>();
  auto& command = add_command(program, "status", "What runs or ran live in a data directory",
                              "  backtest status --data-dir data\n"
                              "  backtest status --data-dir data --json",
                              options->common);
  command.add_option("--data-dir", options->data_directory, "Directory of a live node")
      ->required()
      ->type_name("DIR");
  command.add_flag("--json", options->json, "An object on stdout");
  add_patience(command, options->patience);
  perform_when_chosen(command, chosen, options, &show);
}

} // namespace backtest::tools
