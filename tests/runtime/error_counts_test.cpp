#include "runtime/error_counts.hpp"

#include "storage/memory_store.hpp"

#include <doctest/doctest.h>

using namespace backtest;

namespace {

run_identity identity_on(const std::string& symbol) {
  return {symbol, "cross", "binance", "", run_mode::live};
}

event told_on(topic on, error_code code, const std::string& symbol) {
  return {on,
          error_event{code, "no", "exchange", 0,
                      symbol.empty() ? nullptr
                                     : std::make_shared<const run_identity>(identity_on(symbol))}};
}

} // namespace

TEST_CASE("error counts: events on topic error with the names of a run, whoever told them") {
  error_counts counts;
  counts.add(identity_on("A"), 5);
  counts.add(identity_on("B"));
  counts.add(identity_on("A"), 7); // known already
  const std::vector<event> told{told_on(topic::error, error_code::data_gap, "A"),
                                told_on(topic::error, error_code::fetch_failed, "A"),
                                told_on(topic::validation, error_code::callback_failed, "A"),
                                told_on(topic::exit, error_code::actor_failed, "B"),
                                told_on(topic::error, error_code::store_failed, ""),
                                told_on(topic::error, error_code::data_gap, "stranger")};
  CHECK(counts.take(told) == std::vector<told_errors>{{identity_on("A"), 7}});
  CHECK(counts.take({}).empty());
  CHECK(counts.of(identity_on("A")) == 7);
  CHECK(counts.of(identity_on("B")) == 0);
  CHECK(counts.of(identity_on("stranger")) == 0);
  CHECK(counts.take({told_on(topic::error, error_code::data_gap, "B"), told.front()}) ==
        std::vector<told_errors>{{identity_on("A"), 8}, {identity_on("B"), 1}});
}

TEST_CASE("error counts: the store keeps them, before the first instant of a run, too") {
  const auto disk = make_memory_store();
  store_batch batch;
  put_errors(batch, {identity_on("A"), 3});
  put_errors(batch, {identity_on("B"), 9});
  stored_run begun_run{identity_on("B"), {}, std::nullopt};
  put_run(batch, begun_run, nullptr, {});
  disk->commit(batch);
  const auto found = read_runs(*disk);
  REQUIRE(found.runs.size() == 1);
  CHECK(found.errors == std::vector<told_errors>{{identity_on("A"), 3}, {identity_on("B"), 9}});
  CHECK(found.corrupt.empty());

  store_batch dropped;
  erase_run(dropped, begun_run, {});
  disk->commit(dropped);
  CHECK(read_runs(*disk).errors == std::vector<told_errors>{{identity_on("A"), 3}});
}

TEST_CASE("error counts: a run's row of an earlier version holds the count itself") {
  const auto disk = make_memory_store();
  store_batch batch;
  put_run(batch, {identity_on("A"), {}, std::nullopt}, nullptr, {});
  disk->commit(batch);
  auto row = disk->scan(store_space::state, "").front();
  row.value.insert(row.value.size() - 1, ",\"errors\":4");
  store_batch older;
  older.put(store_space::state, row.key, row.value);
  disk->commit(older);
  CHECK(read_runs(*disk).errors == std::vector<told_errors>{{identity_on("A"), 4}});
  store_batch newer;
  put_errors(newer, {identity_on("A"), 6});
  disk->commit(newer);
  CHECK(read_runs(*disk).errors == std::vector<told_errors>{{identity_on("A"), 6}});
}
