#include "tools/benchmarks/fan_out.hpp"

#include "actors/topics/topics_actor.hpp"
#include "messages/own_actor_system.hpp"
#include "tools/benchmarks/repetitions.hpp"

#include <algorithm>
#include <future>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

namespace backtest::benchmarks {

namespace {

constexpr std::size_t fan_out_symbols = 100;
constexpr std::size_t batch_events = 1000;
constexpr std::size_t batches_in_flight = 4;

/// Closed signals of all symbols in turn.
std::vector<event> make_batch() {
  std::vector<shared_identity> runs;
  for (std::size_t i = 0; i < fan_out_symbols; ++i)
    runs.push_back(std::make_shared<const run_identity>(run_identity{
        fmt::format("SYM{:03}USDT", i), "cross", "exchange", "frame", run_mode::backtest}));
  std::vector<event> events;
  for (std::size_t i = 0; i < batch_events; ++i) {
    tick_result tick;
    tick.action = tick_action::closed;
    tick.run = runs[i % fan_out_symbols];
    tick.signal = std::make_shared<const signal_row>();
    events.push_back({topic::signal_backtest, std::move(tick)});
  }
  return events;
}

struct sink_state {
  self_pointer<subscriber_actor, sink_state> self = nullptr;
  std::size_t heard = 0;

  void init() {}
  subscriber_actor::behavior_type make_behavior() {
    return {[this](const event_batch& message) {
      heard += message.events.size();
      return batch_done{};
    }};
  }
};

/// What a producer does: `tell(self, done)` for each batch, a few of them under way, `done` once
/// they were taken; then whatever `finish` waits for.
template <class Tell, class Finish>
void produce(caf::actor_system& system, std::size_t batches, Tell tell, Finish finish) {
  std::promise<void> over;
  system.spawn([&](caf::event_based_actor* self) {
    struct progress {
      std::size_t begun = 0, ended = 0;
      std::function<void()> go_on;
    };
    const auto made = std::make_shared<progress>();
    made->go_on = [=, &over, now = made.get()] {
      while (now->begun < batches && now->begun - now->ended < batches_in_flight) {
        ++now->begun;
        tell(self, [=, &over] {
          if (++made->ended == batches)
            finish(self, [&over] { over.set_value(); });
          else
            made->go_on();
        });
      }
    };
    made->go_on();
  });
  over.get_future().wait();
}

class fan_out_fixture {
public:
  enum class filters { none, one_symbol };

  fan_out_fixture(std::size_t subscribers, filters chosen) {
    const calling_thread visit{system_.get()};
    bus_ = spawn_topics(system_.get(), nullptr);
    caf::scoped_actor self{system_.get()};
    for (std::size_t i = 0; i < subscribers; ++i) {
      sinks_.push_back(spawn_actor<sink_state, subscriber_actor>(system_.get(), nullptr));
      subscription wanted{{topic::signal_backtest}, {}, {}, {}};
      if (chosen == filters::one_symbol)
        wanted.symbols = {fmt::format("SYM{:03}USDT", i % fan_out_symbols)};
      request(self, bus_, caf::infinite, subscribe{wanted, sinks_.back(), false})
          .receive([](const subscribed&) {}, [](const caf::error&) {});
    }
  }
  ~fan_out_fixture() {
    for (const auto& sink : sinks_)
      end_actor(sink);
    end_actor(bus_);
  }
  fan_out_fixture(const fan_out_fixture&) = delete;
  fan_out_fixture& operator=(const fan_out_fixture&) = delete;

  void through_the_bus(std::size_t batches) {
    produce(
        system_.get(), batches,
        [this](caf::event_based_actor* self, auto done) {
          request(self, bus_, caf::infinite, publish{events_}).then([done](const published&) {
            done();
          });
        },
        [this](caf::event_based_actor* self, auto done) {
          request(self, bus_, caf::infinite, flush_topics{}).then([done](const topics_flushed&) {
            done();
          });
        });
  }

  void plainly(std::size_t batches) {
    produce(
        system_.get(), batches,
        [this](caf::event_based_actor* self, auto done) {
          const auto left = std::make_shared<std::size_t>(sinks_.size());
          for (const auto& sink : sinks_)
            request(self, sink, caf::infinite, event_batch{events_})
                .then([done, left](const batch_done&) {
                  if (--*left == 0)
                    done();
                });
        },
        [](caf::event_based_actor*, auto done) { done(); });
  }

private:
  own_actor_system system_{2};
  topics_actor bus_;
  std::vector<subscriber_actor> sinks_;
  std::vector<event> events_ = make_batch();
};

/// The best round counts: whatever else the machine does only takes time.
double best(const std::vector<double>& taken) {
  return *std::min_element(taken.begin(), taken.end());
}

double events_per_second(std::size_t batches, double milliseconds) {
  return static_cast<double>(batches * batch_events) / milliseconds * 1000;
}

void print_unwanted() {
  constexpr std::size_t count = 20'000'000;
  const auto mask = interest::of(topic::error);
  const auto taken = alternate({[&] {
                                 for (std::size_t i = 0; i < count; ++i) {
                                   auto wanted = mask;
                                   benchmark::DoNotOptimize(wanted);
                                   bool asked = wanted.has(tick_action::idle);
                                   benchmark::DoNotOptimize(asked);
                                 }
                               }},
                               5);
  print_ratio("an event nobody asked for", "ns, by the interest mask", best(taken[0]) * 1e6 / count,
              bound::at_most, 20);
  fan_out_fixture nobody{0, fan_out_fixture::filters::none};
  constexpr std::size_t batches = 200;
  const auto published = alternate({[&] { nobody.through_the_bus(batches); }}, 5);
  fmt::print("{:<34} {:<44} {:8.2f}\n", "the same, told to the bus all the same", "ns",
             best(published[0]) * 1e6 / static_cast<double>(batches * batch_events));
}

} // namespace

void print_fan_out_ratios() {
  for (const auto& [subscribers, batches] :
       {std::pair<std::size_t, std::size_t>{1, 1000}, {10, 100}, {100, 20}}) {
    fan_out_fixture fixture{subscribers, fan_out_fixture::filters::none};
    const auto taken = alternate({[&, count = batches] { fixture.plainly(count); },
                                  [&, count = batches] { fixture.through_the_bus(count); }},
                                 15);
    // When producer and subscriber happen to share a thread, a round is three times as fast: luck,
    // on either side, of which the median has as much as there is.
    print_ratio(fmt::format("bus / plain sends, {} subscribers", subscribers),
                fmt::format("plain {:.2f}, bus {:.2f} M events/s",
                            events_per_second(batches, median(taken[0])) / 1e6,
                            events_per_second(batches, median(taken[1])) / 1e6),
                median(taken[0]) / median(taken[1]), bound::at_least, 0.5);
  }
  fan_out_fixture unfiltered{100, fan_out_fixture::filters::none};
  fan_out_fixture filtered{100, fan_out_fixture::filters::one_symbol};
  // More of the quick ones: threads that slept while the others were measured take milliseconds to
  // wake.
  constexpr std::size_t batches = 40, filtered_batches = 25 * batches;
  const auto taken = alternate({[&] { unfiltered.through_the_bus(batches); },
                                [&] { filtered.through_the_bus(filtered_batches); }},
                               15);
  const double all_ms = best(taken[0]) / batches, some_ms = best(taken[1]) / filtered_batches;
  print_ratio("1 % filters / unfiltered, 100 each",
              fmt::format("ms a batch: unfiltered {:.2f}, filtered {:.3f}", all_ms, some_ms),
              some_ms / all_ms, bound::at_most, 0.05);
  print_unwanted();
}

} // namespace backtest::benchmarks
