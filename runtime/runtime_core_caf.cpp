#include "runtime/runtime_core.hpp"

#include "actors/exchange/exchange_actor.hpp"
#include "actors/frame/frame_actor.hpp"
#include "actors/partial/partial_actor.hpp"
#include "actors/risk/risk_actor.hpp"
#include "actors/sizing/sizing_actor.hpp"
#include "actors/strategy/strategy_actor.hpp"
#include "actors/supervisor.hpp"
#include "actors/topics/topics_actor.hpp"
#include "messages/thrown_text.hpp"
#include "runtime/kept_candles.hpp"
#include "runtime/report_actor.hpp"
#include "runtime/report_book.hpp"
#include "runtime/spdlog_logger.hpp"
#include "runtime/walk.hpp"
#include "runtime/wall_clock.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

namespace backtest {

namespace {

double stopwatch_milliseconds() {
  return std::chrono::duration<double, std::milli>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

/// A callback's own failure is told and does not fail the fetch.
auto guarded(const exchange_schema& schema, failure_reporter report) {
  return [name = schema.exchange_name, callback = schema.callbacks.on_candle_data,
          report = std::move(report)](const std::string& symbol, interval size, instant since,
                                      std::span<const candle> data) {
    if (const auto thrown = thrown_text([&] { callback(symbol, size, since, data); }))
      report({error_code::callback_failed,
              fmt::format("exchange {}: on_candle_data threw: {}", name, *thrown)});
  };
}

} // namespace

runtime_core::runtime_core(caf::actor_system& host, runtime_options options)
    : system(host), log(std::make_shared<switchable_logger>(
                        options.log ? std::move(options.log) : make_spdlog_logger(log_level::warn),
                        census.get())),
      callers(std::make_shared<const caller_checks>(host, census.get())),
      parameters(options.parameters), data_directory_(std::move(options.data_directory)),
      open_store_(std::move(options.open_store)) {
  require_valid(parameters);
  if (open_store_ || !data_directory_.empty())
    archive_ = make_runtime_archive(*this, open_store_ ? std::filesystem::path{} : data_directory_);
  const calling_thread visit{system};
  topics =
      spawn_topics(system, census, std::chrono::seconds{parameters.subscriber_patience_seconds});
  reports = spawn_reports(system, census, options.reports);
  enabled_reports_ = options.reports;
  spawn_supervisors();
  subscribe_reports();
  const auto error_log = spawn_error_log(system, census, log);
  remember_listener({weak_handle<subscriber_actor>{error_log}, nullptr, {}});
  subscription wanted{{topic::error, topic::exit, topic::validation}, {}, {}, {}};
  wanted.name = "error log";
  send_anonymously(topics, ::backtest::subscribe{std::move(wanted), error_log, false});
}

void runtime_core::remember_listener(known_listener listener) {
  const std::lock_guard lock{mutex};
  std::erase_if(listeners_, [](const auto& item) {
    // One that was unsubscribed by its own callback is gone while that still runs.
    return !item.actor.lock() && (!item.gate || item.gate->has_left());
  });
  listeners_.push_back(std::move(listener));
}

void runtime_core::close_gates() {
  census->close_to_visits();
  const std::lock_guard lock{mutex};
  for (const auto& listener : listeners_)
    if (listener.gate)
      listener.gate->close();
}

void runtime_core::wait_for_callbacks() {
  const std::chrono::seconds patience{parameters.subscriber_patience_seconds};
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (const auto& listener : listeners_)
    if (listener.gate) {
      if (patience == patience.zero())
        listener.gate->wait_until_left();
      else if (!listener.gate->wait_until_left(deadline))
        write_log(log_level::error, "listener",
                  fmt::format("the runtime ends without the callback of {}, which still runs after "
                              "{} s",
                              listener.name, patience.count()));
    }
}

void runtime_core::begin_end() {
  close_gates();
  {
    const std::lock_guard lock{mutex};
    is_ending_ = true;
    for (auto& [key, known] : walks_)
      known->stop(); // first: else a walk takes the ends of its backtests for their results
  }
  shutdown_.request_stop();
}

runtime_core::~runtime_core() {
  begin_end();
  end_message_facade();
  {
    const std::lock_guard lock{mutex};
    for (const auto& driver : drivers_)
      end_actor(driver.lock());
    for (const auto& live : live_drivers_)
      end_actor(live.driver.lock());
    for (const auto& listener : listeners_)
      end_actor(listener.actor.lock());
    sources.clear();
  }
  end_walks();
  end_actor(clients.strategies);
  end_actor(clients.exchanges);
  end_actor(clients.frames);
  end_actor(clients.risks);
  end_actor(clients.partials);
  end_actor(clients.sizings);
  end_actor(reports);
  end_actor(topics);
  for (auto& item : publications_)
    item.close();
  {
    const std::lock_guard lock{store_mutex_};
    end_actor(publisher_);
    end_actor(store_reader_);
    end_actor(store_);
    store_ = store_actor{};
    store_reader_ = snapshot_reader_actor{};
    publisher_ = publisher_actor{};
    stored_.reset();
  }
  clients = {};
  reports = report_actor{};
  topics = topics_actor{};
  census->wait_until_empty();
  wait_for_callbacks();
}

std::function<void(error)> runtime_core::reporter(std::string source) const {
  // Who reports may outlive the bus by a moment; it must not keep it alive.
  return [source = std::move(source), bus = weak_handle<topics_actor>{topics}](error reason) {
    if (auto strong = bus.lock())
      send_anonymously(strong, publish{{{topic::error,
                                         error_event{reason.code, std::move(reason.message), source,
                                                     std::nullopt, nullptr}}}});
  };
}

void runtime_core::spawn_supervisors() {
  const auto report = reporter("supervisor");
  clients.strategies = spawn_supervisor<strategy_key, strategy_actor>(
      system, census, "strategy",
      [this](const strategy_key& key) {
        return spawn_strategy_client(system, census,
                                     schemas.strategies.get(key.strategy_name, "supervisor"));
      },
      report);
  clients.exchanges = spawn_supervisor<exchange_key, exchange_actor>(
      system, census, "exchange",
      [this, report](const exchange_key& key) {
        auto schema = *schemas.exchanges.get(key.exchange_name, "supervisor");
        if (schema.callbacks.on_candle_data)
          schema.callbacks.on_candle_data = guarded(schema, report);
        auto keepers = keepers_of(schema, key.mode == run_mode::live
                                              ? live_reporter(schema.exchange_name, report)
                                              : report);
        if ((key.mode == run_mode::live || keepers) && schema.get_candles && !schema.now)
          schema.now = wall_clock; // a live market goes on
        configuration snapshot;
        {
          const std::lock_guard lock{mutex};
          snapshot = parameters;
        }
        // A live run asks again at every boundary, and tells why it has no candles.
        const auto longest_wait =
            key.mode == run_mode::live
                ? std::min(longest_fetch_wait, std::chrono::seconds{snapshot.candle_wait_seconds})
                : longest_fetch_wait;
        return spawn_exchange_client(system, census, std::move(schema), snapshot,
                                     shutdown_.get_token(), longest_wait, std::move(keepers));
      },
      report);
  clients.frames = spawn_supervisor<frame_key, frame_actor>(
      system, census, "frame",
      [this](const frame_key& key) {
        return spawn_frame_client(system, census, *schemas.frames.get(key.frame_name, "supervisor"));
      },
      report);
  clients.risks = spawn_supervisor<risk_key, risk_actor>(
      system, census, "risk",
      [this](const risk_key& key) {
        std::shared_ptr<const portfolio_setup> setup;
        {
          const std::lock_guard lock{mutex};
          if (const auto found = setups_.find(key.portfolio); found != setups_.end())
            setup = found->second.lock();
        }
        if (!setup)
          throw failure(error_code::not_found,
                        fmt::format("portfolio {} not found source=supervisor", key.portfolio));
        std::vector<risk_schema> profiles;
        for (const auto& schema : setup->risks)
          if (std::find(key.profiles.begin(), key.profiles.end(), schema->risk_name) !=
              key.profiles.end())
            profiles.push_back(*schema);
        return spawn_risk_client(system, census, std::move(profiles),
                                 participants_of(*setup, key.profiles), key.mode);
      },
      report);
  clients.partials = spawn_supervisor<partial_key, partial_actor>(
      system, census, "partial",
      [this](const partial_key&) { return spawn_partial_client(system, census); }, report);
  clients.sizings = spawn_supervisor<sizing_key, sizing_actor>(
      system, census, "sizing",
      [this, report](const sizing_key& key) {
        return spawn_sizing_client(
            system, census, *schemas.sizings.get(key.sizing_name, "supervisor"), report);
      },
      report);
}

failure_reporter runtime_core::live_reporter(std::string exchange_name,
                                             failure_reporter otherwise) {
  return [this, exchange_name = std::move(exchange_name),
          otherwise = std::move(otherwise)](error problem) {
    live_actor driver;
    if (problem.code != error_code::store_failed && may_come_back(problem.code)) {
      const std::lock_guard lock{mutex};
      for (const auto& live : live_drivers_)
        if (live.exchange_name == exchange_name && !driver)
          driver = live.driver.lock();
    }
    if (!driver)
      return otherwise(std::move(problem));
    send_anonymously(driver, note_error{{problem.code, std::move(problem.message), "exchange",
                                         std::nullopt, nullptr}});
  };
}

candle_keeper_factory runtime_core::keepers_of(const exchange_schema& schema,
                                               const failure_reporter& report) {
  if (!schema.keeps_candles || !archive_)
    return {};
  return [this, report, name = schema.exchange_name] {
    return std::make_shared<candle_keeper>(name, archive_, [this, report](error problem) {
      if (!is_ending()) // the store goes before its users are all gone
        report(std::move(problem));
    });
  };
}

void runtime_core::check_names(const std::vector<std::string>& symbols,
                               const std::vector<std::string>& strategies,
                               const std::string& exchange, std::string_view source,
                               std::string_view named_by) const {
  const auto require_some = [&](const char* field, const std::vector<std::string>& names) {
    if (names.empty())
      throw failure(error_code::invalid_argument,
                    fmt::format("{}: {} must not be empty", source, field));
    std::set<std::string_view> seen;
    for (const auto& name : names)
      if (name.empty() || !seen.insert(name).second)
        throw failure(error_code::invalid_argument,
                      fmt::format("{}: {} must be different non-empty names, got \"{}\"{}", source,
                                  field, name, name.empty() ? "" : " twice"));
  };
  require_some("symbols", symbols);
  require_some("strategies", strategies);
  for (const auto& name : strategies)
    schemas.complete_strategy(name, source, named_by);
  schemas.exchanges.get(exchange, source, named_by);
}

void runtime_core::check(const backtest_request& request, std::string_view source) const {
  check_names(request.symbols, request.strategies, request.exchange, source);
  schemas.frames.get(request.frame, source);
}

std::shared_ptr<portfolio_setup>
runtime_core::capture(const std::vector<shared_identity>& runs) const {
  auto setup = std::make_shared<portfolio_setup>();
  setup->parameters = parameters;
  setup->exchange = schemas.exchanges.get(runs.front()->exchange_name, "capture");
  setup->sizings = std::make_shared<const std::vector<sizing_schema>>(schemas.sizings.list());
  for (const auto& identity : runs) {
    portfolio_run run;
    run.identity = identity;
    run.strategy = schemas.strategies.get(identity->strategy_name, "capture");
    if (const auto source = sources.find(identity->strategy_name); source != sources.end())
      run.source = source->second;
    setup->runs.push_back(std::move(run));
  }
  setup->topics = topics;
  setup->reports = reports;
  setup->clients = clients;
  setup->census = census;
  setup->steady_clock = deadline_clock_.watch();
  setup->stopwatch = stopwatch_milliseconds;
  setup->wall_clock = wall_clock;
  return setup;
}

started_run runtime_core::register_run(portfolio_setup& setup, bool as_stream) {
  std::sort(setup.runs.begin(), setup.runs.end(), [](const auto& left, const auto& right) {
    return std::tie(left.identity->strategy_name, left.identity->symbol) <
           std::tie(right.identity->strategy_name, right.identity->symbol);
  });
  std::set<std::string> profiles;
  for (const auto& run : setup.runs)
    for (const auto& name : profiles_of(*run.strategy))
      if (profiles.insert(name).second)
        setup.risks.push_back(schemas.risks.get(name, "capture"));
  if (!setup.is_walked)
    take_names(setup);
  started_run started;
  setup.number = ++last_number_;
  std::vector<shared_identity> identities;
  for (auto& run : setup.runs) {
    started.stops.emplace_back();
    run.stop = started.stops.back().get_token();
    identities.push_back(run.identity);
  }
  std::stop_source halting;
  setup.halted = halting.get_token();
  started.halt = [halting, stops = started.stops]() mutable {
    halting.request_stop(); // before the stops, as whoever sees one looks whether it is this
    for (auto& stop : stops)
      stop.request_stop();
  };
  setup.at_end = std::make_shared<std::stop_callback<std::function<void()>>>(shutdown_.get_token(),
                                                                             started.halt);
  started.callers = callers;
  started.record =
      std::make_shared<portfolio_record>(setup.number, identities, setup.wall_clock(), setup.alarm);
  if (as_stream)
    started.stream = std::make_shared<stream_channel>();
  setup.record = started.record;
  setup.stream = started.stream;
  const bool live = identities.front()->mode == run_mode::live;
  if (live)
    live_profiles_.merge(std::set<std::string>{profiles});
  setup.release = [this, live, profiles, number = setup.number, is_walked = setup.is_walked,
                   identities] {
    const std::lock_guard inner{mutex};
    if (!is_walked)
      for (const auto& identity : identities)
        taken_.erase({identity->symbol, identity->strategy_name, identity->mode});
    if (live)
      for (const auto& name : profiles)
        live_profiles_.erase(name);
    setups_.erase(number);
  };
  if (!setup.is_walked)
    list_run(started, identities);
  return started;
}

void runtime_core::list_run(const started_run& started,
                            const std::vector<shared_identity>& identities) {
  for (std::size_t i = 0; i < identities.size(); ++i)
    known_[{identities[i]->symbol, identities[i]->strategy_name, identities[i]->mode}] = {
        started.record, i, started.stops[i], {}, {}};
}

void runtime_core::note_driver(const std::vector<shared_identity>& identities,
                               const portfolio_actor& driver) {
  for (const auto& identity : identities)
    if (const auto found = known_.find({identity->symbol, identity->strategy_name, identity->mode});
        found != known_.end())
      found->second.backtest = weak_handle<portfolio_actor>{driver};
}

void runtime_core::take_names(const portfolio_setup& setup) {
  std::vector<run_key> keys;
  for (const auto& run : setup.runs)
    keys.emplace_back(run.identity->symbol, run.identity->strategy_name, run.identity->mode);
  for (const auto& key : keys)
    if (taken_.count(key) > 0)
      throw failure(error_code::already_running,
                    fmt::format("strategy {} on {} is already running in this runtime",
                                std::get<1>(key), std::get<0>(key)));
  taken_.insert(keys.begin(), keys.end());
}

started_run runtime_core::start(const backtest_request& request, bool as_stream,
                                std::string_view source) {
  check(request, source);
  std::vector<shared_identity> identities;
  for (const auto& strategy : request.strategies)
    for (const auto& symbol : request.symbols)
      identities.push_back(std::make_shared<const run_identity>(run_identity{
          symbol, strategy, request.exchange, request.frame, run_mode::backtest}));
  started_run started;
  portfolio_actor driver;
  const calling_thread visit{system};
  {
    const std::lock_guard lock{mutex};
    const auto setup = capture(identities);
    setup->lockstep = request.lockstep;
    started = launch(setup, as_stream, driver);
  }
  write_log(log_level::info, source,
            fmt::format("run {} starts: {} strategies on {} symbols", started.record->id(),
                        request.strategies.size(), request.symbols.size()));
  send_anonymously(driver, start_portfolio{});
  return started;
}

started_run runtime_core::launch(const std::shared_ptr<portfolio_setup>& setup, bool as_stream,
                                 portfolio_actor& driver) {
  auto started = register_run(*setup, as_stream);
  setups_[setup->number] = setup;
  driver = spawn_portfolio(system, census, setup);
  std::erase_if(drivers_, [](const auto& item) { return !item.lock(); });
  drivers_.emplace_back(driver);
  // The driver lives as long as its run; a handle that is kept must not keep it.
  const weak_handle<portfolio_actor> weak{driver};
  if (!setup->is_walked) {
    std::vector<shared_identity> identities;
    for (const auto& run : setup->runs)
      identities.push_back(run.identity);
    note_driver(identities, driver);
  }
  started.stop_told = [weak] {
    if (auto strong = weak.lock())
      send_anonymously(strong, stop_portfolio{});
  };
  started.demand = [weak] {
    if (auto strong = weak.lock())
      send_anonymously(strong, demand_element{});
  };
  started.end_at_once = [weak, halt = started.halt] {
    halt(); // a busy range ends early
    if (auto strong = weak.lock())
      send_anonymously(strong, abort_portfolio{});
  };
  return started;
}

void runtime_core::stop(const std::string& symbol, const std::string& strategy, run_mode mode) {
  const std::lock_guard lock{mutex};
  if (taken_.count({symbol, strategy, mode}) == 0)
    return;
  const auto found = known_.find({symbol, strategy, mode});
  if (found == known_.end())
    return; // a walker holds the name and has not come to it yet
  auto& run = found->second;
  run.stop.request_stop();
  if (auto driver = run.live.lock())
    send_anonymously(driver, stop_live{});
  if (auto driver = run.backtest.lock())
    send_anonymously(driver, stop_portfolio{});
}

run_status runtime_core::status(const std::string& symbol, const std::string& strategy,
                                run_mode mode) const {
  const std::lock_guard lock{mutex};
  if (const auto found = known_.find({symbol, strategy, mode}); found != known_.end())
    return found->second.record->statuses()[found->second.index];
  run_status none;
  none.identity.symbol = symbol;
  none.identity.strategy_name = strategy;
  none.identity.mode = mode;
  return none;
}

std::shared_ptr<portfolio_record> runtime_core::find_record(const std::string& symbol,
                                                            const std::string& strategy,
                                                            run_mode mode) const {
  const std::lock_guard lock{mutex};
  const auto found = known_.find({symbol, strategy, mode});
  return found == known_.end() ? nullptr : found->second.record;
}

std::vector<run_status> runtime_core::statuses(run_mode mode) const {
  std::vector<run_status> all;
  {
    const std::lock_guard lock{mutex};
    for (const auto& [key, run] : known_)
      if (std::get<run_mode>(key) == mode)
        all.push_back(run.record->statuses()[run.index]);
  }
  std::stable_sort(all.begin(), all.end(), [](const auto& left, const auto& right) {
    return std::tie(left.started_at, left.id) < std::tie(right.started_at, right.id);
  });
  return all;
}

void runtime_core::with_reports(std::function<void(report_book&)> work) const {
  std::exception_ptr thrown;
  const ask_report message{[&](report_book& book) {
    try {
      work(book);
    } catch (...) {
      thrown = std::current_exception();
    }
  }};
  const calling_thread visit{system};
  caf::scoped_actor self{system};
  request(self, reports, caf::infinite, message)
      .receive([](const report_answer&) {},
               [](const caf::error& reason) {
                 throw failure(error_code::actor_failed,
                               "the report actor is gone: " + text_of(reason));
               });
  if (thrown)
    std::rethrow_exception(thrown);
}

void runtime_core::subscribe_reports() {
  const calling_thread visit{system};
  caf::scoped_actor self{system};
  const auto gone = [](const caf::error& reason) {
    throw failure(error_code::actor_failed, "the bus is gone: " + text_of(reason));
  };
  for (const auto id : std::exchange(report_subscriptions_, {}))
    send_anonymously(topics, unsubscribe{id});
  for (auto& wanted : subscriptions_for(enabled_reports_))
    request(self, topics, caf::infinite,
            ::backtest::subscribe{std::move(wanted), subscriber_actor{reports}, true})
        .receive([&](const subscribed& answer) { report_subscriptions_.push_back(answer.id); },
                 gone);
}

void runtime_core::enable_reports(report_set kinds) {
  callers->require_may_wait("enable_reports", waiting_for::actors);
  {
    const std::lock_guard lock{mutex};
    if (!taken_.empty())
      throw failure(error_code::already_running,
                    "enable_reports: runs are under way; reports are chosen before they start");
    enabled_reports_ = kinds;
  }
  with_reports([kinds](report_book& book) { book.enable(kinds); });
  subscribe_reports();
}

report_set runtime_core::enabled_reports() const {
  const std::lock_guard lock{mutex};
  return enabled_reports_;
}

void runtime_core::write_log(log_level level, std::string_view topic, std::string_view payload,
                             const log_context& context) const noexcept {
  try {
    if (log->enabled(level))
      log->write(level, topic, payload, context);
  } catch (...) { // NOLINT: documented, loggers' own failures are dropped
  }
}

} // namespace backtest
