#include "actors/store/snapshot_reader_actor.hpp"
#include "actors/store/store_actor.hpp"
#include "actors/topics/topics_actor.hpp"
#include "storage/journal.hpp"
#include "storage/memory_store.hpp"
#include "tests/support/deterministic_system.hpp"
#include "tests/support/slow_snapshots.hpp"

#if !BACKTEST_CAF_MODERN

#include <map>

using namespace backtest;
using namespace backtest::testing;

namespace {

constexpr std::array topics_used{topic::error, topic::exit, topic::validation};

event note(const shared_identity& run, int number) {
  return {topics_used[static_cast<std::size_t>(number) % topics_used.size()],
          error_event{error_code::data_gap, std::to_string(number), "test", std::nullopt, run}};
}

int number_of(const event& item) { return std::stoi(std::get<error_event>(item.payload).message); }

shared_identity identity(const std::string& symbol) {
  return std::make_shared<const run_identity>(
      run_identity{symbol, "strategy", "exchange", "frame", run_mode::backtest});
}

/// Numbers heard, by symbol of their producer.
struct hearing {
  std::map<std::string, std::vector<int>> numbers;
  std::size_t total = 0;
};
using shared_hearing = std::shared_ptr<hearing>;

struct subscriber_state {
  self_pointer<subscriber_actor, subscriber_state> self = nullptr;
  shared_hearing heard;
  int lives = 0;             ///< batches until it dies; 0: never
  bool dies_in_hand = false; ///< with the credit still owed

  void init(shared_hearing to, int batches, bool in_hand) {
    heard = std::move(to);
    lives = batches;
    dies_in_hand = in_hand;
  }

  subscriber_actor::behavior_type make_behavior() {
    return {[this](const event_batch& batch) -> caf::result<batch_done> {
      for (const auto& item : batch.events) {
        heard->numbers[identity_of(item)->symbol].push_back(number_of(item));
        ++heard->total;
      }
      auto promise = promise_answer<batch_done>(self);
      if (lives > 0 && --lives == 0) {
        self->quit(caf::exit_reason::kill);
        if (dies_in_hand)
          return promise;
      }
      promise.deliver(batch_done{});
      return promise;
    }};
  }
};

subscriber_actor spawn_subscriber(caf::actor_system& system, const shared_hearing& heard,
                                  int lives = 0, bool dies_in_hand = false) {
  return spawn_actor<subscriber_state, subscriber_actor>(system, nullptr, heard, lives,
                                                         dies_in_hand);
}

/// Publishes 0 .. count-1 in batches, each after the answer to the one before.
struct producer_state {
  self_pointer<producer_actor, producer_state> self = nullptr;
  topics_actor bus;
  shared_identity run;
  int next = 0, count = 0, batch = 1;
  shared_hearing built_in;
  std::shared_ptr<int> published_so_far;

  void init(topics_actor to, std::string symbol, int numbers, int at_a_time, shared_hearing reports,
            std::shared_ptr<int> progress) {
    bus = std::move(to);
    run = identity(symbol);
    count = numbers;
    batch = at_a_time;
    built_in = std::move(reports);
    published_so_far = std::move(progress);
    request(self, bus, caf::infinite, register_producer{producer_actor{self}, {run}})
        .then([this](const interest_list& list) {
          CHECK(list.masks.size() == 1);
          go_on();
        });
  }

  producer_actor::behavior_type make_behavior() {
    return {[this](const interest_changed&) { return interest_noted{{{*run, next}}}; }};
  }

  void go_on() {
    if (next == count) {
      send(self, bus, deregister_producer{producer_actor{self}});
      self->quit();
      return;
    }
    publish message;
    for (int i = 0; i < batch && next < count; ++i)
      message.events.push_back(note(run, next++));
    request(self, bus, caf::infinite, std::move(message)).then([this](const published&) {
      if (built_in) // B6: applied before the answer
        CHECK(built_in->numbers[run->symbol].size() >= static_cast<std::size_t>(next));
      *published_so_far = next;
      go_on();
    });
  }
};

std::shared_ptr<int> spawn_producer(caf::actor_system& system, const topics_actor& bus,
                                    const std::string& symbol, int count, int batch,
                                    const shared_hearing& built_in) {
  auto progress = std::make_shared<int>(0);
  spawn_actor<producer_state, producer_actor>(system, nullptr, bus, symbol, count, batch, built_in,
                                              progress);
  return progress;
}

subscription everything() { return {{topics_used.begin(), topics_used.end()}, {}, {}, {}}; }

std::vector<int> up_to(
    int count, bool (*accepted)(int) = [](int) { return true; }) {
  std::vector<int> numbers;
  for (int i = 0; i < count; ++i)
    if (accepted(i))
      numbers.push_back(i);
  return numbers;
}

/// No loss inside, no repetition, in order.
bool is_stretch(const std::vector<int>& numbers) {
  for (std::size_t i = 1; i < numbers.size(); ++i)
    if (numbers[i] != numbers[i - 1] + 1)
      return false;
  return true;
}

} // namespace

TEST_CASE(
    "topics: order per producer across topics, no loss, no repetition, in 1,000 interleavings") {
  with_seeds(1000, [](deterministic_system& system) {
    const auto bus = spawn_topics(system.get(), nullptr);
    const auto all = std::make_shared<hearing>(), exits = std::make_shared<hearing>(),
               only_b = std::make_shared<hearing>(), reports = std::make_shared<hearing>(),
               late = std::make_shared<hearing>(), leaving = std::make_shared<hearing>(),
               dying = std::make_shared<hearing>(), dying_in_hand = std::make_shared<hearing>(),
               late_on_c = std::make_shared<hearing>(), leaving_a = std::make_shared<hearing>();
    const auto join = [&](const shared_hearing& heard, subscription wanted, bool built_in = false,
                          int lives = 0, bool in_hand = false) {
      return system.ask<subscribed>(
          bus, subscribe{std::move(wanted), spawn_subscriber(system.get(), heard, lives, in_hand),
                         built_in});
    };
    join(all, everything());
    join(exits, {{topic::exit}, {}, {}, {}});
    join(only_b, {everything().topics, {}, {"B"}, {}});
    join(reports, everything(), true);
    const auto leaver = join(leaving, everything());
    const auto leaver_of_a = join(leaving_a, {everything().topics, {}, {"A"}, {"strategy"}});
    join(dying, everything(), system.one_in(2), 1 + static_cast<int>(system.choose(5)));
    join(dying_in_hand, everything(), system.one_in(2), 1 + static_cast<int>(system.choose(5)),
         true);
    system.run();
    constexpr int count = 40;
    for (const auto* symbol : {"A", "B", "C"})
      spawn_producer(system.get(), bus, symbol, count, 1 + static_cast<int>(system.choose(7)),
                     reports);
    system.steps(system.choose(120));
    const auto joined = join(late, everything());
    join(late_on_c, {everything().topics, {}, {"C"}, {}});
    system.steps(system.choose(60));
    send_anonymously(bus, unsubscribe{leaver_of_a->value().id});
    send_anonymously(bus, unsubscribe{leaver->value().id});
    send_anonymously(bus, unsubscribe{leaver->value().id}); // of no further effect
    system.run();
    REQUIRE(joined->has_value());
    CHECK(system.ask<topics_flushed>(bus, flush_topics{}) != nullptr);
    for (const auto* symbol : {"A", "B", "C"}) {
      CHECK(all->numbers[symbol] == up_to(count));
      CHECK(reports->numbers[symbol] == up_to(count));
      CHECK(exits->numbers[symbol] == up_to(count, [](int i) { return i % 3 == 1; }));
      CHECK(is_stretch(late->numbers[symbol]));
      CHECK((late->numbers[symbol].empty() || late->numbers[symbol].back() == count - 1));
      for (const auto& left : {leaving, dying, dying_in_hand}) {
        CHECK(is_stretch(left->numbers[symbol]));
        CHECK((left->numbers[symbol].empty() || left->numbers[symbol].front() == 0));
      }
    }
    CHECK(only_b->numbers.size() == 1);
    CHECK(only_b->numbers["B"] == up_to(count));
    const auto& on_a = leaving_a->numbers["A"];
    CHECK(is_stretch(on_a));
    CHECK((on_a.empty() || on_a.front() == 0));
    CHECK(leaving_a->numbers.size() == 1);
    const auto& on_c = late_on_c->numbers["C"];
    CHECK(is_stretch(on_c));
    CHECK((on_c.empty() || on_c.back() == count - 1));
    CHECK(late_on_c->numbers.size() == 1);
    const auto flushed = system.ask<topics_flushed>(bus, flush_topics{});
    system.run();
    CHECK(flushed->has_value());
  });
}

TEST_CASE("topics: built-in subscribers get idle stretches behind the events told with them") {
  with_seeds(100, [](deterministic_system& system) {
    struct recorder_state {
      self_pointer<subscriber_actor, recorder_state> self = nullptr;
      std::vector<std::string>* out = nullptr;
      void init(std::vector<std::string>* to) { out = to; }
      subscriber_actor::behavior_type make_behavior() {
        return {[this](const event_batch& batch) {
          for (const auto& item : batch.events)
            out->push_back("opened " + std::to_string(*instant_of(item)));
          if (batch.idle)
            for (const auto& stretch : *batch.idle)
              out->push_back("idle " + std::to_string(stretch.timestamp));
          return batch_done{};
        }};
      }
    };
    struct watched_state {
      self_pointer<producer_actor, watched_state> self = nullptr;
      void init() {}
      producer_actor::behavior_type make_behavior() {
        return {[](const interest_changed&) { return interest_noted{}; }};
      }
    };
    const auto bus = spawn_topics(system.get(), nullptr);
    const auto run = std::make_shared<const run_identity>(
        run_identity{"A", "strategy", "exchange", "", run_mode::live});
    std::vector<std::string> reported, heard, closes;
    const auto join = [&](std::vector<std::string>& out, tick_action action, bool built_in) {
      system.ask<subscribed>(
          bus, subscribe{{{topic::signal_live}, {tick_action::opened, action}, {}, {}},
                         spawn_actor<recorder_state, subscriber_actor>(system.get(), nullptr, &out),
                         built_in});
    };
    join(reported, tick_action::idle, true);
    join(closes, tick_action::closed, true);
    system.run();
    const auto masks = system.ask<interest_list>(
        bus, register_producer{spawn_actor<watched_state, producer_actor>(system.get(), nullptr),
                               {run}});
    system.run();
    CHECK((*masks)->masks[0].has_newest_idle());
    CHECK_FALSE((*masks)->masks[0].has(tick_action::idle)); // nobody wants every one
    join(heard, tick_action::idle, false);
    system.run();
    std::vector<std::shared_ptr<std::optional<published>>> answers;
    for (const instant when : {1, 2, 3}) {
      publish message;
      tick_result tick;
      tick.action = tick_action::opened;
      tick.run = run;
      tick.timestamp = when;
      if (when != 2)
        message.events.push_back({topic::signal_live, tick});
      message.idle.push_back({run, when, 100, false});
      answers.push_back(system.ask<published>(bus, message));
      system.run();
      REQUIRE(answers.back()->has_value());
    }
    using texts = std::vector<std::string>;
    CHECK(reported == texts{"opened 1", "idle 1", "idle 2", "opened 3", "idle 3"});
    CHECK(heard == texts{"opened 1", "opened 3"});
    CHECK(closes == texts{"opened 1", "opened 3"});
  });
}

TEST_CASE(
    "topics: a producer knows what is asked of each of its runs, as subscribers come and go") {
  deterministic_system system{1};
  const auto bus = spawn_topics(system.get(), nullptr);
  std::vector<interest> asked;
  struct asked_state {
    self_pointer<producer_actor, asked_state> self = nullptr;
    std::vector<interest>* out = nullptr;
    void init(std::vector<interest>* to) { out = to; }
    producer_actor::behavior_type make_behavior() {
      return {[this](const interest_changed& message) {
        *out = message.masks;
        return interest_noted{};
      }};
    }
  };
  const auto producer = spawn_actor<asked_state, producer_actor>(system.get(), nullptr, &asked);
  const auto heard = std::make_shared<hearing>();
  const auto join = [&](subscription wanted) {
    const auto joined = system.ask<subscribed>(
        bus, subscribe{std::move(wanted), spawn_subscriber(system.get(), heard), false});
    system.run();
    return joined->value().id;
  };
  const auto leave = [&](subscription_id id) {
    send_anonymously(bus, unsubscribe{id});
    system.run();
  };
  using masks = std::vector<interest>;
  const auto errors = interest::of(topic::error), exits = interest::of(topic::exit);
  const auto before = join({{topic::error}, {}, {}, {}});
  const auto first =
      system.ask<interest_list>(bus, register_producer{producer, {identity("A"), identity("B")}});
  system.run();
  CHECK(first->value().masks == masks{errors, errors});
  const auto on_b = join({{topic::exit}, {}, {"B"}, {}});
  CHECK(asked == masks{errors, errors | exits});
  const auto on_a = join({{topic::exit}, {}, {"A"}, {}});
  CHECK(asked == masks{errors | exits, errors | exits});
  leave(on_b);
  CHECK(asked == masks{errors | exits, errors});
  leave(before);
  CHECK(asked == masks{exits, {}});
  leave(on_a);
  CHECK(asked == masks{{}, {}});
}

TEST_CASE(
    "topics: of batches of several runs each hears its part, alone or with others, 1,000 seeds") {
  struct recorder_state {
    self_pointer<subscriber_actor, recorder_state> self = nullptr;
    std::vector<int>* out = nullptr;
    void init(std::vector<int>* to) { out = to; }
    subscriber_actor::behavior_type make_behavior() {
      return {[this](const event_batch& batch) {
        for (const auto& item : batch.events)
          out->push_back(number_of(item));
        return batch_done{};
      }};
    }
  };
  with_seeds(1000, [](deterministic_system& system) {
    const auto bus = spawn_topics(system.get(), nullptr);
    const std::vector<shared_identity> runs{nullptr, identity("A"), identity("B"), identity("C")};
    struct listener {
      subscription wanted;
      std::vector<int> heard, expected;
    };
    std::vector<listener> listeners(1 + system.choose(5));
    for (auto& item : listeners) {
      for (const auto on : topics_used)
        if (!system.one_in(3))
          item.wanted.topics.push_back(on);
      for (std::size_t run = 1; run < runs.size(); ++run)
        if (system.one_in(3))
          item.wanted.symbols.push_back(runs[run]->symbol);
      system.ask<subscribed>(bus, subscribe{item.wanted,
                                            spawn_actor<recorder_state, subscriber_actor>(
                                                system.get(), nullptr, &item.heard),
                                            system.one_in(2)});
    }
    system.run();
    int number = 0;
    for (std::size_t batches = 1 + system.choose(6); batches > 0; --batches) {
      publish message;
      for (std::size_t events = 1 + system.choose(12); events > 0; --events)
        message.events.push_back(note(runs[system.choose(runs.size())], number++));
      for (auto& item : listeners)
        for (const auto& told : message.events)
          if (subscription_filter{item.wanted}.wants(told))
            item.expected.push_back(number_of(told));
      send_anonymously(bus, std::move(message)); // in this order
      system.steps(system.choose(30));
    }
    system.run();
    for (const auto& item : listeners)
      CHECK(item.heard == item.expected);
  });
}

TEST_CASE("topics: a tick is heard under its own topic and as a signal, by action and strategy") {
  deterministic_system system{1};
  const auto bus = spawn_topics(system.get(), nullptr);
  const auto run = identity("A");
  std::vector<std::pair<topic, tick_action>> heard;
  struct recorder_state {
    self_pointer<subscriber_actor, recorder_state> self = nullptr;
    std::vector<std::pair<topic, tick_action>>* out = nullptr;
    void init(std::vector<std::pair<topic, tick_action>>* to) { out = to; }
    subscriber_actor::behavior_type make_behavior() {
      return {[this](const event_batch& batch) {
        for (const auto& item : batch.events)
          out->emplace_back(item.on, std::get<tick_result>(item.payload).action);
        return batch_done{};
      }};
    }
  };
  const auto recorder =
      spawn_actor<recorder_state, subscriber_actor>(system.get(), nullptr, &heard);
  system.ask<subscribed>(bus, subscribe{{{topic::signal, topic::signal_backtest},
                                         {tick_action::opened, tick_action::closed},
                                         {},
                                         {"strategy"}},
                                        recorder,
                                        false});
  system.run();
  publish message;
  for (const auto action : {tick_action::opened, tick_action::active, tick_action::closed}) {
    tick_result tick;
    tick.action = action;
    tick.run = run;
    message.events.push_back({topic::signal_backtest, tick});
  }
  system.ask<published>(bus, message);
  system.run();
  using pair = std::pair<topic, tick_action>;
  CHECK(heard == std::vector<pair>{{topic::signal_backtest, tick_action::opened},
                                   {topic::signal, tick_action::opened},
                                   {topic::signal_backtest, tick_action::closed},
                                   {topic::signal, tick_action::closed}});
}

namespace {

/// Takes batches but gives no credit until released.
struct release {};
using slow_actor =
    typed_interface<caf::result<batch_done>(event_batch), caf::result<void>(release)>;

struct slow_state {
  self_pointer<slow_actor, slow_state> self = nullptr;
  shared_hearing heard;
  bool released = false;
  std::vector<response_promise<batch_done>> owed;

  void init(shared_hearing to) { heard = std::move(to); }

  slow_actor::behavior_type make_behavior() {
    return {
        [this](const event_batch& batch) -> caf::result<batch_done> {
          heard->total += batch.events.size();
          for (const auto& item : batch.events)
            heard->numbers[identity_of(item)->symbol].push_back(number_of(item));
          auto promise = promise_answer<batch_done>(self);
          if (released)
            promise.deliver(batch_done{});
          else
            owed.push_back(promise);
          return promise;
        },
        [this](const release&) {
          released = true;
          for (auto& promise : owed)
            promise.deliver(batch_done{});
        },
    };
  }
};

} // namespace

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(release)

TEST_CASE("topics: a backlog past the high-water mark holds publishers back, flush waits for all") {
  with_seeds(20, [](deterministic_system& system) {
    const auto bus = spawn_topics(system.get(), nullptr);
    const auto heard = std::make_shared<hearing>();
    const auto slow = spawn_actor<slow_state, slow_actor>(system.get(), nullptr, heard);
    system.ask<subscribed>(bus, subscribe{everything(), slow, false});
    system.run();
    const auto told = spawn_producer(system.get(), bus, "A", 15'000, 100, nullptr);
    system.run();
    CHECK(*told == static_cast<int>(backlog_high_water));
    const auto flushed = system.ask<topics_flushed>(bus, flush_topics{});
    const auto nothing_published = system.ask<published>(bus, publish{});
    system.run();
    CHECK(!flushed->has_value());
    CHECK(nothing_published->has_value()); // only the built-in subscribers were waited for
    send_anonymously(slow, release{});
    system.run();
    CHECK(*told == 15'000);
    CHECK(flushed->has_value());
    CHECK(heard->total == 15'000);
  });
}

TEST_CASE("topics: a subscriber that never answers holds up those it hears, and no others") {
  with_seeds(20, [](deterministic_system& system) {
    const auto bus = spawn_topics(system.get(), nullptr);
    const auto heard = std::make_shared<hearing>(), reports = std::make_shared<hearing>();
    const auto slow = spawn_actor<slow_state, slow_actor>(system.get(), nullptr, heard);
    system.ask<subscribed>(bus, subscribe{{everything().topics, {}, {"A"}, {}}, slow, false});
    system.ask<subscribed>(bus,
                           subscribe{everything(), spawn_subscriber(system.get(), reports), true});
    system.run();
    const auto told_of_a = spawn_producer(system.get(), bus, "A", 15'000, 100, reports);
    const auto told_of_b = spawn_producer(system.get(), bus, "B", 15'000, 100, reports);
    system.run();
    CHECK(*told_of_a == static_cast<int>(backlog_high_water));
    CHECK(*told_of_b == 15'000);
    const auto told_later = spawn_producer(system.get(), bus, "C", 1000, 100, reports);
    system.run();
    CHECK(*told_later == 1000);
    end_actor(slow);
    system.run();
    CHECK(*told_of_a == 15'000);
  });
}

TEST_CASE("topics: who forgoes room is answered though a subscriber has none") {
  with_seeds(20, [](deterministic_system& system) {
    const auto bus = spawn_topics(system.get(), nullptr);
    const auto heard = std::make_shared<hearing>();
    const auto slow = spawn_actor<slow_state, slow_actor>(system.get(), nullptr, heard);
    system.ask<subscribed>(bus, subscribe{everything(), slow, false});
    system.run();
    spawn_producer(system.get(), bus, "A", 15'000, 1000, nullptr);
    system.run();
    struct held_state {
      self_pointer<producer_actor, held_state> self = nullptr;
      int* answers = nullptr;
      void init(topics_actor to, int* answered) {
        answers = answered;
        const auto tell = [this, to](bool waits_for_room) {
          publish news{{note(identity("B"), 1)}, {}, waits_for_room};
          request(self, to, caf::infinite, news).then([this](const published&) { ++*answers; });
        };
        tell(true);
        send(self, to, forgo_room{});
        tell(true); // it is about what was published before
        tell(false);
      }
      producer_actor::behavior_type make_behavior() {
        return {[](const interest_changed&) { return interest_noted{}; }};
      }
    };
    int answers = 0;
    const auto held = spawn_actor<held_state, producer_actor>(system.get(), nullptr, bus, &answers);
    system.run();
    CHECK(answers == 2);
    send_anonymously(slow, release{});
    system.run();
    CHECK(answers == 3);
    CHECK(heard->total == 15'003);
  });
}

namespace {

struct text_state {
  self_pointer<subscriber_actor, text_state> self = nullptr;
  std::shared_ptr<std::vector<std::string>> texts;

  void init(std::shared_ptr<std::vector<std::string>> to) { texts = std::move(to); }

  subscriber_actor::behavior_type make_behavior() {
    return {[this](const event_batch& batch) {
      for (const auto& item : batch.events)
        texts->push_back(std::get<error_event>(item.payload).message);
      return batch_done{};
    }};
  }
};

/// A bus with a journal, a listener that gives no credit and one that hears of it.
struct slow_world {
  explicit slow_world(deterministic_system& given) : system(given) {
    send_anonymously(bus, use_journal{reader});
    system.ask<subscribed>(bus,
                           subscribe{{{topic::validation, topic::exit}, {}, {}, {}}, slow, false});
    system.run(); // it is subscriber 1
    system.ask<subscribed>(
        bus, subscribe{{{topic::error}, {}, {}, {}},
                       spawn_actor<text_state, subscriber_actor>(system.get(), nullptr, told),
                       false});
    system.run();
  }
  ~slow_world() {
    end_actor(store);
    end_actor(reader);
    system.run();
  }
  slow_world(const slow_world&) = delete;
  slow_world& operator=(const slow_world&) = delete;

  /// A hundred journalled events of a live run, and one that no journal keeps.
  void publish_batch(int first) {
    const auto events = std::make_shared<std::vector<event>>();
    for (int i = 0; i < 100; ++i)
      events->push_back(
          {topic::validation, error_event{error_code::data_gap, std::to_string(first + i), "test",
                                          std::nullopt, run}});
    const auto committed = system.ask<turn_committed>(store, commit_turn{++tickets, {}, events});
    system.run();
    auto number = committed->value().first_number;
    publish message{*events};
    for (auto& item : message.events)
      item.number = number++;
    message.events.push_back(
        {topic::exit, error_event{error_code::data_gap, "-1", "test", std::nullopt, run}});
    send_anonymously(bus, std::move(message)); // and waits for nobody
    if (system.one_in(2))
      system.run();
  }

  deterministic_system& system;
  topics_actor bus = spawn_topics(system.get(), nullptr);
  std::function<void()> before_read = [] {}; ///< of the journal, to catch up
  std::shared_ptr<backtest::store> disk =
      std::make_shared<slow_snapshots>(make_memory_store(), [this] { before_read(); });
  store_actor store = spawn_scheduled_store(system.get(), nullptr, {disk, {}});
  snapshot_reader_actor reader = spawn_scheduled_snapshot_reader(system.get(), nullptr, disk);
  shared_hearing heard = std::make_shared<hearing>();
  slow_actor slow = spawn_actor<slow_state, slow_actor>(system.get(), nullptr, heard);
  std::shared_ptr<std::vector<std::string>> told = std::make_shared<std::vector<std::string>>();
  shared_identity run = std::make_shared<const run_identity>(
      run_identity{"A", "strategy", "exchange", "", run_mode::live});
  std::uint64_t tickets = 0;
};

bool has(const std::vector<std::string>& texts, std::string_view part) {
  return std::any_of(texts.begin(), texts.end(),
                     [&](const auto& text) { return text.find(part) != std::string::npos; });
}

} // namespace

TEST_CASE("topics: what a slow listener of a live run misses, it gets from the journal") {
  with_seeds(20, [](deterministic_system& system) {
    slow_world world{system};
    for (int batch = 0; batch < 150; ++batch)
      world.publish_batch(100 * batch);
    system.run();
    CHECK(world.heard->total <= 2 * 1024);
    CHECK(world.told->size() == 1);
    CHECK(has(*world.told, "subscriber 1 (topics validation, exit) is 10100 events behind"));
    const auto flushed = system.ask<topics_flushed>(world.bus, flush_topics{});
    system.run();
    CHECK(!flushed->has_value());
    send_anonymously(world.slow, release{});
    system.steps(system.choose(40));
    world.publish_batch(15'000); // while it catches up
    system.run();
    CHECK(flushed->has_value());
    auto& numbers = world.heard->numbers["A"];
    std::erase(numbers, -1);
    CHECK(numbers == up_to(15'100));
    CHECK(has(*world.told,
              "subscriber 1 (topics validation, exit) has caught up; 5")); // 50 or 51 of the others
    world.publish_batch(15'100);
    system.run();
    CHECK(numbers.size() == 15'201); // as they come again, both kinds
  });
}

TEST_CASE("topics: a slow listener behind the journal's retention is told what is lost") {
  deterministic_system system{3};
  slow_world world{system};
  for (int batch = 0; batch < 120; ++batch)
    world.publish_batch(100 * batch);
  system.run();
  system.ask<store_answer>(world.store, ask_store{[](store& target) {
                             store_batch old;
                             for (std::int64_t number = 1; number <= 11'000; ++number)
                               old.erase(store_space::journal, journal_key(number));
                             target.commit(old);
                           }});
  system.run();
  send_anonymously(world.slow, release{});
  system.run();
  auto& numbers = world.heard->numbers["A"];
  std::erase(numbers, -1);
  CHECK(numbers.size() == 11'000);
  CHECK(numbers.back() == 11'999);
  CHECK(has(*world.told, "the journal no longer keeps the events 10001 to 11000"));
}

TEST_CASE("topics: a journal that cannot be read is told once, holds no flush up, and is tried "
          "again with what comes") {
  with_seeds(10, [](deterministic_system& system) {
    slow_world world{system};
    for (int batch = 0; batch < 110; ++batch)
      world.publish_batch(100 * batch);
    system.run();
    world.before_read = [] { throw failure(error_code::store_failed, "unreadable"); };
    send_anonymously(world.slow, release{});
    system.run();
    for (int batch = 110; batch < 115; ++batch)
      world.publish_batch(100 * batch);
    const auto flushed = system.ask<topics_flushed>(world.bus, flush_topics{});
    system.run();
    CHECK(flushed->has_value());
    CHECK(std::count(world.told->begin(), world.told->end(),
                     "subscriber 1 (topics validation, exit) cannot catch up from number 10001 on: "
                     "unreadable") == 1);
    world.before_read = [] {};
    world.publish_batch(11'500);
    system.run();
    auto& numbers = world.heard->numbers["A"];
    std::erase(numbers, -1);
    CHECK(numbers == up_to(11'600));
    world.before_read = [] { throw failure(error_code::store_failed, "unreadable"); };
    world.publish_batch(11'600); // nobody reads
    system.run();
    CHECK(numbers.back() == -1);
  });
}

TEST_CASE("topics: an entry that is no event is lost by itself for a listener that catches up") {
  deterministic_system system{3};
  slow_world world{system};
  for (int batch = 0; batch < 120; ++batch)
    world.publish_batch(100 * batch);
  system.run();
  store_batch damage;
  for (const std::int64_t number : {10'001, 10'500, 12'000})
    damage.put(store_space::journal, journal_key(number), "{");
  world.disk->commit(damage);
  send_anonymously(world.slow, release{});
  system.run();
  auto& numbers = world.heard->numbers["A"];
  std::erase(numbers, -1);
  CHECK(numbers == up_to(11'999, [](int i) { return i != 10'000 && i != 10'499; }));
  CHECK(has(*world.told, "the event 10001 is lost for a listener that catches up"));
  CHECK(has(*world.told, "the event 10500 is lost"));
  CHECK(has(*world.told, "the event 12000 is lost"));
  CHECK(has(*world.told, "subscriber 1 (topics validation, exit) has caught up"));
}

TEST_CASE("topics: without the reader of the journal it is told that a listener cannot catch up") {
  deterministic_system system{3};
  slow_world world{system};
  for (int batch = 0; batch < 110; ++batch)
    world.publish_batch(100 * batch);
  end_actor(world.reader);
  system.run();
  send_anonymously(world.slow, release{});
  system.run();
  const auto flushed = system.ask<topics_flushed>(world.bus, flush_topics{});
  system.run();
  CHECK(flushed->has_value());
  CHECK(has(*world.told, "subscriber 1 (topics validation, exit) cannot catch up from number 10001 "
                         "on: the reader of the journal is gone"));
}

namespace {

/// A bus that is patient for thirty seconds, and what it says of its subscribers.
struct patient_world {
  explicit patient_world(deterministic_system& given) : system(given) {
    join({{topic::error}, {}, {}, {}},
         spawn_actor<text_state, subscriber_actor>(system.get(), nullptr, told));
  }
  ~patient_world() {
    end_actor(bus);
    system.run();
    system.trigger_timeouts(); // one keeps the bus
    system.run();
  }
  patient_world(const patient_world&) = delete;
  patient_world& operator=(const patient_world&) = delete;

  template <class Subscriber>
  subscription_id join(subscription wanted, const Subscriber& who) {
    const auto joined = system.ask<subscribed>(bus, subscribe{std::move(wanted), who, false});
    system.run();
    return joined->value().id;
  }
  void publish_one(int number) {
    send_anonymously(bus, publish{{note(identity("A"), number)}});
    system.run();
  }
  /// So many looks: ten of them within what patience lasts.
  void look(int times) {
    for (; times > 0; --times) {
      system.trigger_timeouts();
      system.run();
    }
  }

  deterministic_system& system;
  topics_actor bus = spawn_topics(system.get(), nullptr, std::chrono::seconds{30});
  std::shared_ptr<std::vector<std::string>> told = std::make_shared<std::vector<std::string>>();
};

/// Answers with what it is told to.
struct failing_state {
  self_pointer<subscriber_actor, failing_state> self = nullptr;
  shared_hearing heard;
  caf::error answer;

  void init(shared_hearing to, caf::error with) {
    heard = std::move(to);
    answer = std::move(with);
  }
  subscriber_actor::behavior_type make_behavior() {
    return {[this](const event_batch& batch) -> caf::result<batch_done> {
      heard->total += batch.events.size();
      if (heard->total < 4)
        return answer;
      return batch_done{};
    }};
  }
};

} // namespace

TEST_CASE("topics: a subscriber that does not answer is told of once, by name, until it answers") {
  with_seeds(20, [](deterministic_system& system) {
    patient_world world{system};
    const auto heard = std::make_shared<hearing>();
    const auto slow = spawn_actor<slow_state, slow_actor>(system.get(), nullptr, heard);
    subscription wanted{{topic::exit}, {}, {"A", "B"}, {}};
    wanted.name = "charts";
    world.join(wanted, slow);
    world.publish_one(1); // an exit, as 4 is
    world.look(10);
    CHECK(world.told->empty());
    world.look(2);
    REQUIRE(world.told->size() == 1);
    CHECK(world.told->front() ==
          "subscriber 2 \"charts\" (topics exit; symbols A, B) has not answered for 30 s, 1 events "
          "wait for it; backtests and replays that it hears wait once there are more than 10000");
    world.look(30);
    world.publish_one(4);
    world.look(30);
    CHECK(world.told->size() == 1);
    send_anonymously(slow, release{});
    system.run();
    world.look(30);
    CHECK(world.told->size() == 1);
    CHECK(heard->numbers["A"] == std::vector<int>{1, 4});
    end_actor(slow);
    system.run();
  });
}

TEST_CASE("topics: a subscriber that wants it is dropped when it is overdue") {
  with_seeds(20, [](deterministic_system& system) {
    patient_world world{system};
    const auto heard = std::make_shared<hearing>();
    const auto slow = spawn_actor<slow_state, slow_actor>(system.get(), nullptr, heard);
    subscription wanted = everything();
    wanted.topics = {topic::exit, topic::validation};
    wanted.drop_when_overdue = true;
    const auto gate = std::make_shared<listener_gate>();
    system.ask<subscribed>(world.bus, subscribe{wanted, slow, false, gate});
    system.run();
    const auto told = spawn_producer(system.get(), world.bus, "A", 30'000, 100, nullptr);
    system.run();
    CHECK(*told < 30'000);
    CHECK_FALSE(gate->is_closed());
    world.look(12);
    CHECK(*told == 30'000);
    CHECK(gate->is_closed());
    std::erase_if(*world.told, [](const auto& text) { return text.size() < 10; });
    REQUIRE(world.told->size() == 1);
    CHECK(has(*world.told, "subscriber 2 (topics exit, validation) has not answered for 30 s"));
    CHECK(has(*world.told, "it is dropped"));
    send_anonymously(slow, release{});
    system.run();
    CHECK(heard->total <= 2 * 1024);
    end_actor(slow);
    system.run();
  });
}

TEST_CASE("topics: events that a listener is done with count as an answer, no patience, no look") {
  deterministic_system system{1};
  patient_world world{system};
  const auto heard = std::make_shared<hearing>();
  const auto slow = spawn_actor<slow_state, slow_actor>(system.get(), nullptr, heard);
  const auto gate = std::make_shared<listener_gate>();
  system.ask<subscribed>(world.bus, subscribe{{{topic::exit}, {}, {}, {}}, slow, false, gate});
  system.run();
  world.publish_one(1);
  for (int i = 0; i < 20; ++i) {
    world.look(5);
    gate->enter();
    gate->leave();
  }
  CHECK(world.told->empty());
  send_anonymously(world.bus, set_patience{});
  system.run();
  world.look(100);
  CHECK(world.told->empty());
  send_anonymously(world.bus, set_patience{std::chrono::seconds{1}});
  system.run();
  world.look(13);
  CHECK(world.told->size() == 1);
  end_actor(slow);
  system.run();
}

TEST_CASE("topics: an error is an answer: it is told, to others, and the next batch comes") {
  const std::vector<caf::error> answers{caf::make_error(caf::sec::invalid_argument),
                                        caf::make_error(caf::exit_reason::kill)};
  for (const auto& answer : answers)
    with_seeds(20, [&](deterministic_system& system) {
      patient_world world{system};
      const auto heard = std::make_shared<hearing>();
      const auto failing =
          spawn_actor<failing_state, subscriber_actor>(system.get(), nullptr, heard, answer);
      world.join(everything(), failing); // hears errors itself
      for (int number = 1; number <= 5; ++number) {
        world.publish_one(number);
        world.look(1);
      }
      CHECK(heard->total == 5);
      const auto said =
          std::count_if(world.told->begin(), world.told->end(), [&](const auto& text) {
            return text ==
                   "subscriber 2 (topics error, exit, validation) answered a batch of events "
                   "with an error: " +
                       text_of(answer) + "; it gets the next one";
          });
      CHECK(said == 3);
      end_actor(failing);
      system.run();
    });
}

TEST_CASE("topics: a subscriber that dies is told of, unless somebody ended it") {
  for (const bool is_ended : {true, false}) {
    deterministic_system system{1};
    patient_world world{system};
    const auto heard = std::make_shared<hearing>();
    const auto slow = spawn_actor<slow_state, slow_actor>(system.get(), nullptr, heard);
    world.join({{topic::exit}, {}, {}, {}}, slow);
    world.publish_one(1);
    if (is_ended)
      end_actor(slow);
    else
      caf::anon_send_exit(slow, caf::exit_reason::unhandled_exception);
    system.run();
    world.look(40);
    CHECK(world.told->size() == (is_ended ? 0 : 1));
    if (!is_ended)
      CHECK(has(*world.told, "subscriber 2 (topics exit) ended: "));
  }
}

#endif
