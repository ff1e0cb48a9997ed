#include "runtime/terminal_text.hpp"
#include "runtime/wall_clock.hpp"
#include "storage/commit_mark.hpp"
#include "storage/redis_store.hpp"
#include "storage/rocksdb_repair.hpp"
#include "storage/stored_run_names.hpp"
#include "tools/commands.hpp"
#include "tools/node_flags.hpp"

#include <filesystem>
#include <memory>

#include <fmt/format.h>

namespace backtest::tools {

namespace {

struct repair_options {
  common_options common;
  std::filesystem::path data_directory;
  std::string store = "rocksdb";
};

std::string counted(std::int64_t count, std::string_view one) {
  return fmt::format("{} {}{}", count, one, count == 1 ? "" : "s");
}

std::string told_numbers(const std::vector<number_range>& lost, const journal_bounds& journal) {
  std::int64_t count = 0;
  for (const auto& range : lost)
    count += range.last - range.first + 1;
  if (count == 0)
    return fmt::format("journal: no number was lost; it is {} to {} now\n", journal.first,
                       journal.last);
  return fmt::format("journal: {} lost: {}. Each has a line that says so, none is used again; "
                     "it is {} to {} now\n",
                     counted(count, "number"), to_text(lost), journal.first, journal.last);
}

std::string told_runs(const std::string& runs) {
  return runs.empty() ? std::string{"runs kept: none\n"}
                      : fmt::format("runs kept, as they were before the damage: {}\n", runs);
}

std::string to_text(const store_repair& done) {
  if (done.damage.empty())
    return "nothing is damaged; nothing was changed\n";
  std::string text;
  for (const auto& problem : done.damage)
    text += fmt::format("damage: {}\n", problem);
  text += told_numbers(done.lost, done.journal);
  if (done.lines_found > 0)
    text += fmt::format("{} of them can still be read: {}\n",
                        counted(static_cast<std::int64_t>(done.lines_found), "line"),
                        (done.aside / "lost-events.jsonl").string());
  if (done.all_rows_lost)
    text += fmt::format("what was kept of runs cannot be trusted: {} dropped. Runs begin anew and "
                        "know nothing of signals that were open: the journal names them\n",
                        counted(static_cast<std::int64_t>(done.rows_dropped), "row"));
  else
    text += told_runs(done.runs);
  text += fmt::format("what was there lies in {}\n", done.aside.string());
  return text;
}

/// Why the store of a server is refused; "" when it is whole.
std::string refusal_of(const repair_options& options) {
  try {
    open_redis_store(options.store, {.mark = redis_mark_path(options.data_directory)});
    return "";
  } catch (const failure& caught) {
    if (may_come_back(caught.code()))
      throw;
    return caught.what();
  }
}

/// The last number that was given out; 0 when the mark is damaged, so nobody knows.
std::int64_t last_known_number(const std::filesystem::path& mark) {
  try {
    return read_commit_mark(mark).value_or(commit_mark{}).journal_last;
  } catch (const failure& caught) {
    if (may_come_back(caught.code()))
      throw;
    return 0;
  }
}

/// A server keeps no damaged files; what it lost is told, and its numbers are not used again.
std::string repair_redis(const repair_options& options) {
  const auto refusal = refusal_of(options);
  if (refusal.empty())
    return to_text(store_repair{});
  const auto mark = redis_mark_path(options.data_directory);
  const auto last = last_known_number(mark);
  const auto target = open_redis_store(options.store, {.mark = mark, .accepts_loss = true});
  const auto lost = repair_journal(*target, 0, last, wall_clock());
  return fmt::format("damage: {}\n", refusal) + told_numbers(lost, find_journal_bounds(*target)) +
         told_runs(stored_run_names(*target));
}

int repair(const repair_options& options) {
  // Names in a store are whatever a configuration gave them.
  print_result(
      printable_lines(options.store == "rocksdb"
                          ? to_text(repair_rocksdb_store(options.data_directory, wall_clock()))
                          : repair_redis(options)));
  return exit_done;
}

} // namespace

void add_repair_command(CLI::App& program, action& chosen) {
  const auto options = std::make_shared<repair_options>();
  auto& command = add_command(
      program, "repair", "Make a damaged data directory usable, and say what it lost",
      "  backtest repair --data-dir data\n"
      "Reads every byte of the store. What is damaged is moved to DIR/damaged-TIME, nothing is\n"
      "deleted. A new store takes its place, with journal lines and candles that are whole, and\n"
      "with the runs as they were before the damage. Journal numbers that are lost get a line\n"
      "that says so, none is used again. It needs room for a second store, and no node may run.\n"
      "Exit codes: 0 repaired, or nothing is damaged; 1 it cannot be read or written, or a node\n"
      "runs; 2 usage.",
      options->common);
  command.add_option("--data-dir", options->data_directory, "Directory of a live node")
      ->required()
      ->type_name("DIR");
  add_store(command, options->store);
  perform_when_chosen(command, chosen, options, &repair);
}

} // namespace backtest::tools
