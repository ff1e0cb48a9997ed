#include "storage/rocksdb_candle_archive.hpp"

#include "storage/rocksdb_store.hpp"
#include "tests/support/temporary_directory.hpp"

#include <doctest/doctest.h>

using namespace backtest;
using namespace backtest::testing;

namespace {

void put(store& target, const std::string& value) {
  store_batch batch;
  batch.put(store_space::candles, "key", value);
  target.commit(batch);
}

std::string found_in(candle_archive& archive) {
  std::string found = "nobody looked";
  archive.read([&](const store_reader& from) {
    found = from.get(store_space::candles, "key").value_or("nothing");
  });
  return found;
}

} // namespace

TEST_CASE("rocksdb candle archive: no store, nothing to read, the first write makes it") {
  const temporary_directory folder;
  const auto archive = make_rocksdb_candle_archive(folder.path() / "data");
  CHECK(found_in(*archive) == "nobody looked");
  archive->write([](store& target) { put(target, "one"); });
  CHECK(found_in(*archive) == "one");
  archive->write([](store& target) { put(target, "two"); });
  CHECK(found_in(*archive) == "two");
}

TEST_CASE(
    "rocksdb candle archive: beside a writer it reads what that one wrote, and writes nothing") {
  const temporary_directory folder;
  const auto node = open_rocksdb_store(folder.path() / "data");
  const auto archive = make_rocksdb_candle_archive(folder.path() / "data");
  put(*node, "of the node");
  CHECK(found_in(*archive) == "of the node");
  bool written = false;
  archive->write([&](store&) { written = true; });
  CHECK(!written);
  put(*node, "later");
  CHECK(found_in(*archive) == "later");
}

TEST_CASE("rocksdb candle archive: it holds the directory only while it writes") {
  const temporary_directory folder;
  const auto archive = make_rocksdb_candle_archive(folder.path() / "data");
  archive->write([](store& target) { put(target, "one"); });
  CHECK(found_in(*archive) == "one");
  const auto node = open_rocksdb_store(folder.path() / "data");
  CHECK(node->get(store_space::candles, "key") == "one");
}
