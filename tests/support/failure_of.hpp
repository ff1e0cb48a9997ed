#pragma once

#include "messages/error.hpp"

#include <doctest/doctest.h>

namespace backtest::testing {

/// What the action throws; the test fails when it does not.
template <class Action>
failure failure_of(const Action& action) {
  try {
    action();
  } catch (const failure& problem) {
    return problem;
  }
  FAIL("expected a failure");
  return failure{error_code::invalid_argument, ""};
}

} // namespace backtest::testing
