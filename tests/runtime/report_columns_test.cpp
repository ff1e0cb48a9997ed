#include "runtime/report_columns.hpp"

#include "messages/error.hpp"
#include "tests/runtime/sample_ticks.hpp"

#include <doctest/doctest.h>

using namespace backtest;
using namespace backtest::testing;

namespace {

template <class Row>
column<Row> named(std::string key) {
  return {std::move(key), "Label", [](const Row&, std::size_t) { return std::string("x"); }};
}

template <class Row>
std::vector<std::string> shown_keys(const column_list<Row>& columns) {
  std::vector<std::string> keys;
  for (const auto& c : columns)
    if (c.is_visible())
      keys.push_back(c.key);
  return keys;
}

using names = std::vector<std::string>;

} // namespace

TEST_CASE("report columns: without overrides the defaults") {
  const report_columns columns = columns_with({}, false);
  CHECK(keys_of(columns.backtest) == keys_of(default_backtest_columns(false)));
  CHECK(keys_of(columns.heat) == keys_of(default_heat_columns()));
  CHECK(keys_of(columns.walker_pnl) == keys_of(default_walker_pnl_columns()));
  CHECK(columns.backtest.size() == 15);
  CHECK(columns.live.size() == 15);
  CHECK(columns.schedule.size() == 12);
  CHECK(columns.performance.size() == 13);
  CHECK(columns.partial.size() == 9);
  CHECK(columns.risk.size() == 13);
  CHECK(columns.heat.size() == 22);
  CHECK(columns.walker_strategy.size() == 15);
  CHECK(columns.walker_pnl.size() == 8);
}

TEST_CASE("report columns: the defaults are valid, and show notes when asked") {
  const report_columns plain = default_report_columns(false), noted = default_report_columns(true);
  require_valid({plain.backtest, plain.live, plain.schedule, plain.performance, plain.partial,
                 plain.risk, plain.heat, plain.walker_strategy, plain.walker_pnl});
  CHECK(shown_keys(plain.backtest).size() + 1 == shown_keys(noted.backtest).size());
  CHECK(shown_keys(plain.live).size() + 1 == shown_keys(noted.live).size());
  CHECK(shown_keys(plain.schedule).size() + 1 == shown_keys(noted.schedule).size());
  CHECK(shown_keys(plain.risk).size() + 1 == shown_keys(noted.risk).size());
}

TEST_CASE("report columns: an override replaces a group as a whole, the last one counts") {
  column_overrides overrides;
  overrides.live = {named<tick_result>("a"), named<tick_result>("b")};
  overrides.heat = {named<heat_row>("c")};
  column_overrides changes;
  changes.live = {named<tick_result>("d")};
  changes.risk = column_list<risk_event>{};
  overrides = merged(overrides, changes);
  const report_columns columns = columns_with(overrides, false);
  CHECK(keys_of(columns.live) == names{"d"});
  CHECK(keys_of(columns.heat) == names{"c"});
  CHECK(columns.risk.empty());
  CHECK(columns.backtest.size() == 15);
}

TEST_CASE("report columns: what is wrong anywhere makes one numbered list") {
  column_overrides overrides;
  require_valid(overrides);
  overrides.live = {named<tick_result>("a"), named<tick_result>("a")};
  overrides.heat = {named<heat_row>(" ")};
  overrides.walker_pnl = {named<tick_result>("fine")};
  try {
    require_valid(overrides);
    FAIL("must throw");
  } catch (const failure& cause) {
    CHECK(cause.code() == error_code::invalid_configuration);
    CHECK(std::string(cause.what()) ==
          "Column configuration is not valid:\n"
          "1. live_columns: Duplicate key \"a\" at indexes 0, 1\n"
          "2. heat_columns[0].key must be a non-empty string, got only blanks");
  }
}
