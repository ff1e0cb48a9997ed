#include "storage/quarantine.hpp"

#include "storage/memory_store.hpp"

#include <doctest/doctest.h>

using namespace backtest;

TEST_CASE("quarantine: a row is moved aside with its reason and time, oldest first") {
  const auto target = make_memory_store();
  store_batch batch;
  batch.put(store_space::state, "signal/binance/grid", "{\"broken\":");
  batch.put(store_space::state, "signal/binance/cross", "{}");
  target->commit(batch);
  batch.clear();
  quarantine_row(batch, {"signal/binance/grid", "{\"broken\":"}, "line 1, column 11",
                 1'700'000'000'000);
  quarantine_row(batch, {"run/a b", "x"}, "not JSON", 5);
  target->commit(batch);
  CHECK_FALSE(target->get(store_space::state, "signal/binance/grid"));
  CHECK(target->get(store_space::state, "signal/binance/cross"));
  CHECK(list_quarantine(*target) ==
        std::vector<quarantined_row>{
            {"quarantine/00000000000000000005/run%2Fa%20b", 5, "run/a b", "x", "not JSON"},
            {"quarantine/00000001700000000000/signal%2Fbinance%2Fgrid", 1'700'000'000'000,
             "signal/binance/grid", "{\"broken\":", "line 1, column 11"}});
  // People read it.
  CHECK(target->get(store_space::state, "quarantine/00000000000000000005/run%2Fa%20b") ==
        R"({"reason":"not JSON","time":5,"key":"run/a b","value":"x"})");
}

TEST_CASE("quarantine: every byte of a row is kept") {
  const auto target = make_memory_store();
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte)
    bytes += static_cast<char>(byte);
  store_batch batch;
  quarantine_row(batch, {bytes, bytes + bytes}, bytes, 1);
  quarantine_row(batch, {"text", "h\xC3\xA4lt"}, "", 2);
  target->commit(batch);
  const auto rows = list_quarantine(*target);
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].key == bytes);
  CHECK(rows[0].value == bytes + bytes);
  CHECK(rows[1].value == "h\xC3\xA4lt");
}

TEST_CASE("quarantine: damage inside it is listed too") {
  const auto target = make_memory_store();
  store_batch batch;
  batch.put(store_space::state, "quarantine/1/x", "nonsense");
  batch.put(store_space::state, "quarantined", "no part of it");
  target->commit(batch);
  const auto rows = list_quarantine(*target);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].kept_under == "quarantine/1/x");
  CHECK(rows[0].value == "nonsense");
  CHECK(rows[0].reason.find("damaged") != std::string::npos);
}
