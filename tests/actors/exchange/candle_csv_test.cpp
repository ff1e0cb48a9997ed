#include "actors/exchange/candle_csv.hpp"

#include "actors/exchange/candle_writer.hpp"
#include "actors/exchange/synthetic_candles.hpp"
#include "tests/actors/exchange/candle_fixtures.hpp"
#include "tests/support/paths.hpp"

#include <doctest/doctest.h>

#include <random>
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
  CHECK(parse("open_time,open,high,low,close,volume,close_time\n"
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
  write_zip(folder / "two.zip", {{"a.csv", text}, {"b.csv", text}});
  check(folder / "two.zip", error_code::bad_candles,
        "the zip archive holds 2 files; expected exactly one CSV file");
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
