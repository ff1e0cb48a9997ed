#include "messages/inspect_caf.hpp"
#include "messages/own_actor_system.hpp"
#include "tests/support/value_generator.hpp"

#include <doctest/doctest.h>

#if !BACKTEST_CAF_MODERN

using namespace backtest;
using backtest::testing::generator;

namespace {

class wire {
public:
  template <class T> caf::error read(std::vector<char> bytes, T& value) {
    caf::binary_deserializer source{system_.get(), bytes};
    return source(value);
  }

  template <class T> std::vector<char> write(const T& value) {
    std::vector<char> bytes;
    caf::binary_serializer sink{system_.get(), bytes};
    T copy = value;
    REQUIRE(!sink(copy));
    return bytes;
  }

  template <class T> void check(const T& value) {
    T back{};
    REQUIRE(!read(write(value), back));
    REQUIRE(back == value);
  }

private:
  own_actor_system system_{1};
};

candle bar(generator& make) {
  return {make.integer(), make.number(), make.number(), make.number(), make.number(), make.number()};
}

} // namespace

TEST_CASE("messages between processes: every value comes back equal through CAF's own format") {
  wire through;
  for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
    CAPTURE(seed);
    generator make{seed};
    through.check(make.any());
    through.check(make.identity());
    through.check(make.request());
    through.check(make.row());
    through.check(bar(make));
    candle_series series{make.text(), make.pick<interval>(interval_count), {}};
    for (std::uint64_t i = 0; i < seed % 5; ++i) {
      series.candles.push_back(bar(make));
    }
    through.check(series);
    configuration parameters;
    parameters.percent_fee = make.number();
    parameters.avg_price_candles_count = make.integer();
    parameters.report_show_signal_note = make.coin();
    parameters.max_abs_dd_ratio = make.number();
    through.check(parameters);
  }
}

TEST_CASE("messages between processes: what is no such value is an error, and changes nothing") {
  wire through;
  run_identity names{"BTCUSDT", "cross", "csv", "q1", run_mode::backtest};
  const auto before = names;
  for (const auto* text : {"", "{", "[]", R"({"symbol":"X"})"})
    CHECK(through.read(through.write(std::string{text}), names));
  CHECK(names == before);
  const auto why = through.read(through.write(std::string{R"({"symbol":1})"}), names);
  CHECK(to_string(why.context()).find("run_identity: symbol: expected") != std::string::npos);
  auto bytes = through.write(before);
  bytes.resize(bytes.size() / 2);
  CHECK(through.read(bytes, names));
  CHECK(names == before);
}

#endif
