#include "runtime/network.hpp"

#include "messages/caf_network.hpp"
#include "messages/event_json.hpp"
#include "tests/support/live_fixture.hpp"
#include "tests/support/remote_tap.hpp"

#include <fmt/format.h>

using namespace backtest;
using namespace backtest::testing;

namespace {

runtime_options with_network(const test_disk& disk) {
  auto options = on(disk);
  options.network = true;
  return options;
}

bool until_the_end(const std::vector<journal_line>&) { return false; }

std::vector<std::string> texts_of(const std::vector<journal_line>& lines) {
  std::vector<std::string> texts;
  for (const auto& line : lines)
    texts.push_back(line.text);
  return texts;
}

tap_request credit_of(std::int64_t credit, bool ends) {
  tap_request wanted;
  wanted.credit = credit;
  wanted.ends = ends;
  return wanted;
}

} // namespace

TEST_CASE("lifecycle 10, subscriber: in another process it hears the journal of a live run while "
          "it goes on, and again from any number") {
  const watchdog limit;
  const test_disk disk;
  runtime target{with_network(disk)};
  add_five_symbols(target, 1);
  const auto opened = target.publish();
  CHECK(opened.address().host == "127.0.0.1");
  REQUIRE(opened.address().port > 0);
  remote_side other{opened.address()};
  auto run = target.live().background(five_symbols_live());
  const auto& expected = undisturbed_journal(1);
  const auto heard = other.lines(
      credit_of(100, false), [&](const auto& lines) { return lines.size() == expected.size(); });
  CHECK(texts_of(heard) == expected);
  run.wait();
  CHECK(texts_of(other.lines(credit_of(7, true), until_the_end)) == expected);
  auto wanted = credit_of(1000, true);
  wanted.from = 10;
  wanted.wanted.symbols = {"BBBUSDT"};
  wanted.wanted.topics = {topic::signal_live};
  for (const auto& line : other.lines(wanted, until_the_end)) {
    CHECK(line.number >= 10);
    CHECK(line.text == expected[static_cast<std::size_t>(line.number - 1)]);
    const auto item = parse_event_line(line.text).item;
    CHECK(item.on == topic::signal_live);
    CHECK(identity_of(item)->symbol == "BBBUSDT");
  }
}

TEST_CASE(
    "network: an operator in another process pauses a run, and is refused what makes no sense") {
  const watchdog limit;
  const test_disk disk;
  runtime target{with_network(disk)};
  add_basics(target, buy, 30 * day_ms);
  remote_side other{target.publish().address()};
  const auto refused =
      other.ask<run_controlled>(control_run{"buyer", "BTC", operator_command::pause});
  REQUIRE(refused.problem);
  CHECK(refused.problem->message ==
        "strategy buyer on BTC does not run, expected one of: none, as no "
        "live run is under way");
  const auto clock = std::make_shared<manual_clock>(first_instant, true);
  auto run = target.live().background(one_buyer(clock));
  clock->wait_until_watched();
  const auto unknown =
      other.ask<run_controlled>(control_run{"seller", "BTC", operator_command::pause});
  REQUIRE(unknown.problem);
  CHECK(unknown.problem->message ==
        "strategy seller on BTC does not run, expected one of: buyer on BTC");
  const auto nothing =
      other.ask<run_controlled>(control_run{"buyer", "BTC", operator_command::cancel});
  REQUIRE(nothing.problem);
  CHECK(nothing.problem->message == "strategy buyer on BTC has no scheduled signal");
  std::atomic<bool> over{false};
  std::thread minutes{[&] {
    while (!over)
      clock->set(clock->now() + minute_ms);
  }};
  const auto paused =
      other.ask<run_controlled>(control_run{"buyer", "BTC", operator_command::pause});
  CHECK(!paused.problem);
  bool is_durable = false;
  for (const auto& line : disk.journal())
    is_durable = is_durable || line.find("\"command\":\"pause\"") != std::string::npos;
  CHECK(is_durable);
  over = true;
  minutes.join();
}

TEST_CASE("network: a closed port takes nobody in, who is connected stays") {
  const watchdog limit;
  const test_disk disk;
  runtime target{with_network(disk)};
  add_basics(target);
  auto opened = target.publish();
  remote_side other{opened.address()};
  opened.close();
  opened.close();
  own_actor_system late{1, prepare_network};
  const auto problem = failure_of([&] { connect_node(late.get(), opened.address()); });
  CHECK(problem.code == error_code::connection_failed);
  CHECK(other.lines(credit_of(1, true), until_the_end).empty());
  const auto second = target.publish();
  CHECK(second.address().port > 0);
  CHECK(publication{}.address() == node_address{});
}

TEST_CASE("network: connecting fails with what is wrong") {
  const watchdog limit;
  own_actor_system system{1, prepare_network};
  const calling_thread visit{system.get()};
  const auto message = [&](const node_address& address) {
    const auto problem = failure_of(
        [&] { connect_node(system.get(), address, {}, std::chrono::milliseconds{500}); });
    CHECK(problem.code == error_code::connection_failed);
    return problem.message;
  };
  CHECK(message({"127.0.0.1", 1}) ==
        "cannot connect to 127.0.0.1:1: nobody listens there, or it cannot be reached");
  CHECK(message({"nowhere.invalid", 4711}) ==
        "cannot connect to nowhere.invalid:4711: there is no host of that name");
  // Published as CAF does it, without a gate.
  struct other_state {
    self_pointer<journal_watcher_actor, other_state> self = nullptr;
    void init() {}
    journal_watcher_actor::behavior_type make_behavior() {
      return {[](const journal_grown&) { return growth_noted{}; }};
    }
  };
  own_actor_system host{1, prepare_network};
  const calling_thread of_host{host.get()};
  const auto stranger = spawn_actor<other_state, journal_watcher_actor>(host.get(), nullptr);
  const auto port = host.get().middleman().publish(stranger, 0, "127.0.0.1");
  REQUIRE(port);
  CHECK(message({"127.0.0.1", *port}) ==
        fmt::format("cannot connect to 127.0.0.1:{}: what answers there does not speak TLS: it is "
                    "not a node, or one of an older version",
                    *port));
  host.get().middleman().unpublish(stranger, *port);
  end_actor(stranger);
}

TEST_CASE("network: a system without the I/O module, and a port in use, are clear errors") {
  const watchdog limit;
  const test_disk disk;
  runtime alone{on(disk)};
  add_basics(alone);
  const auto refused = failure_of([&] { alone.publish(); });
  CHECK(refused.code == error_code::invalid_argument);
  CHECK(refused.message == "publish: the actor system cannot reach other processes; expected "
                           "runtime_options::network = true where it is the runtime's own, else "
                           "backtest::prepare_network on its configuration before it is made");
  CHECK(failure_of([&] {
          connect_node(alone.system(), {"127.0.0.1", 1});
        }).code == error_code::invalid_argument);
  runtime target{with_network(disk)};
  const auto opened = target.publish();
  const auto taken = failure_of([&] { target.publish(opened.address()); });
  CHECK(taken.code == error_code::connection_failed);
  CHECK(taken.message.find("cannot publish on " + to_string(opened.address())) == 0);
}

TEST_CASE("lifecycle 10, subscriber: in this process it needs no network") {
  const watchdog limit;
  const test_disk disk;
  runtime target{on(disk)};
  add_basics(target);
  const auto node = target.node();
  CHECK(target.node() == node);
  target.live().background(one_buyer(at_full_speed())).wait();
  const calling_thread visit{target.system()};
  caf::scoped_actor self{target.system()};
  std::vector<journal_line> heard;
  request(self, node, caf::infinite,
          follow_journal{caf::actor_cast<tap_actor>(self.ptr()), credit_of(10'000, true)})
      .receive([](const journal_followed& answer) { CHECK(!answer.problem); },
               [](const caf::error& reason) { FAIL(text_of(reason)); });
  bool is_over = false;
  while (!is_over)
    self->receive(
        [&](const journal_batch& batch) {
          heard.insert(heard.end(), batch.lines.begin(), batch.lines.end());
        },
        [&](const journal_ended&) { is_over = true; });
  CHECK(texts_of(heard) == disk.journal());
  CHECK(heard.size() > 10);
}
