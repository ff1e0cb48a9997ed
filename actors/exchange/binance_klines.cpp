#include "actors/exchange/binance_klines.hpp"

#include "actors/exchange/candle_spacing.hpp"
#include "actors/exchange/decimal.hpp"
#include "actors/exchange/fetch_failure.hpp"
#include "actors/http/retry_after.hpp"
#include "messages/json_reader.hpp"

#include <array>
#include <cmath>
#include <optional>

#include <fmt/format.h>

namespace backtest {

namespace {

constexpr std::size_t kline_fields = 6;
constexpr std::array<std::string_view, kline_fields> kline_field_names{
    "open time", "open", "high", "low", "close", "volume"};
constexpr std::int64_t no_such_symbol = -1121; // the server's code

/// For a query: every byte but letters, digits and -._~ as %XX.
std::string encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool is_plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                          (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
    if (is_plain)
      out += c;
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

struct server_error {
  std::optional<std::int64_t> code;
  std::string message;
};

/// The beginning of a text from outside, printable.
std::string excerpt(std::string_view text) {
  constexpr std::size_t longest = 200;
  std::string line;
  for (const char c : text.substr(0, longest))
    line += c >= ' ' && c <= '~' ? c : ' ';
  return line.empty() ? "without a message" : line;
}

/// {"code": -1121, "msg": "Invalid symbol."}, or whatever else was said.
server_error parse_server_error(std::string_view body) {
  try {
    const auto document = parse_json(body, error_code::fetch_failed);
    const json_reader in{document, error_code::fetch_failed};
    return {in.integer("code"), excerpt(in.text("msg"))};
  } catch (const failure&) {
    return {std::nullopt, excerpt(body)};
  }
}

std::string describe_refusal(const http_answer& answer, const server_error& said,
                             std::string_view url) {
  auto text = fmt::format("{}: status {}, expected 200: {}", url, answer.status, said.message);
  return said.code ? text + fmt::format(" (code {})", *said.code) : text;
}

class row_reader {
public:
  row_reader(const boost::json::value& row, std::size_t index, std::string_view url)
      : row_(row), index_(index), url_(url) {}

  candle read(interval size) const {
    if (!row_.is_array())
      fail("expected an array, got " + describe(row_));
    const auto count = row_.get_array().size();
    if (count < kline_fields)
      fail(
          fmt::format("{} values; expected at least {} (open time, open, high, low, close, volume)",
                      count, kline_fields));
    const candle item{time(0, "open time"), number(1), number(2), number(3), number(4), number(5)};
    if (count > kline_fields)
      check_close_time(item.open_time, size);
    return item;
  }

  [[noreturn]] void fail(std::string_view problem) const {
    throw failure(error_code::bad_candles, fmt::format("{}: row {}: {}", url_, index_, problem));
  }

private:
  instant time(std::size_t column, std::string_view name) const {
    constexpr instant end = 100'000'000'000'000; // in the year 5138
    const auto& value = row_.get_array()[column];
    if (!value.is_int64() || value.get_int64() < 0 || value.get_int64() >= end)
      fail(fmt::format("{} is {}; expected an integer, Unix time in milliseconds", name,
                       describe(value)));
    return value.get_int64();
  }

  void check_close_time(instant open_time, interval size) const {
    const instant close_time = time(kline_fields, "close time");
    const instant length = close_time - open_time;
    if (length > 0 && length <= length_of(size))
      return;
    const instant last = open_time + length_of(size) - 1;
    fail(length > 0
             ? fmt::format("close time is {}, that of a candle of {}; expected {}, that of {}",
                           close_time,
                           length_text((length + 1) % minute_ms == 0 ? length + 1 : length), last,
                           to_string(size))
             : fmt::format("close time is {}, not later than open time {}; expected {}", close_time,
                           open_time, last));
  }

  double number(std::size_t column) const {
    const auto& value = row_.get_array()[column];
    if (const auto* text = value.if_string()) {
      const char* const end = text->data() + text->size();
      double number = 0;
      const auto [last, status] = read_decimal(text->data(), end, number);
      if (status == std::errc{} && last == end && std::isfinite(number))
        return number;
    }
    fail(fmt::format("{} is {}; expected a decimal number in quotes", kline_field_names[column],
                     describe(value)));
  }

  const boost::json::value& row_;
  std::size_t index_;
  std::string_view url_;
};

boost::json::value parse_document(std::string_view body, std::string_view url) {
  try {
    return parse_json(body, error_code::bad_candles);
  } catch (const failure& caught) {
    throw failure(error_code::bad_candles,
                  fmt::format("{}: expected JSON, an array of klines: {}", url, caught.what()));
  }
}

} // namespace

std::string klines_path(const candle_query& query, int limit) {
  return fmt::format("/api/v3/klines?symbol={}&interval={}&startTime={}&endTime={}&limit={}",
                     encoded(query.symbol), to_string(query.size), query.since, query.until - 1,
                     limit);
}

void require_klines(const http_answer& answer, std::string_view symbol, std::string_view url,
                    instant now) {
  if (answer.status >= 200 && answer.status < 300)
    return;
  const auto said = parse_server_error(answer.body);
  const auto text = describe_refusal(answer, said, url);
  if (answer.status == 418 || answer.status == 429 || answer.status >= 500) {
    if (const auto wait = parse_retry_after(answer.retry_after, now))
      throw postponed_failure(error_code::fetch_failed,
                              fmt::format("{}; asks to wait {} s", text, wait->count() / 1000),
                              *wait);
    throw failure(error_code::fetch_failed, text);
  }
  if (said.code == no_such_symbol)
    throw permanent_failure(error_code::not_found,
                            fmt::format("symbol {} not found: {}", symbol, text));
  throw permanent_failure(error_code::fetch_failed, text);
}

std::vector<candle> parse_klines(std::string_view body, std::string_view url, interval size) {
  const auto document = parse_document(body, url);
  const auto* rows = document.if_array();
  if (!rows)
    throw failure(error_code::bad_candles,
                  fmt::format("{}: expected an array of klines, got {}", url, excerpt(body)));
  std::vector<candle> candles;
  candles.reserve(rows->size());
  for (const auto& row : *rows) {
    const row_reader reader{row, candles.size(), url};
    const candle item = reader.read(size);
    if (!candles.empty() && item.open_time <= candles.back().open_time)
      reader.fail(fmt::format("open time {} does not follow {}; expected increasing open times",
                              item.open_time, candles.back().open_time));
    candles.push_back(item);
  }
  return candles;
}

} // namespace backtest
