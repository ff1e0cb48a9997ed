#include "tests/support/random_scenario.hpp"

#include "actors/exchange/synthetic_candles.hpp"

#include <stdexcept>

namespace backtest::testing {

namespace {

const std::vector<interval> strategy_intervals{interval::m1,  interval::m3,  interval::m5,
                                               interval::m15, interval::m30, interval::h1};
const std::vector<interval> candle_intervals{
    interval::m1, interval::m3, interval::m5, interval::m15, interval::m30, interval::h1,
    interval::h2, interval::h4, interval::h6, interval::h8,  interval::h12, interval::d1};
const std::vector<interval> frame_steps{interval::m1, interval::m1,  interval::m1, interval::m3,
                                        interval::m5, interval::m15, interval::h1, interval::h4};

std::vector<candle> random_candles(mixer& random, const std::string& symbol, double volatility,
                                   std::int64_t first, std::int64_t last) {
  if (random.chance(0.03))
    return {};
  auto series =
      generate_candles(random.next(), symbol, 100, volatility, at_minute(first), at_minute(last));
  const double gap = random.pick(std::vector<double>{0, 0, 0.01, 0.2});
  const std::int64_t outages = random.between(0, 3);
  std::vector<std::pair<instant, instant>> dark;
  for (std::int64_t i = 0; i < outages; ++i) {
    const auto from = random.between(first, last);
    dark.emplace_back(at_minute(from), at_minute(from + random.between(1, 180)));
  }
  std::vector<candle> kept;
  for (auto item : series.candles) {
    bool gone = random.chance(gap);
    for (const auto& [from, until] : dark)
      gone = gone || (from <= item.open_time && item.open_time < until);
    if (gone)
      continue;
    if (random.chance(0.05))
      item.volume = 0;
    kept.push_back(item);
  }
  return kept;
}

risk_schema random_profile(mixer& random, std::string name) {
  risk_schema schema;
  schema.risk_name = std::move(name);
  const std::int64_t rules = random.between(0, 3);
  for (std::int64_t i = 0; i < rules; ++i) {
    const std::string note = random.chance(0.4) ? "note" : "";
    const auto salt = random.next();
    switch (random.below(3)) {
    case 0: schema.validations.push_back(at_most(1 + salt % 3, "", note).validations[0]); break;
    case 1:
      schema.validations.push_back({[](const risk_question& question) {
                                      for (const auto& held : question.active_positions)
                                        if (held.symbol == question.run.symbol &&
                                            held.position != question.pending_signal.position)
                                          return std::optional<std::string>{"hedge"};
                                      return std::optional<std::string>{};
                                    },
                                    note});
      break;
    default:
      schema.validations.push_back(
          {[salt](const risk_question& question) -> std::optional<std::string> {
             mixer mood{salt, static_cast<std::uint64_t>(question.timestamp),
                        hash_of(question.run.symbol), hash_of(question.run.strategy_name)};
             if (mood.chance(0.1))
               throw std::runtime_error("rule broken");
             return mood.chance(0.1) ? std::optional<std::string>{""} : std::nullopt;
           },
           note});
    }
  }
  return schema;
}

} // namespace

std::uint64_t hash_of(std::string_view text) noexcept {
  std::uint64_t value = 14695981039346656037U;
  for (const char c : text)
    value = (value ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return value;
}

std::optional<signal_request> random_signal(std::uint64_t seed, const run_context& context,
                                            const std::vector<std::string>& symbols) {
  mixer random{seed, hash_of(context.symbol()), hash_of(context.strategy_name()),
               static_cast<std::uint64_t>(context.when())};
  if (random.chance(0.3))
    return std::nullopt;
  if (random.chance(0.05))
    throw std::runtime_error("no idea");
  const double price = context.average_price();
  double direction = random.real(-1, 1);
  if (random.chance(0.5)) {
    const auto size = random.pick(candle_intervals);
    const auto& other = random.pick(symbols);
    for (const auto& item : context.candles_present(other, size, random.between(1, 5)))
      direction += item.close > item.open ? item.volume : -item.volume;
    if (random.chance(0.3))
      direction +=
          context.candles(random.pick(candle_intervals), random.between(1, 3)).back().close -
          context.average_price(other);
  }
  const bool is_long = direction > 0;
  const double side = is_long ? 1 : -1;
  signal_request request;
  request.position = is_long ? position_side::long_side : position_side::short_side;
  const auto away = [&](double percent) { return price * (1 + side * percent / 100); };
  double entry = price;
  switch (random.below(4)) {
  case 0: break;
  case 1: request.price_open = entry = away(random.real(0, 0.4)); break; // already reached
  default: request.price_open = entry = away(-random.real(0, 2)); break; // waits
  }
  request.price_take_profit = entry * (1 + side * random.real(0.45, 3) / 100);
  request.price_stop_loss = entry * (1 - side * random.real(0.45, 3) / 100);
  if (random.chance(0.05))
    std::swap(request.price_take_profit, request.price_stop_loss);
  if (random.chance(0.8))
    request.minute_estimated_time = random.between(random.chance(0.02) ? 0 : 1, 200);
  if (random.chance(0.2))
    request.id = random.pick(texts{"", "again", fmt::format("own-{}", random.next())});
  if (random.chance(0.2))
    request.note = "**because** of `it`";
  if (random.chance(0.2))
    request.quantity = random.real(random.chance(0.1) ? -1 : 0.1, 5);
  return request;
}

scenario random_scenario(std::uint64_t seed) {
  mixer random{seed, 1};
  scenario world;
  world.parameters.percent_fee = random.real(0, 0.2);
  world.parameters.percent_slippage = random.real(0, 0.2);
  world.parameters.avg_price_candles_count = random.pick(std::vector<std::int64_t>{1, 2, 5, 5, 9});
  world.parameters.schedule_await_minutes = random.between(1, 90);
  world.parameters.max_signal_lifetime_minutes = random.pick(std::vector<std::int64_t>{90, 400});
  const auto fill = [&] { return random.chance(0.5) ? fill_model::vwap : fill_model::touch; };
  world.exchange.entry_fill = fill();
  world.exchange.exit_fill = fill();
  const std::int64_t length = random.between(60, 1200);
  const std::int64_t start = random.between(0, 200);
  world.frame_minutes(start, start + length, random.pick(frame_steps));
  const double volatility = random.pick(std::vector<double>{0.5, 2, 5});
  texts symbols;
  for (const auto* symbol : {"BTC", "ETH", "ada"})
    if (symbols.empty() || random.chance(0.5)) {
      symbols.emplace_back(symbol);
      const auto first =
          random.chance(0.1) ? random.between(0, start + length) : -random.between(0, 3000);
      const auto last =
          random.chance(0.3) ? random.between(0, start + length) : start + length + 600;
      world.candles(symbol) =
          random_candles(random, symbol, volatility, std::min(first, last), last);
    }
  texts profiles;
  for (const auto* name : {"one", "two", "three"})
    if (random.chance(0.6)) {
      profiles.emplace_back(name);
      world.schemas.risks.push_back(random_profile(random, name));
    }
  const std::int64_t strategies = random.between(1, 3);
  for (std::int64_t i = 0; i < strategies; ++i) {
    const auto salt = random.next();
    auto& strategy = world.strategy(
        [salt, symbols](const run_context& context) {
          return random_signal(salt, context, symbols);
        },
        std::string{"zBa"[static_cast<std::size_t>(i)]});
    strategy.size = random.chance(0.5) ? interval::m1 : random.pick(strategy_intervals);
    for (const auto& name : profiles)
      if (random.chance(0.5))
        strategy.risk_list.push_back(name);
    if (!strategy.risk_list.empty() && random.chance(0.5)) {
      strategy.risk_name = strategy.risk_list.back();
      strategy.risk_list.pop_back();
    }
  }
  return world;
}

} // namespace backtest::testing
