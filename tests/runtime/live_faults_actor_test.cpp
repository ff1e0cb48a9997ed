#include "actors/exchange/binance_candles.hpp"
#include "actors/http/http_pool.hpp"
#include "messages/event_json.hpp"
#include "storage/candle_cache.hpp"
#include "storage/redis_connection.hpp"
#include "storage/redis_store.hpp"
#include "tests/actors/exchange/klines_market.hpp"
#include "tests/support/http_server.hpp"
#include "tests/support/live_fixture.hpp"
#include "tests/support/redis_server.hpp"

#include <set>

using namespace backtest;
using namespace backtest::testing;
using backtest::test::http_server;
using backtest::test::klines_request;
using backtest::test::klines_text;
using backtest::test::new_year;
using backtest::test::served_answer;

namespace {

constexpr instant first_boundary = new_year + 10 * day_ms + 60 * minute_ms;

using fault_function = std::function<std::optional<served_answer>(const klines_request&)>;

/// An exchange over HTTP whose answers a test spoils for a while.
class spoilt_market {
public:
  void spoil(fault_function fault) {
    const std::lock_guard lock{mutex_};
    fault_ = std::move(fault);
  }
  void recover() { spoil({}); }
  std::string url() const { return server_.url(); }
  std::size_t asked() const { return server_.targets().size(); }
  /// Open times from which on it was asked, of requests number `first` (from 0) and later.
  std::vector<instant> asked_from(std::size_t first) const {
    std::vector<instant> from;
    const auto targets = server_.targets();
    for (std::size_t i = first; i < targets.size(); ++i)
      from.push_back(klines_request{targets[i]}.since);
    return from;
  }

private:
  served_answer answer(const std::string& target) {
    const klines_request request{target};
    const std::lock_guard lock{mutex_};
    if (fault_)
      if (auto spoilt = fault_(request))
        return *spoilt;
    return {klines_text(request)};
  }

  std::mutex mutex_;
  fault_function fault_;
  http_server server_{[this](const std::string& target) { return answer(target); }};
};

/// What the journal says of signals: "opened 0", "closed 60 100.5" (minutes since the first
/// boundary).
std::vector<std::string> facts_in(const std::vector<std::string>& journal) {
  std::vector<std::string> facts;
  for (const auto& line : journal) {
    const auto item = parse_event_line(line).item;
    if (const auto* tick = std::get_if<tick_result>(&item.payload))
      facts.push_back(fmt::format("{} {} {}", to_string(tick->action),
                                  (tick->timestamp - first_boundary) / minute_ms,
                                  tick->current_price));
  }
  return facts;
}

std::set<std::string> signal_ids(const std::vector<std::string>& journal, tick_action action) {
  std::set<std::string> ids;
  for (const auto& line : journal) {
    const auto item = parse_event_line(line).item;
    if (const auto* tick = std::get_if<tick_result>(&item.payload))
      if (tick->action == action)
        CHECK(ids.insert(tick->signal->id).second); // once
  }
  return ids;
}

/// A live node on a clock that stands still until the test moves it.
class live_node {
public:
  live_node(spoilt_market& market, runtime_options options,
            std::shared_ptr<live_clock> retry_clock = nullptr)
      : target_(with_parameters(std::move(options))) {
    exchange_schema exchange;
    exchange.exchange_name = "exchange";
    http_limits limits;
    limits.total_timeout = std::chrono::milliseconds{250};
    exchange.now = [clock = clock_] { return clock->now(); };
    exchange.get_candles = binance_candles(
        market.url(),
        [pool = std::make_shared<http_pool>(limits)](const std::string& url,
                                                     const std::stop_token& stop) {
          return pool->get(url, stop);
        },
        exchange.now);
    exchange.concurrent_fetches = 2;
    exchange.keeps_candles = true;
    target_.add_exchange(std::move(exchange));
    target_.add_strategy(strategy_of("buyer"));
    hear();
    auto request = one_buyer(clock_);
    request.retry_clock = std::move(retry_clock);
    handle_ = target_.live().background(std::move(request));
    clock_->wait_until_watched();
  }
  ~live_node() { listener_.unsubscribe(); }
  live_node(const live_node&) = delete;
  live_node& operator=(const live_node&) = delete;

  void set(instant now) { clock_->set(now); }
  /// The boundary that many minutes after the first one, and what comes of it.
  void step(std::int64_t minute) {
    const instant boundary = first_boundary + minute * minute_ms;
    set(boundary + settled);
    wait_until_over(boundary);
  }
  void wait_until_over(instant boundary) {
    std::unique_lock lock{heard_->mutex};
    heard_->changed.wait(lock, [&] { return heard_->latest >= boundary; });
  }
  void steps(std::int64_t first, std::int64_t last) {
    for (; first <= last; ++first)
      step(first);
  }
  void wait_for_store_failure() {
    std::unique_lock lock{heard_->mutex};
    heard_->changed.wait(lock, [&] { return heard_->store_failures > 0; });
  }
  void wait_for_alarm_at(instant when) { clock_->wait_for_alarm_at(when); }

  std::vector<error_event> errors() {
    const std::lock_guard lock{heard_->mutex};
    return heard_->errors;
  }
  std::size_t signals_heard() {
    const std::lock_guard lock{heard_->mutex};
    return heard_->numbers.size();
  }
  /// Journal numbers of the signal events that were announced.
  std::vector<std::int64_t> numbers() {
    target_.flush();
    const std::lock_guard lock{heard_->mutex};
    return heard_->numbers;
  }

private:
  struct heard_so_far {
    std::mutex mutex;
    std::condition_variable changed;
    instant latest = 0;
    std::size_t store_failures = 0;
    std::vector<error_event> errors;
    std::vector<std::int64_t> numbers;
  };

  static runtime_options with_parameters(runtime_options options) {
    options.parameters.get_candles_retry_count = 2;
    options.parameters.candle_wait_seconds = 5;
    return options;
  }

  void hear() {
    listener_ = target_.listen(
        {{topic::error, topic::signal_live}, {}, {}, {}}, [heard = heard_](const event& item) {
          const std::lock_guard lock{heard->mutex};
          if (const auto* tick = std::get_if<tick_result>(&item.payload)) {
            heard->latest = std::max(heard->latest, tick->timestamp);
            if (is_journalled(item))
              heard->numbers.push_back(item.number);
          } else if (const auto* problem = std::get_if<error_event>(&item.payload)) {
            heard->errors.push_back(*problem);
            heard->store_failures += problem->code == error_code::store_failed;
            heard->latest = std::max(heard->latest, problem->timestamp.value_or(0));
          }
          heard->changed.notify_all();
        });
  }

  std::shared_ptr<manual_clock> clock_ = std::make_shared<manual_clock>(first_boundary - 1);
  std::shared_ptr<heard_so_far> heard_ = std::make_shared<heard_so_far>();
  runtime target_;
  listener_handle listener_;
  std::optional<run_handle> handle_;
};

constexpr std::int64_t last_minute = 75;

/// A signal opens at 0, closes at 60 when its time is over, and the next one opens there.
const std::vector<std::string>& undisturbed_facts() {
  static const auto facts = [] {
    spoilt_market market;
    const test_disk disk;
    live_node node{market, on(disk)};
    node.steps(0, last_minute);
    CHECK(node.errors().empty());
    return facts_in(disk.journal());
  }();
  return facts;
}

/// Nothing lost, nothing twice, nothing announced that is not in the journal.
void check_recovered(live_node& node, const std::vector<std::string>& journal) {
  CHECK(facts_in(journal) == undisturbed_facts());
  CHECK(signal_ids(journal, tick_action::opened).size() == 2);
  CHECK(signal_ids(journal, tick_action::closed).size() == 1);
  for (std::size_t i = 0; i < journal.size(); ++i)
    CHECK(parse_event_line(journal[i]).seq == static_cast<std::int64_t>(i) + 1);
  std::set<std::int64_t> told;
  for (const auto number : node.numbers())
    if (number > 0) {
      CHECK(told.insert(number).second);
      CHECK(number <= static_cast<std::int64_t>(journal.size()));
    }
  CHECK(told.size() == 3);
}

/// The exchange is spoilt for the minutes in which the signal ends and the next one begins.
void check_fault(fault_function fault, error_code code, const std::string& part) {
  const watchdog guard;
  const auto& expected = undisturbed_facts();
  REQUIRE(expected.size() == 3);
  REQUIRE(expected[1].starts_with("closed 60"));
  spoilt_market market;
  const test_disk disk;
  live_node node{market, on(disk)};
  node.steps(0, 58);
  market.spoil(std::move(fault));
  node.steps(59, 61);
  CHECK(facts_in(disk.journal()).size() == 1); // nothing is made up meanwhile
  const auto errors = node.errors();
  REQUIRE(errors.size() == 3);
  for (const auto& problem : errors) {
    CHECK(problem.code == code);
    CHECK(problem.source == "exchange");
    CHECK_MESSAGE(problem.message.find(part) != std::string::npos, problem.message);
    CHECK(problem.message.find("exchange exchange: BTC 1m from") == 0);
  }
  market.recover();
  node.steps(62, last_minute);
  CHECK(node.errors().size() == 3);
  check_recovered(node, disk.journal());
}

} // namespace

TEST_CASE("live, faults: exchange answering garbage") {
  check_fault([](const klines_request&) { return served_answer{"<html>maintenance</html>"}; },
              error_code::bad_candles, "/api/v3/klines?symbol=BTC");
}

TEST_CASE("live, faults: exchange answering partial candles") {
  check_fault(
      [](const klines_request& request) {
        return served_answer{fmt::format(R"([[{},"100","101","99"]])", request.since)};
      },
      error_code::bad_candles, "row 0");
}

TEST_CASE("live, faults: exchange answering candles that cannot be true") {
  check_fault(
      [](const klines_request& request) {
        return served_answer{fmt::format(R"([[{},"100","90","110","100","1",{}]])", request.since,
                                         request.since + minute_ms - 1)};
      },
      error_code::bad_candles, "expected low <= open, close <= high");
}

TEST_CASE("live, faults: exchange answering old candles") {
  check_fault(
      [](const klines_request& request) {
        return served_answer{klines_text(
            {request.symbol, request.since - day_ms, request.since - day_ms + minute_ms})};
      },
      error_code::bad_candles, "or later");
}

TEST_CASE("live, faults: exchange answering 5xx") {
  check_fault(
      [](const klines_request&) {
        return served_answer{"no upstream", 503};
      },
      error_code::fetch_failed, "503");
}

TEST_CASE("live, faults: exchange answering with a slow body") {
  check_fault(
      [](const klines_request& request) {
        served_answer answer{klines_text(request)};
        answer.stalls = true;
        return answer;
      },
      error_code::fetch_failed, "attempt 2 of 2");
}

TEST_CASE("live, faults: exchange answering HTTP 429 with Retry-After is not asked before") {
  const watchdog guard;
  spoilt_market market;
  const test_disk disk;
  live_node node{market, on(disk)};
  node.steps(0, 58);
  market.spoil([](const klines_request&) {
    return served_answer{"slow down", 429, {{"Retry-After", "900"}}};
  });
  const auto asked = market.asked();
  node.step(59);
  CHECK(market.asked() == asked + 1);
  market.recover();
  node.steps(60, 68); // a quarter of an hour is not over, and what is left of it too long to wait
  CHECK(market.asked() == asked + 1);
  const auto errors = node.errors();
  REQUIRE(errors.size() == 10);
  CHECK(errors.front().message.find("429") != std::string::npos);
  CHECK(errors.back().message.find("asked not to be asked before") != std::string::npos);
  CHECK(facts_in(disk.journal()).size() == 1);
  node.steps(74, last_minute);
  CHECK(node.errors().size() == 10);
  check_recovered(node, disk.journal());
}

TEST_CASE("lifecycle 10, late candle: it is asked for again, and none is missed") {
  const watchdog guard;
  spoilt_market market;
  const test_disk disk;
  live_node node{market, on(disk)};
  node.steps(0, 59);
  const instant boundary = first_boundary + 60 * minute_ms;
  market.spoil([](const klines_request&) { return served_answer{"[]"}; });
  node.set(boundary + settled);
  node.wait_for_alarm_at(boundary + settled + 1000);
  market.recover();
  node.set(boundary + settled + 1000);
  node.wait_until_over(boundary);
  node.steps(61, last_minute);
  CHECK(node.errors().empty());
  check_recovered(node, disk.journal());
}

TEST_CASE("live, faults: redis restarted") {
  if (!redis_server::available()) {
    MESSAGE("skipped: redis-server is not installed");
    return;
  }
  const watchdog guard;
  undisturbed_facts();
  spoilt_market market;
  redis_server server;
  auto options = quiet();
  options.open_store = [url = server.url()] { return open_redis_store(url); };
  const auto retry_clock = std::make_shared<manual_clock>(0);
  std::vector<std::string> journal;
  {
    live_node node{market, std::move(options), retry_clock};
    node.steps(0, 59);
    const auto heard = node.numbers().size();
    server.stop();
    node.set(first_boundary + 60 * minute_ms + settled);
    node.wait_for_store_failure();
    CHECK(node.numbers().size() == heard); // nothing is announced that is not durable
    server.start();
    retry_clock->wait_until_watched();
    retry_clock->set(10 * minute_ms);
    node.wait_until_over(first_boundary + 60 * minute_ms);
    node.steps(61, last_minute);
    const auto reader = open_redis_reader(server.url());
    for (auto& line : read_journal(*reader, 1))
      journal.push_back(std::move(line.text));
    check_recovered(node, journal);
  }
}

TEST_CASE("live, faults: the memory of redis full") {
  if (!redis_server::available()) {
    MESSAGE("skipped: redis-server is not installed");
    return;
  }
  const watchdog guard;
  undisturbed_facts();
  spoilt_market market;
  const redis_server server;
  redis_connection administrator{parse_redis_url(server.url()), std::chrono::seconds{5},
                                 std::chrono::seconds{5}};
  auto options = quiet();
  options.open_store = [url = server.url()] { return open_redis_store(url); };
  const auto retry_clock = std::make_shared<manual_clock>(0);
  std::vector<std::string> journal;
  {
    live_node node{market, std::move(options), retry_clock};
    node.steps(0, 59);
    const auto heard = node.numbers().size();
    administrator.command({"CONFIG", "SET", "maxmemory", "1"});
    node.set(first_boundary + 60 * minute_ms + settled);
    node.wait_for_store_failure();
    CHECK(node.numbers().size() == heard);
    retry_clock->wait_until_watched(); // candles that cannot be kept fail too, and wait for nothing
    administrator.command({"CONFIG", "SET", "maxmemory", "0"});
    retry_clock->set(10 * minute_ms);
    node.wait_until_over(first_boundary + 60 * minute_ms);
    node.steps(61, last_minute);
    const auto reader = open_redis_reader(server.url());
    for (auto& line : read_journal(*reader, 1))
      journal.push_back(std::move(line.text));
    check_recovered(node, journal);
  }
}

TEST_CASE(
    "lifecycle 10, orphans: state of another exchange is refused by name and left untouched") {
  const watchdog guard;
  test_disk disk;
  {
    runtime target{on(disk)};
    add_basics(target);
    auto stream = target.live().run(one_buyer(at_full_speed()));
    REQUIRE(stream.next()->action == tick_action::opened);
  }
  const auto before = disk.state();
  runtime target{on(disk)};
  add_basics(target);
  target.add_exchange(wave_exchange("other"));
  auto request = one_buyer(at_full_speed());
  request.exchange = "other";
  const auto problem = failure_of([&] { target.live().background(request); });
  CHECK(problem.code == error_code::orphaned_signals);
  CHECK(problem.message.find("pending signal of buyer on BTC at exchange") != std::string::npos);
  CHECK(disk.state() == before);
  target.live().background(one_buyer(at_full_speed())).wait(); // on its own exchange it goes on
}

TEST_CASE("live: a restart fetches nothing twice but the hour that was not full") {
  const watchdog guard;
  spoilt_market market;
  test_disk disk;
  {
    live_node node{market, on(disk)};
    node.steps(0, 67); // the first full hour is kept once its last minutes were asked for twice
  }
  const auto kept = read_cached_candles(disk.content(), {"exchange", "BTC", interval::m1},
                                        {new_year + 9 * day_ms, first_boundary + 60 * minute_ms});
  CHECK(kept.missing.empty());
  CHECK(kept.candles.size() == 1440 + 120);
  const auto asked = market.asked();
  live_node again{market, on(disk)};
  again.steps(68, 68);
  const auto from = market.asked_from(asked);
  REQUIRE(!from.empty());
  for (const auto since : from)
    CHECK(since >= first_boundary + 60 * minute_ms);
}

TEST_CASE("live: a candle that the exchange revises is told, what was decided on it stays, and the "
          "last version is kept") {
  const watchdog guard;
  const auto& expected = undisturbed_facts();
  spoilt_market market;
  test_disk disk;
  static constexpr instant revised =
      first_boundary + 58 * minute_ms; // the signal closes on it, two later
  live_node node{market, on(disk)};
  node.steps(0, 59);
  market.spoil([](const klines_request& request) {
    auto text = klines_text(request);
    const auto end = fmt::format("\",{},", revised + minute_ms - 1);
    if (const auto found = text.find("\"1.5" + end); found != std::string::npos)
      text.replace(found, 4, "\"99.5");
    return served_answer{text};
  });
  const auto asked = market.asked();
  node.steps(60, last_minute);
  CHECK(market.asked() == asked + 16); // one a minute
  const auto journal = disk.journal();
  CHECK(facts_in(journal) == expected);
  std::vector<error_event> told;
  for (std::size_t i = 0; i < journal.size(); ++i) {
    const auto line = parse_event_line(journal[i]);
    CHECK(line.seq == static_cast<std::int64_t>(i) + 1);
    if (const auto* problem = std::get_if<error_event>(&line.item.payload))
      told.push_back(*problem);
  }
  REQUIRE(told.size() == 1);
  CHECK(node.errors() == told);
  CHECK(told.front().code == error_code::candle_revised);
  CHECK(told.front().timestamp == first_boundary + 60 * minute_ms);
  const auto price = backtest::test::kline_at(revised);
  const auto prices = fmt::format("open {}, high {}, low {}, close {}", price.open, price.high,
                                  price.low, price.close);
  CHECK(told.front().message ==
        fmt::format("exchange exchange: BTC 1m candle of {} was revised after its close: first {}, "
                    "volume 1.5; now {}, volume 99.5; what was decided on the first stays as it "
                    "is, the newer one is kept",
                    to_iso(revised), prices, prices));
  const auto kept = read_cached_candles(disk.content(), {"exchange", "BTC", interval::m1},
                                        {revised, revised + minute_ms});
  REQUIRE(kept.candles.size() == 1);
  CHECK(kept.candles.front().volume == 99.5);
}
