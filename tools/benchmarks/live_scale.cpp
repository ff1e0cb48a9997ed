#include "tools/benchmarks/live_scale.hpp"

#include "actors/exchange/aggregate.hpp"
#include "actors/exchange/series_market.hpp"
#include "actors/exchange/synthetic_candles.hpp"
#include "actors/strategy/built_in_strategies.hpp"
#include "runtime/runtime.hpp"
#include "storage/journal.hpp"
#include "storage/memory_store.hpp"
#include "storage/rocksdb_store.hpp"
#include "tools/benchmarks/processes.hpp"
#include "tools/benchmarks/repetitions.hpp"

#include <atomic>
#include <chrono>
#include <filesystem>
#include <limits>
#include <mutex>

#include <unistd.h>

#include <fmt/format.h>

namespace backtest::benchmarks {

namespace {

constexpr instant start = 1'704'067'200'000; // 2024-01-01
constexpr std::size_t symbol_count = 2'000;
constexpr int boundaries = 60;

double milliseconds() {
  return std::chrono::duration<double, std::milli>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

/// Every boundary is due at once, but one at a time; remembers when it was asked for each.
class minute_by_minute final : public live_clock {
public:
  bool is_replay() const noexcept override { return true; }
  instant now() const override {
    const std::lock_guard lock{mutex_};
    asked_.push_back(milliseconds());
    return end_of_time / 2;
  }
  void wake_at(instant, std::function<void()> ring) override { ring(); }
  void cancel() override {}

  /// Median milliseconds between two boundaries, without the first and the last few.
  double boundary() const {
    const std::lock_guard lock{mutex_};
    std::vector<double> each;
    for (std::size_t i = 6; i + 5 < asked_.size(); ++i)
      each.push_back(asked_[i] - asked_[i - 1]);
    return median(std::move(each));
  }

private:
  mutable std::mutex mutex_;
  mutable std::vector<double> asked_;
};

/// A store that keeps nothing but the size of what it was given.
class stub_store final : public store {
public:
  explicit stub_store(std::vector<std::size_t>* sizes) : sizes_(sizes) {}
  std::optional<std::string> get(store_space, std::string_view) const override { return {}; }
  std::vector<store_entry> scan(store_space, std::string_view, std::string_view,
                                std::size_t) const override {
    return {};
  }
  std::optional<store_entry> last(store_space, std::string_view) const override { return {}; }
  std::unique_ptr<store_reader> snapshot() const override { return make_memory_store()->snapshot(); }
  void commit(const store_batch& batch) override { sizes_->push_back(batch.bytes()); }
  void reopen() override {}

private:
  std::vector<std::size_t>* sizes_;
};

std::string symbol_name(std::size_t i) { return fmt::format("SYM{:04}", i); }

/// The same candles under every name.
class same_candles final : public candle_store_source {
public:
  explicit same_candles(std::size_t symbols)
      : symbols_(symbols),
        candles_(generate_candles(7, "SYM", 40'000, 0.6, start - day_ms, start + 4 * 60 * minute_ms)) {}
  std::vector<std::string> symbols() const override {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < symbols_; ++i)
      names.push_back(symbol_name(i));
    return names;
  }
  bool loads_everything() const noexcept override { return true; }
  candle_series load(const std::string& symbol, instant, instant, const configuration&) override {
    auto series = candles_;
    series.symbol = symbol;
    return series;
  }

private:
  std::size_t symbols_;
  candle_series candles_;
};

/// A signal every other minute: opened at one boundary, closed by time at the next.
std::optional<signal_request> busy(const run_context& context) {
  signal_request request;
  const double price = context.average_price();
  request.price_take_profit = price * 1.1;
  request.price_stop_loss = price * 0.9;
  request.minute_estimated_time = 1;
  return request;
}

/// `asked`: for a signal at every boundary, in vain.
enum class activity : std::uint8_t { usual, asked, busy };

strategy_schema strategy_for(activity how) {
  strategy_schema strategy;
  strategy.strategy_name = "strategy";
  strategy.size = how == activity::usual ? interval::m15 : interval::m1;
  if (how == activity::usual)
    strategy.get_signal = make_sma_cross({}, interval::m15);
  else if (how == activity::busy)
    strategy.get_signal = busy;
  else
    strategy.get_signal = [](const run_context&) { return std::nullopt; };
  return strategy;
}

runtime_options options_with(std::function<std::unique_ptr<store>()> open_store) {
  runtime_options options;
  options.threads = 1;
  options.parameters.max_signal_lifetime_minutes = 60;
  options.parameters.schedule_await_minutes = 60;
  options.open_store = std::move(open_store);
  return options;
}

void add_schemas(runtime& target, std::size_t symbols, activity how, int minutes = boundaries) {
  exchange_schema exchange;
  exchange.exchange_name = "prepared";
  exchange.source = std::make_shared<same_candles>(symbols);
  target.add_exchange(std::move(exchange));
  frame_schema frame;
  frame.frame_name = "hour";
  frame.start = start;
  frame.end = start + (minutes - 1) * minute_ms;
  target.add_frame(std::move(frame));
  target.add_strategy(strategy_for(how));
}

/// Milliseconds a boundary takes.
double boundary_of(const std::function<std::unique_ptr<store>()>& open_store, activity how) {
  runtime target{options_with(open_store)};
  add_schemas(target, symbol_count, how);
  live_request request;
  request.symbols = target.get_exchange("prepared").source->symbols();
  request.strategies = {"strategy"};
  request.exchange = "prepared";
  request.frame = "hour";
  const auto clock = std::make_shared<minute_by_minute>();
  request.clock = clock;
  target.live().background(request).wait();
  return clock->boundary();
}

/// The same work by hand: every core a minute further, its rows and numbered events into one batch,
/// and its newest idle tick, which the live report asks for.
double boundary_of_plain_loop(activity how) {
  const auto strategy = strategy_for(how);
  same_candles source{symbol_count};
  const auto parameters = options_with({}).parameters;
  exchange_schema exchange;
  exchange.exchange_name = "prepared";
  struct run {
    std::unique_ptr<series_market> market;
    std::unique_ptr<strategy_core> core;
    std::optional<stored_run> stored;
    shared_identity identity;
  };
  std::vector<run> runs;
  for (const auto& symbol : source.symbols()) {
    run item;
    item.identity = std::make_shared<const run_identity>(
        run_identity{symbol, "strategy", "prepared", "", run_mode::live});
    auto minutes = std::make_shared<const candle_series>(source.load(symbol, 0, 0, parameters));
    auto quarters =
        std::make_shared<const candle_series>(aggregate(*minutes, interval::m15));
    item.market = std::make_unique<series_market>(symbol, 5, number_formats{}, series_loader{});
    item.market->provide({minutes, INT64_MIN, INT64_MAX});
    item.market->provide({quarters, INT64_MIN, INT64_MAX});
    item.core = std::make_unique<strategy_core>(
        strategy,
        plan_for(item.identity, {start, start + (boundaries - 1) * minute_ms, minute_ms}, *minutes,
                 rules_for(exchange, parameters)),
        *item.market);
    runs.push_back(std::move(item));
  }
  auto wanted = interest::of(topic::error) | interest::of(topic::risk) |
                interest::of(topic::partial_profit) | interest::of(topic::partial_loss) |
                interest::of_newest_idle();
  for (const auto action : {tick_action::scheduled, tick_action::opened, tick_action::closed,
                            tick_action::cancelled})
    wanted |= interest::of(action);
  journal_writer journal;
  std::vector<double> each;
  std::vector<event> events;
  std::vector<idle_stretch> idle;
  for (int minute = 0; minute < boundaries; ++minute) {
    const double began = milliseconds();
    store_batch batch;
    idle.clear();
    for (auto& item : runs) {
      events.clear();
      while (item.core->advance({start + (minute + 1) * minute_ms, wanted}, events) ==
             pause_reason::ask_milestones)
        item.core->answer(std::vector<int>{});
      stored_run now{*item.identity, item.core->memory(), std::nullopt};
      put_run(batch, now, item.stored ? &*item.stored : nullptr, {});
      item.stored = std::move(now);
      for (const auto& told : events)
        journal.append(batch, told);
      if (auto tick = item.core->take_idle())
        idle.push_back(*std::move(tick));
    }
    each.push_back(milliseconds() - began);
  }
  return median(std::move(each));
}

class scratch_directory {
public:
  scratch_directory()
      : path_(std::filesystem::current_path() / fmt::format("live-benchmark-{}", ::getpid())) {
    std::filesystem::create_directories(path_);
  }
  ~scratch_directory() {
    std::error_code ignored; // nobody is left to be told
    std::filesystem::remove_all(path_, ignored);
  }
  std::filesystem::path sub(const std::string& name) const { return path_ / name; }

private:
  std::filesystem::path path_;
};

/// Milliseconds RocksDB needs for a synced batch of so many bytes, in rows as long as ours.
double raw_commit(const std::filesystem::path& directory, std::size_t bytes) {
  const auto target = open_rocksdb_store(directory);
  std::vector<double> each;
  for (int round = 0; round < 20; ++round) {
    store_batch batch;
    for (std::size_t row = 0; batch.bytes() < bytes; ++row)
      batch.put(store_space::state, fmt::format("run/prepared/strategy/SYM{:05}", row),
                std::string(280, static_cast<char>('a' + round % 26)));
    const double began = milliseconds();
    target->commit(batch);
    each.push_back(milliseconds() - began);
  }
  return median(std::move(each));
}

std::size_t median_size(std::vector<std::size_t> sizes) {
  std::vector<double> as_numbers(sizes.begin(), sizes.end());
  return static_cast<std::size_t>(median(std::move(as_numbers)));
}

/// Milliseconds of a boundary. The machine is not the same from one second to the next, so whatever
/// is compared takes turns, and medians are taken of the rounds.
struct boundary_times {
  double loop = 0, stubbed = 0, raw = 0, durable = 0;
  std::size_t batch_bytes = 0;
};

boundary_times time_boundaries(const std::filesystem::path& directory, activity how) {
  constexpr int rounds = 5;
  std::vector<double> loop, stubbed, raw, durable;
  std::vector<std::size_t> sizes;
  for (int round = 0; round < rounds; ++round) {
    const auto fresh = [&](const char* what) {
      return directory / fmt::format("{}-{}", what, round);
    };
    loop.push_back(boundary_of_plain_loop(how));
    stubbed.push_back(boundary_of([&] { return std::make_unique<stub_store>(&sizes); }, how));
    raw.push_back(raw_commit(fresh("raw"), median_size(sizes)));
    durable.push_back(boundary_of([&] { return open_rocksdb_store(fresh("live")); }, how));
  }
  return {median(std::move(loop)), median(std::move(stubbed)), median(std::move(raw)),
          median(std::move(durable)), median_size(std::move(sizes))};
}

} // namespace

void print_live_ratios() {
  const scratch_directory scratch;
  for (const auto how : {activity::usual, activity::asked, activity::busy}) {
    const std::string name = how == activity::usual   ? "sma_cross"
                             : how == activity::asked ? "every run asked, no signal"
                                                      : "every run in transition";
    const auto took = time_boundaries(scratch.sub(name), how);
    print_ratio("live boundary, store stubbed / loop",
                fmt::format("{}: loop {:.2f} ms, live {:.2f} ms", name, took.loop, took.stubbed),
                took.stubbed / took.loop, bound::at_most, 5);
    print_ratio("(durable - stubbed) / synced batch",
                fmt::format("{}: durable {:.2f} ms, batch of {} KB {:.2f} ms", name, took.durable,
                            took.batch_bytes / 1000, took.raw),
                (took.durable - took.stubbed) / took.raw, bound::at_most, 1.5);
    if (how == activity::busy)
      print_ratio("transitions a second, live / raw",
                  fmt::format("{:.0f} a second", 2.0 * symbol_count / took.durable * 1000),
                  took.raw / took.durable, bound::at_least, 0.5);
  }
}

void run_live_boundaries(std::string_view how) {
  std::vector<std::size_t> sizes;
  boundary_of([&] { return std::make_unique<stub_store>(&sizes); },
              how == "busy"    ? activity::busy
              : how == "asked" ? activity::asked
                               : activity::usual);
}

void hold_live_strategies(std::size_t count) {
  runtime target{options_with({})};
  add_schemas(target, 1, activity::usual, 30);
  live_request request;
  request.symbols = {symbol_name(0)};
  request.strategies = {"strategy"};
  for (std::size_t i = 1; i < count; ++i) {
    auto strategy = strategy_for(activity::usual);
    strategy.strategy_name = fmt::format("strategy{:04}", i);
    request.strategies.push_back(strategy.strategy_name);
    target.add_strategy(std::move(strategy));
  }
  request.exchange = "prepared";
  request.frame = "hour";
  request.clock = std::make_shared<minute_by_minute>();
  std::atomic<std::int64_t> resident{0};
  // Measured while everything still runs: at the last boundary.
  target.listen({{topic::signal_live}, {tick_action::idle}, {}, {"strategy"}},
                [&](const event& item) {
                  if (std::get<tick_result>(item.payload).timestamp >= start + 20 * minute_ms &&
                      resident == 0)
                    resident = resident_kib();
                });
  target.live().background(request).wait();
  target.flush();
  fmt::print("{}\n", resident.load());
}

void replay_a_week() {
  constexpr std::size_t symbols = 100;
  constexpr int days = 7;
  const scratch_directory scratch;
  runtime_options options;
  options.threads = 1;
  options.data_directory = scratch.sub("week"); // in memory the journal would grow
  runtime target{std::move(options)};
  exchange_schema exchange;
  exchange.exchange_name = "made_up";
  std::vector<std::string> names;
  for (std::size_t i = 0; i < symbols; ++i)
    names.push_back(symbol_name(i));
  exchange.source = std::make_shared<synthetic_source>(7, names, 40'000.0, 0.9);
  target.add_exchange(std::move(exchange));
  frame_schema frame;
  frame.frame_name = "week";
  frame.start = start;
  frame.end = start + days * day_ms - minute_ms;
  target.add_frame(std::move(frame));
  target.add_strategy(strategy_for(activity::usual));
  live_request request;
  request.symbols = names;
  request.strategies = {"strategy"};
  request.exchange = "made_up";
  request.frame = "week";
  request.clock = make_replay_clock(std::numeric_limits<double>::infinity());
  std::atomic<std::int64_t> first_day{0}, last_day{0};
  target.listen({{topic::signal_live}, {tick_action::closed}, {}, {}}, [&](const event& item) {
    const auto when = std::get<tick_result>(item.payload).timestamp;
    if (when >= start + day_ms && first_day == 0)
      first_day = resident_kib();
    if (when >= start + days * day_ms - 60 * minute_ms)
      last_day = resident_kib();
  });
  target.live().background(request).wait();
  target.flush();
  fmt::print("{} {}\n", first_day.load(), last_day.load());
}

void print_live_memory() {
  constexpr std::size_t more = 2'000;
  const auto resident = [](std::size_t count) {
    double kib = 0;
    run_again(fmt::format("--live-strategies={}", count)) >> kib;
    return kib;
  };
  print_ratio("live strategy, KiB", "2,001 against 1 on one symbol, resident",
              (resident(more + 1) - resident(1)) / more, bound::at_most, 16);
  double first_day = 0, last_day = 0;
  run_again("--replay-week") >> first_day >> last_day;
  print_ratio("a week's replay, end / first day",
              fmt::format("{:.0f} MB, then {:.0f} MB", first_day / 1024, last_day / 1024),
              last_day / first_day, bound::at_most, 1.1);
}

} // namespace backtest::benchmarks
