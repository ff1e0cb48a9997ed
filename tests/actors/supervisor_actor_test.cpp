#include "actors/supervisor.hpp"
#include "tests/support/deterministic_system.hpp"

#if !BACKTEST_CAF_MODERN

#include <set>

using namespace backtest;
using namespace backtest::testing;

namespace {


using answer = std::shared_ptr<std::optional<resolved<frame_actor>>>;

struct frame_client_state {
  self_pointer<frame_actor, frame_client_state> self = nullptr;
  void init() {}
  frame_actor::behavior_type make_behavior() {
    return {[](const ask_timeline&) { return frame_timeline{}; }};
  }
};

/// A supervisor that counts what it spawns and reports.
struct supervised {
  explicit supervised(deterministic_system& on) : system(on) {
    handle = spawn_supervisor<frame_key, frame_actor>(
        system.get(), nullptr, "frame",
        [this](const frame_key& key) {
          if (key.frame_name == "unknown")
            throw failure(error_code::not_found, "frame unknown not found source=test");
          ++spawned[key.frame_name];
          return spawn_actor<frame_client_state, frame_actor>(system.get(), nullptr);
        },
        [this](error reason) { reported.push_back(std::move(reason)); });
  }
  ~supervised() {
    end_actor(handle);
    system.run(); // its functions refer to this object
  }

  answer resolve_later(const std::string& name) {
    return system.ask<resolved<frame_actor>>(handle, resolve<frame_key>{{name}});
  }
  frame_actor resolve_now(const std::string& name) {
    const auto found = resolve_later(name);
    system.run();
    REQUIRE(found->has_value());
    return (*found)->client;
  }
  std::size_t count() {
    const auto found = system.ask<client_count>(handle, ask_client_count{});
    system.run();
    return found->value().count;
  }

  deterministic_system& system;
  frame_supervisor handle;
  std::map<std::string, int> spawned;
  std::vector<error> reported;
};

} // namespace

TEST_CASE("supervisor: concurrent first resolves of a key get the same client, in 1,000 interleavings") {
  with_seeds(1000, [](deterministic_system& system) {
    supervised clients{system};
    std::map<std::string, std::vector<answer>> answers;
    for (int i = 0; i < 24; ++i) {
      const auto name = "frame-" + std::to_string(system.choose(4));
      answers[name].push_back(clients.resolve_later(name));
      system.steps(system.choose(4));
    }
    system.run();
    std::set<frame_actor> different;
    for (const auto& [name, of_key] : answers) {
      CHECK(clients.spawned[name] == 1);
      for (const auto& found : of_key) {
        REQUIRE(found->has_value());
        CHECK((*found)->client == (*of_key.front())->client);
      }
      different.insert((*of_key.front())->client);
    }
    CHECK(different.size() == answers.size());
    CHECK(clients.count() == answers.size());
    CHECK(clients.reported.empty());
  });
}

TEST_CASE("supervisor: a dead client is forgotten, reported once and replaced, in 1,000 interleavings") {
  with_seeds(1000, [](deterministic_system& system) {
    supervised clients{system};
    std::vector<answer> answers;
    std::size_t kills = 0, cleared = 0;
    for (int round = 0; round < 5; ++round) {
      const auto victim = clients.resolve_now("a");
      const auto other = clients.resolve_now("b");
      switch (system.choose(3)) {
      case 0:
        caf::anon_send_exit(victim, caf::exit_reason::kill);
        ++kills;
        break;
      case 1:
        send_anonymously(clients.handle, clear_client<frame_key>{{"a"}});
        ++cleared;
        break;
      case 2:
        send_anonymously(clients.handle, forget_client<frame_key>{{"a"}});
        ++cleared;
        break;
      }
      for (int i = 0; i < 3; ++i) {
        answers.push_back(clients.resolve_later("a"));
        system.steps(system.choose(4));
      }
      system.run();
      const auto fresh = clients.resolve_now("a");
      CHECK(fresh != victim);
      CHECK(clients.resolve_now("b") == other);
      // What its watch says about the one before changes nothing.
      send_anonymously(clients.handle, client_down<frame_key>{{"a"}, 1, "long ago"});
      system.run();
      CHECK(clients.resolve_now("a") == fresh);
    }
    for (const auto& found : answers)
      CHECK((found->has_value() && (*found)->client));
    CHECK(clients.reported.size() == kills);
    for (const auto& reason : clients.reported) {
      CHECK(reason.code == error_code::actor_failed);
      CHECK(reason.message.find("frame client died") == 0);
    }
    CHECK(static_cast<std::size_t>(clients.spawned["a"]) == 1 + kills + cleared);
    CHECK(clients.spawned["b"] == 1);
    CHECK(clients.count() == 2);
  });
}

TEST_CASE("supervisor: who holds a forgotten client may go on with it, a cleared one ends") {
  deterministic_system system{7};
  supervised clients{system};
  const auto forgotten = clients.resolve_now("a");
  const auto cleared = clients.resolve_now("b");
  send_anonymously(clients.handle, forget_client<frame_key>{{"a"}});
  send_anonymously(clients.handle, clear_client<frame_key>{{"b"}});
  system.run();
  CHECK(clients.count() == 0);
  const auto from_forgotten = system.ask<frame_timeline>(forgotten, ask_timeline{});
  const auto from_cleared = system.ask<frame_timeline>(cleared, ask_timeline{});
  system.run();
  CHECK(from_forgotten->has_value());
  CHECK(!from_cleared->has_value());
}

TEST_CASE("supervisor: a key without a schema answers why, and may be asked again") {
  deterministic_system system{3};
  supervised clients{system};
  for (int i = 0; i < 2; ++i) {
    const auto found = clients.resolve_later("unknown");
    system.run();
    REQUIRE(found->has_value());
    CHECK(!(*found)->client);
    REQUIRE((*found)->problem);
    CHECK((*found)->problem->message == "frame unknown not found source=test");
  }
  CHECK(clients.count() == 0);
}

TEST_CASE("supervisor: many keys, all ended together") {
  deterministic_system system{11};
  supervised clients{system};
  std::vector<answer> answers;
  for (int i = 0; i < 2000; ++i)
    answers.push_back(clients.resolve_later(std::to_string(i)));
  system.run();
  CHECK(clients.count() == 2000);
  send_anonymously(clients.handle, clear_all{});
  system.run();
  CHECK(clients.count() == 0);
  CHECK(clients.reported.empty());
  const auto gone = system.ask<frame_timeline>((*answers[77])->client, ask_timeline{});
  system.run();
  CHECK(!gone->has_value());
}

#endif
