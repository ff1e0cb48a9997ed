#include "tests/support/plain_portfolio.hpp"

#include "actors/exchange/candle_loader.hpp"
#include "actors/partial/milestones.hpp"
#include "actors/risk/risk_arbiter.hpp"
#include "runtime/event_merger.hpp"

#include <algorithm>
#include <deque>
#include <memory>
#include <tuple>

namespace backtest::testing {

namespace {

struct participant {
  const strategy_schema* schema;
  shared_identity identity;
  std::unique_ptr<series_market> market;
  std::unique_ptr<strategy_core> core;
  std::map<std::string, milestones> announced;
  bool over = false;
  bool waits_for_risk = false;
  std::optional<error> problem;
};

} // namespace

plain_result run_plain_portfolio(const schema_set& schemas, const configuration& parameters,
                                 const exchange_schema& exchange, const frame_schema& frame,
                                 const std::vector<std::string>& symbols,
                                 const plain_options& options) {
  candle_loader loader{exchange, parameters, {}};
  const auto instants = timeline_of(frame);
  std::vector<participant> participants;
  for (const auto& strategy : schemas.strategies)
    for (const auto& symbol : symbols)
      participants.push_back({&strategy,
                              std::make_shared<const run_identity>(run_identity{
                                  symbol, strategy.strategy_name, exchange.exchange_name,
                                  frame.frame_name, run_mode::backtest}),
                              {}, {}, {}, false, false, {}});
  std::sort(participants.begin(), participants.end(), [](const auto& a, const auto& b) {
    return std::tie(a.identity->strategy_name, a.identity->symbol) <
           std::tie(b.identity->strategy_name, b.identity->symbol);
  });
  std::vector<risk_participant> asking;
  for (auto& item : participants) {
    auto profiles = profiles_of(*item.schema);
    const auto& symbol = item.identity->symbol;
    item.market = std::make_unique<series_market>(
        symbol, parameters.avg_price_candles_count, number_formats{},
        [&loader](const std::string& of, interval size, instant from, instant until) {
          return loader.load(of, size, from, until);
        });
    item.market->provide(loader.load(symbol, interval::m1, instants.first - day_ms,
                                     instants.last + 3 * day_ms));
    auto plan = plan_for(item.identity, instants, item.market->minutes(),
                         rules_for(exchange, parameters));
    plan.asks_risk = !profiles.empty();
    plan.stop = options.stop;
    item.core = std::make_unique<strategy_core>(*item.schema, plan, *item.market);
    asking.push_back({item.identity, std::move(profiles)});
  }
  risk_arbiter arbiter{schemas.risks, asking};
  event_merger merger{participants.size(), instants.first};

  const auto advance = [&](std::size_t id) {
    auto& item = participants[id];
    std::vector<event> events;
    const range_grant grant{item.core->clock() + options.range, options.wanted,
                            options.max_events};
    for (;;) {
      const auto reason = item.core->advance(grant, events);
      for (const auto when : item.core->take_ends())
        arbiter.ended(id, when);
      for (const auto& signal : item.core->take_closed_ids())
        item.announced.erase(signal);
      if (reason == pause_reason::ask_milestones) {
        const auto& query = item.core->reached();
        item.core->answer(item.announced[query.signal_id].reach(query.side, query.crossed));
        continue;
      }
      item.waits_for_risk = reason == pause_reason::ask_risk;
      item.over = reason == pause_reason::finished || reason == pause_reason::failed;
      if (reason == pause_reason::failed)
        item.problem = item.core->reason();
      if (item.waits_for_risk)
        arbiter.ask(id, item.core->query());
      else
        arbiter.promise(id, item.core->clock());
      merger.add(id, std::move(events), item.core->clock());
      return;
    }
  };

  for (bool moved = true; moved;) {
    moved = false;
    for (std::size_t id = 0; id < participants.size(); ++id)
      if (!participants[id].over && !participants[id].waits_for_risk) {
        advance(id);
        moved = true;
      }
    for (auto& [id, verdict] : arbiter.decide()) {
      participants[id].core->answer(std::move(verdict));
      advance(id);
      moved = true;
    }
  }

  plain_result result;
  for (auto piece = merger.take(); !piece.empty(); piece = merger.take())
    std::ranges::move(piece, std::back_inserter(result.events));
  for (auto& item : participants) {
    result.runs.push_back({item.identity, item.core->counters(), item.core->gaps(),
                           item.core->before_first_candle(), item.core->machine().signal(),
                           item.core->plan().data_end, item.problem, item.core->was_cut_short()});
  }
  return result;
}

} // namespace backtest::testing
