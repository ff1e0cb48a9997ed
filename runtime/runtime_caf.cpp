#include "runtime/runtime.hpp"

#include "messages/own_actor_system.hpp"
#include "runtime/library_file.hpp"
#include "runtime/plugin.hpp"
#include "runtime/runtime_core.hpp"
#include "runtime/runtime_end.hpp"

#include <dlfcn.h>

#include <fmt/format.h>

namespace backtest {

namespace {

template <class Payload>
event_callback typed(const char* function, std::function<void(const Payload&)> callback) {
  if (!callback)
    throw failure(error_code::invalid_argument,
                  fmt::format("{}: callback must be a function", function));
  return [callback = std::move(callback)](const event& item) {
    callback(std::get<Payload>(item.payload));
  };
}

subscription all_of(topic on) { return {{on}, {}, {}, {}}; }

} // namespace

// -- life ---------------------------------------------------------------------------------------------

runtime::runtime(runtime_options options)
    : system_(std::make_unique<own_actor_system>(
          options.threads, options.network ? prepare_network
                                           : std::function<void(caf::actor_system_config&)>{})),
      core_(std::make_unique<runtime_core>(system_->get(), std::move(options))) {}

runtime::runtime(caf::actor_system& system, runtime_options options)
    : core_(std::make_unique<runtime_core>(system, std::move(options))) {}

runtime::~runtime() { end_runtime(std::move(core_), std::move(system_)); }

// -- schemas ------------------------------------------------------------------------------------------

void runtime::add_exchange(exchange_schema schema) { core_->schemas.exchanges.add(std::move(schema)); }
void runtime::add_frame(frame_schema schema) { core_->schemas.frames.add(std::move(schema)); }
void runtime::add_risk(risk_schema schema) { core_->schemas.risks.add(std::move(schema)); }
void runtime::add_sizing(sizing_schema schema) { core_->schemas.sizings.add(std::move(schema)); }
void runtime::add_strategy(strategy_schema schema) { core_->schemas.strategies.add(std::move(schema)); }
void runtime::add_walker(walker_schema schema) { core_->schemas.walkers.add(std::move(schema)); }

void runtime::add_strategy(strategy_schema schema, signal_source_actor source) {
  const auto name = schema.strategy_name;
  if (!source)
    throw failure(error_code::invalid_argument,
                  fmt::format("strategy {}: source must be an actor", name));
  schema.get_signal = [name](const run_context&) -> std::optional<signal_request> {
    throw failure(error_code::invalid_argument,
                  fmt::format("strategy {} takes its signals from an actor", name));
  };
  add_strategy(std::move(schema));
  const std::lock_guard lock{core_->mutex};
  core_->sources[name] = std::move(source);
}

void runtime::add(schema_set schemas) {
  auto& known = core_->schemas;
  known.exchanges.check_all(schemas.exchanges);
  known.frames.check_all(schemas.frames);
  known.risks.check_all(schemas.risks);
  known.sizings.check_all(schemas.sizings);
  known.strategies.check_all(schemas.strategies);
  known.walkers.check_all(schemas.walkers);
  for (auto& item : schemas.exchanges)
    add_exchange(std::move(item));
  for (auto& item : schemas.frames)
    add_frame(std::move(item));
  for (auto& item : schemas.risks)
    add_risk(std::move(item));
  for (auto& item : schemas.sizings)
    add_sizing(std::move(item));
  for (auto& item : schemas.strategies)
    add_strategy(std::move(item));
  for (auto& item : schemas.walkers)
    add_walker(std::move(item));
}

std::vector<exchange_schema> runtime::list_exchanges() const { return core_->schemas.exchanges.list(); }
std::vector<frame_schema> runtime::list_frames() const { return core_->schemas.frames.list(); }
std::vector<risk_schema> runtime::list_risks() const { return core_->schemas.risks.list(); }
std::vector<sizing_schema> runtime::list_sizings() const { return core_->schemas.sizings.list(); }
std::vector<strategy_schema> runtime::list_strategies() const { return core_->schemas.strategies.list(); }
std::vector<walker_schema> runtime::list_walkers() const { return core_->schemas.walkers.list(); }

exchange_schema runtime::get_exchange(const std::string& name) const {
  return *core_->schemas.exchanges.get(name, "get_exchange");
}
frame_schema runtime::get_frame(const std::string& name) const {
  return *core_->schemas.frames.get(name, "get_frame");
}
risk_schema runtime::get_risk(const std::string& name) const {
  return *core_->schemas.risks.get(name, "get_risk");
}
sizing_schema runtime::get_sizing(const std::string& name) const {
  return *core_->schemas.sizings.get(name, "get_sizing");
}
strategy_schema runtime::get_strategy(const std::string& name) const {
  return *core_->schemas.strategies.get(name, "get_strategy");
}
walker_schema runtime::get_walker(const std::string& name) const {
  return *core_->schemas.walkers.get(name, "get_walker");
}

// A cached client keeps the schema it was made from; the next run must not find it. Strategy,
// frame and risk clients are made anew for every run.
void runtime::override_exchange(const std::string& name,
                                const std::function<void(exchange_schema&)>& change) {
  core_->schemas.exchanges.override_with(name, change);
  for (const auto mode : {run_mode::backtest, run_mode::live})
    send_anonymously(core_->clients.exchanges, forget_client<exchange_key>{{name, mode}});
}
void runtime::override_frame(const std::string& name,
                             const std::function<void(frame_schema&)>& change) {
  core_->schemas.frames.override_with(name, change);
}
void runtime::override_risk(const std::string& name,
                            const std::function<void(risk_schema&)>& change) {
  core_->schemas.risks.override_with(name, change);
}
void runtime::override_sizing(const std::string& name,
                              const std::function<void(sizing_schema&)>& change) {
  core_->schemas.sizings.override_with(name, change);
  send_anonymously(core_->clients.sizings, forget_client<sizing_key>{{name}});
}
void runtime::override_strategy(const std::string& name,
                                const std::function<void(strategy_schema&)>& change) {
  core_->schemas.strategies.override_with(name, change);
}
void runtime::override_walker(const std::string& name,
                              const std::function<void(walker_schema&)>& change) {
  core_->schemas.walkers.override_with(name, change);
}

// -- configuration ------------------------------------------------------------------------------------

void runtime::set_config(const configuration& parameters) {
  require_valid(parameters);
  {
    const std::lock_guard lock{core_->mutex};
    core_->parameters = parameters;
  }
  send_anonymously(core_->topics,
                   set_patience{std::chrono::seconds{parameters.subscriber_patience_seconds}});
  // They retry and check by the old ones; runs under way go on with them.
  send_anonymously(core_->clients.exchanges, forget_all{});
}

configuration runtime::get_config() const {
  const std::lock_guard lock{core_->mutex};
  return core_->parameters;
}

void runtime::reset_config() { set_config(configuration{}); }

void runtime::set_logger(shared_logger log) {
  if (log)
    core_->log->set(std::move(log));
}

void runtime::enable_reports(report_set kinds) { core_->enable_reports(kinds); }
report_set runtime::enabled_reports() const { return core_->enabled_reports(); }

void runtime::set_columns(column_overrides changes) {
  require_valid(changes);
  const std::lock_guard lock{core_->mutex};
  core_->columns = merged(std::move(core_->columns), std::move(changes));
}

report_columns runtime::get_columns() const {
  const std::lock_guard lock{core_->mutex};
  return columns_with(core_->columns, core_->parameters.report_show_signal_note);
}

report_columns runtime::get_default_columns() const {
  return default_report_columns(get_config().report_show_signal_note);
}

type_registry& runtime::types() noexcept { return core_->types; }

void runtime::load_plugin(const std::filesystem::path& library) {
  const auto fail = [&](const std::string& what) {
    throw failure(error_code::plugin_failed, fmt::format("plugin {}: {}", library.string(), what));
  };
  if (const auto fault = fault_of_library(library); !fault.empty())
    fail(fault);
  // Never closed: what it registered may run until the process ends.
  // A name without a slash is looked for where the system keeps its libraries, and nowhere else.
  const auto file = library.has_parent_path() ? library : "." / library;
  void* handle = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr)
    fail(::dlerror());
  const auto symbol = [&](const char* name) {
    void* found = ::dlsym(handle, name);
    if (found == nullptr)
      fail(fmt::format("it does not define {}", name));
    return found;
  };
  const auto abi = reinterpret_cast<decltype(&backtest_plugin_abi)>(symbol("backtest_plugin_abi"))();
  if (abi != plugin_abi_version)
    fail(fmt::format("it was built for plugin version {}, expected {}", abi, plugin_abi_version));
  const auto enroll = reinterpret_cast<decltype(&backtest_plugin_register)>(
      symbol("backtest_plugin_register"));
  try {
    enroll(*this);
  } catch (const std::exception& caught) {
    fail(fmt::format("backtest_plugin_register threw: {}", caught.what()));
  } catch (...) {
    fail("backtest_plugin_register threw something that is not a std::exception");
  }
}

// -- topics -------------------------------------------------------------------------------------------

listener_handle runtime_core::subscribe(subscription wanted, const subscriber_actor& subscriber,
                                        std::shared_ptr<listener_gate> gate) {
  if (!subscriber)
    throw failure(error_code::invalid_argument, "subscribe: subscriber must be an actor");
  require_valid(wanted);
  callers->require_may_wait("subscribe", waiting_for::actors);
  listener_handle handle;
  const calling_thread visit{system};
  caf::scoped_actor self{system};
  request(self, topics, caf::infinite,
          ::backtest::subscribe{std::move(wanted), subscriber, false, gate})
      .receive(
          [&](const subscribed& answer) {
            handle = listener_handle{topics, subscriber, answer, gate};
          },
          [](const caf::error& reason) {
            throw failure(error_code::actor_failed, "the bus is gone: " + text_of(reason));
          });
  return handle;
}

listener_handle runtime_core::listen(subscription wanted, listener_setup setup) {
  if (!setup.callback)
    throw failure(error_code::invalid_argument, "listen: callback must be a function");
  require_valid(wanted);
  callers->require_may_wait("listen", waiting_for::actors);
  const calling_thread visit{system};
  setup.gate = std::make_shared<listener_gate>();
  setup.topics = topics;
  setup.log = log;
  const auto gate = setup.gate;
  const auto listener = spawn_listener(system, census, std::move(setup));
  remember_listener(
      {weak_handle<subscriber_actor>{listener}, gate, "the listener " + text_of(wanted)});
  return subscribe(std::move(wanted), listener, gate);
}

listener_handle runtime::listen(subscription wanted, event_callback callback) {
  return core_->listen(std::move(wanted), {std::move(callback), std::nullopt, {}, {}, {}});
}

listener_handle runtime::listen_once(subscription wanted, event_predicate predicate,
                                     event_callback callback) {
  if (!predicate)
    predicate = [](const event&) { return true; };
  return core_->listen(std::move(wanted), {std::move(callback), std::move(predicate), {}, {}, {}});
}

listener_handle runtime::subscribe(subscription wanted, subscriber_actor subscriber) {
  return core_->subscribe(std::move(wanted), subscriber);
}

void listener_handle::unsubscribe() {
  if (gate_)
    gate_->close();
  if (auto bus = topics_.lock())
    send_anonymously(bus, ::backtest::unsubscribe{id_});
  if (gate_) // a listener of ours; a foreign subscriber lives on
    end_actor(listener_.lock());
}

#define BACKTEST_LISTEN(name, on, payload)                                                         \
  listener_handle runtime::name(std::function<void(const payload&)> callback) {                    \
    return listen(all_of(topic::on), typed<payload>(#name, std::move(callback)));                  \
  }
BACKTEST_LISTEN(listen_signal, signal, tick_result)
BACKTEST_LISTEN(listen_signal_backtest, signal_backtest, tick_result)
BACKTEST_LISTEN(listen_signal_live, signal_live, tick_result)
BACKTEST_LISTEN(listen_done_live, done_live, done_event)
BACKTEST_LISTEN(listen_control, control, control_event)
BACKTEST_LISTEN(listen_error, error, error_event)
BACKTEST_LISTEN(listen_exit, exit, error_event)
BACKTEST_LISTEN(listen_validation, validation, error_event)
BACKTEST_LISTEN(listen_done_backtest, done_backtest, done_event)
BACKTEST_LISTEN(listen_backtest_progress, progress_backtest, progress_backtest)
BACKTEST_LISTEN(listen_performance, performance, performance_event)
BACKTEST_LISTEN(listen_partial_profit, partial_profit, partial_event)
BACKTEST_LISTEN(listen_partial_loss, partial_loss, partial_event)
BACKTEST_LISTEN(listen_risk, risk, risk_event)
BACKTEST_LISTEN(listen_walker, walker, walker_event)
BACKTEST_LISTEN(listen_walker_progress, progress_walker, progress_walker)
BACKTEST_LISTEN(listen_walker_complete, walker_complete, walker_complete)
BACKTEST_LISTEN(listen_done_walker, done_walker, done_event)
#undef BACKTEST_LISTEN

// -- the rest -----------------------------------------------------------------------------------------

void runtime::flush() {
  core_->callers->require_may_wait("flush", waiting_for::subscribers);
  const calling_thread visit{core_->system};
  caf::scoped_actor self{core_->system};
  request(self, core_->topics, caf::infinite, flush_topics{})
      .receive([](const topics_flushed&) {},
               [](const caf::error& reason) {
                 throw failure(error_code::actor_failed, "the bus is gone: " + text_of(reason));
               });
}

double runtime::position_size(const std::string& sizing, const std::string& symbol,
                              const size_request& request) const {
  return core_->position_size(sizing, symbol, request);
}

backtest_runs runtime::backtest() { return backtest_runs{*core_}; }
live_runs runtime::live() { return live_runs{*core_}; }
walker_runs runtime::walker() { return walker_runs{*core_}; }
node_actor runtime::node() { return core_->node(); }
runtime_actor runtime::actor() { return core_->message_facade(); }
publication runtime::publish(const node_address& address, publish_options options) {
  return core_->publish_on(address, std::move(options));
}
schedule_reports runtime::schedule() { return schedule_reports{*core_}; }
performance_reports runtime::performance() { return performance_reports{*core_}; }
partial_reports runtime::partial() { return partial_reports{*core_}; }
risk_reports runtime::risk() { return risk_reports{*core_}; }
heat_reports runtime::heat() { return heat_reports{*core_}; }
caf::actor_system& runtime::system() noexcept { return core_->system; }
topics_actor runtime::topics() const { return core_->topics; }
std::size_t runtime::actor_count() const { return core_->census->alive(); }

} // namespace backtest
