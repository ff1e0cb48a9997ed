#include "actors/exchange/candle_csv.hpp"

#include "actors/exchange/candle_checks.hpp"
#include "actors/exchange/candle_spacing.hpp"
#include "actors/exchange/decimal.hpp"
#include "actors/exchange/text_input.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <numeric>
#include <optional>
#include <span>
#include <system_error>
#include <utility>

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

/// A minute in the unit of a time of that size.
std::uint64_t minute_in_unit_of(std::uint64_t time) noexcept {
  return time < first_milliseconds ? 60 : time < first_microseconds ? 60'000 : 60'000'000;
}

std::uint64_t microseconds_of(std::uint64_t time) noexcept {
  return time * (minute_in_unit_of(std::uint64_t{first_microseconds}) / minute_in_unit_of(time));
}

std::optional<std::uint64_t> parse_integer(std::string_view text) noexcept {
  std::uint64_t value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || status != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return value;
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

/// What a row may say of its candle, beside the candle itself.
enum class claim : std::uint8_t { close_time, symbol, size, is_closed };

std::optional<claim> claim_of_column(std::string_view name) noexcept {
  constexpr std::array<std::pair<std::string_view, claim>, 9> columns{{
      {"close_time", claim::close_time},
      {"symbol", claim::symbol},
      {"interval", claim::size},
      {"is_closed", claim::is_closed},
      {"closed", claim::is_closed},
      {"is_final", claim::is_closed},
      {"is_complete", claim::is_closed},
      {"complete", claim::is_closed},
      {"confirm", claim::is_closed},
  }};
  for (const auto& [known, what] : columns)
    if (known == name)
      return what;
  return std::nullopt;
}

std::string lower_case(std::string_view text) {
  std::string lower{text};
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

/// "BTC/USDT" and "btcusdt" are one symbol.
bool is_same_symbol(std::string_view left, std::string_view right) {
  const auto essence = [](std::string_view text) {
    std::string letters = lower_case(text);
    std::erase_if(letters,
                  [](char c) { return !(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9'); });
    return letters;
  };
  const auto bare = essence(left);
  return bare.empty() ? left == right : bare == essence(right);
}

/// Reads one file; its candles go behind those that are there already.
class csv_parser {
public:
  csv_parser(std::string_view file_name, std::string_view symbol, const configuration& limits,
             std::vector<std::string>* faults, std::vector<candle>& candles)
      : file_name_(file_name), symbol_(symbol), limits_(limits), faults_(faults), candles_(candles),
        begin_(candles.size()), day_begin_(begin_) {}

  /// `text` is whole lines; with it, `progress` of all text of all files (0..1] has been fed. Where
  /// progress is not to be trusted the room for candles at most doubles.
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

  void finish() {
    if (columns_ == 0)
      throw failure(error_code::bad_candles,
                    fmt::format("{}: the file is empty; {}", file_name_, expected_layout));
    if (is_empty())
      throw failure(error_code::bad_candles,
                    fmt::format("{}: the file has a header but no candles; expected at least one",
                                file_name_));
    check_day();
    check_lengths();
  }

  /// The line of the next row. Every row becomes a candle, or the end of the file's reading.
  std::size_t line() const noexcept { return line_of(candles_.size()); }

  /// An earlier candle that fails its checks is the first fault of the file.
  [[noreturn]] void fail(std::string_view problem) { fail_at(line(), problem); }

private:
  struct claimed_field {
    std::size_t position = 0; ///< of its column
    claim what{};
    std::string name;      ///< of its column
    std::string_view text; ///< of the row that is being read
  };

  bool is_empty() const noexcept { return candles_.size() == begin_; }
  std::size_t line_of(std::size_t index) const noexcept { return first_row_ + index - begin_; }

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
      if (has_close_time(first))
        claims_.push_back({column_count, claim::close_time, "close_time", {}});
    } else {
      read_header(first);
      text = rest;
      ++first_row_;
    }
    for (const auto& field : claims_)
      has_close_times_ = has_close_times_ || field.what == claim::close_time;
    fast_ = claims_.empty() ||
            (claims_.size() == 1 && has_close_times_ && claims_[0].position == column_count);
    for (std::size_t i = 0; i < column_count; ++i)
      fast_ = fast_ && position_[i] == i;
  }

  /// Without a header: twelve columns are klines; of fewer, the seventh may be anything.
  static bool has_close_time(std::string_view row) {
    constexpr std::size_t kline_columns = 12;
    constexpr std::uint64_t longest = 40 * 24 * 60; // minutes, a month and some days
    const auto open_time = parse_integer(take_field(row));
    for (std::size_t i = 1; i < column_count; ++i)
      take_field(row);
    if (static_cast<std::size_t>(std::count(row.begin(), row.end(), ',')) + 1 + column_count >=
        kline_columns)
      return true;
    const auto time = parse_integer(take_field(row));
    return open_time && time && is_time(*open_time) && *time > *open_time &&
           *time - *open_time <= longest * minute_in_unit_of(*open_time);
  }

  void read_header(std::string_view header) {
    constexpr auto absent = std::numeric_limits<std::size_t>::max();
    position_.fill(absent);
    std::string_view rest = header;
    for (std::size_t i = 0; i < columns_; ++i) {
      const std::string_view name = take_field(rest);
      if (const auto what = claim_of_column(name))
        claims_.push_back({i, *what, std::string{name}, {}});
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
    const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
    const std::size_t needed = candles_.size() + std::min(lines, text.size() / shortest_row + 1);
    if (needed <= candles_.capacity())
      return;
    double projected = static_cast<double>(needed) / progress * 1.02;
    if (!trusted)
      projected = std::min(projected, 2.0 * static_cast<double>(needed));
    candles_.reserve(std::max(needed, static_cast<std::size_t>(projected)));
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
    std::size_t further = columns_ - column_count;
    if (has_close_times_) {
      if (at == end || *at != ',')
        return false;
      std::uint64_t close_time = 0;
      for (++at; at != end && close_time < end_of_microseconds; ++at) {
        const auto digit = static_cast<unsigned>(*at) - static_cast<unsigned>('0');
        if (digit > 9)
          break;
        close_time = close_time * 10 + digit;
      }
      const std::uint64_t next = time + minute_in_unit_of(time);
      if (close_time != next - 1 && close_time != next)
        return false;
      --further;
    }
    const bool ends_with_number = further == 0;
    for (; further > 0; --further) {
      if (at == end || *at != ',')
        return false;
      do
        ++at;
      while (at != end && *at != ',' && *at != '\n');
    }
    if (ends_with_number && at != end && *at == '\r')
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
      for (auto& claimed : claims_)
        if (claimed.position == i)
          claimed.text = field;
    }
    candle item;
    item.open_time = read_time(fields[0]);
    item.open = read_number(1, fields);
    item.high = read_number(2, fields);
    item.low = read_number(3, fields);
    item.close = read_number(4, fields);
    item.volume = read_number(5, fields);
    for (const auto& claimed : claims_)
      check_claim(claimed, fields[0]);
    return item;
  }

  void check_claim(const claimed_field& field, std::string_view open_time) {
    switch (field.what) {
    case claim::close_time: return check_close_time(field, parse_integer(open_time).value());
    case claim::symbol: return check_symbol(field);
    case claim::size:
      if (field.text != "1m" && field.text != "1min")
        fail(fmt::format("{} {}; expected 1m, one-minute candles", field.name, shown(field.text)));
      return;
    case claim::is_closed: return check_closed(field);
    }
  }

  void check_close_time(const claimed_field& field, std::uint64_t open_time) {
    constexpr std::uint64_t minute = 60'000'000;
    const std::uint64_t expected = open_time + minute_in_unit_of(open_time) - 1;
    const auto value = parse_integer(field.text);
    if (!value || !is_time(*value))
      fail(fmt::format("{} {} is not a time; expected {}, the end of the minute", field.name,
                       shown(field.text), expected));
    const std::uint64_t opened = microseconds_of(open_time);
    const std::uint64_t closed = microseconds_of(*value);
    if (closed <= opened)
      fail(fmt::format("{} {} is not later than open_time {}; expected {}, the end of the minute",
                       field.name, *value, open_time, expected));
    const std::uint64_t unit =
        minute / minute_in_unit_of(*value); // the last one of it is inclusive
    if (closed > opened + minute) {
      const std::uint64_t length = closed - opened;
      const std::uint64_t whole = (length + unit) % minute == 0 ? length + unit : length;
      fail(fmt::format("{} {} is that of a candle of {}, open_time is {}; expected {}, that of a "
                       "candle of 1m",
                       field.name, *value, length_text(static_cast<instant>(whole / 1000)),
                       open_time, expected));
    }
    if (closed + unit < opened + minute && early_closes_++ == 0) {
      first_early_close_ = line();
      first_early_text_ = fmt::format("{} {}", field.name, *value);
    }
  }

  void check_symbol(const claimed_field& field) {
    if (!known_symbol_.empty() && field.text == known_symbol_)
      return;
    const std::string expected = !symbol_.empty()         ? symbol_
                                 : !known_symbol_.empty() ? known_symbol_
                                                          : std::string{field.text};
    if (!is_same_symbol(field.text, expected))
      fail(fmt::format("{} {}; expected {}", field.name, shown(field.text), shown(expected)));
    known_symbol_ = field.text;
  }

  void check_closed(const claimed_field& field) {
    const auto value = lower_case(field.text);
    if (value == "true" || value == "1")
      return;
    const bool is_false = value == "false" || value == "0";
    fail(fmt::format("{} {}{}; expected true, as candles that still form change", field.name,
                     shown(field.text), is_false ? "" : " is neither true nor false"));
  }

  /// What only the rows of a whole file tell: whether they are one-minute candles.
  void check_lengths() {
    const std::size_t rows = candles_.size() - begin_;
    if (2 * early_closes_ > rows)
      fail_at(first_early_close_,
              fmt::format("{} lies before the end of the minute, as in {} of {} rows; expected it "
                          "there, 59.999 s behind open_time",
                          first_early_text_, early_closes_, rows));
    if (has_close_times_)
      return;
    const auto all = std::span<const candle>{candles_}.subspan(begin_);
    if (const auto coarse = find_coarse_file(all, interval::m1))
      fail_at(line_of(begin_ + coarse->index), describe(*coarse, interval::m1, "file"));
    for (std::size_t at = begin_; at < candles_.size();) {
      const instant midnight = align_down(candles_[at].open_time, day_ms) + day_ms;
      const auto next = std::partition_point(
          candles_.begin() + static_cast<std::ptrdiff_t>(at), candles_.end(),
          [midnight](const candle& item) { return item.open_time < midnight; });
      const auto end = static_cast<std::size_t>(next - candles_.begin());
      const auto day = std::span<const candle>{candles_}.subspan(at, end - at);
      if (const auto coarse = find_coarse_batch(day, interval::m1))
        refuse_day(located(line_of(at + coarse->index), describe(*coarse, interval::m1, "day")));
      at = end;
    }
  }

  instant read_time(std::string_view field) {
    const auto value = parse_integer(field);
    if (!value)
      fail(fmt::format("open_time {} is not a time; expected an integer, Unix time in "
                       "milliseconds, seconds or microseconds",
                       shown(field)));
    if (!is_time(*value))
      fail(fmt::format("open_time {} is out of range; expected Unix time from 1973-03-03 to "
                       "5138-11-16 in milliseconds, seconds or microseconds",
                       shown(field)));
    const auto time = to_minute(*value);
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
    if (item.open_time >= day_end_) {
      check_day();
      day_begin_ = candles_.size();
      day_end_ = align_down(item.open_time, day_ms) + day_ms;
    } else if (!is_empty() && item.open_time <= candles_.back().open_time) {
      fail(fmt::format(
          "open_time {} {} line {}; expected strictly increasing open times", item.open_time,
          item.open_time == candles_.back().open_time ? "repeats" : "is earlier than", line() - 1));
    }
    candles_.push_back(item);
  }

  void note_blank_line() {
    if (blank_line_ == 0)
      blank_line_ = line();
    fast_ = false; // a row behind it must not pass
  }

  /// Checks the candles of the day that is being read, a batch of its own.
  void check_day() {
    const auto day = std::span<const candle>{candles_}.subspan(day_begin_);
    if (const auto fault = check_candles(day, interval::m1, limits_))
      refuse_day(located(line_of(day_begin_ + fault->index), fault->message));
  }

  void refuse_day(const std::string& text) {
    if (!faults_)
      throw failure(error_code::bad_candles, text);
    faults_->push_back(text);
  }

  std::string file_name_;
  std::string symbol_; ///< empty: whichever the rows say
  const configuration& limits_;
  std::vector<std::string>* faults_;
  std::vector<candle>& candles_;
  std::size_t begin_;       ///< of this file's candles
  std::size_t columns_ = 0; ///< fields of every line; 0 before the first
  std::array<std::size_t, column_count> position_{};
  std::vector<claimed_field> claims_;
  bool has_close_times_ = false;
  std::string known_symbol_; ///< as the rows write it
  std::size_t early_closes_ = 0;
  std::size_t first_early_close_ = 0; ///< its line
  std::string first_early_text_;
  bool fast_ = false; ///< rows may be read by read_ordinary_row
  std::size_t first_row_ = 1;
  std::size_t blank_line_ = 0;
  std::size_t day_begin_;
  instant day_end_ = std::numeric_limits<instant>::min();
};

/// How much of the bytes of all files has been read.
class joint_progress {
public:
  explicit joint_progress(const candle_paths& files) {
    for (const auto& file : files) {
      std::error_code unknown;
      const auto size = std::filesystem::file_size(file, unknown);
      is_known_ = is_known_ && !unknown;
      sizes_.push_back(unknown ? 0 : static_cast<double>(size));
    }
    total_ = std::accumulate(sizes_.begin(), sizes_.end(), 0.0);
  }

  bool is_of_one_file() const noexcept { return sizes_.size() == 1; }
  void begin_next() {
    before_ += current_;
    current_ = sizes_.at(begun_++);
  }
  /// Above 0 to 1, at the share `of_current` of the file that began last.
  double at(double of_current) const noexcept {
    constexpr double half = 0.5; // as much as came may still come
    if (is_of_one_file())
      return of_current;
    return is_known_ && total_ > 0 && before_ + of_current * current_ > 0
               ? std::min(1.0, (before_ + of_current * current_) / total_)
               : half;
  }

private:
  std::vector<double> sizes_;
  std::size_t begun_ = 0;
  bool is_known_ = true;
  double total_ = 0;
  double before_ = 0;
  double current_ = 0;
};

void read_file(const std::filesystem::path& path, csv_parser& parser,
               const joint_progress& progress) {
  const auto input = open_text(path);
  std::vector<char> buffer(buffer_size);
  std::size_t held = 0;
  while (const std::size_t count = input->read(std::span{buffer}.subspan(held))) {
    held += count;
    const std::string_view text{buffer.data(), held};
    const std::size_t lines = text.rfind('\n') + 1; // npos + 1 == 0: no complete line
    if (lines == 0 && held == buffer.size())
      parser.fail(fmt::format("longer than {} bytes; expected a row of candle data", buffer_size));
    if (lines > 0)
      parser.feed(text.substr(0, lines), progress.at(input->progress()),
                  input->is_plain() && progress.is_of_one_file());
    held -= lines;
    std::memmove(buffer.data(), buffer.data() + lines, held);
  }
  if (held > 0)
    parser.feed({buffer.data(), held}, 1, true);
  parser.finish();
}

/// Where the candles of one of several files begin and end.
struct file_part {
  std::string file;
  instant first = 0;
  instant last = 0;
};

/// Candles of files that do not overlap, in the order of time.
void order_by_time(std::vector<file_part> parts, std::vector<candle>& candles) {
  const auto by_time = [](const auto& left, const auto& right) { return left.first < right.first; };
  const bool in_order = std::is_sorted(parts.begin(), parts.end(), by_time);
  if (!in_order)
    std::stable_sort(parts.begin(), parts.end(), by_time);
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const auto& earlier = parts[i - 1];
    const auto& later = parts[i];
    if (later.first <= earlier.last)
      throw failure(error_code::bad_candles,
                    fmt::format("{} and {} overlap: candles from {} to {}, and from {} to {}; "
                                "expected files of which one ends before the other begins",
                                earlier.file, later.file, to_iso(earlier.first),
                                to_iso(earlier.last), to_iso(later.first), to_iso(later.last)));
  }
  if (!in_order) // in place: there may be room for them once only
    std::sort(candles.begin(), candles.end(), [](const candle& left, const candle& right) {
      return left.open_time < right.open_time;
    });
}

candle_series read_files(const candle_paths& paths, std::string symbol, const configuration& limits,
                         std::vector<std::string>* faults) {
  const auto files = matching_files(paths);
  candle_series series{std::move(symbol), interval::m1, {}};
  auto& candles = series.candles;
  joint_progress progress{files};
  std::vector<file_part> parts;
  for (const auto& file : files) {
    const std::size_t begin = candles.size();
    csv_parser parser{file.string(), series.symbol, limits, faults, candles};
    progress.begin_next();
    read_file(file, parser, progress);
    parts.push_back({file.string(), candles[begin].open_time, candles.back().open_time});
  }
  order_by_time(std::move(parts), candles);
  if (candles.capacity() > candles.size() + candles.size() / 16)
    candles.shrink_to_fit();
  return series;
}

} // namespace

candle_series read_candle_csv(const std::filesystem::path& path, std::string symbol,
                              const configuration& limits) {
  return read_files({path}, std::move(symbol), limits, nullptr);
}

candle_series read_candle_csv(const candle_paths& paths, std::string symbol,
                              const configuration& limits) {
  return read_files(paths, std::move(symbol), limits, nullptr);
}

candle_series scan_candle_csv(const candle_paths& paths, std::string symbol,
                              const configuration& limits, std::vector<std::string>& faults) {
  return read_files(paths, std::move(symbol), limits, &faults);
}

candle_series parse_candle_csv(std::string_view text, std::string_view file_name,
                               std::string symbol, const configuration& limits) {
  candle_series series{std::move(symbol), interval::m1, {}};
  csv_parser parser{file_name, series.symbol, limits, nullptr, series.candles};
  if (!text.empty())
    parser.feed(text, 1, true);
  parser.finish();
  return series;
}

} // namespace backtest
