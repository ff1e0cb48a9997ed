#include "actors/publisher/publisher_actor.hpp"

#include "actors/store/store_actor.hpp"
#include "storage/memory_store.hpp"
#include "tests/support/deterministic_system.hpp"
#include "tests/support/numbered_journal.hpp"

#if !BACKTEST_CAF_MODERN

using namespace backtest;
using namespace backtest::testing;

namespace {

/// What one tap heard.
struct tap_hearing {
  std::vector<journal_line> lines;
  std::int64_t next = 1;
  std::size_t messages = 0;
  std::optional<journal_ended> ended;
};
using shared_tap_hearing = std::shared_ptr<tap_hearing>;

struct tap_state {
  self_pointer<tap_actor, tap_state> self = nullptr;
  shared_tap_hearing heard;

  void init(shared_tap_hearing to) { heard = std::move(to); }

  tap_actor::behavior_type make_behavior() {
    return {
        [this](const journal_batch& batch) {
          ++heard->messages;
          CHECK(batch.next > heard->next);
          heard->next = batch.next;
          heard->lines.insert(heard->lines.end(), batch.lines.begin(), batch.lines.end());
        },
        [this](const journal_ended& ended) {
          ++heard->messages;
          heard->next = ended.next;
          heard->ended = ended;
        },
    };
  }
};

/// A store and its publisher, as a node has them.
class small_node {
public:
  explicit small_node(deterministic_system& on) : system(on) {
    commits = spawn_scheduled_store(system.get(), nullptr, {disk, {0, 0}});
    node = spawn_scheduled_publisher(
        system.get(), nullptr,
        {disk, commits, [this](const std::string& symbol, const std::string&) -> live_actor {
           ++looked_for_runs;
           throw failure(error_code::invalid_argument, symbol + " does not run");
         }});
  }
  ~small_node() {
    for (const auto& tap : taps_)
      end_actor(tap);
    end_actor(node);
    end_actor(commits);
    system.run();
  }

  /// On its way to the store.
  void commit(std::vector<event> items) {
    answers.push_back(system.ask<turn_committed>(
        commits,
        commit_turn{++ticket_, {}, std::make_shared<std::vector<event>>(std::move(items))}));
  }
  void commit_signals(std::int64_t count) {
    std::vector<event> items;
    while (count-- > 0)
      items.push_back(opened_signal(++made_ % 3 == 0 ? "AAA" : "BBB"));
    commit(std::move(items));
  }

  tap_actor spawn_tap(const shared_tap_hearing& heard) {
    taps_.push_back(spawn_actor<tap_state, tap_actor>(system.get(), nullptr, heard));
    return taps_.back();
  }
  std::shared_ptr<std::optional<journal_followed>> follow(const tap_actor& tap,
                                                          tap_request wanted) {
    return system.ask<journal_followed>(node, follow_journal{tap, std::move(wanted)});
  }
  void grant(tap_id id, std::int64_t lines) { send_anonymously(node, grant_credit{id, lines}); }

  std::vector<journal_line> journal() const { return read_journal(*disk, 1); }

  deterministic_system& system;
  std::shared_ptr<store> disk{make_memory_store()};
  store_actor commits;
  int looked_for_runs = 0;
  publisher_actor node;
  std::vector<std::shared_ptr<std::optional<turn_committed>>> answers;

private:
  std::vector<tap_actor> taps_;
  std::uint64_t ticket_ = 0;
  std::int64_t made_ = 0;
};

tap_request credit_of(std::int64_t credit) {
  tap_request wanted;
  wanted.credit = credit;
  return wanted;
}

/// A reader that lives through several taps, each going on where the one before was.
struct reader {
  std::vector<std::string> symbols;
  std::vector<journal_line> lines;
  std::int64_t next = 1;
  tap_actor tap;
  shared_tap_hearing heard;
  std::shared_ptr<std::optional<journal_followed>> followed;
  std::int64_t granted = 0;
  int lives = 0;

  void begin(small_node& in, std::int64_t credit) {
    heard = std::make_shared<tap_hearing>();
    heard->next = next;
    tap = in.spawn_tap(heard);
    auto wanted = credit_of(credit);
    wanted.from = next;
    wanted.wanted.symbols = symbols;
    granted = credit;
    followed = in.follow(tap, wanted);
    ++lives;
  }
  void check_credit() const {
    CHECK(std::ssize(heard->lines) <= granted);
    CHECK(static_cast<std::int64_t>(heard->messages) <= granted);
  }
  void end() {
    check_credit();
    end_actor(tap);
    lines.insert(lines.end(), heard->lines.begin(), heard->lines.end());
    next = heard->next;
    heard = std::make_shared<tap_hearing>(); // what the dying one may still hear is lost
  }
  void grant(small_node& in, std::int64_t credit) {
    if (!followed->has_value())
      return;
    granted += credit;
    in.grant((*followed)->id, credit);
  }
};

} // namespace

TEST_CASE("lifecycle 10, subscriber: killed and begun anew at any moment it hears the journal, "
          "each line once and in order, in 1,000 interleavings") {
  int lives = 0;
  with_seeds(1000, [&](deterministic_system& system) {
    small_node in{system};
    std::vector<reader> readers(3);
    readers[1].symbols = {"AAA"};
    readers[2].symbols = {"CCC"};
    for (auto& item : readers)
      item.begin(in, static_cast<std::int64_t>(system.choose(4)));
    for (int action = 0; action < 60; ++action) {
      auto& chosen = readers[system.choose(readers.size())];
      switch (system.choose(5)) {
      case 0: in.commit_signals(static_cast<std::int64_t>(system.choose(6))); break;
      case 1: chosen.grant(in, static_cast<std::int64_t>(system.choose(5))); break;
      case 2:
        if (chosen.followed->has_value() && system.one_in(2)) {
          chosen.end();
          system.steps(system.choose(4));
          chosen.begin(in, static_cast<std::int64_t>(system.choose(4)));
        }
        break;
      default: system.steps(system.choose(12)); break;
      }
      chosen.check_credit();
    }
    system.run();
    for (auto& item : readers) {
      REQUIRE(item.followed->has_value());
      REQUIRE(!(*item.followed)->problem);
      item.grant(in, 1000);
    }
    system.run();
    for (auto& item : readers) {
      item.end();
      lives += item.lives;
      std::vector<journal_line> expected;
      for (auto& line : in.journal())
        if (item.symbols.empty() ||
            line.text.find("\"symbol\":\"" + item.symbols.front()) != std::string::npos)
          expected.push_back(std::move(line));
      REQUIRE(item.lines == expected);
    }
    for (const auto& answer : in.answers)
      REQUIRE((answer->has_value() && !(*answer)->problem));
  });
  CHECK(lives > random_cases(5000));
}

TEST_CASE(
    "publisher: a tap that sleeps while ten thousand events come costs a few messages, and gets "
    "everything afterwards") {
  deterministic_system system{1};
  small_node in{system};
  const auto heard = std::make_shared<tap_hearing>();
  const auto followed = in.follow(in.spawn_tap(heard), credit_of(5));
  for (int turn = 0; turn < 100; ++turn) {
    in.commit_signals(100);
    system.steps(system.choose(20));
  }
  system.run();
  CHECK(heard->lines.size() == 5);
  CHECK(heard->messages <= 5);
  REQUIRE(followed->has_value());
  for (int more = 0; more < 100; ++more) {
    in.grant((*followed)->id, 100);
    system.run();
  }
  CHECK(heard->lines == in.journal());
  CHECK(heard->lines.size() == 10'000);
}

TEST_CASE("publisher: a tap that ends is forgotten, so is one that unfollows") {
  deterministic_system system{1};
  small_node in{system};
  const auto heard = std::make_shared<tap_hearing>();
  auto tap = in.spawn_tap(heard);
  system.run();
  const auto references = [&] {
    return caf::actor_cast<caf::strong_actor_ptr>(tap)->strong_refs.load();
  };
  const auto before = references();
  auto followed = in.follow(tap, credit_of(1));
  system.run();
  CHECK(references() == before + 1);
  send_anonymously(in.node, unfollow_journal{(*followed)->id});
  in.commit_signals(1);
  system.run();
  CHECK(heard->messages == 0);
  CHECK(references() == before);
  followed = in.follow(tap, credit_of(0));
  system.run();
  CHECK((*followed)->id == 2);
  CHECK(references() == before + 1);
  end_actor(tap);
  system.run();
  CHECK(references() <= before); // an ended actor is also let go of by others
  in.grant(2, 10);
  system.run();
  CHECK(heard->messages == 0);
}

TEST_CASE("publisher: a tap that ends with the journal of now is told so, and where to go on") {
  deterministic_system system{1};
  small_node in{system};
  in.commit_signals(3);
  system.run();
  const auto heard = std::make_shared<tap_hearing>();
  auto wanted = credit_of(2);
  wanted.ends = true;
  const auto followed = in.follow(in.spawn_tap(heard), wanted);
  system.run();
  in.commit_signals(3);
  system.run();
  CHECK(!heard->ended);
  in.grant((*followed)->id, 100);
  system.run();
  REQUIRE(heard->ended);
  CHECK(*heard->ended == journal_ended{1, 4, std::nullopt});
  CHECK(numbers_of(heard->lines) == std::vector<std::int64_t>{1, 2, 3});
}

TEST_CASE("publisher: a tap behind retention hears the first number kept, and so does a late one") {
  deterministic_system system{1};
  small_node in{system};
  in.commit_signals(10);
  const auto heard = std::make_shared<tap_hearing>();
  const auto followed = in.follow(in.spawn_tap(heard), credit_of(2));
  system.run();
  erase_from_journal(*in.disk, 1, 6);
  in.grant((*followed)->id, 2);
  system.run();
  REQUIRE(heard->ended);
  CHECK(heard->ended->problem == error{error_code::journal_truncated,
                                       "journal: number 3 is no longer kept; the first kept is 7"});
  CHECK(heard->ended->next == 3);
  auto late = credit_of(2);
  late.from = 1;
  const auto refused = in.follow(in.spawn_tap(heard), late);
  system.run();
  REQUIRE(refused->has_value());
  REQUIRE((*refused)->problem);
  CHECK((*refused)->problem->code == error_code::journal_truncated);
  CHECK((*refused)->bounds == journal_bounds{7, 10});
}

TEST_CASE("publisher: requests that make no sense are answered with what is wrong") {
  deterministic_system system{1};
  small_node in{system};
  const auto tap = in.spawn_tap(std::make_shared<tap_hearing>());
  auto wanted = credit_of(1);
  wanted.wanted.topics = {topic::progress_backtest};
  const auto of_topic = in.follow(tap, wanted);
  const auto of_nobody = in.follow(tap_actor{}, credit_of(1));
  const auto of_run =
      system.ask<run_controlled>(in.node, control_run{"grid", "AAA", operator_command::pause});
  system.run();
  REQUIRE((*of_topic)->problem);
  CHECK((*of_topic)->problem->message.find("topic progress_backtest is not in the journal") == 0);
  REQUIRE((*of_nobody)->problem);
  CHECK((*of_nobody)->problem->code == error_code::invalid_argument);
  CHECK((*of_run)->problem == error{error_code::invalid_argument, "AAA does not run"});
}

TEST_CASE("publisher: a command that is asked again with its id is carried out once") {
  deterministic_system system{1};
  small_node in{system};
  control_run order{"grid", "AAA", operator_command::pause};
  for (const auto* id : {"one", "one", "other", "", ""}) {
    order.id = id;
    const auto answer = system.ask<run_controlled>(in.node, order);
    system.run();
    REQUIRE(answer->has_value());
    CHECK((*answer)->problem == error{error_code::invalid_argument, "AAA does not run"});
  }
  CHECK(in.looked_for_runs == 4);
}

TEST_CASE("publisher: questions that could not be read are answered with the reason") {
  deterministic_system system{1};
  small_node in{system};
  const error why{error_code::invalid_argument, "control_run: command: expected another"};
  auto wanted = credit_of(1);
  wanted.unreadable = why;
  const auto followed = in.follow(in.spawn_tap(std::make_shared<tap_hearing>()), wanted);
  control_run order;
  order.unreadable = why;
  const auto controlled = system.ask<run_controlled>(in.node, order);
  system.run();
  REQUIRE(followed->has_value());
  CHECK((*followed)->problem == why);
  REQUIRE(controlled->has_value());
  CHECK((*controlled)->problem == why);
}

TEST_CASE("publisher: somebody who is linked to it and dies does not take it along") {
  deterministic_system system{1};
  small_node in{system};
  system.get().spawn([node = in.node](caf::event_based_actor* self) {
    self->link_to(node);
    self->quit(caf::exit_reason::unhandled_exception);
  });
  system.run();
  const auto followed = in.follow(in.spawn_tap(std::make_shared<tap_hearing>()), credit_of(1));
  system.run();
  REQUIRE(followed->has_value());
  CHECK(!(*followed)->problem);
}

namespace {

/// Notes what it was told only when it is told to.
using slow_watcher_actor = typed_interface<caf::result<growth_noted>(journal_grown), //
                                           caf::result<void>(read_journal_on)>;
struct watcher_state {
  self_pointer<slow_watcher_actor, watcher_state> self = nullptr;
  std::size_t* told = nullptr;
  std::vector<response_promise<growth_noted>> open;

  void init(std::size_t* count) { told = count; }

  slow_watcher_actor::behavior_type make_behavior() {
    return {
        [this](const journal_grown&) -> caf::result<growth_noted> {
          ++*told;
          open.push_back(promise_answer<growth_noted>(self));
          return open.back();
        },
        [this](const read_journal_on&) {
          for (auto& promise : std::exchange(open, {}))
            promise.deliver(growth_noted{});
        },
    };
  }
};

} // namespace

TEST_CASE("store: a busy watcher of the journal hears of many commits at once") {
  deterministic_system system{1};
  small_node in{system};
  std::size_t told = 0;
  const auto watcher = spawn_actor<watcher_state, slow_watcher_actor>(system.get(), nullptr, &told);
  const auto note = [&] {
    send_anonymously(watcher, read_journal_on{});
    system.run();
  };
  send_anonymously(in.commits, watch_journal{weak_handle<journal_watcher_actor>{watcher}});
  system.run();
  REQUIRE(told == 1); // what was there before
  for (int turn = 0; turn < 50; ++turn) {
    in.commit_signals(1);
    system.run();
  }
  CHECK(told == 1);
  note();
  CHECK(told == 2);
  note();
  CHECK(told == 2);
  in.commit({}); // nothing with a number
  system.run();
  CHECK(told == 2);
  in.commit_signals(1);
  system.run();
  CHECK(told == 3);
  end_actor(watcher);
  system.run();
  in.commit_signals(1);
  system.run();
  CHECK(told == 3);
}

#endif
