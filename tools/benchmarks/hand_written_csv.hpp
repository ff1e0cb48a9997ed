#pragma once

#include "messages/candle.hpp"

#include <charconv>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

/// What the CSV reader is measured against: a file of one known layout, read into memory and parsed
/// field by field; a malformed field is noticed, nothing else is checked.
namespace backtest::hand_written {

inline std::vector<candle> read_csv(const char* path) {
  std::string text;
  std::FILE* file = std::fopen(path, "rb");
  if (file == nullptr)
    throw std::runtime_error(std::string{path} + ": cannot be opened");
  std::fseek(file, 0, SEEK_END);
  text.resize(static_cast<std::size_t>(std::ftell(file)));
  std::rewind(file);
  const auto got = std::fread(text.data(), 1, text.size(), file);
  std::fclose(file);
  const char* at = text.data();
  const char* const end = at + got;
  while (at < end && *at++ != '\n') {
  } // the header
  std::vector<candle> candles;
  const auto field = [&](auto& value, char separator) {
    const auto [next, problem] = std::from_chars(at, end, value);
    if (problem != std::errc{} || (next < end && *next != separator))
      throw std::runtime_error(std::string{path} + ": malformed field");
    at = next + 1;
  };
  while (at < end) {
    candle item;
    field(item.open_time, ',');
    field(item.open, ',');
    field(item.high, ',');
    field(item.low, ',');
    field(item.close, ',');
    field(item.volume, '\n');
    candles.push_back(item);
  }
  return candles;
}

} // namespace backtest::hand_written
