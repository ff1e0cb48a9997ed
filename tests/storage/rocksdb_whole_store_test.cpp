#include "tests/storage/store_fixtures.hpp"

#include <fstream>

using namespace backtest;
using namespace backtest::testing;

namespace {

namespace fs = std::filesystem;

std::string store_refusal_of(const fs::path& directory) {
  try {
    open_rocksdb_store(directory);
  } catch (const failure& problem) {
    CHECK((problem.code() == error_code::store_failed || problem.code() == error_code::store_lost));
    return problem.what();
  }
  return "";
}

} // namespace

TEST_CASE("store: a directory that lost its file CURRENT is not begun anew") {
  const rocksdb_fixture kept;
  const auto directory = kept.directory.path() / "data";
  store_batch batch;
  batch.put(store_space::state, "a", "1");
  open_rocksdb_store(directory)->commit(batch);
  const auto name = directory / "CURRENT";
  fs::rename(name, kept.directory.path() / "aside");
  CHECK(store_refusal_of(directory).find("its file CURRENT is missing") != std::string::npos);
  CHECK_THROWS_AS(open_rocksdb_reader(directory), failure);
  std::ofstream{name} << std::string(5000, '\0');
  CHECK(store_refusal_of(directory).find("its file CURRENT is damaged") != std::string::npos);
  fs::rename(kept.directory.path() / "aside", name);
  CHECK(open_rocksdb_store(directory)->get(store_space::state, "a") == "1");
}

TEST_CASE("store: a manifest that was cut short is no reason to begin anew") {
  const rocksdb_fixture kept;
  const auto directory = kept.directory.path() / "data";
  store_batch batch;
  batch.put(store_space::state, "a", "1");
  open_rocksdb_store(directory)->commit(batch);
  for (const auto& file : fs::directory_iterator{directory})
    if (file.path().filename().string().starts_with("MANIFEST"))
      fs::resize_file(file.path(), file.file_size() / 2);
  CHECK(store_refusal_of(directory).find("its list of tables is MANIFEST-") != std::string::npos);
  fs::remove(directory / "commit.mark"); // a store from before there was one
  CHECK(store_refusal_of(directory).find("Column family not found") != std::string::npos);
}

TEST_CASE("store: a directory whose first opening was cut short is opened") {
  const temporary_directory directory;
  std::ofstream{directory.path() / "MANIFEST-000001"} << "half";
  CHECK(store_refusal_of(directory.path()).empty());
}
