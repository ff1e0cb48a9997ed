#include "actors/sizing/quantity.hpp"

#include "actors/sizing/run_sizer.hpp"
#include "messages/error.hpp"

#include <cmath>
#include <limits>
#include <stdexcept>

#include <doctest/doctest.h>

using namespace backtest;

namespace {

sizing_schema sizing_of(sizing_method method, double risk_percentage = 1) {
  sizing_schema sizing;
  sizing.sizing_name.push_back('s'); // GCC 12 warns about an overflow when it is assigned
  sizing.method = method;
  sizing.risk_percentage = risk_percentage;
  return sizing;
}

const auto fixed = sizing_of(sizing_method::fixed_percentage);
const auto kelly = sizing_of(sizing_method::kelly_criterion, 0);
const auto atr = sizing_of(sizing_method::atr_based, 2);

/// 1 % of 10,000 at risk over a distance of 2: 50.
constexpr fixed_percentage_size fifty{10'000, 100, 98};
/// A Kelly share of (0.5 * 2 - 0.5) / 2 = 0.25, a quarter of it by default: 6.25.
constexpr kelly_criterion_size kelly_share{10'000, 100, 0.5, 2};

std::string refusal(const sizing_schema& sizing, const size_request& request) {
  try {
    quantity_of(sizing, request);
  } catch (const failure& caught) {
    CHECK(caught.code() == error_code::invalid_argument);
    return caught.what();
  }
  return "nothing was thrown";
}

} // namespace

TEST_CASE("sizing: fixed percentage, the stop loss costs that share of the balance") {
  CHECK(quantity_of(fixed, fifty) == 50);
  CHECK(quantity_of(fixed, fixed_percentage_size{10'000, 100, 104}) == 25); // short
  CHECK(quantity_of(fixed, fixed_percentage_size{0, 100, 98}) == 0);
}

TEST_CASE("sizing: Kelly, a fraction of the share of the balance, never below zero") {
  CHECK(quantity_of(kelly, kelly_share) == 6.25);
  auto full = kelly;
  full.kelly_multiplier = 1;
  CHECK(quantity_of(full, kelly_share) == 25);
  full.kelly_multiplier = 0;
  CHECK(quantity_of(full, kelly_share) == 0);
  CHECK(quantity_of(kelly, kelly_criterion_size{10'000, 100, 0.25, 2}) == 0);
}

TEST_CASE("sizing: average true range, a move of two of them costs that share of the balance") {
  CHECK(quantity_of(atr, atr_based_size{10'000, 100, 5}) == 20);
  auto wide = atr;
  wide.atr_multiplier = 4;
  CHECK(quantity_of(wide, atr_based_size{10'000, 100, 5}) == 10);
}

TEST_CASE("sizing: share of the balance first, then minimum, then maximum") {
  auto bounded = fixed;
  bounded.max_position_percentage = 20; // 2,000 buy 20
  CHECK(quantity_of(bounded, fifty) == 20);
  bounded.max_position_size = 8;
  CHECK(quantity_of(bounded, fifty) == 8);
  bounded = kelly;
  bounded.min_position_size = 8;
  CHECK(quantity_of(bounded, kelly_share) == 8);
  bounded.min_position_size = 6;
  CHECK(quantity_of(bounded, kelly_share) == 6.25);
  bounded.max_position_size = 6;
  CHECK(quantity_of(bounded, kelly_share) == 6);
  bounded.min_position_size = 0;
  bounded.max_position_size = 0;
  CHECK(quantity_of(bounded, kelly_share) == 0);
}

TEST_CASE("sizing: a minimum neither opens what has no edge nor breaks the share of the balance") {
  auto bounded = kelly;
  bounded.min_position_size = 1;
  CHECK(quantity_of(bounded, kelly_criterion_size{10'000, 100, 0.25, 2}) == 0);
  CHECK(quantity_of(bounded, kelly_criterion_size{0, 100, 0.5, 2}) == 0);
  bounded.max_position_percentage = 20;
  bounded.min_position_size = 20;
  CHECK(quantity_of(bounded, kelly_share) == 20);
  bounded.min_position_size = 20.5;
  CHECK(quantity_of(bounded, kelly_share) == 0);
}

TEST_CASE("sizing: inputs out of range are refused by name and value") {
  constexpr double infinite = std::numeric_limits<double>::infinity();
  const double nan = std::nan("");
  const auto of_fixed = [](double balance, double open, double stop) {
    return refusal(fixed, fixed_percentage_size{balance, open, stop});
  };
  CHECK(of_fixed(-1, 100, 98) == "sizing s: balance must be a non-negative number, got -1");
  CHECK(of_fixed(nan, 100, 98) == "sizing s: balance must be a non-negative number, got nan");
  CHECK(of_fixed(infinite, 100, 98) == "sizing s: balance must be a non-negative number, got inf");
  CHECK(of_fixed(1, 0, 98) == "sizing s: price_open must be a positive number, got 0");
  CHECK(of_fixed(1, nan, 98) == "sizing s: price_open must be a positive number, got nan");
  CHECK(of_fixed(1, 100, -98) == "sizing s: price_stop_loss must be a positive number, got -98");
  CHECK(of_fixed(1, 100, 100) == "sizing s: price_stop_loss must differ from price_open, got 100");
  CHECK(of_fixed(1e308, 1, 1 + 1e-15) == "sizing s: the quantity must be a finite number, got inf");

  const auto of_kelly = [](double win_rate, double ratio) {
    return refusal(kelly, kelly_criterion_size{1, 100, win_rate, ratio});
  };
  for (const double rate : {0.0, 1.0, -0.5, 1.5, nan})
    CHECK(of_kelly(rate, 2).find("sizing s: win_rate must lie between 0 and 1, exclusive, got ") ==
          0);
  for (const double ratio : {0.0, -1.0, nan, infinite})
    CHECK(of_kelly(0.5, ratio).find("sizing s: win_loss_ratio must be a positive number, got ") ==
          0);
  for (const double range : {0.0, -1.0, nan, infinite})
    CHECK(refusal(atr, atr_based_size{1, 100, range})
              .find("sizing s: atr must be a positive number, got ") == 0);
}

TEST_CASE("sizing: another method than the sizing's is refused") {
  CHECK(refusal(fixed, kelly_share) ==
        "sizing s: method mismatch: it is fixed-percentage, asked for kelly-criterion");
  CHECK(refusal(atr, fifty) ==
        "sizing s: method mismatch: it is atr-based, asked for fixed-percentage");
}

TEST_CASE("sizing: a context sizes by name, and on_calculate hears the symbol and the quantity") {
  auto told = fixed;
  std::vector<std::string> heard;
  told.callbacks.on_calculate = [&](std::string_view symbol, double quantity,
                                    const size_request& request) {
    CHECK(std::get<fixed_percentage_size>(request).balance == 10'000);
    heard.push_back(std::string{symbol} + " " + std::to_string(static_cast<int>(quantity)));
    throw std::runtime_error("from on_calculate");
  };
  run_sizer sizer{std::make_shared<const std::vector<sizing_schema>>(std::vector{kelly, told})};
  CHECK(sizer.size("BTC", "s", kelly_share) == 6.25);
  CHECK_FALSE(sizer.has_callback_errors());

  told.sizing_name = "told";
  sizer = run_sizer{std::make_shared<const std::vector<sizing_schema>>(std::vector{kelly, told})};
  CHECK(sizer.size("BTC", "told", fifty) == 50);
  CHECK(heard == std::vector<std::string>{"BTC 50"});
  CHECK(sizer.take_callback_errors() ==
        std::vector<std::string>{"sizing told: on_calculate threw: from on_calculate"});
  CHECK_FALSE(sizer.has_callback_errors());
  CHECK_THROWS_WITH(sizer.size("BTC", "unknown", fifty),
                    "sizing unknown not found source=context.size");
  CHECK_THROWS_WITH(run_sizer{nullptr}.size("BTC", "told", fifty),
                    "sizing told not found source=context.size");
}

TEST_CASE("sizing: methods by name, each with its parameters") {
  CHECK(parse_sizing_method("atr-based") == sizing_method::atr_based);
  CHECK(parse_sizing_method("atr_based") == std::nullopt);
  std::vector<std::string> lines;
  for (const auto& type : sizing_method_types()) {
    std::string line{to_string(type.method)};
    for (const auto& parameter : type.parameters)
      line += " " + parameter.name + "=" + parameter.default_text;
    lines.push_back(line);
  }
  const std::string bounds =
      " max_position_percentage=null min_position_size=null max_position_size=null";
  CHECK(lines == std::vector<std::string>{"fixed-percentage risk_percentage=" + bounds,
                                          "kelly-criterion kelly_multiplier=0.25" + bounds,
                                          "atr-based risk_percentage= atr_multiplier=2" + bounds});
}
