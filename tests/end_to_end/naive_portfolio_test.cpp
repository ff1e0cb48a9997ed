#include "tests/support/random_scenario.hpp"
#include "tests/support/sanitizers.hpp"

#include "messages/event_json.hpp"
#include "messages/plain_text.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <set>
#include <tuple>

#include <doctest/doctest.h>

// A second reading of lifecycle.md 2 to 9: one instant at a time over a map of candles, no cursors,
// no ranges, no promises. Slow and obvious; the cores must tell the same story.

using namespace backtest;
using namespace backtest::testing;

namespace {

using minute_map = std::map<instant, candle>; ///< by open time

class naive_market final : public market_view {
public:
  naive_market(const scenario& world) : count_(world.parameters.avg_price_candles_count) {
    for (const auto& [symbol, candles] : world.market()) {
      auto& list = minutes_[symbol];
      for (const auto& item : candles)
        list[item.open_time] = item;
    }
  }

  const candle* minute(std::string_view symbol, instant open_time) const {
    const auto& list = minutes_.at(std::string{symbol});
    const auto found = list.find(open_time);
    return found == list.end() ? nullptr : &found->second;
  }

  std::optional<double> price(std::string_view symbol, instant when) const {
    double value = 0, volume = 0, closes = 0, found = 0;
    for (std::int64_t back = count_; back >= 1; --back)
      if (const auto* item = minute(symbol, when - back * minute_ms)) {
        value += ((item->high + item->low + item->close) / 3) * item->volume;
        volume += item->volume;
        closes += item->close;
        found += 1;
      }
    if (found == 0)
      return std::nullopt;
    return volume == 0 ? closes / found : value / volume;
  }

  std::span<const candle> candles(std::string_view symbol, interval size, std::int64_t limit,
                                  instant when) override {
    const auto found = candles_present(symbol, size, limit, when);
    if (std::ssize(found) != limit)
      throw failure(error_code::data_gap, "gap");
    return found;
  }
  std::span<const candle> candles_present(std::string_view symbol, interval size,
                                          std::int64_t limit, instant when) override {
    const instant step = length_of(size);
    const instant newest = align_down(when, step);
    auto& answer = answers_.emplace_back();
    for (instant open = newest - limit * step; open < newest; open += step)
      if (auto bar = bucket(symbol, open, step))
        answer.push_back(*bar);
    return answer;
  }
  double average_price(std::string_view symbol, instant when) override {
    if (const auto found = price(symbol, when))
      return *found;
    throw failure(error_code::data_gap, "no price");
  }
  std::string format_price(std::string_view, double) const override { return {}; }
  std::string format_quantity(std::string_view, double) const override { return {}; }

private:
  std::optional<candle> bucket(std::string_view symbol, instant open, instant step) const {
    std::optional<candle> bar;
    const auto& list = minutes_.at(std::string{symbol});
    for (auto item = list.lower_bound(open); item != list.end() && item->first < open + step;
         ++item) {
      const auto& one = item->second;
      if (!bar) {
        bar = one;
        bar->open_time = open;
        continue;
      }
      bar->high = std::max(bar->high, one.high);
      bar->low = std::min(bar->low, one.low);
      bar->close = one.close;
      bar->volume += one.volume;
    }
    return bar;
  }

  std::int64_t count_;
  std::map<std::string, minute_map> minutes_;
  std::deque<std::vector<candle>> answers_;
};

struct naive_run {
  const strategy_schema* strategy = nullptr;
  shared_identity identity;
  instant data_end = 0;
  instant data_begin = INT64_MAX; ///< open time of the first candle
  bool told_absence = false;
  std::vector<event> events;
  std::optional<signal_row> signal; ///< scheduled while it has no pending_at
  std::set<instant> used_slots;
  double last_price = 0;
  std::vector<double> results; ///< net, while the position is open
  std::set<std::pair<milestone_side, int>> announced;
  bool activates = false; ///< its entry was reached at this instant
  bool instant_over = false;
};

class naive_portfolio {
public:
  explicit naive_portfolio(const scenario& world)
      : world_(world), rules_(rules_for(world.exchange, world.parameters)), market_(world) {
    for (const auto& strategy : world.schemas.strategies)
      for (const auto& [symbol, candles] : world.market()) {
        naive_run run;
        run.strategy = &strategy;
        run.identity = std::make_shared<const run_identity>(
            run_identity{symbol, strategy.strategy_name, world.exchange.exchange_name,
                         world.frame.frame_name, run_mode::backtest});
        run.data_end =
            candles.empty() ? world.frame.start - minute_ms : candles.back().open_time + minute_ms;
        if (!candles.empty())
          run.data_begin = candles.front().open_time;
        runs_.push_back(std::move(run));
      }
    std::sort(runs_.begin(), runs_.end(), [](const auto& a, const auto& b) {
      return std::tie(a.identity->strategy_name, a.identity->symbol) <
             std::tie(b.identity->strategy_name, b.identity->symbol);
    });
  }

  std::vector<event> events() {
    instant end = 0;
    for (const auto& run : runs_)
      end = std::max(end, run.data_end);
    for (instant when = world_.frame.start; when <= end; when += minute_ms) {
      for (auto& run : runs_)
        if (when <= run.data_end)
          examine(run, when); // ends come before all openings
      for (auto& run : runs_)
        if (when <= run.data_end)
          go_on(run, when);
    }
    std::vector<event> all;
    for (auto& run : runs_) {
      if (last_instant() > run.data_end)
        tell_error(run, error_code::data_ended, std::max(run.data_end, world_.frame.start));
      all.insert(all.end(), run.events.begin(), run.events.end());
    }
    std::stable_sort(all.begin(), all.end(), [](const event& a, const event& b) {
      return *instant_of(a) < *instant_of(b);
    });
    return all;
  }

private:
  instant last_instant() const {
    const instant step = length_of(world_.frame.size);
    instant last = world_.frame.start;
    while (last + step <= world_.frame.end)
      last += step;
    return last;
  }
  bool is_frame_instant(instant when) const {
    return when <= world_.frame.end &&
           (when - world_.frame.start) % length_of(world_.frame.size) == 0;
  }

  tick_result tick(const naive_run& run, tick_action action, instant when, double price) const {
    tick_result result;
    result.action = action;
    result.run = run.identity;
    result.timestamp = when;
    result.current_price = price;
    if (run.signal)
      result.signal = std::make_shared<const signal_row>(*run.signal);
    return result;
  }
  static void tell(naive_run& run, tick_result result) {
    run.events.push_back({topic::signal_backtest, std::move(result)});
  }
  static void tell_error(naive_run& run, error_code code, instant when) {
    run.events.push_back({topic::error, error_event{code, "", "", when, run.identity}});
  }

  // -- ends
  // ------------------------------------------------------------------------------------------

  void examine(naive_run& run, instant when) {
    run.activates = run.instant_over = false;
    if (!run.signal || run.signal->scheduled_at == when)
      return;
    const auto price = market_.price(run.identity->symbol, when);
    if (price)
      run.last_price = *price;
    const auto* closed = market_.minute(run.identity->symbol, when - minute_ms);
    if (run.signal->pending_at)
      examine_pending(run, when, price, closed);
    else
      examine_scheduled(run, when, price, closed);
  }

  void examine_scheduled(naive_run& run, instant when, std::optional<double> price,
                         const candle* closed) {
    const auto& signal = *run.signal;
    const bool is_long = signal.position == position_side::long_side;
    std::optional<double> seen = price;
    if (rules_.entry_fill == fill_model::touch)
      seen = closed ? std::optional{is_long ? closed->low : closed->high} : std::nullopt;
    const auto beyond = [&](double level) { return is_long ? *seen <= level : *seen >= level; };
    if (seen && beyond(signal.price_stop_loss))
      return cancel(run, when, cancel_reason::price_reject);
    if (seen && beyond(signal.price_open)) {
      run.activates = true;
      return;
    }
    if (when - signal.scheduled_at >= rules_.parameters.schedule_await_minutes * minute_ms)
      return cancel(run, when, cancel_reason::timeout);
    if (price)
      tell(run, tick(run, tick_action::waiting, when, *price));
  }

  void cancel(naive_run& run, instant when, cancel_reason reason) {
    auto result = tick(run, tick_action::cancelled, when, run.last_price);
    result.close_timestamp = when;
    result.cancelled_by = reason;
    tell(run, std::move(result));
    run.signal.reset();
  }

  void examine_pending(naive_run& run, instant when, std::optional<double> price,
                       const candle* closed) {
    const auto& signal = *run.signal;
    const bool is_long = signal.position == position_side::long_side;
    bool target = false, stop = false;
    if (rules_.exit_fill == fill_model::touch) {
      if (closed) {
        stop = is_long ? closed->low <= signal.price_stop_loss
                       : closed->high >= signal.price_stop_loss;
        target = !stop && (is_long ? closed->high >= signal.price_take_profit
                                   : closed->low <= signal.price_take_profit);
      }
    } else if (price) {
      target = is_long ? *price >= signal.price_take_profit : *price <= signal.price_take_profit;
      stop = !target &&
             (is_long ? *price <= signal.price_stop_loss : *price >= signal.price_stop_loss);
    }
    if (target)
      return close(run, when, close_reason::take_profit, signal.price_take_profit);
    if (stop)
      return close(run, when, close_reason::stop_loss, signal.price_stop_loss);
    if (when - *signal.pending_at >= signal.minute_estimated_time * minute_ms)
      return close(run, when, close_reason::time_expired, run.last_price);
    if (!price)
      return;
    run.results.push_back(net(signal, *price));
    const double forward = is_long ? *price - signal.price_open : signal.price_open - *price;
    const bool profit = forward > 0;
    const double goal = profit ? signal.price_take_profit : signal.price_stop_loss;
    const double progress =
        std::abs(*price - signal.price_open) / std::abs(goal - signal.price_open) * 100;
    for (int level = 10; level <= 100; level += 10)
      if (forward != 0 && progress >= level) {
        const auto side = profit ? milestone_side::profit : milestone_side::loss;
        if (run.announced.insert({side, level}).second)
          run.events.push_back(
              {profit ? topic::partial_profit : topic::partial_loss,
               partial_event{run.identity, std::make_shared<const signal_row>(signal), side, level,
                             *price, when}});
      }
    auto result = tick(run, tick_action::active, when, *price);
    (profit ? result.percent_tp : result.percent_sl) = std::min(progress, 100.0);
    tell(run, std::move(result));
  }

  double net(const signal_row& signal, double price) const {
    const double slip = rules_.parameters.percent_slippage / 100;
    const bool is_long = signal.position == position_side::long_side;
    const double o = signal.price_open * (is_long ? 1 + slip : 1 - slip);
    const double c = price * (is_long ? 1 - slip : 1 + slip);
    const double gross = (is_long ? c - o : o - c) / o * 100;
    return gross - rules_.parameters.percent_fee * (1 + c / o);
  }

  void close(naive_run& run, instant when, close_reason reason, double price) {
    auto result = tick(run, tick_action::closed, when, price);
    const double pnl = net(*run.signal, price);
    run.results.push_back(pnl);
    result.close_timestamp = when;
    result.closed_by = reason;
    result.pnl = profit_and_loss{pnl, run.signal->price_open, price};
    result.peak_pnl = *std::max_element(run.results.begin(), run.results.end());
    result.fall_pnl = *std::min_element(run.results.begin(), run.results.end());
    tell(run, std::move(result));
    run.signal.reset();
    for (auto& [profile, positions] : positions_)
      std::erase_if(positions, [&](const active_position& held) {
        return held.strategy_name == run.identity->strategy_name &&
               held.symbol == run.identity->symbol;
      });
  }

  // -- openings
  // --------------------------------------------------------------------------------------

  void go_on(naive_run& run, instant when) {
    if (run.activates)
      return activate(run, when);
    if (run.signal || !is_frame_instant(when))
      return;
    const auto price = market_.price(run.identity->symbol, when);
    const instant slot = align_down(when, length_of(run.strategy->size));
    if (!run.used_slots.contains(slot)) {
      if (!price) {
        if (when > run.data_begin || !std::exchange(run.told_absence, true))
          tell_error(run, error_code::data_gap, when);
        return;
      }
      run.used_slots.insert(slot);
      if (generate(run, when, *price))
        return;
    }
    if (price)
      tell(run, tick(run, tick_action::idle, when, *price));
  }

  void activate(naive_run& run, instant when) {
    auto& signal = *run.signal;
    signal_request request{signal.position,
                           signal.id,
                           signal.price_open,
                           signal.price_take_profit,
                           signal.price_stop_loss,
                           signal.minute_estimated_time,
                           signal.note,
                           signal.quantity};
    if (!allowed(run, when, request, run.last_price))
      return cancel(run, when, cancel_reason::risk_reject);
    open(run, when, run.last_price);
  }

  void open(naive_run& run, instant when, double price) {
    run.signal->pending_at = when;
    run.last_price = price;
    run.announced.clear();
    run.results = {net(*run.signal, run.signal->price_open)};
    for (const auto& name : profiles_of(*run.strategy))
      positions_[name].push_back({run.identity->strategy_name, run.identity->exchange_name,
                                  run.identity->symbol, run.signal->position,
                                  run.signal->price_open, when});
    tell(run, tick(run, tick_action::opened, when, run.signal->price_open));
  }

  /// True when the instant ended in a signal.
  bool generate(naive_run& run, instant when, double price) {
    std::optional<signal_request> request;
    try {
      request = run.strategy->get_signal(run_context{*run.identity, when, market_});
    } catch (const failure& gap) {
      REQUIRE(gap.code() == error_code::data_gap);
      tell_error(run, error_code::data_gap, when);
      return false;
    } catch (const std::exception&) {
      tell_error(run, error_code::signal_source_failed, when);
      return false;
    }
    if (!request)
      return false;
    if (!request->id || request->id->empty())
      request->id =
          fmt::format("{}:{}:{}", run.identity->strategy_name, run.identity->symbol, when);
    const bool is_long = request->position == position_side::long_side;
    const double entry = request->price_open.value_or(price);
    const bool waits = is_long ? price > entry : price < entry;
    const std::int64_t lifetime =
        request->minute_estimated_time.value_or(rules_.parameters.max_signal_lifetime_minutes);
    if (!is_valid(*request, entry, waits ? entry : price, lifetime)) {
      tell_error(run, error_code::invalid_signal, when);
      return false;
    }
    if (!allowed(run, when, *request, price))
      return false;
    run.signal = signal_row{*request->id,
                            run.identity->symbol,
                            run.identity->strategy_name,
                            run.identity->exchange_name,
                            request->position,
                            request->note.empty() ? "" : plain_text(request->note),
                            entry,
                            request->price_take_profit,
                            request->price_stop_loss,
                            lifetime,
                            when,
                            std::nullopt,
                            waits,
                            request->quantity};
    run.last_price = price;
    if (waits)
      tell(run, tick(run, tick_action::scheduled, when, price));
    else
      open(run, when, price);
    return true;
  }

  bool is_valid(const signal_request& request, double entry, double reference,
                std::int64_t lifetime) const {
    const auto& p = rules_.parameters;
    const double side = request.position == position_side::long_side ? 1 : -1;
    const auto percent = [&](double x) { return std::abs(x - entry) / entry * 100; };
    return (request.price_take_profit - entry) * side > 0 &&
           (entry - request.price_stop_loss) * side > 0 &&
           (request.price_take_profit - reference) * side > 0 &&
           (reference - request.price_stop_loss) * side > 0 &&
           percent(request.price_take_profit) >= p.min_takeprofit_distance_percent &&
           percent(request.price_stop_loss) >= p.min_stoploss_distance_percent &&
           percent(request.price_stop_loss) <= p.max_stoploss_distance_percent && lifetime > 0 &&
           lifetime <= p.max_signal_lifetime_minutes &&
           (!request.quantity || *request.quantity > 0);
  }

  bool allowed(naive_run& run, instant when, const signal_request& request, double price) {
    for (const auto& name : profiles_of(*run.strategy)) {
      const auto schema =
          std::find_if(world_.schemas.risks.begin(), world_.schemas.risks.end(),
                       [&](const risk_schema& item) { return item.risk_name == name; });
      const auto& positions = positions_[name];
      for (const auto& rule : schema->validations) {
        std::string comment;
        bool thrown = false;
        try {
          const auto reason = rule.validate({*run.identity, request, price, when, positions});
          if (!reason)
            continue;
          comment = reason->empty() ? "N/A" : *reason;
        } catch (const std::exception& caught) {
          thrown = true;
          comment = caught.what();
        }
        if (thrown)
          run.events.push_back({topic::validation, error_event{error_code::risk_validation_failed,
                                                               "", "", when, run.identity}});
        run.events.push_back(
            {topic::risk, risk_event{run.identity, name, request, price, std::ssize(positions),
                                     rule.note.empty() ? comment : rule.note, when}});
        return false;
      }
    }
    return true;
  }

  const scenario& world_;
  trading_rules rules_;
  naive_market market_;
  std::vector<naive_run> runs_;
  std::map<std::string, std::vector<active_position>> positions_;
};

/// Events as lines, without the words of errors: those are free.
texts lines_of(const std::vector<event>& events, interest wanted = interest::everything()) {
  texts lines;
  for (auto item : events) {
    const auto* tick = std::get_if<tick_result>(&item.payload);
    if (tick ? !wanted.has(tick->action) : !wanted.has(item.on))
      continue;
    if (auto* problem = std::get_if<error_event>(&item.payload))
      problem->message = problem->source = "";
    append_event_line(lines.emplace_back(), std::nullopt, item.on, item);
  }
  return lines;
}

std::string difference(const texts& expected, const texts& actual) {
  const auto [left, right] =
      std::mismatch(expected.begin(), expected.end(), actual.begin(), actual.end());
  if (left == expected.end() && right == actual.end())
    return "";
  return fmt::format("line {}:\n  expected {}\n  actual   {}", left - expected.begin() + 1,
                     left == expected.end() ? "nothing" : *left,
                     right == actual.end() ? "nothing" : *right);
}

interest random_mask(mixer& random) {
  interest mask;
  for (std::size_t i = 0; i < tick_action_count; ++i)
    if (random.chance(0.5))
      mask |= interest::of(static_cast<tick_action>(i));
  for (std::size_t i = 0; i < topic_count; ++i)
    if (random.chance(0.5))
      mask |= interest::of(static_cast<topic>(i));
  return mask;
}

} // namespace

TEST_CASE("lifecycle 2-9: the cores tell the same story as one instant after the other") {
  std::map<std::string, int> told;
  for (std::uint64_t seed = 1; seed <= random_cases<std::uint64_t>(250); ++seed) {
    CAPTURE(seed);
    auto world = random_scenario(seed);
    const auto expected = naive_portfolio{world}.events();
    for (const auto& item : expected)
      if (const auto* tick = std::get_if<tick_result>(&item.payload))
        ++told[std::string{to_string(tick->action)}];
      else
        ++told[std::string{to_string(item.on)}];
    const auto everything = difference(lines_of(expected), lines_of(world.run().events));
    REQUIRE_MESSAGE(everything.empty(), everything);
    // How far it goes at a time, how much it tells at a time and who listens change nothing.
    mixer random{seed, 2};
    world.options.range = random.pick(std::vector<instant>{1, 7, 61, 5000}) * minute_ms;
    world.options.max_events = random.pick(std::vector<std::size_t>{1, 3, SIZE_MAX});
    world.options.wanted = random_mask(random);
    const auto part =
        difference(lines_of(expected, world.options.wanted), lines_of(world.run().events));
    REQUIRE_MESSAGE(part.empty(), part);
  }
  // The test is worth its time only if everything happens often.
  for (const auto* what :
       {"idle", "scheduled", "waiting", "opened", "active", "closed", "cancelled", "partial_profit",
        "partial_loss", "risk", "error", "validation"})
    CHECK_MESSAGE(told[what] > random_cases(100), what);
}
