#include "tests/support/golden.hpp"

#include "messages/json.hpp"
#include "tests/support/paths.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <tuple>

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace backtest::testing {

namespace {

using field_list = std::vector<std::pair<std::string, std::string>>;

void add_signal(field_list& fields, const signal_row& s) {
  fields.emplace_back("position", to_string(s.position));
  fields.emplace_back("price_open", number_text(s.price_open));
  fields.emplace_back("price_take_profit", number_text(s.price_take_profit));
  fields.emplace_back("price_stop_loss", number_text(s.price_stop_loss));
  fields.emplace_back("minute_estimated_time", std::to_string(s.minute_estimated_time));
  fields.emplace_back("scheduled_at", std::to_string(s.scheduled_at));
  if (s.pending_at)
    fields.emplace_back("pending_at", std::to_string(*s.pending_at));
}

struct fact_maker {
  std::vector<fact>& out;

  fact& start(const shared_identity& run, instant when, std::string_view action) {
    out.push_back({when, run->strategy_name, run->symbol, std::string{action}, {}});
    return out.back();
  }

  void operator()(const tick_result& tick) {
    if (tick.action == tick_action::idle || tick.action == tick_action::waiting ||
        tick.action == tick_action::active)
      return;
    auto& item = start(tick.run, tick.timestamp, to_string(tick.action));
    add_signal(item.fields, *tick.signal);
    if (tick.closed_by) {
      item.fields.emplace_back("reason", to_string(*tick.closed_by));
      item.fields.emplace_back("price_close", number_text(tick.pnl->price_close));
      item.fields.emplace_back("pnl_percentage", number_text(tick.pnl->pnl_percentage));
      item.fields.emplace_back("peak_pnl", number_text(*tick.peak_pnl));
      item.fields.emplace_back("fall_pnl", number_text(*tick.fall_pnl));
    }
    if (tick.cancelled_by)
      item.fields.emplace_back("reason", to_string(*tick.cancelled_by));
  }
  void operator()(const partial_event& partial) {
    auto& item = start(partial.run, partial.timestamp,
                       partial.side == milestone_side::profit ? "partial_profit" : "partial_loss");
    item.fields.emplace_back("level", std::to_string(partial.level));
    item.fields.emplace_back("price", number_text(partial.current_price));
    item.fields.emplace_back("pending_at", std::to_string(*partial.signal->pending_at));
  }
  void operator()(const risk_event& risk) {
    auto& item = start(risk.run, risk.timestamp, "risk_rejected");
    item.fields.emplace_back("risk_name", risk.risk_name);
    item.fields.emplace_back("note", risk.comment);
    item.fields.emplace_back("active_position_count", std::to_string(risk.active_position_count));
  }
  void operator()(const error_event& problem) {
    if (problem.run && problem.timestamp)
      start(problem.run, *problem.timestamp, "error")
          .fields.emplace_back("cause", to_string(problem.code));
  }
  template <class Other>
  void operator()(const Other&) {}
};

bool same_value(const std::string& expected, const std::string& actual) {
  if (expected == actual)
    return true;
  char* end = nullptr;
  const double left = std::strtod(expected.c_str(), &end);
  if (end == expected.c_str() || *end != '\0')
    return false;
  const double right = std::strtod(actual.c_str(), &end);
  if (end == actual.c_str() || *end != '\0')
    return false;
  return std::abs(left - right) <= 1e-9 * std::max({std::abs(left), std::abs(right), 1e-3});
}

std::string describe(const fact& item) {
  auto text =
      fmt::format("{} {} {} {}", to_iso(item.when), item.strategy, item.symbol, item.action);
  for (const auto& [name, value] : item.fields)
    text += fmt::format(" {}={}", name, value);
  return text;
}

} // namespace

std::vector<std::filesystem::path> golden_cases() {
  std::vector<std::filesystem::path> found;
  const std::filesystem::path root = backtest::testing::shared_directory() / "golden";
  std::error_code missing;
  for (const auto& entry : std::filesystem::directory_iterator{root, missing})
    if (std::filesystem::exists(entry.path() / "expected.jsonl"))
      found.push_back(entry.path());
  if (found.empty())
    std::puts("skipped: there are no golden cases beside the project");
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<fact> expected_facts(const std::filesystem::path& golden_case) {
  std::vector<fact> facts;
  std::ifstream file{golden_case / "expected.jsonl"};
  for (std::string line; std::getline(file, line);) {
    const auto document = parse_json(line);
    fact item;
    for (const auto& [key, value] : document.as_object()) {
      std::string text = value.is_string()  ? std::string{value.as_string()}
                         : value.is_int64() ? std::to_string(value.as_int64())
                                            : number_text(value.to_number<double>());
      if (key == "instant")
        item.when = value.as_int64();
      else if (key == "strategy")
        item.strategy = std::move(text);
      else if (key == "symbol")
        item.symbol = std::move(text);
      else if (key == "action")
        item.action = std::move(text);
      else
        item.fields.emplace_back(key, std::move(text));
    }
    facts.push_back(std::move(item));
  }
  return facts;
}

std::vector<fact> facts_of(const std::vector<event>& events) {
  std::vector<fact> facts;
  for (const auto& item : events)
    std::visit(fact_maker{facts}, item.payload);
  return facts;
}

fact unfinished_fact(const signal_row& signal, instant when) {
  fact item{when, signal.strategy_name, signal.symbol, "unfinished", {}};
  add_signal(item.fields, signal);
  return item;
}

void sort_facts(std::vector<fact>& facts) {
  std::stable_sort(facts.begin(), facts.end(), [](const fact& a, const fact& b) {
    return std::tie(a.when, a.strategy, a.symbol) < std::tie(b.when, b.strategy, b.symbol);
  });
}

std::optional<std::string> first_difference(const std::vector<fact>& expected,
                                            const std::vector<fact>& actual) {
  for (std::size_t i = 0; i < std::max(expected.size(), actual.size()); ++i) {
    if (i >= expected.size())
      return fmt::format("fact {}: not expected: {}", i + 1, describe(actual[i]));
    if (i >= actual.size())
      return fmt::format("fact {}: missing: {}", i + 1, describe(expected[i]));
    auto left = expected[i];
    auto right = actual[i];
    std::sort(left.fields.begin(), left.fields.end());
    std::sort(right.fields.begin(), right.fields.end());
    const bool same = left.when == right.when && left.strategy == right.strategy &&
                      left.symbol == right.symbol && left.action == right.action &&
                      std::equal(left.fields.begin(), left.fields.end(), right.fields.begin(),
                                 right.fields.end(), [](const auto& a, const auto& b) {
                                   return a.first == b.first && same_value(a.second, b.second);
                                 });
    if (!same)
      return fmt::format("fact {}:\n  expected {}\n  actual   {}", i + 1, describe(expected[i]),
                         describe(actual[i]));
  }
  return std::nullopt;
}

} // namespace backtest::testing
