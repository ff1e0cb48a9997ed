#include "runtime/configuration_file.hpp"

#include "messages/configuration_parameters.hpp"
#include "runtime/configuration_fields.hpp"
#include "runtime/text_file.hpp"
#include "runtime/walker_report.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace backtest {

namespace {

namespace fs = std::filesystem;

constexpr auto wrong = error_code::invalid_configuration;

using surroundings = configuration_surroundings;

/// A percentage above 0 and up to 100.
double share(const json_reader& in, std::string_view key, double fallback) {
  return number_in(
      in, key, fallback, [](double x) { return x > 0 && x <= 100; },
      "a percentage above 0 and up to 100");
}

interval interval_or(const json_reader& in, interval fallback, bool allowed(interval) noexcept,
                     std::string_view expected) {
  if (!in.has("interval"))
    return fallback;
  const auto size = in.one_of("interval", &parse_interval, expected);
  if (!allowed(size))
    in.fail_at("interval", fmt::format("expected {}, got \"{}\"", expected, to_string(size)));
  return size;
}

instant date(const json_reader& in, std::string_view key) {
  const auto text = in.text(key);
  if (const auto when = parse_iso(text))
    return *when;
  in.fail_at(key,
             fmt::format("expected a UTC date such as \"2024-01-31T12:00:00Z\", got \"{}\"", text));
}

// ---- frames

frame_schema read_frame(const json_reader& in, const surroundings&) {
  in.allow_only({"name", "note", "interval", "start", "end"});
  frame_schema frame;
  frame.frame_name = non_empty_text(in, "name");
  frame.note = in.text_or("note", "");
  frame.size = interval_or(
      in, frame.size, [](interval) noexcept { return true; },
      "1m, 3m, 5m, 15m, 30m, 1h, 2h, 4h, 6h, 8h, 12h, 1d or 3d");
  frame.start = date(in, "start");
  frame.end = date(in, "end");
  if (frame.start % minute_ms != 0)
    in.fail_at("start", fmt::format("expected a whole minute, got {}", to_iso(frame.start)));
  if (frame.start > frame.end)
    in.fail_at("start", fmt::format("expected not later than \"end\" ({}), got {}",
                                    to_iso(frame.end), to_iso(frame.start)));
  return frame;
}

// ---- strategy and rule types

/// Calls a type's `make`; what it throws is told under the path `in` of its parameters.
template <class Make>
auto make_at(const json_reader& in, Make make) {
  try {
    return make();
  } catch (const json_failure& problem) {
    throw json_failure(problem.code(), join_path(in.path(), problem.path()), problem.problem());
  } catch (const std::exception& problem) {
    in.fail(problem.what());
  }
}

template <class Type>
std::string names_of(std::span<const Type> types) {
  std::vector<std::string_view> names;
  for (const auto& type : types)
    names.emplace_back(type.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

template <class Type>
const Type& known_type(const json_reader& in, const Type* found, std::span<const Type> all,
                       std::string_view kind) {
  if (found)
    return *found;
  in.fail_at("type", fmt::format("{} \"{}\" not found, expected one of: {}", kind, in.text("type"),
                                 names_of(all)));
}

risk_validation read_rule(const json_reader& in, const surroundings& around) {
  const auto& type = known_type(in, around.types.find_rule_type(in.text("type")),
                                around.types.rule_types(), "rule type");
  boost::json::object parameters = in.object();
  parameters.erase("type");
  parameters.erase("note");
  return {make_at(in, [&] { return type.make(parameters); }), std::string{in.text_or("note", "")}};
}

risk_schema read_risk(const json_reader& in, const surroundings& around) {
  in.allow_only({"name", "note", "rules"});
  risk_schema risk;
  risk.risk_name = non_empty_text(in, "name");
  risk.note = in.text_or("note", "");
  if (const auto rules = in.find("rules"))
    for (const auto& rule : rules->elements())
      risk.validations.push_back(read_rule(rule, around));
  return risk;
}

strategy_schema read_strategy(const json_reader& in, const surroundings& around) {
  in.allow_only({"name", "note", "type", "interval", "params", "risk_name", "risk_list"});
  const auto& type = known_type(in, around.types.find_strategy_type(in.text("type")),
                                around.types.strategy_types(), "strategy type");
  strategy_schema strategy;
  strategy.strategy_name = non_empty_text(in, "name");
  strategy.note = in.text_or("note", "");
  strategy.size =
      interval_or(in, type.default_interval, &is_strategy_interval, "1m, 3m, 5m, 15m, 30m or 1h");
  const boost::json::value no_parameters(boost::json::object_kind);
  const auto parameters =
      in.find("params").value_or(json_reader{no_parameters, wrong, join_path(in.path(), "params")});
  const auto& values = parameters.object();
  strategy.get_signal = make_at(parameters, [&] { return type.make(values, strategy.size); });
  strategy.risk_name = in.text_or("risk_name", "");
  if (const auto list = in.find("risk_list"))
    strategy.risk_list = distinct_texts(*list);
  return strategy;
}

void require_risk(const json_reader& in, const std::string& name,
                  const std::vector<risk_schema>& risks) {
  std::vector<std::string_view> names;
  for (const auto& risk : risks)
    names.emplace_back(risk.risk_name);
  if (std::find(names.begin(), names.end(), name) != names.end())
    return;
  throw json_failure(error_code::not_found, in.path(),
                     fmt::format("risk \"{}\" not found, {}", name,
                                 names.empty()
                                     ? std::string{"the file has none"}
                                     : fmt::format("expected one of: {}", fmt::join(names, ", "))));
}

/// Every profile a strategy names must exist, and none may be named twice.
void require_risks(const json_reader& in, const strategy_schema& strategy,
                   const std::vector<risk_schema>& risks) {
  if (!strategy.risk_name.empty())
    require_risk(in.member("risk_name"), strategy.risk_name, risks);
  for (std::size_t i = 0; i < strategy.risk_list.size(); ++i) {
    const auto item = in.member("risk_list").element(i);
    require_risk(item, strategy.risk_list[i], risks);
    if (strategy.risk_list[i] == strategy.risk_name)
      item.fail(fmt::format("\"{}\" is named by risk_name already", strategy.risk_name));
  }
}

// ---- sizings and walkers

sizing_schema read_sizing(const json_reader& in, const surroundings&) {
  sizing_schema sizing;
  sizing.sizing_name = non_empty_text(in, "name");
  sizing.note = in.text_or("note", "");
  sizing.method = in.one_of("method", &parse_sizing_method,
                            "\"fixed-percentage\", \"kelly-criterion\" or \"atr-based\"");
  // A parameter of another method would have no effect.
  std::vector<std::string_view> allowed{"name", "note", "method"};
  for (const auto& type : sizing_method_types())
    if (type.method == sizing.method)
      for (const auto& parameter : type.parameters)
        allowed.emplace_back(parameter.name);
  in.allow_only(allowed);
  if (sizing.method != sizing_method::kelly_criterion) {
    in.number("risk_percentage");
    sizing.risk_percentage = share(in, "risk_percentage", 0);
  }
  sizing.kelly_multiplier = number_in(
      in, "kelly_multiplier", sizing.kelly_multiplier, [](double x) { return x >= 0 && x <= 1; },
      "a number from 0 to 1");
  sizing.atr_multiplier = positive_number(in, "atr_multiplier", sizing.atr_multiplier);
  if (in.has("max_position_percentage"))
    sizing.max_position_percentage = share(in, "max_position_percentage", 0);
  sizing.min_position_size = optional_non_negative(in, "min_position_size");
  sizing.max_position_size = optional_non_negative(in, "max_position_size");
  if (sizing.min_position_size && sizing.max_position_size &&
      *sizing.min_position_size > *sizing.max_position_size)
    in.fail_at("min_position_size", fmt::format("expected at most max_position_size ({}), got {}",
                                                number_text(*sizing.max_position_size),
                                                number_text(*sizing.min_position_size)));
  return sizing;
}

walker_schema read_walker(const json_reader& in, const surroundings&) {
  in.allow_only({"name", "note", "exchange", "frame", "strategies", "metric"});
  walker_schema walker;
  walker.walker_name = non_empty_text(in, "name");
  walker.note = in.text_or("note", "");
  walker.exchange_name = non_empty_text(in, "exchange");
  walker.frame_name = non_empty_text(in, "frame");
  walker.strategies = some_distinct_texts(in, "strategies");
  walker.metric = in.text_or("metric", walker.metric);
  if (const auto known = walker_metrics();
      std::find(known.begin(), known.end(), walker.metric) == known.end())
    in.fail_at("metric", fmt::format("expected one of: {}, got \"{}\"", fmt::join(known, ", "),
                                     walker.metric));
  return walker;
}

// ---- the file

template <class Schema>
std::vector<Schema> read_section(const json_reader& document, std::string_view section,
                                 std::string_view kind, std::string Schema::*name,
                                 Schema read(const json_reader&, const surroundings&),
                                 const surroundings& around) {
  std::vector<Schema> schemas;
  const auto list = document.find(section);
  if (!list)
    return schemas;
  for (const auto& item : list->elements()) {
    auto schema = read(item, around);
    for (const auto& earlier : schemas)
      if (earlier.*name == schema.*name)
        item.fail_at("name", fmt::format("{} {} already exist", kind, schema.*name));
    schemas.push_back(std::move(schema));
  }
  return schemas;
}

configuration read_parameters(const json_reader& document) {
  configuration parameters;
  const auto section = document.find("config");
  if (!section)
    return parameters;
  read_json(*section, parameters);
  try {
    require_valid(parameters);
  } catch (const failure& problem) {
    section->fail(problem.what());
  }
  return parameters;
}

schema_set read_schemas(const json_reader& in, const surroundings& around) {
  schema_set set;
  set.exchanges = read_section(in, "exchanges", "exchange", &exchange_schema::exchange_name,
                               &read_exchange, around);
  set.frames = read_section(in, "frames", "frame", &frame_schema::frame_name, &read_frame, around);
  set.risks = read_section(in, "risks", "risk", &risk_schema::risk_name, &read_risk, around);
  set.sizings =
      read_section(in, "sizings", "sizing", &sizing_schema::sizing_name, &read_sizing, around);
  set.strategies = read_section(in, "strategies", "strategy", &strategy_schema::strategy_name,
                                &read_strategy, around);
  for (std::size_t i = 0; i < set.strategies.size(); ++i)
    require_risks(in.member("strategies").element(i), set.strategies[i], set.risks);
  set.walkers =
      read_section(in, "walkers", "walker", &walker_schema::walker_name, &read_walker, around);
  return set;
}

loaded_configuration read_document(std::string_view text, const fs::path& directory,
                                   const type_registry& types,
                                   const exchange_factories& factories) {
  boost::json::value document = parse_json(text, wrong);
  const json_reader in{document, wrong};
  in.allow_only({"config", "exchanges", "frames", "risks", "sizings", "strategies", "walkers"});
  loaded_configuration loaded;
  loaded.parameters = read_parameters(in);
  loaded.schemas = read_schemas(in, {directory, types, factories, loaded.parameters});
  loaded.raw = std::move(document.get_object());
  return loaded;
}

/// Far more than people and programs write; a device or a disk image is not read to its end.
constexpr std::size_t largest_file = 16 * 1024 * 1024;

std::string read_text(const fs::path& file) {
  try {
    return read_text_file(file, largest_file);
  } catch (const failure& problem) {
    throw failure(wrong, fmt::format("{}; expected a configuration file", problem.what()));
  }
}

} // namespace

loaded_configuration parse_configuration(std::string_view text, const fs::path& directory,
                                         std::string_view file_name, const type_registry& types,
                                         const exchange_factories& factories) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF"; // some editors begin UTF-8 with it
  if (text.starts_with(byte_order_mark))
    text.remove_prefix(byte_order_mark.size());
  try {
    return read_document(text, directory, types, factories);
  } catch (const failure& problem) {
    throw failure(problem.code(), fmt::format("{}: {}", file_name, problem.what()));
  }
}

loaded_configuration load_configuration(const fs::path& file, const type_registry& types,
                                        const exchange_factories& factories) {
  const std::string text = read_text(file);
  return parse_configuration(text, file.parent_path(), file.string(), types, factories);
}

} // namespace backtest
