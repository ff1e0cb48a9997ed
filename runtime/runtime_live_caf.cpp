#include "actors/gate/gate_secret.hpp"
#include "actors/publisher/publisher_actor.hpp"
#include "actors/store/snapshot_reader_actor.hpp"
#include "actors/store/store_actor.hpp"
#include "runtime/live.hpp"
#include "runtime/live_start.hpp"
#include "runtime/marked_store.hpp"
#include "runtime/runtime_core.hpp"
#include "runtime/wall_clock.hpp"
#include "storage/journal.hpp"
#include "storage/memory_store.hpp"
#include "storage/rocksdb_store.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>

namespace backtest {

namespace {

/// Follows a signal whose strategy nobody registered.
strategy_schema watcher_of(const stored_run& run) {
  strategy_schema schema;
  schema.strategy_name = run.identity.strategy_name;
  schema.get_signal = [](const run_context&) -> std::optional<signal_request> {
    return std::nullopt;
  };
  return schema;
}

std::vector<run_identity> resumed_runs(const stored_runs& found,
                                       const std::vector<shared_identity>& included) {
  std::vector<run_identity> runs;
  for (const auto& run : found.runs)
    if (std::any_of(included.begin(), included.end(), [&](const auto& item) {
          return item->exchange_name == run.identity.exchange_name &&
                 item->strategy_name == run.identity.strategy_name &&
                 item->symbol == run.identity.symbol;
        }))
      runs.push_back(run.identity);
  return runs;
}

} // namespace

void runtime_core::check(const live_request& request, std::string_view source) const {
  check_names(request.symbols, request.strategies, request.exchange, source);
  if (!is_one_of_first(request.orphans, orphan_policy_count))
    throw failure(error_code::invalid_argument,
                  fmt::format("{}: orphans must be refuse, watch or drop, got {}", source,
                              static_cast<int>(request.orphans)));
  const bool replays = request.clock && request.clock->is_replay();
  if (replays)
    schemas.frames.get(request.frame, source);
  else if (!request.frame.empty())
    throw failure(error_code::invalid_argument,
                  fmt::format("{}: frame \"{}\" needs the replay clock", source, request.frame));
}

std::unique_ptr<store> runtime_core::opened_by_user() const {
  const place_mark inside{calling_place::opening_store, census.get()};
  auto opened = open_store_();
  if (!opened)
    throw failure(error_code::invalid_argument,
                  "runtime_options::open_store answered with null, expected a store");
  return std::make_unique<marked_store>(std::move(opened), census.get());
}

store_actor runtime_core::opened_store() {
  const std::lock_guard lock{store_mutex_};
  if (store_)
    return store_;
  store_setup setup;
  rocksdb_options of_store;
  {
    const std::lock_guard inner{mutex};
    setup.limits = {parameters.journal_max_age_days, parameters.journal_max_bytes};
    of_store.reserve_bytes = parameters.store_reserve_bytes;
  }
  setup.target = open_store_               ? opened_by_user()
                 : data_directory_.empty() ? make_memory_store()
                                           : open_rocksdb_store(data_directory_, of_store);
  setup.report = reporter("store");
  stored_ = setup.target;
  store_ = spawn_store(system, census, std::move(setup));
  store_reader_ = spawn_snapshot_reader(system, census, stored_);
  send_anonymously(topics, use_journal{store_reader_});
  return store_;
}

node_actor runtime_core::node() {
  callers->require_may_wait("node", waiting_for::store);
  const calling_thread visit{system};
  auto commits = opened_store();
  const std::lock_guard lock{store_mutex_};
  if (!publisher_)
    publisher_ = spawn_publisher(system, census,
                                 {stored_, std::move(commits),
                                  [this](const std::string& symbol, const std::string& strategy) {
                                    return find_driver(symbol, strategy);
                                  },
                                  [] {
                                    return std::chrono::duration_cast<std::chrono::milliseconds>(
                                               std::chrono::steady_clock::now().time_since_epoch())
                                        .count();
                                  }});
  return publisher_;
}

publication runtime_core::publish_on(const node_address& address, publish_options options) {
  callers->require_may_wait("publish", waiting_for::store);
  // Before a store is opened for it.
  require_network(system, "publish");
  require_publishable(address, options.security);
  auto offered = node();
  auto& security = options.security;
  if (!security.has_certificates() && security.secret.empty() && !data_directory_.empty()) {
    std::error_code problem;
    std::filesystem::create_directories(data_directory_, problem);
    if (problem)
      throw failure(error_code::io_failed,
                    fmt::format("cannot create the data directory {}: {}", data_directory_.string(),
                                problem.message()));
    security.secret = data_directory_ / gate_secret_name;
  }
  if (!options.note)
    options.note = [this](const std::string& text) { write_log(log_level::warn, "publish", text); };
  auto opened = publish_node(system, offered, address, options);
  const std::lock_guard lock{store_mutex_};
  publications_.push_back(opened);
  return opened;
}

void runtime_core::with_store(std::function<void(store&)> work) {
  const calling_thread visit{system};
  ask(opened_store(), ask_store{std::move(work)});
}

void runtime_core::with_snapshot(std::function<void(const store_reader&)> work) {
  const calling_thread visit{system};
  opened_store();
  snapshot_reader_actor reader;
  {
    const std::lock_guard lock{store_mutex_};
    reader = store_reader_;
  }
  ask(reader, read_snapshot{std::move(work)});
}

bool runtime_core::with_open_store(std::function<void(store&)> work) {
  store_actor target;
  {
    const std::lock_guard lock{store_mutex_};
    target = store_;
  }
  if (target)
    ask(target, ask_store{std::move(work)});
  return static_cast<bool>(target);
}

bool runtime_core::while_store_is_closed(const std::function<void()>& work) {
  const std::lock_guard lock{store_mutex_};
  if (store_)
    return false;
  work();
  return true;
}

template <class Handle, class Message>
void runtime_core::ask(const Handle& target, Message message) const {
  caf::scoped_actor self{system};
  std::optional<error> problem;
  request(self, target, caf::infinite, std::move(message))
      .receive([&](const store_answer& answer) { problem = answer.problem; },
               [&](const caf::error& reason) {
                 problem = error{error_code::store_failed, "the store is gone: " + text_of(reason)};
               });
  if (problem)
    throw failure(*problem);
}

live_history runtime_core::history_of(const std::vector<run_identity>& runs) {
  live_history history{runs};
  constexpr std::size_t lines_at_once = 4096;
  std::int64_t next = 1;
  for (bool more = history.is_wanted(); more;) {
    std::vector<journal_line> lines;
    try {
      with_snapshot([&](const store_reader& from) {
        const auto bounds = find_journal_bounds(from);
        if (bounds.last >= next) // what retention removed meanwhile is not asked for
          lines = read_journal(from, std::max(next, bounds.first), lines_at_once);
      });
    } catch (const failure& caught) { // a damaged journal must not keep a run from going on
      history.give_up(caught.what());
    }
    history.add(lines);
    more = lines.size() == lines_at_once;
    if (more)
      next = lines.back().number + 1;
  }
  return history;
}

started_run runtime_core::start_live(const live_request& request, bool as_stream,
                                     std::string_view source) {
  callers->require_may_wait(source, waiting_for::store);
  check(request, source);
  std::vector<shared_identity> identities;
  const auto identity = [&](const std::string& symbol, const std::string& strategy) {
    return std::make_shared<const run_identity>(
        run_identity{symbol, strategy, request.exchange, "", run_mode::live});
  };
  for (const auto& strategy : request.strategies)
    for (const auto& symbol : request.symbols)
      identities.push_back(identity(symbol, strategy));
  stored_runs found;
  with_store([&found](store& target) { found = read_runs(target); });
  auto history = history_of(resumed_runs(found, identities));
  started_run started;
  live_actor driver;
  const calling_thread visit{system};
  const auto target = opened_store();
  {
    const std::lock_guard lock{mutex};
    // Runs of other live portfolios of this runtime are nobody's orphans.
    const auto is_of_others = [&](const run_identity& run) {
      return taken_.count({run.symbol, run.strategy_name, run_mode::live}) > 0 &&
             std::none_of(identities.begin(), identities.end(), [&](const auto& item) {
               return item->symbol == run.symbol && item->strategy_name == run.strategy_name;
             });
    };
    std::erase_if(found.runs, [&](const auto& item) { return is_of_others(item.identity); });
    std::erase_if(found.errors, [&](const auto& item) { return is_of_others(item.run); });
    auto begun = prepare_live_start(found, identities, request.orphans, wall_clock(),
                                    [this](const std::string& strategy) {
                                      for (const auto& schema : schemas.strategies.list())
                                        if (schema.strategy_name == strategy)
                                          return profiles_of(schema);
                                      return std::vector<std::string>{};
                                    });
    const auto setup = capture(identities);
    setup->lockstep = request.lockstep;
    for (const auto& orphan : begun.orphans) {
      portfolio_run run;
      run.identity = identity(orphan.identity.symbol, orphan.identity.strategy_name);
      run.watch_only = true;
      const auto known = schemas.strategies.list();
      const auto schema = std::find_if(known.begin(), known.end(), [&](const auto& item) {
        return item.strategy_name == orphan.identity.strategy_name;
      });
      run.strategy = std::make_shared<const strategy_schema>(
          schema == known.end() ? watcher_of(orphan) : *schema);
      setup->runs.push_back(std::move(run));
    }
    for (auto& run : setup->runs)
      for (const auto& stored : found.runs)
        if (stored.identity.exchange_name == request.exchange &&
            stored.identity.strategy_name == run.identity->strategy_name &&
            stored.identity.symbol == run.identity->symbol)
          run.stored = stored;
    for (const auto& run : setup->runs)
      for (const auto& profile : profiles_of(*run.strategy))
        if (live_profiles_.count(profile) > 0)
          throw failure(error_code::already_running,
                        fmt::format("risk profile {} belongs to a live run that is not over; start "
                                    "its strategies together as one portfolio",
                                    profile));
    started = register_run(*setup, as_stream);
    setups_[setup->number] = setup;
    auto live = std::make_shared<live_setup>();
    live->portfolio = setup;
    live->store = target;
    live->clock = request.clock ? request.clock : make_system_clock();
    live->retry_clock = request.retry_clock ? request.retry_clock : make_system_clock();
    live->note = [this](const std::string& text) { write_log(log_level::warn, "store", text); };
    live->frame_name = request.frame;
    live->until = request.until;
    live->first_rows = std::move(begun.rows);
    live->first_events = std::move(begun.events);
    live->errors = std::move(begun.errors);
    for (const auto& run : found.runs)
      history.expect_closed(run.identity, run.memory.counters.closed);
    if (const auto gap = history.problem())
      live->first_events.push_back(
          {topic::error, error_event{gap->code, gap->message, "store", std::nullopt, nullptr}});
    live->told_before = history.take_events();
    driver = spawn_live(system, census, live);
    std::erase_if(live_drivers_, [](const auto& item) { return !item.driver.lock(); });
    live_drivers_.push_back({request.exchange, weak_handle<live_actor>{driver}});
    for (const auto& run : setup->runs) {
      auto& known = known_.at({run.identity->symbol, run.identity->strategy_name, run_mode::live});
      known.live = weak_handle<live_actor>{driver};
      known.is_replayed = live->clock->is_replay();
    }
  }
  write_log(log_level::info, source,
            fmt::format("live run {} starts: {} strategies on {} symbols", started.record->id(),
                        request.strategies.size(), request.symbols.size()));
  send_anonymously(driver, start_live_run{});
  const weak_handle<live_actor> weak{driver};
  started.stop_told = [weak] {
    if (auto strong = weak.lock())
      send_anonymously(strong, stop_live{});
  };
  started.demand = [weak] {
    if (auto strong = weak.lock())
      send_anonymously(strong, demand_element{});
  };
  started.end_at_once = [weak, halt = started.halt] {
    halt();
    if (auto strong = weak.lock())
      send_anonymously(strong, abort_portfolio{});
  };
  return started;
}

live_actor runtime_core::find_driver(const std::string& symbol,
                                     const std::string& strategy) const {
  const std::lock_guard lock{mutex};
  if (const auto found = known_.find({symbol, strategy, run_mode::live}); found != known_.end())
    if (auto driver = found->second.live.lock())
      return driver;
  std::string running;
  for (const auto& [key, run] : known_)
    if (std::get<run_mode>(key) == run_mode::live && run.live.lock()) {
      constexpr std::size_t long_enough = 500;
      if (running.size() > long_enough) {
        running += ", ...";
        break;
      }
      running += fmt::format("{}{} on {}", running.empty() ? "" : ", ", std::get<1>(key),
                             std::get<0>(key));
    }
  throw failure(error_code::invalid_argument,
                fmt::format("strategy {} on {} does not run, expected one of: {}", strategy, symbol,
                            running.empty() ? "none, as no live run is under way" : running));
}

bool runtime_core::is_replayed(const std::string& symbol, const std::string& strategy) const {
  const std::lock_guard lock{mutex};
  const auto found = known_.find({symbol, strategy, run_mode::live});
  return found != known_.end() && found->second.is_replayed;
}

void runtime_core::control(const std::string& symbol, const std::string& strategy,
                           operator_command command) {
  if (const auto problem = problem_with(command))
    throw failure(*problem);
  const auto driver = find_driver(symbol, strategy);
  callers->require_may_wait("live.control", is_replayed(symbol, strategy)
                                                ? waiting_for::replayed_commands
                                                : waiting_for::commands);
  const calling_thread visit{system};
  caf::scoped_actor self{system};
  std::optional<error> problem;
  request(self, driver, caf::infinite, control_run{strategy, symbol, command})
      .receive([&](const run_controlled& answer) { problem = answer.problem; },
               [&](const caf::error& reason) {
                 problem = run_ended_early(reason);
               });
  if (problem)
    throw failure(*problem);
}

} // namespace backtest
