#include "runtime/configuration_fields.hpp"

#include "messages/configuration_parameters.hpp"

#include <algorithm>
#include <array>
#include <system_error>

#include <fmt/format.h>

namespace backtest {

namespace {

namespace fs = std::filesystem;

using surroundings = configuration_surroundings;

int decimals_or(const json_reader& in, std::string_view key, int fallback) {
  constexpr std::int64_t most = 15;
  const auto decimals = in.integer_or(key, fallback);
  if (decimals < 0 || decimals > most)
    in.fail_at(key, fmt::format("expected an integer from 0 to {}, got {}", most, decimals));
  return static_cast<int>(decimals);
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

fs::path resolve(const fs::path& directory, std::string_view text) {
  const fs::path path{text};
  return (path.is_absolute() ? path : directory / path).lexically_normal();
}

fs::path read_file_path(const json_reader& in, const fs::path& directory) {
  const std::string text{in.text()};
  if (text.empty())
    in.fail("expected a string that is not empty");
  const auto path = resolve(directory, text);
  std::error_code unknown;
  if (fs::path{text}.parent_path().string().find('*') != std::string::npos &&
      !fs::exists(path.parent_path(), unknown))
    in.fail(fmt::format("expected * in the file's name only, got \"{}\"", text));
  return path;
}

/// A file, or several in a list.
candle_paths read_file_paths(const json_reader& in, const fs::path& directory) {
  if (!in.value().is_array())
    return {read_file_path(in, directory)};
  candle_paths paths;
  for (const auto& item : in.elements()) {
    paths.push_back(read_file_path(item, directory));
    if (std::find(paths.begin(), paths.end() - 1, paths.back()) != paths.end() - 1)
      item.fail(fmt::format("expected each file once, got \"{}\" again", item.text()));
  }
  if (paths.empty())
    in.fail("expected at least one file");
  return paths;
}

void read_csv(const json_reader& in, const surroundings& around, exchange_schema& exchange) {
  const auto files = in.member("files");
  std::map<std::string, candle_paths> paths;
  for (const auto& item : files.object()) {
    const std::string symbol{std::string_view{item.key()}};
    if (symbol.empty())
      files.fail("expected symbols as keys, got \"\"");
    paths.emplace(symbol, read_file_paths(files.member(symbol), around.directory));
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
  try {
    exchange.source = around.factories.synthetic(seed, std::move(symbols), start_price, volatility);
  } catch (const failure& problem) {
    in.fail(problem.what());
  }
}

/// To one server; a public one counts requests, so more of them only reach its limit sooner.
std::size_t connections_of(const json_reader& in) {
  constexpr std::int64_t usual = 8;
  constexpr std::int64_t most = 64;
  const auto connections = in.integer_or("connections", usual);
  if (connections < 1 || connections > most)
    in.fail_at("connections",
               fmt::format("expected an integer from 1 to {}, got {}", most, connections));
  return static_cast<std::size_t>(connections);
}

void read_binance(const json_reader& in, const surroundings& around, exchange_schema& exchange) {
  const std::string url{in.text_or("base_url", "https://api.binance.com")};
  if (!url.starts_with("https://") && !url.starts_with("http://"))
    in.fail_at("base_url", fmt::format("expected an http or https address, got \"{}\"", url));
  if (url.find_first_of(" \t\r\n?#") != std::string::npos)
    in.fail_at("base_url",
               fmt::format("expected an address without spaces, ? and #, got \"{}\"", url));
  exchange.concurrent_fetches = connections_of(in);
  exchange.keeps_candles = true;
  if (around.factories.binance) {
    exchange.get_candles = around.factories.binance(url);
    exchange.now = around.factories.now;
    return;
  }
  exchange.get_candles = [url](const candle_query&) -> std::vector<candle> {
    throw failure(error_code::io_failed, // the loader names the exchange
                  fmt::format("candles from {} (type binance) are not available in this version, "
                              "expected type csv or synthetic",
                              url));
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
      {"binance", {"base_url", "connections"}, &read_binance},
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

} // namespace

exchange_schema read_exchange(const json_reader& in, const configuration_surroundings& around) {
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

} // namespace backtest
