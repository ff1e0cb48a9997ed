#include "runtime/undurable_work.hpp"

#include <doctest/doctest.h>

using namespace backtest;

namespace {

undurable_work work_of(int runs) {
  undurable_work left{{}, 3, 120};
  for (int i = 0; i < runs; ++i)
    left.runs.push_back(std::make_shared<const run_identity>(
        run_identity{"S" + std::to_string(i), "grid", "exchange", "", run_mode::live}));
  return left;
}

} // namespace

TEST_CASE("undurable work: numbers and runs are named, many of them counted") {
  CHECK(to_text(work_of(0)) == "nothing else was waiting to become durable");
  CHECK(to_text(work_of(2)) ==
        "not known to be durable, and told to nobody: 3 events behind number "
        "120, and what changed in grid on S0, grid on S1");
  CHECK(to_text(work_of(9)).ends_with("grid on S7 and 1 more"));
  auto first = work_of(1);
  first.last_number = 0;
  first.events = 1;
  CHECK(to_text(first) ==
        "not known to be durable, and told to nobody: 1 event, and what changed in grid on S0");
}
