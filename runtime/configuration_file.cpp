#include "runtime/configuration_file.hpp"

#include "messages/configuration_parameters.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>

#include <fmt/format.h>

namespace backtest {

namespace {

namespace fs = std::filesystem;

constexpr auto wrong = error_code::invalid_configuration;

/// What every section needs while it is read.
struct surroundings {
  const fs::path& directory;
  const type_registry& types;
  const exchange_factories& factories;
  const configuration& parameters;
};

std::string non_empty_text(const json_reader& in, std::string_view key) {
  const auto text = in.text(key);
  if (text.empty())
    in.fail_at(key, "expected a string that is not empty");
  return std::string{text};
}

/// A list of strings, none empty, none twice.
std::vector<std::string> distinct_texts(const json_reader& in) {
  std::vector<std::string> texts;
  for (const auto& item : in.elements()) {
    const std::string text{item.text()};
    if (text.empty())
      item.fail("expected a string that is not empty");
    if (std::find(texts.begin(), texts.end(), text) != texts.end())
      item.fail(fmt::format("\"{}\" is listed twice", text));
    texts.push_back(text);
  }
  return texts;
}

std::vector<std::string> some_distinct_texts(const json_reader& in, std::string_view key) {
  const auto list = in.member(key);
  auto texts = distinct_texts(list);
  if (texts.empty())
    list.fail("expected at least one element");
  return texts;
}

double number_in(const json_reader& in, std::string_view key, double fallback, bool fine(double),
                 std::string_view expected) {
  const double value = in.number_or(key, fallback);
  if (!fine(value))
    in.fail_at(key, fmt::format("expected {}, got {}", expected, number_text(value)));
  return value;
}

double positive_number(const json_reader& in, std::string_view key, double fallback) {
  return number_in(
      in, key, fallback, [](double x) { return x > 0; }, "a number > 0");
}

double non_negative_number(const json_reader& in, std::string_view key, double fallback) {
  return number_in(
      in, key, fallback, [](double x) { return x >= 0; }, "a number >= 0");
}

std::optional<double> optional_non_negative(const json_reader& in, std::string_view key) {
  return in.has(key) ? std::optional{non_negative_number(in, key, 0)} : std::nullopt;
}

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

int decimals_or(const json_reader& in, std::string_view key, int fallback) {
  constexpr std::int64_t most = 15;
  const auto decimals = in.integer_or(key, fallback);
  if (decimals < 0 || decimals > most)
    in.fail_at(key, fmt::format("expected an integer from 0 to {}, got {}", most, decimals));
  return static_cast<int>(decimals);
}

instant date(const json_reader& in, std::string_view key) {
  const auto text = in.text(key);
  if (const auto when = parse_iso(text))
    return *when;
  in.fail_at(key,
             fmt::format("expected a UTC date such as \"2024-01-31T12:00:00Z\", got \"{}\"", text));
}

std::optional<fill_model> parse_fill_model(std::string_view text) noexcept {
  if (text == "vwap")
    return fill_model::vwap;
  if (text == "touch")
    return fill_model::touch;
  return std::nullopt;
}

fill_model fill_or_vwap(const json_reader& in, std::string_view key) {
  return in.has(key) ? in.one_of(key, &parse_fill_model, "\"vwap\" or \"touch\"")
                     : fill_model::vwap;
}

// ---- exchanges

fs::path resolve(const fs::path& directory, std::string_view text) {
  const fs::path path{text};
  return (path.is_absolute() ? path : directory / path).lexically_normal();
}

void read_csv(const json_reader& in, const surroundings& around, exchange_schema& exchange) {
  const auto files = in.member("files");
  std::map<std::string, fs::path> paths;
  for (const auto& item : files.object()) {
    const std::string symbol{std::string_view{item.key()}};
    if (symbol.empty())
      files.fail("expected symbols as keys, got \"\"");
    paths.emplace(symbol, resolve(around.directory, non_empty_text(files, symbol)));
  }
  if (paths.empty())
    files.fail("expected at least one symbol with its file");
  exchange.source = around.factories.csv(std::move(paths));
}

std::uint64_t read_seed(const json_reader& in) {
  const auto seed = in.find("seed");
  if (!seed)
    return 1;
  if (const auto* large = seed->value().if_uint64())
    return *large;
  const auto value = seed->integer();
  if (value < 0)
    seed->fail(fmt::format("expected an integer >= 0, got {}", value));
  return static_cast<std::uint64_t>(value);
}

void read_synthetic(const json_reader& in, const surroundings& around, exchange_schema& exchange) {
  const auto seed = read_seed(in);
  auto symbols = some_distinct_texts(in, "symbols");
  const double start_price = positive_number(in, "start_price", 100);
  const double volatility = non_negative_number(in, "volatility", 0.6);
  exchange.source = around.factories.synthetic(seed, std::move(symbols), start_price, volatility);
}

void read_binance(const json_reader& in, const surroundings& around, exchange_schema& exchange) {
  const std::string url{in.text_or("base_url", "https://api.binance.com")};
  if (!url.starts_with("https://") && !url.starts_with("http://"))
    in.fail_at("base_url", fmt::format("expected an http or https address, got \"{}\"", url));
  if (around.factories.binance) {
    exchange.get_candles = around.factories.binance(url);
    return;
  }
  exchange.get_candles = [name = exchange.exchange_name,
                          url](const candle_query&) -> std::vector<candle> {
    throw failure(error_code::io_failed,
                  fmt::format("exchange {}: candles from {} (type binance) are not available in "
                              "this version, expected type csv or synthetic",
                              name, url));
  };
}

struct exchange_type {
  std::string_view name;
  std::vector<std::string_view> keys; ///< beside those of every exchange
  void (*read)(const json_reader&, const surroundings&, exchange_schema&);
};

const std::array<exchange_type, 3>& exchange_types() {
  static const std::array<exchange_type, 3> types{{
      {"csv", {"files"}, &read_csv},
      {"synthetic", {"seed", "symbols", "start_price", "volatility"}, &read_synthetic},
      {"binance", {"base_url"}, &read_binance},
  }};
  return types;
}

const exchange_type& exchange_type_of(const json_reader& in) {
  const auto name = in.text("type");
  for (const auto& type : exchange_types())
    if (type.name == name)
      return type;
  in.fail_at("type",
             fmt::format("expected \"csv\", \"synthetic\" or \"binance\", got \"{}\"", name));
}

/// Costs that differ from the configuration's must be covered by the take-profit distance too.
void require_covered_costs(const json_reader& in, const configuration& parameters,
                           const exchange_schema& exchange) {
  if (!exchange.percent_fee && !exchange.percent_slippage)
    return;
  if (const auto problem =
          trading_cost_violation(parameters, exchange.percent_fee.value_or(parameters.percent_fee),
                                 exchange.percent_slippage.value_or(parameters.percent_slippage)))
    in.fail(*problem);
}

exchange_schema read_exchange(const json_reader& in, const surroundings& around) {
  const auto& type = exchange_type_of(in);
  std::vector<std::string_view> keys{
      "name",       "type",      "note",        "price_decimals",  "quantity_decimals",
      "entry_fill", "exit_fill", "percent_fee", "percent_slippage"};
  keys.insert(keys.end(), type.keys.begin(), type.keys.end());
  in.allow_only(keys);
  exchange_schema exchange;
  exchange.exchange_name = non_empty_text(in, "name");
  exchange.note = in.text_or("note", "");
  exchange.price_decimals = decimals_or(in, "price_decimals", exchange.price_decimals);
  exchange.quantity_decimals = decimals_or(in, "quantity_decimals", exchange.quantity_decimals);
  exchange.entry_fill = fill_or_vwap(in, "entry_fill");
  exchange.exit_fill = fill_or_vwap(in, "exit_fill");
  exchange.percent_fee = optional_non_negative(in, "percent_fee");
  exchange.percent_slippage = optional_non_negative(in, "percent_slippage");
  require_covered_costs(in, around.parameters, exchange);
  type.read(in, around, exchange);
  return exchange;
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

std::optional<sizing_method> parse_sizing_method(std::string_view text) noexcept {
  if (text == "fixed-percentage")
    return sizing_method::fixed_percentage;
  if (text == "kelly-criterion")
    return sizing_method::kelly_criterion;
  if (text == "atr-based")
    return sizing_method::atr_based;
  return std::nullopt;
}

sizing_schema read_sizing(const json_reader& in, const surroundings&) {
  in.allow_only({"name", "note", "method", "risk_percentage", "kelly_multiplier", "atr_multiplier",
                 "max_position_percentage", "min_position_size", "max_position_size"});
  sizing_schema sizing;
  sizing.sizing_name = non_empty_text(in, "name");
  sizing.note = in.text_or("note", "");
  sizing.method = in.one_of("method", &parse_sizing_method,
                            "\"fixed-percentage\", \"kelly-criterion\" or \"atr-based\"");
  if (in.has("risk_percentage") || sizing.method != sizing_method::kelly_criterion) {
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

constexpr std::array<std::string_view, 12> walker_metrics{"sharpe_ratio",
                                                          "annualized_sharpe_ratio",
                                                          "win_rate",
                                                          "total_pnl",
                                                          "certainty_ratio",
                                                          "avg_pnl",
                                                          "expected_yearly_returns",
                                                          "sortino_ratio",
                                                          "calmar_ratio",
                                                          "recovery_factor",
                                                          "profit_factor",
                                                          "expectancy"};

walker_schema read_walker(const json_reader& in, const surroundings&) {
  in.allow_only({"name", "note", "exchange", "frame", "strategies", "metric"});
  walker_schema walker;
  walker.walker_name = non_empty_text(in, "name");
  walker.note = in.text_or("note", "");
  walker.exchange_name = non_empty_text(in, "exchange");
  walker.frame_name = non_empty_text(in, "frame");
  walker.strategies = some_distinct_texts(in, "strategies");
  walker.metric = in.text_or("metric", walker.metric);
  if (std::find(walker_metrics.begin(), walker_metrics.end(), walker.metric) ==
      walker_metrics.end())
    in.fail_at("metric", fmt::format("expected one of: {}, got \"{}\"",
                                     fmt::join(walker_metrics, ", "), walker.metric));
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

std::string read_text(const fs::path& file) {
  std::ifstream stream{file, std::ios::binary};
  try {
    if (stream)
      return {std::istreambuf_iterator<char>{stream}, {}};
  } catch (const std::ios_base::failure&) {
    // A directory opens, but cannot be read.
  }
  throw failure(wrong,
                fmt::format("{}: expected a configuration file that can be read", file.string()));
}

} // namespace

loaded_configuration parse_configuration(std::string_view text, const fs::path& directory,
                                         std::string_view file_name, const type_registry& types,
                                         const exchange_factories& factories) {
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
