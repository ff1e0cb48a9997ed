#pragma once

#include "actors/contracts.hpp"
#include "messages/configuration.hpp"
#include "messages/logger.hpp"
#include "runtime/backtest_report.hpp"
#include "runtime/listener.hpp"
#include "runtime/live_runs.hpp"
#include "runtime/network.hpp"
#include "runtime/run_record.hpp"
#include "runtime/report_columns.hpp"
#include "runtime/report_directory.hpp"
#include "runtime/report_kind.hpp"
#include "runtime/report_views.hpp"
#include "runtime/schemas.hpp"
#include "runtime/statistics.hpp"
#include "runtime/type_registry.hpp"
#include "runtime/walker_runs.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace backtest {

class own_actor_system;
class runtime_core;

/// Ends a subscription. Copies speak of the same one; letting go of it does not unsubscribe.
class listener_handle {
public:
  listener_handle() = default;
  listener_handle(const topics_actor& topics, const subscriber_actor& listener, subscribed answer,
                  std::shared_ptr<listener_gate> gate)
      : gate_(std::move(gate)), topics_(topics), listener_(listener), id_(answer.id),
        effective_(std::move(answer.runs)) {}

  /// Idempotent, from any thread; once it returns no callback begins any more (one that runs may
  /// finish). Nothing happens to one of nothing.
  void unsubscribe();
  /// The number by which errors name the subscriber; 0: of nothing.
  subscription_id id() const noexcept { return id_; }
  /// Of runs under way when the subscription began: the first instant they tell it about.
  const std::vector<effective_from>& effective() const noexcept { return effective_; }

private:
  std::shared_ptr<listener_gate> gate_;
  weak_handle<topics_actor> topics_;
  weak_handle<subscriber_actor> listener_;
  subscription_id id_ = 0;
  std::vector<effective_from> effective_;
};

/// The front-end for backtests. Every function checks the names it is given first and throws
/// `failure{not_found}` for an unknown one. Reports may not be asked for from a scheduled actor,
/// see `runtime`.
class backtest_runs {
public:
  explicit backtest_runs(runtime_core& core) : core_(core) {}

  signal_stream run(backtest_request request);
  /// Starts at once. Throws `failure{already_running}` when a run of the same symbol and strategy
  /// is not over.
  run_handle background(backtest_request request);
  /// No-op when it does not run.
  void stop(const std::string& symbol, const std::string& strategy);
  /// The latest run of every symbol and strategy, by start.
  std::vector<run_status> list() const;
  run_status status(const std::string& symbol, const std::string& strategy) const;

  backtest_report_data get_data(const std::string& symbol, const std::string& strategy) const;
  /// Markdown; `columns` replaces the runtime's own for this call.
  std::string get_report(const std::string& symbol, const std::string& strategy,
                         const std::optional<column_list<tick_result>>& columns = {}) const;
  /// Writes the markdown into the folder `backtest` of `directory` ("": ./dump) and returns the
  /// file's path; throws `failure{io_failed}`.
  std::filesystem::path dump(const std::string& symbol, const std::string& strategy,
                             const std::filesystem::path& directory = default_report_directory,
                             const std::optional<column_list<tick_result>>& columns = {}) const;
  /// Statistics over the pooled trades of several runs.
  trade_statistics portfolio_statistics(const std::vector<shared_identity>& runs) const;

private:
  runtime_core& core_;
};

struct runtime_options {
  /// Threads of the runtime's own actor system; 0: as many as the machine has. Ignored inside a
  /// foreign one.
  std::size_t threads = 0;
  configuration parameters;
  shared_logger log; ///< null: spdlog, warnings and errors, to stderr
  /// Where live runs keep what must survive; made when the first of them starts, in RocksDB. Empty:
  /// in memory, and nothing survives. Exchanges that keep candles keep them here too, also for
  /// backtests: these read beside another process that runs live here, and write while none does.
  std::filesystem::path data_directory;
  /// A store of one's own in its place. Where it answers with null, whoever needs the store throws
  /// `failure{invalid_argument}`.
  std::function<std::unique_ptr<store>()> open_store;
  /// `publish` works: the runtime's own actor system brings CAF's I/O module; without, it throws.
  /// A foreign one needs `prepare_network`.
  bool network = false;
  /// Those that are kept; what they need is told for their sake. Summaries, portfolio statistics and
  /// walkers rest on those of backtest and live.
  report_set reports{report_kind::backtest, report_kind::live};
};

/// Everything a program holds of the library: schemas, configuration, topics and runs. Thread-safe.
/// Several of them live in one process without noticing each other. The destructor ends all runs,
/// also busy ones, and returns once the last actor is gone. Once it begins no callback of a
/// listener begins. One that runs may finish: it is waited for, `subscriber_patience_seconds` at
/// most, and then left. A `blocking` strategy function that runs is left at once. What is left may
/// end after the runtime and after its actor system: it is given nothing of theirs that it could
/// still reach, and must itself own what it captured. Where it would wait for itself - in a
/// callback, or an actor of its actor system - the rest of it ends on a thread of its own instead;
/// a foreign actor system waits for that at its own end.
///
/// Functions that wait for actors (reports, `listen`, `subscribe`, `enable_reports`), for
/// subscribers (`flush`), for commands or runs throw `failure{invalid_argument}` at once where that
/// might never come about, however many threads there are: in a scheduled actor, and in some
/// callbacks; docs/embedding.md has the table. `actor()` answers there.
class runtime {
public:
  /// With an actor system of its own.
  explicit runtime(runtime_options options = {});
  /// Inside the caller's actor system, which must outlive it.
  explicit runtime(caf::actor_system& system, runtime_options options = {});
  ~runtime();
  runtime(const runtime&) = delete;
  runtime& operator=(const runtime&) = delete;

  // Registration, in any order: what a schema names - the risk profiles of a strategy; exchange,
  // frame and strategies of a walker - may be registered after it. A run, and whatever else asks
  // for the schema by name, looks them up and throws `failure{not_found}`, saying who names what.
  // Each throws `failure`: `invalid_argument`, or `already_exists`; nothing is registered then.
  void add_exchange(exchange_schema schema);
  void add_frame(frame_schema schema);
  void add_risk(risk_schema schema);
  void add_sizing(sizing_schema schema);
  void add_strategy(strategy_schema schema);
  /// Signals come from an actor; `schema.get_signal` is ignored.
  void add_strategy(strategy_schema schema, signal_source_actor source);
  void add_walker(walker_schema schema);
  /// All of a set or, when it throws, none of it.
  void add(schema_set schemas);

  std::vector<exchange_schema> list_exchanges() const;
  std::vector<frame_schema> list_frames() const;
  std::vector<risk_schema> list_risks() const;
  std::vector<sizing_schema> list_sizings() const;
  std::vector<strategy_schema> list_strategies() const;
  std::vector<walker_schema> list_walkers() const;

  // Throw `failure{not_found}`.
  exchange_schema get_exchange(const std::string& name) const;
  frame_schema get_frame(const std::string& name) const;
  risk_schema get_risk(const std::string& name) const;
  sizing_schema get_sizing(const std::string& name) const;
  strategy_schema get_strategy(const std::string& name) const;
  walker_schema get_walker(const std::string& name) const;

  // Change a registered schema, but for its name; runs under way keep theirs. Throw `failure`:
  // `not_found`, or `invalid_argument`, also for another name; nothing is changed then.
  void override_exchange(const std::string& name, const std::function<void(exchange_schema&)>& change);
  void override_frame(const std::string& name, const std::function<void(frame_schema&)>& change);
  void override_risk(const std::string& name, const std::function<void(risk_schema&)>& change);
  void override_sizing(const std::string& name, const std::function<void(sizing_schema&)>& change);
  void override_strategy(const std::string& name, const std::function<void(strategy_schema&)>& change);
  void override_walker(const std::string& name, const std::function<void(walker_schema&)>& change);

  /// Parameters of the runs to come; a run under way keeps its snapshot. Throws
  /// `failure{invalid_configuration}` with every violation, and changes nothing then.
  void set_config(const configuration& parameters);
  configuration get_config() const;
  void reset_config();
  /// Null changes nothing.
  void set_logger(shared_logger log);
  /// Which reports are kept of runs from now on. Throws `failure{already_running}` while anything
  /// runs. Not thread-safe.
  void enable_reports(report_set kinds);
  report_set enabled_reports() const;
  /// Replaces the groups that are set, each as a whole, for every report from now on. Throws
  /// `failure{invalid_configuration}` with every violation, and changes nothing then.
  void set_columns(column_overrides changes);
  report_columns get_columns() const;
  /// As they are without `set_columns`.
  report_columns get_default_columns() const;

  /// Types that configuration files may name; for plugins and programs that load such files. Not
  /// thread-safe.
  type_registry& types() noexcept;
  /// Loads a shared library built against this version and lets it register what it brings. The
  /// path is one of a file, also without a slash: "cross.so" is in the working directory. Throws
  /// `failure{plugin_failed}`.
  void load_plugin(const std::filesystem::path& library);

  // Backtests and replays wait for a subscriber that is more than 10,000 events behind, those alone
  // whose events it gets, and until they are stopped. One that comes no further within
  // `subscriber_patience_seconds` is told of on the topic `error` as `listener_overdue`; see
  // `subscription::drop_when_overdue`. Throw `failure{invalid_argument}`.

  /// Calls back for every event wanted, in order, on a thread of its own.
  listener_handle listen(subscription wanted, event_callback callback);
  /// Calls back for the first event that satisfies the predicate, once; empty: the first of all.
  listener_handle listen_once(subscription wanted, event_predicate predicate,
                              event_callback callback);
  /// Feeds an actor; what it answers is its credit for more. An error is told as `listener_failed`,
  /// and credit too.
  listener_handle subscribe(subscription wanted, subscriber_actor subscriber);

  // The topics by name; symbols and strategies: all.
  listener_handle listen_signal(std::function<void(const tick_result&)> callback);
  listener_handle listen_signal_backtest(std::function<void(const tick_result&)> callback);
  listener_handle listen_signal_live(std::function<void(const tick_result&)> callback);
  listener_handle listen_done_live(std::function<void(const done_event&)> callback);
  listener_handle listen_control(std::function<void(const control_event&)> callback);
  listener_handle listen_error(std::function<void(const error_event&)> callback);
  listener_handle listen_exit(std::function<void(const error_event&)> callback);
  listener_handle listen_validation(std::function<void(const error_event&)> callback);
  listener_handle listen_done_backtest(std::function<void(const done_event&)> callback);
  listener_handle listen_backtest_progress(std::function<void(const progress_backtest&)> callback);
  listener_handle listen_performance(std::function<void(const performance_event&)> callback);
  listener_handle listen_partial_profit(std::function<void(const partial_event&)> callback);
  listener_handle listen_partial_loss(std::function<void(const partial_event&)> callback);
  listener_handle listen_risk(std::function<void(const risk_event&)> callback);
  listener_handle listen_walker(std::function<void(const walker_event&)> callback);
  listener_handle listen_walker_progress(std::function<void(const progress_walker&)> callback);
  listener_handle listen_walker_complete(std::function<void(const walker_complete&)> callback);
  listener_handle listen_done_walker(std::function<void(const done_event&)> callback);

  backtest_runs backtest();
  live_runs live();
  walker_runs walker();

  /// The facade as messages, for actors, which must not block: see `runtime_actor` in
  /// actors/contracts.hpp. From any thread; ends with the runtime.
  runtime_actor actor();

  /// What taps and operators talk to, see actors/contracts.hpp; opens the store when it is not yet.
  /// For actors of this process, and to publish in one's own way. Ends with the runtime.
  node_actor node();
  /// Offers `node()` to other processes that prove themselves: by certificates, or by the secret
  /// `gate.secret` in the data directory, which is made when it is not there. Without a directory
  /// it lies in one of its own. Refused connections are told to `options.note`, else to the log.
  /// Throws `failure`: `connection_failed`, `io_failed` (a file of `options.security`),
  /// `invalid_argument` where the actor system has no I/O module, see `runtime_options::network`,
  /// and beyond loopback without certificates, unless `insecure`.
  publication publish(const node_address& address = {}, publish_options options = {});

  // Reports of what `enable_reports` names.
  schedule_reports schedule();
  performance_reports performance();
  partial_reports partial();
  risk_reports risk();
  heat_reports heat();

  /// Returns once every subscriber has heard everything published before; one that does not answer
  /// is waited for until it is dropped. Not from a listener's callback.
  void flush();

  /// Quantity in base units by a registered sizing, not rounded; 0: do not open. Throws `failure`:
  /// `not_found`, `invalid_argument` (another method than the sizing's, inputs out of range).
  double position_size(const std::string& sizing, const std::string& symbol,
                       const size_request& request) const;

  caf::actor_system& system() noexcept;
  topics_actor topics() const;
  /// Actors of this runtime that live now.
  std::size_t actor_count() const;

private:
  friend class runtime_internals;

  std::unique_ptr<own_actor_system> system_; ///< null inside a foreign one
  std::unique_ptr<runtime_core> core_;
};

} // namespace backtest
