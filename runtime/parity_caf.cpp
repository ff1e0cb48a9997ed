#include "runtime/parity.hpp"

#include "messages/json_text.hpp"

#include <limits>
#include <mutex>
#include <vector>

#include <fmt/format.h>

namespace backtest {

namespace {

struct outcome {
  std::vector<event> events;
  std::vector<run_summary> runs;
};

/// The event as both drivers would tell it: topic, mode and frame name are theirs.
std::string common_form(event item) {
  if (item.on == topic::signal_live)
    item.on = topic::signal_backtest;
  item.number = 0;
  std::visit(
      [](auto& payload) {
        if (!payload.run)
          return;
        auto run = *payload.run;
        run.mode = run_mode::backtest;
        run.frame_name.clear();
        payload.run = std::make_shared<const run_identity>(std::move(run));
      },
      item.payload);
  return to_json_text(item);
}

template <class Begin> outcome listen_to(runtime& target, topic signals, Begin begin) {
  subscription wanted;
  wanted.topics = {signals,           topic::partial_profit, topic::partial_loss,
                   topic::risk,       topic::validation,     topic::error};
  outcome result;
  auto listener = target.listen(wanted, [&result](const event& item) {
    if (instant_of(item))
      result.events.push_back(item);
  });
  auto handle = begin();
  handle.wait();
  target.flush();
  listener.unsubscribe();
  result.runs = handle.summaries();
  return result;
}

std::string counts_of(const run_summary& run) {
  const auto& count = run.counters;
  return fmt::format(
      "{}, scheduled {}, opened {}, closed {}, cancelled {}, unfinished {}, refused by "
      "risk {}, errors {}",
      to_string(run.outcome), count.scheduled, count.opened, count.closed, count.cancelled,
      count.unfinished, count.risk_rejections, run.errors);
}

} // namespace

parity_result compare_drivers(runtime& target, const backtest_request& request) {
  const auto history = listen_to(target, topic::signal_backtest,
                                 [&] { return target.backtest().background(request); });
  live_request replay;
  replay.symbols = request.symbols;
  replay.strategies = request.strategies;
  replay.exchange = request.exchange;
  replay.frame = request.frame;
  replay.clock = make_replay_clock(std::numeric_limits<double>::infinity());
  const auto live =
      listen_to(target, topic::signal_live, [&] { return target.live().background(replay); });
  parity_result result;
  const auto line = [](const std::vector<event>& events, std::size_t index) {
    return index < events.size() ? common_form(events[index]) : std::string{"nothing"};
  };
  const auto count = std::max(history.events.size(), live.events.size());
  for (; result.compared < count; ++result.compared) {
    const auto expected = line(history.events, result.compared);
    const auto found = line(live.events, result.compared);
    if (expected != found) {
      result.difference = fmt::format("event {}:\n  backtest: {}\n  live:     {}",
                                      result.compared + 1, expected, found);
      return result;
    }
  }
  for (const auto& run : history.runs)
    if (run.outcome == run_outcome::failed)
      result.failed.push_back(run);
  for (std::size_t run = 0; run < history.runs.size(); ++run) {
    const auto expected = counts_of(history.runs[run]);
    const auto found =
        run < live.runs.size() ? counts_of(live.runs[run]) : std::string{"nothing"};
    if (expected != found) {
      result.difference =
          fmt::format("{} on {}:\n  backtest: {}\n  live:     {}",
                      history.runs[run].identity->strategy_name,
                      history.runs[run].identity->symbol, expected, found);
      return result;
    }
  }
  return result;
}

} // namespace backtest
