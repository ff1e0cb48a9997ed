#pragma once

#include "messages/candle.hpp"
#include "messages/error.hpp"
#include "tests/support/paths.hpp"

#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace backtest::test {

inline constexpr instant new_year = 1'704'067'200'000; // 2024-01-01T00:00:00Z

/// A sound candle `minute` minutes after 2024-01-01.
inline candle flat_candle(std::int64_t minute, double price = 100, double volume = 1) {
  return {new_year + minute * minute_ms, price, price, price, price, volume};
}

inline candle_series flat_series(std::initializer_list<std::int64_t> minutes) {
  candle_series series{"BTCUSDT", interval::m1, {}};
  for (const auto minute : minutes)
    series.candles.push_back(flat_candle(minute));
  return series;
}

/// What the action throws as `failure`; nothing when it does not.
template <class Action>
std::optional<error> error_of(Action&& action) {
  try {
    action();
  } catch (const failure& problem) {
    return problem.reason();
  }
  return std::nullopt;
}

/// An empty folder of its own for one test, removed with everything in it.
class temporary_folder {
public:
  explicit temporary_folder(std::string_view name)
      : path_(backtest::testing::binary_directory() / "test_files" / name) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;
  ~temporary_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

  std::filesystem::path write(std::string_view name, std::string_view content) const {
    std::ofstream{path_ / name, std::ios::binary} << content;
    return path_ / name;
  }

private:
  std::filesystem::path path_;
};

inline std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

} // namespace backtest::test
