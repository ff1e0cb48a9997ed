#include "actors/exchange/candle_csv.hpp"

#include "actors/exchange/candle_writer.hpp"
#include "actors/exchange/synthetic_candles.hpp"
#include "tests/actors/exchange/candle_fixtures.hpp"
#include "tests/support/paths.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <functional>
#include <random>
#include <sys/stat.h>
#include <thread>
#include <zip.h>
#include <zlib.h>

using namespace backtest;
using namespace backtest::test;

namespace {

const configuration default_limits;
const std::string header = "open_time,open,high,low,close,volume\n";
const std::string row_0 = "1704067200000,100,101,99,100.5,3\n";
const std::string row_1 = "1704067260000,100.5,102,100,101,4\n";
const std::vector<candle> two_candles{{1704067200000, 100, 101, 99, 100.5, 3},
                                      {1704067260000, 100.5, 102, 100, 101, 4}};

candle_series parse(std::string_view text) {
  return parse_candle_csv(text, "f.csv", "BTCUSDT", default_limits);
}

std::string bad_candles(std::string_view text) {
  const auto problem = error_of([&] { parse(text); });
  REQUIRE(problem.has_value());
  CHECK(problem->code == error_code::bad_candles);
  return problem->message;
}

std::string gzip(std::string_view text) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string packed(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

using zip_entries = std::vector<std::pair<std::string, std::string>>;

/// A name ending with '/' makes a folder.
void write_zip(const std::filesystem::path& path, const zip_entries& entries) {
  zip_t* archive = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, nullptr);
  REQUIRE(archive);
  for (const auto& [name, text] : entries) {
    if (name.ends_with('/')) {
      zip_dir_add(archive, name.c_str(), 0);
    } else {
      zip_source_t* source = zip_source_buffer(archive, text.data(), text.size(), 0);
      REQUIRE(zip_file_add(archive, name.c_str(), source, 0) >= 0);
    }
  }
  REQUIRE(zip_close(archive) == 0);
}

std::optional<error> error_of_file(const std::filesystem::path& path) {
  return error_of([&] { read_candle_csv(path, "BTCUSDT", default_limits); });
}

} // namespace

TEST_CASE("cli, CSV: a header and rows") {
  const auto series = parse(header + row_0 + row_1);
  CHECK(series.symbol == "BTCUSDT");
  CHECK(series.size == interval::m1);
  CHECK(series.candles == two_candles);
}

TEST_CASE("cli, CSV: columns in any order, others ignored") {
  CHECK(parse("close,note,volume,low,open_time,high,open\n"
              "100.5,x,3,99,1704067200000,101,100\n"
              "101,,4,100,1704067260000,102,100.5\n")
            .candles == two_candles);
  CHECK(parse("open_time,open,high,low,close,volume,quote_volume\n"
              "1704067200000,100,101,99,100.5,3,1704067259999\n"
              "1704067260000,100.5,102,100,101,4,anything\n")
            .candles == two_candles);
}

TEST_CASE("cli, CSV: Binance kline rows without a header") {
  CHECK(parse("1704067200000,100,101,99,100.5,3,1704067259999,300,12,1,100,0\n"
              "1704067260000,100.5,102,100,101,4,1704067319999,400,13,2,200,0\n")
            .candles == two_candles);
  CHECK(parse(row_0 + row_1).candles == two_candles);
}

TEST_CASE("cli, CSV: milliseconds, seconds and microseconds by size") {
  CHECK(parse("1704067200,100,101,99,100.5,3\n1704067260,100.5,102,100,101,4\n").candles ==
        two_candles);
  CHECK(parse("1704067200000000,100,101,99,100.5,3\n1704067260000000,100.5,102,100,101,4\n")
            .candles == two_candles);
  CHECK(parse("100000020,1,1,1,1,1\n").candles[0].open_time == 100'000'020'000);
  CHECK(parse("99999999960,1,1,1,1,1\n").candles[0].open_time == 99'999'999'960'000);
  CHECK(parse("100000020000,1,1,1,1,1\n").candles[0].open_time == 100'000'020'000);
  CHECK(parse("99999999960000,1,1,1,1,1\n").candles[0].open_time == 99'999'999'960'000);
  CHECK(parse("100000020000000,1,1,1,1,1\n").candles[0].open_time == 100'000'020'000);
}

TEST_CASE("cli, CSV: line ends, byte order mark and blank lines at the end") {
  CHECK(parse("\xEF\xBB\xBF" + header + row_0 + row_1).candles == two_candles);
  CHECK(parse("\xEF\xBB\xBF" + row_0 + row_1).candles == two_candles);
  CHECK(parse(header + row_0 + row_1 + "\n\r\n\n").candles == two_candles);
  std::string text = header + row_0 + row_1;
  text.pop_back();
  CHECK(parse(text).candles == two_candles);
  CHECK(parse(text + "\r").candles == two_candles);
  std::string windows;
  for (const char c : header + row_0 + row_1)
    windows += c == '\n' ? std::string{"\r\n"} : std::string{c};
  CHECK(parse(windows).candles == two_candles);
  CHECK(parse(windows + "\r\n").candles == two_candles);
}

TEST_CASE("cli, CSV: numbers in any notation that reads as a decimal number") {
  CHECK(parse(header + "1704067200000,1e2,1.01E2,.99e2,100.5,0\n").candles[0] ==
        candle{1704067200000, 100, 101, 99, 100.5, 0});
}

TEST_CASE("cli, CSV: a file without candles") {
  const std::string layout =
      "; expected a header open_time,open,high,low,close,volume or Binance kline rows";
  CHECK(bad_candles("") == "f.csv: the file is empty" + layout);
  CHECK(bad_candles("\n\r\n") == "f.csv: the file is empty" + layout);
  CHECK(bad_candles("\xEF\xBB\xBF") == "f.csv: the file is empty" + layout);
  CHECK(bad_candles(header) ==
        "f.csv: the file has a header but no candles; expected at least one");
  CHECK(bad_candles("\n" + header + row_0) == "f.csv: line 1: the line is blank" + layout);
}

TEST_CASE("cli, CSV: a first line that is neither header nor kline row") {
  CHECK(bad_candles("open_time,open,high,close\n" + row_0) ==
        "f.csv: line 1: the header \"open_time,open,high,close\" lacks low, volume; expected a "
        "header open_time,open,high,low,close,volume or Binance kline rows");
  CHECK(bad_candles("open_time,open,high,low,close,volume,open\n") ==
        "f.csv: line 1: column open occurs twice in the header; expected a header "
        "open_time,open,high,low,close,volume or Binance kline rows");
  CHECK(bad_candles("1704067200000,1,2\n") ==
        "f.csv: line 1: 3 fields; expected at least 6 (open_time,open,high,low,close,volume)");
}

TEST_CASE("cli, CSV: a bad row is named with file, physical line, value and expectation") {
  const auto after_two = [](std::string_view row) {
    return bad_candles(header + row_0 + row_1 + std::string{row} + "\n");
  };
  CHECK(after_two("1704067320000,100,101,99,100") ==
        "f.csv: line 4: 5 fields in \"1704067320000,100,101,99,100\"; expected 6, as in line 1");
  CHECK(after_two("1704067320000,100,101,99,100,1,") ==
        "f.csv: line 4: 7 fields in \"1704067320000,100,101,99,100,1,\"; expected 6, as in line 1");
  CHECK(after_two("1704067320000,100,abc,99,100,1") ==
        "f.csv: line 4: high \"abc\" is not a number; expected a decimal number");
  CHECK(after_two("1704067320000,,101,99,100,1") ==
        "f.csv: line 4: open \"\" is not a number; expected a decimal number");
  CHECK(after_two("1704067320000,100,101,99, 100,1") ==
        "f.csv: line 4: close \" 100\" is not a number; expected a decimal number");
  CHECK(after_two("1704067320000,100,101,99,100,1\x01") ==
        "f.csv: line 4: volume \"1\\x01\" is not a number; expected a decimal number");
  CHECK(after_two("1704067320000,nan,101,99,100,1") ==
        "f.csv: line 4: open is nan; expected a finite price > 0");
  CHECK(after_two("1704067320000,100,inf,99,100,1") ==
        "f.csv: line 4: high is inf; expected a finite price > 0");
  CHECK(after_two("1704067320000,100,1e999,99,100,1") ==
        "f.csv: line 4: high \"1e999\" is not a number; expected a decimal number");
  CHECK(after_two("1704067320000,100,101,-99,100,1") ==
        "f.csv: line 4: low is -99; expected a finite price > 0");
  CHECK(after_two("1704067320000,100,101,99,100,-1") ==
        "f.csv: line 4: volume is -1; expected a finite number >= 0");
  CHECK(after_two("1704067320000,100,101,102,100,1") ==
        "f.csv: line 4: open 100, high 101, low 102, close 100: expected low <= open, close <= "
        "high");
  CHECK(after_two("2024-01-01,100,101,99,100,1") ==
        "f.csv: line 4: open_time \"2024-01-01\" is not a time; expected an integer, Unix time in "
        "milliseconds, seconds or microseconds");
  CHECK(after_two("1704067320000.0,100,101,99,100,1").starts_with("f.csv: line 4: open_time "));
  CHECK(after_two("-1704067320000,100,101,99,100,1").starts_with("f.csv: line 4: open_time "));
  CHECK(after_two("99999999999999999999,1,1,1,1,1").starts_with("f.csv: line 4: open_time "));
  CHECK(after_two("60000,100,101,99,100,1") ==
        "f.csv: line 4: open_time \"60000\" is out of range; expected Unix time from 1973-03-03 to "
        "5138-11-16 in milliseconds, seconds or microseconds");
  CHECK(after_two("1704067320000000000,100,101,99,100,1")
            .starts_with("f.csv: line 4: open_time \"1704067320000000000\" is out of range"));
  for (const auto* time : {"1704067320001", "1704067321", "1704067320000001"})
    CHECK(after_two(fmt::format("{},100,101,99,100,1", time)) ==
          fmt::format("f.csv: line 4: open_time \"{}\" is not a whole minute; expected one-minute "
                      "candles",
                      time));
  CHECK(after_two("1704067260000,100,101,99,100,1") ==
        "f.csv: line 4: open_time 1704067260000 repeats line 3; expected strictly increasing open "
        "times");
  CHECK(after_two("1704067200000,100,101,99,100,1") ==
        "f.csv: line 4: open_time 1704067200000 is earlier than line 3; expected strictly "
        "increasing open times");
  CHECK(after_two("1703980800000,100,101,99,100,1") ==
        "f.csv: line 4: open_time 1703980800000 is earlier than line 3; expected strictly "
        "increasing open times");
  CHECK(after_two("\n1704067320000,100,101,99,100,1") ==
        "f.csv: line 4: the line is blank; expected a candle (blank lines only at the end)");
  CHECK(after_two("open_time,open,high,low,close,volume").starts_with("f.csv: line 4: open_time "));
}

TEST_CASE("cli, CSV: the faults do not depend on the layout") {
  const std::string odd = "volume,open,high,low,close,open_time\n";
  CHECK(bad_candles(odd + "3,100,101,99,100.5,1704067200000\nx,100,101,99,100.5,1704067260000\n") ==
        "f.csv: line 3: volume \"x\" is not a number; expected a decimal number");
  CHECK(bad_candles(row_0 + "1704067260000,1,1,1,1\n").starts_with("f.csv: line 2: 5 fields"));
  CHECK(bad_candles("1704067200000,100,101,99,100.5,3,1704067259999\n" + row_1)
            .starts_with("f.csv: line 2: 6 fields"));
}

TEST_CASE("cli, CSV: the earliest bad line is named, whatever its kind") {
  CHECK(bad_candles(header + "1704067200000,100,90,99,100.5,3\n" + "garbage\n")
            .starts_with("f.csv: line 2: open 100, high 90"));
}

TEST_CASE("lifecycle 2, checks: for files a batch is one UTC day") {
  // A fall by 10000 between two days is two sound batches; within one day it is an anomaly.
  std::string text = header;
  for (int i = 0; i < 10; ++i)
    text += fmt::format("{},5000,5000,5000,5000,1\n", new_year + i * minute_ms);
  CHECK(parse(text + fmt::format("{},0.5,0.5,0.5,0.5,1\n", new_year + day_ms)).candles.size() ==
        11);
  CHECK(bad_candles(text + fmt::format("{},0.5,0.5,0.5,0.5,1\n", new_year + 10 * minute_ms))
            .starts_with("f.csv: line 12: open 0.5 is an anomaly; expected at least 5 "));
}

TEST_CASE("cli, CSV: plain, gzip and zip are told apart by content") {
  const temporary_folder folder{"candle_csv_kinds"};
  const std::string text = header + row_0 + row_1;
  const auto candles_of = [&](const std::filesystem::path& path) {
    return read_candle_csv(path, "BTCUSDT", default_limits).candles;
  };
  CHECK(candles_of(folder.write("plain.gz", text)) == two_candles);
  CHECK(candles_of(folder.write("packed.csv", gzip(text))) == two_candles);
  CHECK(candles_of(folder.write("members.csv.gz", gzip(header + row_0) + gzip(row_1))) ==
        two_candles);
  write_zip(folder / "archive.csv", {{"folder/", ""}, {"folder/BTCUSDT-1m.csv", text}});
  CHECK(candles_of(folder / "archive.csv") == two_candles);
}

TEST_CASE("cli, CSV: a zip archive with one CSV file beside what archivers leave") {
  const temporary_folder folder{"candle_csv_archive"};
  const std::string text = header + row_0 + row_1;
  const auto candles_of = [&](const zip_entries& entries) {
    write_zip(folder / "a.zip", entries);
    return read_candle_csv(folder / "a.zip", "BTCUSDT", default_limits).candles;
  };
  CHECK(candles_of({{"__MACOSX/", ""},
                    {"m/", ""},
                    {"__MACOSX/m/._BTC.csv", "x"},
                    {"m/BTC.csv", text},
                    {"m/.DS_Store", "x"}}) == two_candles);
  CHECK(candles_of({{"README.txt", "x"}, {"BTC.csv", text}, {"BTC.csv.CHECKSUM", "x"}}) ==
        two_candles);
  CHECK(candles_of({{"BTCUSDT-1m", text}, {"__MACOSX/._BTCUSDT-1m", "x"}}) == two_candles);
}

TEST_CASE("cli, CSV: a zip archive through a pipe needs a file") {
  const temporary_folder folder{"candle_csv_zip_pipe"};
  write_zip(folder / "a.zip", {{"a.csv", header + row_0}});
  const auto pipe = folder / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  std::thread writer{[&] { std::ofstream{pipe, std::ios::binary} << bytes_of(folder / "a.zip"); }};
  const auto problem = error_of_file(pipe);
  writer.join();
  REQUIRE(problem.has_value());
  CHECK(problem->code == error_code::io_failed);
  CHECK(problem->message ==
        pipe.string() + ": a zip archive that comes through a pipe cannot be unpacked; expected a "
                        "file, or its unpacked text");
}

TEST_CASE("cli, CSV: files that cannot be opened, read or unpacked") {
  const temporary_folder folder{"candle_csv_unreadable"};
  const std::string text = header + row_0 + row_1;
  const auto check = [](const std::filesystem::path& path, error_code code,
                        std::string_view problem) {
    const auto failed = error_of_file(path);
    REQUIRE(failed.has_value());
    CHECK(failed->code == code);
    CHECK(failed->message.starts_with(fmt::format("{}: {}", path.string(), problem)));
  };
  check(folder / "missing.csv", error_code::io_failed,
        "cannot open the file: No such file or directory");
  check(folder / "", error_code::io_failed, "cannot read the file: Is a directory");
  check(folder.write("empty.csv", ""), error_code::bad_candles, "the file is empty");
  const std::string packed = gzip(text);
  for (const std::size_t size :
       {std::size_t{2}, std::size_t{12}, packed.size() / 2, packed.size() - 1})
    check(folder.write("cut.csv.gz", packed.substr(0, size)), error_code::io_failed,
          "truncated gzip data; expected a complete gzip file");
  check(folder.write("tail.csv.gz", packed + "tail"), error_code::io_failed, "damaged gzip data");
  std::string flipped = packed;
  flipped[flipped.size() - 6] ^= 1; // in the checksum
  check(folder.write("flipped.csv.gz", flipped), error_code::io_failed, "damaged gzip data");

  check(folder.write("none.zip", std::string{"PK\x05\x06"} + std::string(18, '\0')),
        error_code::bad_candles, "the zip archive holds 0 files; expected exactly one CSV file");
  write_zip(folder / "two.zip", {{"a.csv", text}, {"x/b.CSV", text}, {"c.txt", text}});
  check(folder / "two.zip", error_code::bad_candles,
        "the zip archive holds 2 CSV files (a.csv, x/b.CSV); expected exactly one CSV file");
  write_zip(folder / "none.zip", {{"a.txt", text}, {"b.md", text}});
  check(folder / "none.zip", error_code::bad_candles,
        "the zip archive holds 2 files (a.txt, b.md); expected exactly one CSV file");
  write_zip(folder / "one.zip", {{"a.csv", text}});
  const std::string archive = bytes_of(folder / "one.zip");
  check(folder.write("cut.zip", archive.substr(0, archive.size() / 2)), error_code::io_failed,
        "damaged zip archive");
  check(folder.write("long.csv", header + std::string(100'000, '1')), error_code::bad_candles,
        "line 2: longer than 65536 bytes");
}

TEST_CASE("cli, CSV: a file is read like its text, wherever its chunks end") {
  const temporary_folder folder{"candle_csv_chunks"};
  auto series = generate_candles(3, "BTCUSDT", 40'000, 0.6, new_year, new_year + 5 * day_ms);
  const std::string text = to_csv(series);
  REQUIRE(text.size() > 5 * 64 * 1024);
  write_zip(folder / "c.zip", {{"c.csv", text}});
  for (const auto& path :
       {folder.write("c.csv", text), folder.write("c.csv.gz", gzip(text)), folder / "c.zip"}) {
    const auto loaded = read_candle_csv(path, "BTCUSDT", default_limits);
    CHECK(loaded == series);
    CHECK(loaded.candles.capacity() * sizeof(candle) <= 56 * loaded.candles.size());
  }
  // A bad row deep inside keeps its line number.
  const std::size_t row = text.find("1704412800000,"); // minute 5760 of the series
  REQUIRE(row != std::string::npos);
  const std::string damaged = fmt::format("{}x{}", text.substr(0, row), text.substr(row));
  const auto path = folder.write("damaged.csv", damaged);
  CHECK(error_of_file(path)->message.starts_with(
      path.string() + ": line 5762: open_time \"x1704412800000\" is not a time"));
}

TEST_CASE("cli, CSV: more blank lines than a chunk holds hide nothing") {
  const temporary_folder folder{"candle_csv_blank"};
  const std::string blank(200'000, '\n');
  CHECK(read_candle_csv(folder.write("end.csv", header + row_0 + blank), "BTCUSDT", default_limits)
            .candles.size() == 1);
  CHECK(error_of_file(folder.write("middle.csv", header + row_0 + blank + row_1))
            ->message.find("line 3: the line is blank") != std::string::npos);
  CHECK(error_of_file(folder.write("front.csv", blank + header + row_0))
            ->message.find("line 1: the line is blank") != std::string::npos);
}

namespace {

/// `count` rows, `minutes` apart; `more` makes what stands behind the volume.
std::string rows_apart(std::int64_t minutes, int count,
                       const std::function<std::string(instant)>& more = {}) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    const instant when = new_year + i * minutes * minute_ms;
    text += fmt::format("{},100,101,99,100,1{}\n", when, more ? more(when) : "");
  }
  return text;
}

/// Columns 7 to 12 of a kline whose candles are of so many minutes.
std::function<std::string(instant)> kline_end(std::int64_t minutes) {
  return [minutes](instant when) {
    return fmt::format(",{},1,2,3,4,0", when + minutes * minute_ms - 1);
  };
}

std::string rows_at(std::initializer_list<std::int64_t> minutes) {
  std::string text = header;
  for (const auto minute : minutes)
    text += fmt::format("{},100,101,99,100,1\n", new_year + minute * minute_ms);
  return text;
}

} // namespace

TEST_CASE("cli, CSV: klines of larger intervals are refused by their close time") {
  CHECK(parse(rows_apart(1, 5, kline_end(1))).candles.size() == 5);
  CHECK(bad_candles(rows_apart(5, 5, kline_end(5))) ==
        "f.csv: line 1: close_time 1704067499999 is that of a candle of 5m, open_time is "
        "1704067200000; expected 1704067259999, that of a candle of 1m");
  CHECK(bad_candles(rows_apart(3, 1, kline_end(3))).find("a candle of 3m") != std::string::npos);
  CHECK(bad_candles(rows_apart(1440, 2, kline_end(1440))).find("a candle of 1d") !=
        std::string::npos);
  // With a header, in any place, and without the rest of the columns.
  const std::string columns = "close_time,open_time,open,high,low,close,volume\n";
  CHECK(parse(columns + "1704067259999,1704067200000,1,1,1,1,1\n").candles.size() == 1);
  CHECK(bad_candles(columns + "1704067259999,1704067200000,1,1,1,1,1\n" +
                    "1704070799999,1704067260000,1,1,1,1,1\n")
            .starts_with("f.csv: line 3: close_time 1704070799999 is that of a candle of 59m"));
  CHECK(bad_candles("1704067200000,1,1,1,1,1,1704067499999\n").find("a candle of 5m") !=
        std::string::npos);
  // A volume of seven columns is none.
  CHECK(
      parse("1704067200000,1,1,1,1,1,250000000\n1704067260000,1,1,1,1,1,170.5\n").candles.size() ==
      2);
}

TEST_CASE("cli, CSV: close times in every unit, inclusive and exclusive") {
  const auto accepted = [](std::string_view open, std::string_view close) {
    return parse(fmt::format("{},1,1,1,1,1,{},1,1,1,1,0\n", open, close)).candles.size() == 1;
  };
  CHECK(accepted("1704067200000", "1704067259999"));
  CHECK(accepted("1704067200000", "1704067260000"));
  CHECK(accepted("1704067200000000", "1704067259999999"));
  CHECK(accepted("1704067200000000", "1704067260000000"));
  CHECK(accepted("1704067200000000", "1704067259999"));
  CHECK(accepted("1704067200", "1704067259"));
  CHECK(accepted("1704067200", "1704067260"));
  const auto refused = [](std::string_view open, std::string_view close) {
    return bad_candles(fmt::format("{},1,1,1,1,1,{},1,1,1,1,0\n", open, close));
  };
  CHECK(refused("1704067200000000", "1704067499999999").find("a candle of 5m") !=
        std::string::npos);
  CHECK(refused("1704067200", "1704067499").find("a candle of 5m") != std::string::npos);
  CHECK(refused("1704067200000", "1704067260001").find("a candle of 60001 ms") !=
        std::string::npos);
  CHECK(refused("1704067200000", "1704067200000") ==
        "f.csv: line 1: close_time 1704067200000 is not later than open_time 1704067200000; "
        "expected 1704067259999, the end of the minute");
  for (const auto* text : {"", "x", "1704067259999.0", "99999999999999999999", "-1", "59999"})
    CHECK(refused("1704067200000", text) ==
          fmt::format("f.csv: line 1: close_time \"{}\" is not a time; expected 1704067259999, the "
                      "end of the minute",
                      text));
}

TEST_CASE("cli, CSV: an exchange that pauses closes a candle early, not most of them") {
  const auto early = [](instant last) {
    return [last](instant when) {
      return fmt::format(",{},1,2,3,4,0", when + (when <= last ? 14'838 : 59'999));
    };
  };
  CHECK(parse(rows_apart(1, 4, early(new_year + minute_ms))).candles.size() == 4);
  CHECK(bad_candles(rows_apart(1, 4, early(new_year + 2 * minute_ms))) ==
        "f.csv: line 1: close_time 1704067214838 lies before the end of the minute, as in 3 of 4 "
        "rows; expected it there, 59.999 s behind open_time");
}

TEST_CASE("cli, CSV: without close times the usual spacing must be a minute") {
  CHECK(bad_candles(header + rows_apart(5, 300)) ==
        "f.csv: line 3: the candle lies 5m behind the one before, the usual spacing of the file; "
        "expected 1m candles");
  CHECK(bad_candles(rows_apart(3, 20)).starts_with("f.csv: line 2: the candle lies 3m "));
  CHECK(bad_candles(rows_apart(60, 3)).find(" lies 1h ") != std::string::npos);
  CHECK(bad_candles(rows_apart(1440, 2)).find(" lies 1d ") != std::string::npos);
  // Some of the larger candles are missing.
  CHECK(bad_candles(rows_at({0, 15, 20, 25, 60})).find(" lies 5m ") != std::string::npos);
  // One minute, most of which are missing.
  CHECK(parse(rows_at({0, 7, 9, 30, 41, 42, 77})).candles.size() == 7);
  CHECK(parse(rows_at({3})).candles.size() == 1);
  CHECK(parse(rows_at({3, 10})).candles.size() == 2);
  CHECK(bad_candles(rows_at({5, 10})).find(" lies 5m ") != std::string::npos);
  // A close time says more than the spacing.
  CHECK(parse(rows_apart(5, 300, kline_end(1))).candles.size() == 300);
}

TEST_CASE("cli, CSV: a day of larger candles among one-minute ones is refused") {
  const auto day = generate_candles(3, "X", 100, 0.6, new_year, new_year + 2 * day_ms);
  std::string text = to_csv(day);
  for (int i = 0; i < 288; ++i)
    text += fmt::format("{},100,101,99,100,1\n", new_year + 2 * day_ms + i * 5 * minute_ms);
  CHECK(bad_candles(text) == "f.csv: line 2883: the candle lies 5m behind the one before, the "
                             "usual spacing of the day; expected 1m candles");
}

TEST_CASE("cli, CSV: what rows say of symbol, interval and being closed must hold") {
  const auto with = [](const std::string& column, const std::string& first,
                       const std::string& second) {
    return fmt::format("open_time,open,high,low,close,volume,{}\n1704067200000,1,1,1,1,1,{}\n"
                       "1704067260000,1,1,1,1,1,{}\n",
                       column, first, second);
  };
  for (const auto* name : {"BTCUSDT", "btcusdt", "BTC/USDT", "BTC-USDT"})
    CHECK(parse(with("symbol", name, name)).candles.size() == 2);
  CHECK(bad_candles(with("symbol", "BTCUSDT", "ETHUSDT")) ==
        "f.csv: line 3: symbol \"ETHUSDT\"; expected \"BTCUSDT\"");
  CHECK(bad_candles(with("symbol", "", "")).starts_with("f.csv: line 2: symbol \"\""));
  const auto of_any_symbol = [](const std::string& text) {
    return error_of([&] { parse_candle_csv(text, "f.csv", "", default_limits); });
  };
  CHECK_FALSE(of_any_symbol(with("symbol", "ETHUSDT", "ETHUSDT")));
  CHECK(of_any_symbol(with("symbol", "ETHUSDT", "BTCUSDT"))->message ==
        "f.csv: line 3: symbol \"BTCUSDT\"; expected \"ETHUSDT\"");
  CHECK(parse(with("interval", "1m", "1min")).candles.size() == 2);
  for (const auto* size : {"5m", "1M", "60", ""})
    CHECK(bad_candles(with("interval", "1m", size)) ==
          fmt::format("f.csv: line 3: interval \"{}\"; expected 1m, one-minute candles", size));
  for (const auto* column :
       {"is_closed", "closed", "is_final", "is_complete", "complete", "confirm"}) {
    CHECK(parse(with(column, "true", "1")).candles.size() == 2);
    CHECK(
        bad_candles(with(column, "True", "False")) ==
        fmt::format("f.csv: line 3: {} \"False\"; expected true, as candles that still form change",
                    column));
    CHECK(bad_candles(with(column, "maybe", "1")).find("is neither true nor false") !=
          std::string::npos);
  }
}

TEST_CASE("cli, CSV: several files are joined in the order of their candles") {
  const temporary_folder folder{"candle_csv_several"};
  const auto series = generate_candles(3, "BTCUSDT", 100, 0.6, new_year, new_year + 4 * day_ms);
  const auto part = [&](int from, int until) {
    auto some = series;
    some.candles.assign(series.candles.begin() + from, series.candles.begin() + until);
    return to_csv(some);
  };
  const auto first = folder.write("z.csv", part(0, 1440));
  const auto second = folder.write("b.csv.gz", gzip("\xEF\xBB\xBF" + part(1440, 3000)));
  write_zip(folder / "a.zip", {{"a.csv", part(3000, 5760)}});
  for (const auto& paths :
       {candle_paths{first, second, folder / "a.zip"},
        candle_paths{folder / "a.zip", first, second}, candle_paths{folder / "*.*"},
        candle_paths{folder / "*.csv*", folder / "*a*p"}}) {
    const auto loaded = read_candle_csv(paths, "BTCUSDT", default_limits);
    CHECK(loaded == series);
    CHECK(loaded.candles.capacity() * sizeof(candle) <= 56 * loaded.candles.size());
  }
  const auto refused = [](const candle_paths& paths) {
    return error_of([&] { read_candle_csv(paths, "BTCUSDT", default_limits); }).value();
  };
  const auto overlap = folder.write("overlap.csv", part(2999, 3100));
  CHECK(
      refused({overlap, first, second}).message ==
      fmt::format("{} and {} overlap: candles from 2024-01-02T00:00:00Z to 2024-01-03T01:59:00Z, "
                  "and from 2024-01-03T01:59:00Z to 2024-01-03T03:39:00Z; expected files of which "
                  "one ends before the other begins",
                  second.string(), overlap.string()));
  CHECK(refused({overlap, first, second}).code == error_code::bad_candles);
  CHECK(refused({first, first}).message.find("overlap") != std::string::npos);
  // One lies in a gap of the other.
  const auto odd = folder.write("odd.csv", rows_at({0, 1, 5, 6}));
  const auto between = folder.write("between.csv", rows_at({3, 4}));
  CHECK(refused({odd, between}).message.find("overlap") != std::string::npos);
  // Faults keep the file and its own lines.
  const auto bad = folder.write("bad.csv", header + "1704412800000,1,2,3,4,5\n");
  CHECK(refused({first, bad}).message.starts_with(bad.string() + ": line 2: "));
  const auto coarse = folder.write("coarse.csv", header + rows_apart(5, 20));
  CHECK(refused({folder / "a.zip", coarse}).message.starts_with(coarse.string() + ": line 3: "));
  CHECK(refused({folder / "2024-*.zip"}) ==
        error{error_code::io_failed,
              (folder / "2024-*.zip").string() + ": no file matches; expected at least one"});
}

TEST_CASE("cli, CSV: random damage never passes unnoticed or crashes") {
  std::mt19937_64 random{11};
  const std::string text =
      to_csv(generate_candles(5, "X", 100, 0.6, new_year, new_year + 20 * minute_ms));
  const auto original = parse(text).candles;
  constexpr std::string_view alphabet = "0123456789.,-e\r\n\"x \0";
  for (int round = 0; round < 20'000; ++round) {
    std::string damaged = text;
    const std::size_t at = random() % damaged.size();
    switch (random() % 3) {
    case 0: damaged[at] = alphabet[random() % alphabet.size()]; break;
    case 1: damaged.erase(at, 1 + random() % 60); break;
    default: damaged.insert(at, 1, alphabet[random() % alphabet.size()]); break;
    }
    const auto problem = error_of([&] {
      // What passes is one candle per line: nothing was skipped.
      std::string_view rest = damaged;
      while (rest.ends_with('\n') || rest.ends_with('\r'))
        rest.remove_suffix(1);
      const auto lines = static_cast<std::size_t>(std::count(rest.begin(), rest.end(), '\n')) + 1;
      const std::size_t first_line = damaged.starts_with("open_time") ? 1 : 0;
      const auto loaded = parse(damaged);
      REQUIRE(loaded.candles.size() == lines - first_line);
    });
    if (problem) {
      REQUIRE(problem->code == error_code::bad_candles);
      REQUIRE(problem->message.starts_with("f.csv: "));
    }
  }
  CHECK(original.size() == 20);
}

TEST_CASE("cli, CSV: the recorded markets load completely") {
  const std::filesystem::path data = backtest::testing::shared_directory() / "data";
  if (!std::filesystem::exists(data)) {
    MESSAGE("no recorded data at " << data.string() << ", nothing compared");
    return;
  }
  const auto expect = [&](std::string_view name, std::size_t rows) {
    const auto series = read_candle_csv(data / name, "X", default_limits);
    CHECK(series.candles.size() == rows);
    CHECK(series.candles.capacity() * sizeof(candle) <= 56 * rows);
  };
  expect("binanceusdm-BTCUSDT-1m.csv.gz", 43'199);
  expect("binanceusdm-ETHUSDT-1m.csv.gz", 60'191);
  expect("gaps-BTCUSDT-1m.csv.gz", 19'726);
  expect("short-BNBUSDT-1m.csv.gz", 7'000);
  const auto btc =
      read_candle_csv(data / "binanceusdm-BTCUSDT-1m.csv.gz", "BTCUSDT", default_limits);
  CHECK(btc.candles[0] == candle{1746372780000, 95505.4, 95505.5, 95502.7, 95502.7, 16.536});
}
