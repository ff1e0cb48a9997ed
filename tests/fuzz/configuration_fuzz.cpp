// Whatever the bytes, a configuration either loads or is refused with a `failure`.

#include "runtime/configuration_file.hpp"

#include <cstddef>
#include <cstdint>

using namespace backtest;

namespace {

class no_candles : public candle_store_source {
public:
  std::vector<std::string> symbols() const override { return {}; }
  candle_series load(const std::string&, instant, instant, const configuration&) override {
    return {};
  }
};

exchange_factories empty_sources() {
  return {[](auto) { return std::make_shared<no_candles>(); },
          [](auto, auto, auto, auto) { return std::make_shared<no_candles>(); },
          {}};
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const type_registry types = with_built_ins();
  static const exchange_factories factories = empty_sources();
  try {
    parse_configuration({reinterpret_cast<const char*>(data), size}, "/data", "fuzz.json", types,
                        factories);
  } catch (const failure&) {
    // The only way to refuse.
  }
  return 0;
}
