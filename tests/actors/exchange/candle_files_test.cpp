#include "actors/exchange/candle_files.hpp"

#include "tests/actors/exchange/candle_fixtures.hpp"

#include <doctest/doctest.h>

using namespace backtest;
using namespace backtest::test;

TEST_CASE("candle files: a pattern stands for files as in a shell") {
  const temporary_folder folder{"candle_files"};
  for (const auto* name : {"b-2.zip", "b-10.zip", "b-.zip", "b-1.csv", "bb-1.zip", ".b-1.zip"})
    folder.write(name, "");
  std::filesystem::create_directory(folder / "b-3.zip");
  const auto names_of = [&](std::string_view pattern) {
    std::string names;
    for (const auto& path : matching_files(folder / pattern))
      names += path.filename().string() + " ";
    return names;
  };
  CHECK(names_of("b-*.zip") == "b-.zip b-10.zip b-2.zip ");
  CHECK(names_of("*-1*") == "b-1.csv b-10.zip bb-1.zip ");
  CHECK(names_of("*b-*1*") == "b-1.csv b-10.zip bb-1.zip ");
  CHECK(names_of(".b*") == ".b-1.zip ");
  CHECK(names_of("b-**2.zip") == "b-2.zip ");
  CHECK(names_of("b-?.zip") == "b-2.zip ");
  CHECK(names_of("b-[0-9]0.zip") == "b-10.zip ");
  CHECK(names_of("b-[0-9]*.zip") == "b-10.zip b-2.zip ");
  CHECK(names_of("nothing.zip") == "nothing.zip "); // no pattern: there or not
  for (const auto* pattern : {"x*", "b-*.gz", "*-1"})
    CHECK(error_of([&] { names_of(pattern); }) ==
          error{error_code::io_failed,
                (folder / pattern).string() + ": no file matches; expected at least one"});
  folder.write("star*.csv", "");
  folder.write("star2.csv", "");
  CHECK(names_of("star*.csv") == "star*.csv "); // the file of that very name
  CHECK(error_of([&] { names_of("no/such*"); })->message ==
        fmt::format("{}: cannot look through {}: No such file or directory",
                    (folder / "no/such*").string(), (folder / "no").string()));
  CHECK(matching_files(candle_paths{folder / "star2.csv", folder / "b-2*"}) ==
        candle_paths{folder / "star2.csv", folder / "b-2.zip"});
}
