#include "actors/store/snapshot_reader_actor.hpp"

#include "actors/publisher/publisher_actor.hpp"
#include "actors/store/store_actor.hpp"
#include "actors/topics/topics_actor.hpp"
#include "messages/own_actor_system.hpp"
#include "storage/memory_store.hpp"
#include "storage/rocksdb_store.hpp"
#include "tests/support/numbered_journal.hpp"
#include "tests/support/runtime_fixture.hpp"
#include "tests/support/slow_snapshots.hpp"
#include "tests/support/temporary_directory.hpp"

#include <atomic>

using namespace backtest;
using namespace backtest::testing;

namespace {

/// A store with those who write and read it, on threads of their own; from `hold` on, whoever reads
/// its journal through a snapshot is held up until `let_go`.
class store_world {
public:
  explicit store_world(std::shared_ptr<store> inner)
      : disk_(std::make_shared<slow_snapshots>(std::move(inner), [this] {
          if (is_held_)
            gate_.pass();
        })) {}
  ~store_world() {
    end_actor(commits);
    end_actor(reader);
  }
  store_world(const store_world&) = delete;
  store_world& operator=(const store_world&) = delete;

  void hold() { is_held_ = true; }
  void wait_until_held() { gate_.wait_for_arrival(); }
  void let_go() {
    is_held_ = false;
    gate_.open();
  }

  /// A hundred signals, and the number of the first of them.
  std::int64_t commit() {
    const auto items = std::make_shared<std::vector<event>>(100, opened_signal("AAA"));
    std::int64_t first = 0;
    request(self, commits, caf::infinite, commit_turn{++ticket_, {}, items})
        .receive([&](const turn_committed& answer) { first = answer.first_number; },
                 [](const caf::error& reason) { FAIL(text_of(reason)); });
    return first;
  }

  std::optional<error> read(std::function<void(const store_reader&)> work) {
    std::optional<error> problem;
    request(self, reader, caf::infinite, read_snapshot{std::move(work)})
        .receive([&](const store_answer& answer) { problem = answer.problem; },
                 [](const caf::error& reason) { FAIL(text_of(reason)); });
    return problem;
  }

private:
  own_actor_system system_{2};
  calling_thread visit_{system_.get()};
  gate gate_;
  std::atomic<bool> is_held_{false};
  std::shared_ptr<store> disk_;
  std::uint64_t ticket_ = 0;

public:
  caf::actor_system& system() { return system_.get(); }
  const std::shared_ptr<store>& disk() { return disk_; }
  caf::scoped_actor self{system_.get()};
  store_actor commits = spawn_store(system_.get(), nullptr, {disk_, {}});
  snapshot_reader_actor reader = spawn_snapshot_reader(system_.get(), nullptr, disk_);
};

/// A listener so far behind that it catches up from the journal, and a commit meanwhile.
void check_catching_up(const std::shared_ptr<store>& inner) {
  store_world in{inner};
  const auto bus = spawn_topics(in.system(), nullptr);
  send_anonymously(bus, use_journal{in.reader});
  const auto listen_to = [&](topic on) {
    request(in.self, bus, caf::infinite,
            subscribe{{{on}, {}, {}, {}}, caf::actor_cast<subscriber_actor>(in.self.ptr()), false})
        .receive([](const subscribed&) {}, [](const caf::error& reason) { FAIL(text_of(reason)); });
  };
  listen_to(topic::signal_live);
  std::int64_t told = 0;
  const auto tell_a_hundred = [&] {
    auto number = in.commit();
    publish message{std::vector<event>(100, opened_signal("AAA"))};
    for (auto& item : message.events)
      item.number = number++;
    told += std::ssize(message.events);
    send_anonymously(bus, std::move(message));
  };
  for (int turn = 0; turn < 120; ++turn)
    tell_a_hundred();
  listen_to(topic::exit); // answered behind all that
  std::vector<std::int64_t> heard;
  const auto hear = [&] {
    in.self->receive([&](const event_batch& batch) {
      for (const auto& item : batch.events)
        heard.push_back(item.number);
      return batch_done{};
    });
  };
  in.hold();
  while (heard.size() < 6000)
    hear();
  in.wait_until_held();
  CHECK(in.commit() == 12'001);
  in.let_go();
  while (heard.size() < static_cast<std::size_t>(told))
    hear();
  for (std::size_t i = 0; i < heard.size(); ++i)
    REQUIRE(heard[i] == static_cast<std::int64_t>(i) + 1);
  end_actor(bus);
}

} // namespace

TEST_CASE("snapshot reader: shows what is durable, what is thrown comes back") {
  const watchdog guard;
  store_world in{make_memory_store()};
  CHECK(in.commit() == 1);
  journal_bounds bounds;
  CHECK(!in.read([&](const store_reader& from) { bounds = find_journal_bounds(from); }));
  CHECK(bounds == journal_bounds{1, 100});
  CHECK(in.read([](const store_reader& from) { read_journal(from, 0); }) ==
        error{error_code::invalid_argument, "journal: numbers begin with 1, got 0"});
  CHECK(in.read([](const store_reader&) { throw std::runtime_error("other"); }) ==
        error{error_code::store_failed, "other"});
}

TEST_CASE("snapshot reader: commits go on while a listener that catches up waits for the journal") {
  const watchdog guard;
  check_catching_up(make_memory_store());
  const temporary_directory directory;
  check_catching_up(open_rocksdb_store(directory.path() / "data"));
}

TEST_CASE("publisher: commits go on while a tap waits for the journal") {
  const watchdog guard;
  store_world in{make_memory_store()};
  const auto node = spawn_publisher(in.system(), nullptr, {in.disk(), in.commits, {}});
  tap_request wanted;
  wanted.credit = 1000;
  request(in.self, node, caf::infinite,
          follow_journal{caf::actor_cast<tap_actor>(in.self.ptr()), wanted})
      .receive([](const journal_followed& answer) { CHECK(!answer.problem); },
               [](const caf::error& reason) { FAIL(text_of(reason)); });
  in.hold();
  CHECK(in.commit() == 1);
  in.wait_until_held();
  CHECK(in.commit() == 101);
  in.let_go();
  std::int64_t next = 1;
  while (next < 201)
    in.self->receive([&](const journal_batch& batch) { next = batch.next; });
  end_actor(node);
}
