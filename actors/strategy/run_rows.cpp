#include "actors/strategy/run_rows.hpp"

#include "messages/json_reader.hpp"
#include "messages/signal_json.hpp"
#include "storage/store_key.hpp"

#include <map>
#include <set>
#include <tuple>
#include <utility>

#include <fmt/format.h>

namespace backtest {

namespace {

constexpr std::int64_t row_version = 1;

std::string key_of(std::string_view kind, const run_identity& run) {
  return make_store_key({kind, run.exchange_name, run.strategy_name, run.symbol});
}

std::string milestone_key(const run_identity& run, std::string_view signal_id) {
  return make_store_key(
      {milestone_rows, run.exchange_name, run.strategy_name, run.symbol, signal_id});
}

std::string position_key(std::string_view profile, const run_identity& run) {
  return make_store_key({position_rows, profile, run.exchange_name, run.strategy_name, run.symbol});
}

void write_names(json_writer& out, const run_identity& run) {
  out.begin_object().key("version").integer(row_version);
  out.key("exchange_name").string(run.exchange_name);
  out.key("strategy_name").string(run.strategy_name);
  out.key("symbol").string(run.symbol);
}

void write_counters(json_writer& out, const run_counters& counters) {
  out.key("scheduled").integer(counters.scheduled).key("opened").integer(counters.opened);
  out.key("closed").integer(counters.closed).key("cancelled").integer(counters.cancelled);
  out.key("unfinished").integer(counters.unfinished);
  out.key("risk_rejections").integer(counters.risk_rejections);
}

std::string run_row(const stored_run& run, instant last_instant) {
  std::string text;
  text.reserve(320);
  json_writer out{text};
  write_names(out, run.identity);
  out.key("last_instant").integer(last_instant);
  if (run.memory.machine.used_slot)
    out.key("used_slot").integer(*run.memory.machine.used_slot);
  if (run.memory.paused)
    out.key("paused").boolean(true);
  if (run.memory.told_no_candles)
    out.key("told_no_candles").boolean(true);
  if (run.memory.machine.state != signal_state::idle) {
    out.key("highest").number(run.memory.machine.highest);
    out.key("lowest").number(run.memory.machine.lowest);
  }
  out.key("last_price").number(run.memory.machine.last_price);
  write_counters(out, run.memory.counters);
  if (run.ended) {
    out.key("ended").begin_object();
    out.key("outcome").string(to_string(run.ended->outcome));
    out.key("announced").boolean(run.ended->announced);
    out.key("frame_last").integer(run.ended->frame_last);
    out.key("data_end").integer(run.ended->data_end).end_object();
  }
  out.end_object();
  return text;
}

std::string signal_row_text(const stored_run& run) {
  std::string text;
  text.reserve(512);
  json_writer out{text};
  write_names(out, run.identity);
  out.key("state").string(run.memory.machine.state == signal_state::pending ? "pending"
                                                                            : "scheduled");
  write_json(out.key("signal"), *run.memory.machine.signal);
  out.end_object();
  return text;
}

std::string milestone_row(const stored_run& run) {
  std::string text;
  json_writer out{text};
  write_names(out, run.identity);
  out.key("signal_id").string(run.memory.machine.signal->id);
  out.key("profit").integer(run.memory.announced_profit);
  out.key("loss").integer(run.memory.announced_loss).end_object();
  return text;
}

std::string position_row(const stored_run& run, const std::string& profile) {
  const auto& signal = *run.memory.machine.signal;
  std::string text;
  json_writer out{text};
  write_names(out, run.identity);
  out.key("risk_name").string(profile);
  out.key("position").string(to_string(signal.position));
  out.key("price_open").number(signal.price_open);
  out.key("opened_at").integer(*signal.pending_at).end_object();
  return text;
}

bool is_pending(const stored_run* run) {
  return run != nullptr && run->memory.machine.state == signal_state::pending;
}

const std::string* signal_id(const stored_run* run) {
  return run != nullptr && run->memory.machine.signal ? &run->memory.machine.signal->id : nullptr;
}

bool has_milestones(const stored_run* run) {
  return is_pending(run) && run->memory.announced_profit + run->memory.announced_loss > 0;
}

/// The names a row says it is about; throws for anything that is not a row of this version.
run_identity names_in(const json_reader& in) {
  if (const auto version = in.integer("version"); version != row_version)
    in.fail_at("version", fmt::format("expected {}, got {}", row_version, version));
  run_identity run;
  run.exchange_name = in.text("exchange_name");
  run.strategy_name = in.text("strategy_name");
  run.symbol = in.text("symbol");
  run.mode = run_mode::live;
  return run;
}

using run_names = std::tuple<std::string, std::string, std::string>;

run_names names_of(const run_identity& run) {
  return {run.exchange_name, run.strategy_name, run.symbol};
}

void read_run_row(const json_reader& in, stored_run& run) {
  auto& memory = run.memory;
  memory.last_instant = in.integer("last_instant");
  memory.machine.used_slot = in.optional_integer("used_slot");
  memory.paused = in.flag_or("paused", false);
  memory.told_no_candles = in.flag_or("told_no_candles", false);
  memory.machine.highest = in.number_or("highest", 0);
  memory.machine.lowest = in.number_or("lowest", 0);
  memory.machine.last_price = in.number("last_price");
  auto& counters = memory.counters;
  counters.scheduled = in.integer("scheduled");
  counters.opened = in.integer("opened");
  counters.closed = in.integer("closed");
  counters.cancelled = in.integer("cancelled");
  counters.unfinished = in.integer("unfinished");
  counters.risk_rejections = in.integer("risk_rejections");
  if (const auto ended = in.find("ended"))
    run.ended = ended_run{ended->one_of("outcome", &parse_run_outcome, "an outcome"),
                          ended->flag("announced"), ended->integer("frame_last"),
                          ended->integer("data_end")};
}

void read_signal_row(const json_reader& in, stored_run& run) {
  const auto state = in.text("state");
  if (state != "pending" && state != "scheduled")
    in.fail_at("state", "expected \"pending\" or \"scheduled\"");
  auto row = std::make_shared<signal_row>();
  read_json(in.member("signal"), *row);
  if (state == "pending" && !row->pending_at)
    in.fail_at("signal", "a pending signal needs pending_at");
  run.memory.machine.state =
      state == "pending" ? signal_state::pending : signal_state::scheduled;
  run.memory.machine.signal = std::move(row);
}

void read_milestone_row(const json_reader& in, stored_run& run) {
  const auto* id = signal_id(&run);
  if (id == nullptr || *id != in.text("signal_id"))
    return; // of a signal that is over
  const auto tens = [&in](std::string_view side) {
    const auto value = in.integer(side);
    if (value < 0 || value > 10)
      in.fail_at(side, fmt::format("expected 0 to 10, got {}", value));
    return static_cast<int>(value);
  };
  run.memory.announced_profit = tens("profit");
  run.memory.announced_loss = tens("loss");
}

} // namespace

void put_run(store_batch& batch, const stored_run& after, const stored_run* before,
             const std::vector<std::string>& profiles) {
  const auto& run = after.identity;
  const auto& now = after.memory.machine;
  put_run_at(batch, after, after.memory.last_instant);
  const bool same_signal = before != nullptr && before->memory.machine.state == now.state &&
                           before->memory.machine.signal == now.signal;
  if (now.signal && !same_signal)
    batch.put(store_space::state, key_of(signal_rows, run), signal_row_text(after));
  else if (!now.signal && (before == nullptr || before->memory.machine.signal))
    batch.erase(store_space::state, key_of(signal_rows, run));
  if (has_milestones(before) && !same_signal) // the next signal may have the same id
    batch.erase(store_space::state, milestone_key(run, *signal_id(before)));
  if (has_milestones(&after) &&
      (!same_signal || before->memory.announced_profit != after.memory.announced_profit ||
       before->memory.announced_loss != after.memory.announced_loss))
    batch.put(store_space::state, milestone_key(run, now.signal->id), milestone_row(after));
  if (is_pending(&after) && !same_signal)
    for (const auto& profile : profiles)
      batch.put(store_space::state, position_key(profile, run), position_row(after, profile));
  else if (is_pending(before) && !is_pending(&after))
    for (const auto& profile : profiles)
      batch.erase(store_space::state, position_key(profile, run));
}

void put_run_at(store_batch& batch, const stored_run& run, instant last_instant) {
  batch.put(store_space::state, key_of(run_rows, run.identity), run_row(run, last_instant));
}

void put_errors(store_batch& batch, const told_errors& told) {
  std::string text;
  json_writer out{text};
  write_names(out, told.run);
  out.key("errors").integer(told.count).end_object();
  batch.put(store_space::state, key_of(error_rows, told.run), text);
}

void erase_run(store_batch& batch, const stored_run& run,
               const std::vector<std::string>& profiles) {
  batch.erase(store_space::state, key_of(run_rows, run.identity));
  batch.erase(store_space::state, key_of(error_rows, run.identity));
  batch.erase(store_space::state, key_of(signal_rows, run.identity));
  if (const auto* id = signal_id(&run))
    batch.erase(store_space::state, milestone_key(run.identity, *id));
  for (const auto& profile : profiles)
    batch.erase(store_space::state, position_key(profile, run.identity));
}

stored_runs read_runs(const std::vector<store_entry>& runs, const std::vector<store_entry>& signals,
                      const std::vector<store_entry>& milestones,
                      const std::vector<store_entry>& positions,
                      const std::vector<store_entry>& errors) {
  stored_runs found;
  std::map<run_names, stored_run> by_names;
  std::map<run_names, told_errors> errors_by_names;
  // `first` is the part of the key behind which the three names stand.
  const auto read = [&](const std::vector<store_entry>& rows, std::size_t first, auto&& take) {
    for (const auto& row : rows) {
      try {
        const auto document = parse_json(row.value, error_code::store_failed);
        const json_reader in{document, error_code::store_failed};
        const auto names = names_in(in);
        const auto parts = split_store_key(row.key);
        if (!parts || parts->size() < first + 3 ||
            run_names{(*parts)[first], (*parts)[first + 1], (*parts)[first + 2]} != names_of(names)) {
          found.mismatched.push_back(
              {row, fmt::format("it speaks of strategy {} on {} at exchange {}",
                                names.strategy_name, names.symbol, names.exchange_name)});
          continue;
        }
        take(in, names, row);
      } catch (const failure& caught) {
        found.corrupt.push_back({row, caught.what()});
      }
    }
  };
  read(runs, 1, [&](const json_reader& in, const run_identity& names, const store_entry&) {
    stored_run run;
    run.identity = names;
    read_run_row(in, run);
    // Rows of earlier versions hold the count themselves, and there is no row for it.
    if (const auto count = in.optional_integer("errors"))
      errors_by_names[names_of(names)] = {names, *count};
    by_names.emplace(names_of(names), std::move(run));
  });
  read(signals, 1, [&](const json_reader& in, const run_identity& names, const store_entry& row) {
    const auto run = by_names.find(names_of(names));
    if (run == by_names.end())
      found.corrupt.push_back({row, "a signal without the row of its run"});
    else
      read_signal_row(in, run->second);
  });
  read(milestones, 1, [&](const json_reader& in, const run_identity& names, const store_entry&) {
    if (const auto run = by_names.find(names_of(names)); run != by_names.end())
      read_milestone_row(in, run->second);
  });
  read(positions, 2, [&](const json_reader& in, const run_identity& names, const store_entry& row) {
    const auto run = by_names.find(names_of(names));
    if (run == by_names.end() || !is_pending(&run->second))
      found.stale_positions.push_back({row.key, std::string{in.text("risk_name")}, names});
  });
  read(errors, 1, [&](const json_reader& in, const run_identity& names, const store_entry&) {
    errors_by_names[names_of(names)] = {names, in.integer("errors")};
  });
  for (auto& [names, told] : errors_by_names)
    found.errors.push_back(std::move(told));
  for (auto& [names, run] : by_names)
    found.runs.push_back(std::move(run));
  return found;
}

stored_runs read_runs(const store_reader& from) {
  const auto rows = [&from](std::string_view kind) {
    return from.scan(store_space::state, make_store_prefix({kind}));
  };
  return read_runs(rows(run_rows), rows(signal_rows), rows(milestone_rows), rows(position_rows),
                   rows(error_rows));
}

} // namespace backtest
