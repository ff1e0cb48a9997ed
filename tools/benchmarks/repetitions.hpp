#pragma once

#include <functional>
#include <string>
#include <vector>

namespace backtest::benchmarks {

/// Milliseconds of one call.
double milliseconds_of(const std::function<void()>& work);

double median(std::vector<double> values);

/// Runs the contestants in turn, `times` rounds after one that does not count, so that whatever the
/// machine does meanwhile meets them all alike. Milliseconds per contestant, per round.
std::vector<std::vector<double>> alternate(const std::vector<std::function<void()>>& contestants,
                                           std::size_t times = 20);

enum class bound { at_most, at_least };

/// One line on stdout: name, what was compared, ratio, target, "ok" or "OVER" / "UNDER".
void print_ratio(const std::string& name, const std::string& figures, double ratio, bound side,
                 double target);

/// A last line on stderr names the ratios that missed their targets, if any did; true: none.
bool conclude_ratios();

} // namespace backtest::benchmarks
