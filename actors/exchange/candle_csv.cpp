#include "actors/exchange/candle_csv.hpp"

#include "actors/exchange/candle_checks.hpp"
#include "actors/exchange/decimal.hpp"
#include "actors/exchange/text_input.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <optional>
#include <span>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace backtest {

namespace {

constexpr std::size_t column_count = 6;
constexpr std::array<std::string_view, column_count> column_names{"open_time", "open",  "high",
                                                                  "low",       "close", "volume"};
constexpr std::string_view expected_layout =
    "expected a header open_time,open,high,low,close,volume or Binance kline rows";

/// A line must fit: no candle row comes near it.
constexpr std::size_t buffer_size = 64 * 1024;
/// "100000000,1,1,1,1,1": what a row has at least, line end included.
constexpr std::size_t shortest_row = 20;

/// A value as messages show it: quoted, short, printable.
std::string shown(std::string_view value) {
  constexpr std::size_t longest = 40;
  std::string text = "\"";
  for (const char c : value.substr(0, longest)) {
    if (c >= ' ' && c <= '~')
      text += c;
    else
      text += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  }
  return text + (value.size() > longest ? "...\"" : "\"");
}

constexpr std::uint64_t first_seconds = 100'000'000;
constexpr std::uint64_t first_milliseconds = first_seconds * 1000;
constexpr std::uint64_t first_microseconds = first_milliseconds * 1000;
constexpr std::uint64_t end_of_microseconds = first_microseconds * 1000;

bool is_time(std::uint64_t value) noexcept {
  return value >= first_seconds && value < end_of_microseconds;
}

/// The minute that starts at a time whose unit follows from its size; nothing when none does.
std::optional<instant> to_minute(std::uint64_t value) noexcept {
  if (!is_time(value))
    return std::nullopt;
  if (value < first_milliseconds) {
    value *= 1000;
  } else if (value >= first_microseconds) {
    if (value % 1000 != 0)
      return std::nullopt;
    value /= 1000;
  }
  if (value % minute_ms != 0)
    return std::nullopt;
  return static_cast<instant>(value);
}

/// Cuts the first line off `text`, without its line end.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  if (line.ends_with('\r'))
    line.remove_suffix(1);
  return line;
}

std::string_view take_field(std::string_view& line) {
  const std::size_t end = line.find(',');
  const std::string_view field = line.substr(0, end);
  line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
  return field;
}

class csv_parser {
public:
  csv_parser(std::string_view file_name, std::string symbol, const configuration& limits,
             std::vector<std::string>* faults)
      : file_name_(file_name), limits_(limits), faults_(faults) {
    series_.symbol = std::move(symbol);
  }

  /// `text` is whole lines; with it, `progress` of all text (0..1] has been fed. Where progress is
  /// not to be trusted the room for candles at most doubles.
  void feed(std::string_view text, double progress, bool trusted) {
    if (columns_ == 0)
      read_first_line(text);
    make_room(text, progress, trusted);
    while (!text.empty()) {
      candle item;
      if (fast_ && read_ordinary_row(text, item))
        add(item);
      else if (const std::string_view line = take_line(text); line.empty())
        note_blank_line();
      else
        add(read_row(line));
    }
  }

  candle_series finish() {
    if (columns_ == 0)
      throw failure(error_code::bad_candles,
                    fmt::format("{}: the file is empty; {}", file_name_, expected_layout));
    auto& candles = series_.candles;
    if (candles.empty())
      throw failure(error_code::bad_candles,
                    fmt::format("{}: the file has a header but no candles; expected at least one",
                                file_name_));
    check_day();
    if (candles.capacity() > candles.size() + candles.size() / 16)
      candles.shrink_to_fit();
    return std::move(series_);
  }

  /// The line of the next row. Every row becomes a candle, or the end of the file's reading.
  std::size_t line() const noexcept { return first_row_ + series_.candles.size(); }

  /// An earlier candle that fails its checks is the first fault of the file.
  [[noreturn]] void fail(std::string_view problem) { fail_at(line(), problem); }

private:
  [[noreturn]] void fail_at(std::size_t line, std::string_view problem) {
    check_day();
    throw failure(error_code::bad_candles, located(line, problem));
  }

  std::string located(std::size_t line, std::string_view problem) const {
    return fmt::format("{}: line {}: {}", file_name_, line, problem);
  }

  void read_first_line(std::string_view& text) {
    constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
    if (blank_line_ == 0 && text.starts_with(byte_order_mark))
      text.remove_prefix(byte_order_mark.size());
    std::string_view rest = text;
    const std::string_view first = take_line(rest);
    if (first.empty() || blank_line_ != 0) {
      // A file of blank lines alone is an empty file.
      if (text.find_first_not_of("\r\n") != std::string_view::npos)
        fail(fmt::format("the line is blank; {}", expected_layout));
      blank_line_ = 1;
      text = {};
      return;
    }
    columns_ = static_cast<std::size_t>(std::count(first.begin(), first.end(), ',')) + 1;
    if ((first.front() >= '0' && first.front() <= '9') || first.front() == '-') {
      if (columns_ < column_count)
        fail(fmt::format("{} fields; expected at least {} ({})", columns_, column_count,
                         fmt::join(column_names, ",")));
      for (std::size_t i = 0; i < column_count; ++i)
        position_[i] = i;
    } else {
      read_header(first);
      text = rest;
      ++first_row_;
    }
    fast_ = true;
    for (std::size_t i = 0; i < column_count; ++i)
      fast_ = fast_ && position_[i] == i;
  }

  void read_header(std::string_view header) {
    constexpr auto absent = std::numeric_limits<std::size_t>::max();
    position_.fill(absent);
    std::string_view rest = header;
    for (std::size_t i = 0; i < columns_; ++i) {
      const std::string_view name = take_field(rest);
      const auto found = std::find(column_names.begin(), column_names.end(), name);
      if (found == column_names.end())
        continue;
      auto& position = position_[static_cast<std::size_t>(found - column_names.begin())];
      if (position != absent)
        fail(fmt::format("column {} occurs twice in the header; {}", name, expected_layout));
      position = i;
    }
    std::vector<std::string_view> missing;
    for (std::size_t i = 0; i < column_count; ++i)
      if (position_[i] == absent)
        missing.push_back(column_names[i]);
    if (!missing.empty())
      fail(fmt::format("the header {} lacks {}; {}", shown(header), fmt::join(missing, ", "),
                       expected_layout));
  }

  void make_room(std::string_view text, double progress, bool trusted) {
    auto& candles = series_.candles;
    const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
    const std::size_t needed = candles.size() + std::min(lines, text.size() / shortest_row + 1);
    if (needed <= candles.capacity())
      return;
    double projected = static_cast<double>(needed) / progress * 1.02;
    if (!trusted)
      projected = std::min(projected, 2.0 * static_cast<double>(needed));
    candles.reserve(std::max(needed, static_cast<std::size_t>(projected)));
  }

  /// A row with the six columns in front, in order. False, and nothing taken, when anything about
  /// it is out of the ordinary: `read_row` then reads it or says what is wrong.
  bool read_ordinary_row(std::string_view& text, candle& item) const noexcept {
    const char* at = text.data();
    const char* const end = at + text.size();
    std::uint64_t time = 0;
    for (; at != end; ++at) {
      const auto digit = static_cast<unsigned>(*at) - static_cast<unsigned>('0');
      if (digit > 9)
        break;
      time = time * 10 + digit;
    }
    constexpr std::ptrdiff_t most_digits = 18; // cannot overflow
    const auto open_time = to_minute(time);
    if (!open_time || at - text.data() > most_digits)
      return false;
    item.open_time = *open_time;
    for (double* value : {&item.open, &item.high, &item.low, &item.close, &item.volume}) {
      if (at == end || *at != ',')
        return false;
      ++at;
      const auto [next, status] = read_decimal(at, end, *value);
      if (status != std::errc{})
        return false;
      at = next;
    }
    for (std::size_t further = columns_ - column_count; further > 0; --further) {
      if (at == end || *at != ',')
        return false;
      do
        ++at;
      while (at != end && *at != ',' && *at != '\n');
    }
    if (columns_ == column_count && at != end && *at == '\r')
      ++at;
    if (at != end) {
      if (*at != '\n')
        return false;
      ++at;
    }
    text.remove_prefix(static_cast<std::size_t>(at - text.data()));
    return true;
  }

  candle read_row(std::string_view row) {
    if (blank_line_ != 0)
      fail_at(blank_line_, "the line is blank; expected a candle (blank lines only at the end)");
    const auto count = static_cast<std::size_t>(std::count(row.begin(), row.end(), ',')) + 1;
    if (count != columns_)
      fail(fmt::format("{} fields in {}; expected {}, as in line 1", count, shown(row), columns_));
    std::array<std::string_view, column_count> fields;
    for (std::size_t i = 0; i < columns_; ++i) {
      const std::string_view field = take_field(row);
      for (std::size_t column = 0; column < column_count; ++column)
        if (position_[column] == i)
          fields[column] = field;
    }
    candle item;
    item.open_time = read_time(fields[0]);
    item.open = read_number(1, fields);
    item.high = read_number(2, fields);
    item.low = read_number(3, fields);
    item.close = read_number(4, fields);
    item.volume = read_number(5, fields);
    return item;
  }

  instant read_time(std::string_view field) {
    std::uint64_t value = 0;
    const auto [end, status] = std::from_chars(field.data(), field.data() + field.size(), value);
    if (field.empty() || status != std::errc{} || end != field.data() + field.size())
      fail(fmt::format("open_time {} is not a time; expected an integer, Unix time in "
                       "milliseconds, seconds or microseconds",
                       shown(field)));
    if (!is_time(value))
      fail(fmt::format("open_time {} is out of range; expected Unix time from 1973-03-03 to "
                       "5138-11-16 in milliseconds, seconds or microseconds",
                       shown(field)));
    const auto time = to_minute(value);
    if (!time)
      fail(fmt::format("open_time {} is not a whole minute; expected one-minute candles",
                       shown(field)));
    return *time;
  }

  double read_number(std::size_t column, const std::array<std::string_view, column_count>& fields) {
    const std::string_view field = fields[column];
    double value = 0;
    const auto [end, status] = read_decimal(field.data(), field.data() + field.size(), value);
    if (status != std::errc{} || end != field.data() + field.size())
      fail(fmt::format("{} {} is not a number; expected a decimal number", column_names[column],
                       shown(field)));
    return value;
  }

  void add(const candle& item) {
    auto& candles = series_.candles;
    if (item.open_time >= day_end_) {
      check_day();
      day_begin_ = candles.size();
      day_end_ = align_down(item.open_time, day_ms) + day_ms;
    } else if (!candles.empty() && item.open_time <= candles.back().open_time) {
      fail(fmt::format(
          "open_time {} {} line {}; expected strictly increasing open times", item.open_time,
          item.open_time == candles.back().open_time ? "repeats" : "is earlier than", line() - 1));
    }
    candles.push_back(item);
  }

  void note_blank_line() {
    if (blank_line_ == 0)
      blank_line_ = line();
    fast_ = false; // a row behind it must not pass
  }

  /// Checks the candles of the day that is being read, a batch of its own.
  void check_day() {
    const auto day = std::span<const candle>{series_.candles}.subspan(day_begin_);
    const auto fault = check_candles(day, interval::m1, limits_);
    if (!fault)
      return;
    const auto text = located(first_row_ + day_begin_ + fault->index, fault->message);
    if (!faults_)
      throw failure(error_code::bad_candles, text);
    faults_->push_back(text);
  }

  std::string file_name_;
  const configuration& limits_;
  std::vector<std::string>* faults_;
  candle_series series_;
  std::size_t columns_ = 0; ///< fields of every line; 0 before the first
  std::array<std::size_t, column_count> position_{};
  bool fast_ = false; ///< rows may be read by read_ordinary_row
  std::size_t first_row_ = 1;
  std::size_t blank_line_ = 0;
  std::size_t day_begin_ = 0;
  instant day_end_ = std::numeric_limits<instant>::min();
};

candle_series read_file(const std::filesystem::path& path, std::string symbol,
                        const configuration& limits, std::vector<std::string>* faults) {
  const auto input = open_text(path);
  csv_parser parser{path.string(), std::move(symbol), limits, faults};
  std::vector<char> buffer(buffer_size);
  std::size_t held = 0;
  while (const std::size_t count = input->read(std::span{buffer}.subspan(held))) {
    held += count;
    const std::string_view text{buffer.data(), held};
    const std::size_t lines = text.rfind('\n') + 1; // npos + 1 == 0: no complete line
    if (lines == 0 && held == buffer.size())
      parser.fail(fmt::format("longer than {} bytes; expected a row of candle data", buffer_size));
    if (lines > 0)
      parser.feed(text.substr(0, lines), input->progress(), input->is_plain());
    held -= lines;
    std::memmove(buffer.data(), buffer.data() + lines, held);
  }
  if (held > 0)
    parser.feed({buffer.data(), held}, 1, true);
  return parser.finish();
}

} // namespace

candle_series read_candle_csv(const std::filesystem::path& path, std::string symbol,
                              const configuration& limits) {
  return read_file(path, std::move(symbol), limits, nullptr);
}

candle_series scan_candle_csv(const std::filesystem::path& path, std::string symbol,
                              const configuration& limits, std::vector<std::string>& faults) {
  return read_file(path, std::move(symbol), limits, &faults);
}

candle_series parse_candle_csv(std::string_view text, std::string_view file_name,
                               std::string symbol, const configuration& limits) {
  csv_parser parser{file_name, std::move(symbol), limits, nullptr};
  if (!text.empty())
    parser.feed(text, 1, true);
  return parser.finish();
}

} // namespace backtest
