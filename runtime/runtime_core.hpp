#pragma once

#include "actors/exchange/exchange_actor.hpp"
#include "actors/supervisor.hpp"
#include "messages/caf.hpp"
#include "runtime/caller_checks.hpp"
#include "runtime/live_history.hpp"
#include "runtime/portfolio.hpp"
#include "runtime/registry.hpp"
#include "runtime/report_columns.hpp"
#include "runtime/runtime.hpp"
#include "runtime/runtime_actor.hpp"
#include "runtime/switchable_logger.hpp"
#include "runtime/ticking_clock.hpp"
#include "storage/candle_archive.hpp"

#include <map>
#include <mutex>
#include <set>
#include <stop_token>
#include <thread>
#include <tuple>
#include <utility>

namespace backtest {

/// What every part of the facade shares: registries, the standing actors, and the runs there are.
class runtime_core {
public:
  runtime_core(caf::actor_system& system, runtime_options options);
  ~runtime_core();
  /// What the destructor begins with: no callback of a listener begins any more. Waits for nobody.
  void begin_end();

  /// Throws `failure`: `not_found`, `invalid_argument`.
  void check(const backtest_request& request, std::string_view source) const;
  void check(const live_request& request, std::string_view source) const;
  /// Takes the names, spawns and starts the run. Throws `failure{already_running}` too.
  started_run start(const backtest_request& request, bool as_stream, std::string_view source);
  started_run start_live(const live_request& request, bool as_stream, std::string_view source);
  /// The driver of a live run; throws `failure{invalid_argument}` listing those that run.
  live_actor find_driver(const std::string& symbol, const std::string& strategy) const;
  /// Blocks until the command is durable; throws `failure{invalid_argument}`.
  void control(const std::string& symbol, const std::string& strategy, operator_command command);
  /// Throws `failure`: `not_found`, `invalid_argument`.
  std::shared_ptr<const walker_schema>
  check_walker(const std::string& symbol, const std::string& walker, std::string_view source) const;
  /// Takes the names of the walker and its strategies. In the background it goes on by itself.
  std::shared_ptr<walk> start_walk(const std::string& symbol, const std::string& walker,
                                   bool is_background, std::string_view source);
  /// A backtest of a walker; the names are the walker's. It works at once, and is told, listed and
  /// stopped by its name only after `take_turn`. Nothing once the runtime is ending.
  std::optional<started_run>
  start_walked(const std::shared_ptr<portfolio_setup>& setup,
               const std::function<void(const started_run&)>& before_start);
  /// A walker is over.
  void release(const run_identity& walker, const std::vector<std::string>& strategies);
  /// Null when it never ran.
  std::shared_ptr<walk> find_walk(const std::string& symbol, const std::string& walker) const;
  std::vector<run_status> walker_statuses() const;
  /// Publishes, and does not wait for anybody to hear of it.
  void tell(event item) const;
  run_status status(const std::string& symbol, const std::string& strategy, run_mode mode) const;
  /// Of the latest run; null when there was none.
  std::shared_ptr<portfolio_record> find_record(const std::string& symbol,
                                                const std::string& strategy, run_mode mode) const;
  /// Throws `failure`: `not_found`, `invalid_argument`.
  double position_size(const std::string& sizing, const std::string& symbol,
                       const size_request& request) const;
  /// Works on the store in its actor and waits; not from an actor. Opens it when it is not yet.
  void with_store(std::function<void(store&)> work);
  /// The same, only when it is open; says whether it is. Also from an actor with a thread of its
  /// own.
  bool with_open_store(std::function<void(store&)> work);
  /// While `work` runs the store is not opened; not called when it is open. Says whether it was.
  bool while_store_is_closed(const std::function<void()>& work);
  bool is_ending() const noexcept { return shutdown_.stop_requested(); }
  /// Spawned when it is first asked for.
  node_actor node();
  publication publish_on(const node_address& address, publish_options options);
  /// Spawned when it is first asked for.
  runtime_actor message_facade();
  void stop(const std::string& symbol, const std::string& strategy, run_mode mode);
  std::vector<run_status> statuses(run_mode mode) const;

  /// Works on the reports in their actor and waits; not from an actor.
  void with_reports(std::function<void(report_book&)> work) const;
  /// Throws `failure{already_running}` while anything runs.
  void enable_reports(report_set kinds);
  report_set enabled_reports() const;
  void write_log(log_level level, std::string_view topic, std::string_view payload,
                 const log_context& context = {}) const noexcept;
  /// `gate`: of a listener of ours; null else.
  listener_handle subscribe(subscription wanted, const subscriber_actor& subscriber,
                            std::shared_ptr<listener_gate> gate = nullptr);
  /// A listener of ours: its setup but for what every one of the runtime has.
  listener_handle listen(subscription wanted, listener_setup setup);

  caf::actor_system& system;
  shared_census census = std::make_shared<actor_census>();
  registry schemas;
  type_registry types = with_built_ins();
  const std::shared_ptr<switchable_logger> log;
  const shared_caller_checks callers;
  topics_actor topics;
  report_actor reports;
  client_supervisors clients;

  mutable std::mutex mutex; ///< guards what follows
  configuration parameters;
  column_overrides columns;
  std::map<std::string, signal_source_actor> sources;

private:
  using run_key = std::tuple<std::string, std::string, run_mode>;
  struct known_run {
    std::shared_ptr<portfolio_record> record;
    std::size_t index = 0;
    std::stop_source stop;
    weak_handle<live_actor> live;          ///< its driver, in live
    weak_handle<portfolio_actor> backtest; ///< the same, in a backtest
    bool is_replayed = false;              ///< live, on the replay clock
  };
  /// One of ours. Kept alive by the bus as long as it listens.
  struct known_listener {
    weak_handle<subscriber_actor> actor;
    std::shared_ptr<listener_gate> gate; ///< null: it calls nobody
    std::string name;
  };

  /// Its actors work on this object, so they are gone before anything else goes.
  void end_message_facade();
  void remember_listener(known_listener listener);
  /// From now on no callback of a listener begins.
  void close_gates();
  /// For callbacks that run, as long as patience lasts.
  void wait_for_callbacks();

  /// `add`: a strategy on a symbol, in any order.
  std::shared_ptr<portfolio_setup> capture(const std::vector<shared_identity>& runs) const;
  /// Names, stops, record and stream of a run that is about to start.
  started_run register_run(portfolio_setup& setup, bool as_stream);
  /// From now on `list`, `status` and `stop` speak of it; `mutex` is held.
  void list_run(const started_run& started, const std::vector<shared_identity>& identities);
  /// `mutex` is held.
  void note_driver(const std::vector<shared_identity>& identities, const portfolio_actor& driver);
  void take_names(const portfolio_setup& setup);
  void take_names(const run_identity& walker, const std::vector<std::string>& strategies);
  /// Registers and spawns a backtest; `mutex` is held.
  started_run launch(const std::shared_ptr<portfolio_setup>& setup, bool as_stream,
                     portfolio_actor& driver);
  void subscribe_reports();
  void walk_to_end(walk& begun) const;
  /// Lets go of walkers that are over.
  void reap_walks();
  void end_walks();
  /// `named_by`: see `schema_table::get`.
  void check_names(const std::vector<std::string>& symbols,
                   const std::vector<std::string>& strategies, const std::string& exchange,
                   std::string_view source, std::string_view named_by = {}) const;
  /// By the function of `runtime_options`.
  std::unique_ptr<store> opened_by_user() const;
  store_actor opened_store();
  /// Of a live run.
  bool is_replayed(const std::string& symbol, const std::string& strategy) const;
  /// Reads what is durable by now and waits, beside the store's commits. Opens it when it is not yet.
  void with_snapshot(std::function<void(const store_reader&)> work);
  /// What the journal still holds of these runs; a wait of its own for every few thousand entries.
  live_history history_of(const std::vector<run_identity>& runs);
  /// Works on the store in one of its actors and waits.
  template <class Handle, class Message> void ask(const Handle& target, Message message) const;
  /// Publishes errors of `source`.
  std::function<void(error)> reporter(std::string source) const;
  void spawn_supervisors();
  /// Null where the runtime has no store that lasts.
  candle_keeper_factory keepers_of(const exchange_schema& schema, const failure_reporter& report);
  /// Gives errors of an exchange's live client to one of the live runs on it, for the journal;
  /// `otherwise` hears of them when there is none, and of those that are not journalled.
  failure_reporter live_reporter(std::string exchange_name, failure_reporter otherwise);

  mutable ticking_clock deadline_clock_;
  std::stop_source shutdown_;
  /// A walker in the background.
  struct walk_thread {
    std::shared_ptr<walk> walked;
    std::thread thread;
  };
  using walk_key = std::pair<std::string, std::string>; ///< symbol, walker

  bool is_ending_ = false;
  report_set enabled_reports_;
  std::vector<subscription_id> report_subscriptions_;
  std::set<run_key> taken_;
  std::set<walk_key> taken_walkers_;
  std::map<walk_key, std::shared_ptr<walk>> walks_; ///< the latest of each
  std::vector<walk_thread> walk_threads_;
  std::vector<std::weak_ptr<walk>> walk_streams_;
  std::map<run_key, known_run> known_;
  std::vector<known_listener> listeners_;
  std::map<std::uint64_t, std::weak_ptr<const portfolio_setup>> setups_;
  std::vector<weak_handle<portfolio_actor>> drivers_;
  struct live_driver {
    std::string exchange_name;
    weak_handle<live_actor> driver;
  };
  std::vector<live_driver> live_drivers_;
  std::set<std::string> live_profiles_; ///< of live runs that are not over
  std::uint64_t last_number_ = 0;
  std::filesystem::path data_directory_;
  std::function<std::unique_ptr<store>()> open_store_;
  std::mutex store_mutex_; ///< opening takes its time; guards what follows
  store_actor store_;
  snapshot_reader_actor store_reader_;
  std::shared_ptr<candle_archive> archive_; ///< null where nothing lasts
  std::shared_ptr<store> stored_;
  publisher_actor publisher_;
  std::vector<publication> publications_;
  std::mutex facade_mutex_; ///< guards what follows
  shared_census facade_census_ = std::make_shared<actor_census>();
  message_facade_actors facade_;
};

/// What the installed interface does not show; for benchmarks.
class runtime_internals {
public:
  static const client_supervisors& clients(const runtime& of) { return of.core_->clients; }
};

} // namespace backtest
