#include "actors/risk/built_in_rules.hpp"

#include "messages/json_reader.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace backtest {

namespace {

using verdict = std::optional<std::string>;

/// Rejects when `limit` of the active positions that `counts(question, position)` picks are there;
/// `where(question)` says which these are, after "active".
template <class Counts, class Where>
risk_function at_most(std::int64_t limit, Counts counts, Where where) {
  return [=](const risk_question& question) -> verdict {
    const auto count =
        std::count_if(question.active_positions.begin(), question.active_positions.end(),
                      [&](const active_position& position) { return counts(question, position); });
    if (count < limit)
      return std::nullopt;
    return fmt::format("{} position{} active{}, the limit is {}", count, count == 1 ? "" : "s",
                       where(question), limit);
  };
}

bool contains(const std::vector<std::string>& symbols, const std::string& symbol) {
  return std::find(symbols.begin(), symbols.end(), symbol) != symbols.end();
}

std::int64_t read_limit(const json_reader& in) {
  const auto limit = in.integer("limit");
  if (limit < 0)
    in.fail_at("limit", fmt::format("expected an integer >= 0, got {}", limit));
  return limit;
}

std::int64_t read_hour(const json_reader& in, std::string_view key, std::int64_t highest) {
  const auto hour = in.integer(key);
  if (hour < 0 || hour > highest)
    in.fail_at(key, fmt::format("expected an hour from 0 to {}, got {}", highest, hour));
  return hour;
}

std::vector<std::string> read_symbols(const json_reader& in) {
  std::vector<std::string> symbols;
  for (const auto& item : in.elements()) {
    symbols.emplace_back(item.text());
    if (symbols.back().empty())
      item.fail("expected a symbol, got \"\"");
  }
  if (symbols.empty())
    in.fail("expected at least one symbol");
  return symbols;
}

template <class Make>
rule_type describe_rule(std::string name, std::string note, std::vector<parameter_info> parameters,
                        Make make) {
  rule_type type{std::move(name), std::move(note), std::move(parameters), {}};
  type.make = [known = type.parameters, make](const boost::json::object& params) -> risk_function {
    const boost::json::value document(params); // braces would make an array of it
    const json_reader in{document};
    allow_only(in, known);
    return make(in);
  };
  return type;
}

rule_type limit_rule(std::string name, std::string note, risk_function (*make)(std::int64_t)) {
  return describe_rule(std::move(name), std::move(note),
                       {{"limit", "", "reject when that many are active already"}},
                       [make](const json_reader& in) { return make(read_limit(in)); });
}

risk_function read_min_reward_risk(const json_reader& in) {
  const double ratio = in.number("ratio");
  if (!(ratio > 0))
    in.fail_at("ratio", fmt::format("expected a number > 0, got {}", number_text(ratio)));
  return min_reward_risk(ratio);
}

risk_function read_symbols_rule(const json_reader& in) {
  if (in.has("allow") == in.has("deny"))
    in.fail("expected either \"allow\" or \"deny\"");
  return in.has("allow") ? allow_symbols(read_symbols(in.member("allow")))
                         : deny_symbols(read_symbols(in.member("deny")));
}

risk_function read_hours(const json_reader& in) {
  const auto from = read_hour(in, "from", 23);
  const auto to = read_hour(in, "to", 24);
  if (from == to)
    in.fail_at("to", fmt::format("expected another hour than \"from\" ({}): nothing would be "
                                 "allowed",
                                 from));
  return allow_hours(from, to);
}

} // namespace

risk_function max_positions(std::int64_t limit) {
  return at_most(
      limit, [](const risk_question&, const active_position&) { return true; },
      [](const risk_question&) { return std::string{}; });
}

risk_function max_positions_per_symbol(std::int64_t limit) {
  return at_most(
      limit,
      [](const risk_question& question, const active_position& position) {
        return position.symbol == question.run.symbol;
      },
      [](const risk_question& question) { return " on " + question.run.symbol; });
}

risk_function max_same_side(std::int64_t limit) {
  return at_most(
      limit,
      [](const risk_question& question, const active_position& position) {
        return position.position == question.pending_signal.position;
      },
      [](const risk_question& question) {
        return fmt::format(" on the {} side", to_string(question.pending_signal.position));
      });
}

risk_function min_reward_risk(double ratio) {
  return [ratio](const risk_question& question) -> verdict {
    const auto& request = question.pending_signal;
    const double open = request.price_open.value_or(question.current_price);
    const double found =
        std::abs(request.price_take_profit - open) / std::abs(open - request.price_stop_loss);
    if (found >= ratio)
      return std::nullopt;
    return fmt::format("reward to risk is {}, at least {} is required", number_text(found),
                       number_text(ratio));
  };
}

risk_function allow_symbols(std::vector<std::string> symbols) {
  return [symbols = std::move(symbols)](const risk_question& question) -> verdict {
    if (contains(symbols, question.run.symbol))
      return std::nullopt;
    return fmt::format("{} is not among the allowed symbols: {}", question.run.symbol,
                       fmt::join(symbols, ", "));
  };
}

risk_function deny_symbols(std::vector<std::string> symbols) {
  return [symbols = std::move(symbols)](const risk_question& question) -> verdict {
    if (!contains(symbols, question.run.symbol))
      return std::nullopt;
    return fmt::format("{} is among the denied symbols: {}", question.run.symbol,
                       fmt::join(symbols, ", "));
  };
}

risk_function allow_hours(std::int64_t from, std::int64_t to) {
  return [from, to](const risk_question& question) -> verdict {
    const auto hour = hour_of_day(question.timestamp);
    const bool allowed = from <= to ? from <= hour && hour < to : from <= hour || hour < to;
    if (allowed)
      return std::nullopt;
    return fmt::format("hour {} UTC is outside {} to {}", hour, from, to);
  };
}

std::vector<rule_type> built_in_rule_types() {
  return {
      limit_rule("max_positions", "limits the active positions of the profile", &max_positions),
      limit_rule("max_positions_per_symbol", "limits the active positions on one symbol",
                 &max_positions_per_symbol),
      limit_rule("max_same_side", "limits the active positions on one side", &max_same_side),
      describe_rule("min_reward_risk", "refuses a take profit too near for its stop loss",
                    {{"ratio", "", "least |take profit - open| / |open - stop loss|"}},
                    &read_min_reward_risk),
      describe_rule("symbols", "allows or denies symbols",
                    {{"allow", "", "the only symbols allowed"},
                     {"deny", "", "symbols refused (instead of allow)"}},
                    &read_symbols_rule),
      describe_rule("hours", "allows signals in some hours of the day",
                    {{"from", "", "first UTC hour, 0 to 23"},
                     {"to", "", "hour at which it ends, 0 to 24; before from: around midnight"}},
                    &read_hours),
  };
}

} // namespace backtest
