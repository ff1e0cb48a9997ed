// What the RocksDB store does when its disk is full, fails, or its directory is not free.
#include "tests/storage/faulty_file_system.hpp"

#include "messages/error.hpp"
#include "storage/rocksdb_store.hpp"
#include "tests/support/failure_of.hpp"
#include "tests/support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <fstream>
#include <thread>

using namespace backtest;
using namespace backtest::testing;

namespace {

rocksdb::IOStatus full_disk() {
  auto status = rocksdb::IOStatus::NoSpace("no space left on device (by the test)");
  status.SetRetryable(true); // as RocksDB's own files say
  return status;
}

rocksdb::IOStatus broken_disk() { return rocksdb::IOStatus::IOError("broken (by the test)"); }

store_batch numbered_batch(int number) {
  store_batch batch;
  const auto text = std::to_string(number);
  batch.put(store_space::state, "row/" + text, text);
  batch.put(store_space::journal, "event/" + text, text);
  batch.erase(store_space::state, "latest");
  batch.put(store_space::state, "latest", text);
  return batch;
}

void check_holds(const store_reader& actual, int count) {
  CHECK(actual.scan(store_space::state, "row/").size() == static_cast<std::size_t>(count));
  CHECK(actual.scan(store_space::journal, "").size() == static_cast<std::size_t>(count));
  CHECK(actual.get(store_space::state, "latest") == std::to_string(count));
}

template <class Action>
void check_store_failed(const Action& action) {
  CHECK(failure_of(action).code() == error_code::store_failed);
}

} // namespace

TEST_CASE("rocksdb: a commit that failed can be tried again after reopen, and is there once") {
  struct fault {
    const char* name;
    file_step at;
    rocksdb::IOStatus (*what)();
  };
  const fault faults[] = {
      {"disk full when appending", file_step::append, full_disk},
      {"disk full in the middle of a record", file_step::append_torn, full_disk},
      {"disk full when syncing", file_step::sync, full_disk},
      {"broken when appending", file_step::append, broken_disk},
      {"broken in the middle of a record", file_step::append_torn, broken_disk},
      {"broken after appending", file_step::append_done, broken_disk},
      {"broken when syncing", file_step::sync, broken_disk},
      {"broken after syncing", file_step::sync_done, broken_disk},
  };
  for (const auto& fault : faults) {
    const std::string name = fault.name;
    CAPTURE(name);
    const temporary_directory directory;
    const auto files = std::make_shared<faulty_file_system>();
    auto target = open_rocksdb_store(directory.path(), {files});
    target->commit(numbered_batch(1));
    target->commit(numbered_batch(2));

    files->set_hook([&](file_step step, const std::string& path) {
      return step == fault.at && is_write_ahead_log(path) ? fault.what() : rocksdb::IOStatus::OK();
    });
    const auto problem = failure_of([&] { target->commit(numbered_batch(3)); });
    CHECK(problem.code() == error_code::store_failed);
    CHECK(std::string{problem.what()}.find(directory.path().string()) != std::string::npos);
    CHECK(std::string{problem.what()}.find("by the test") != std::string::npos);
    // Reads go on, of what was acknowledged.
    check_holds(*target, 2);
    // Nothing is written any more, by itself neither, although the disk is well again.
    files->set_hook({});
    check_store_failed([&] { target->commit(numbered_batch(3)); });
    check_store_failed([&] { target->commit(numbered_batch(4)); });
    CHECK(target->get(store_space::state, "row/1") == "1");

    target->reopen();
    CHECK(target->get(store_space::state, "row/2") == "2");
    target->commit(numbered_batch(3));
    check_holds(*target, 3);
    target->commit(numbered_batch(4));
    target.reset();
    check_holds(*open_rocksdb_store(directory.path()), 4);
  }
}

TEST_CASE("rocksdb: a reopen that fails can be tried again") {
  const temporary_directory directory;
  const auto files = std::make_shared<faulty_file_system>();
  const auto target = open_rocksdb_store(directory.path(), {files});
  target->commit(numbered_batch(1));
  const auto old = target->snapshot();
  files->set_hook([&](file_step, const std::string&) { return full_disk(); });
  check_store_failed([&] { target->commit(numbered_batch(2)); });
  check_store_failed([&] { target->reopen(); });
  check_store_failed([&] { target->get(store_space::state, "latest"); });
  check_store_failed([&] { target->commit(numbered_batch(2)); });
  check_store_failed([&] { target->snapshot(); });
  check_store_failed([&] { target->reopen(); });
  files->set_hook({});
  target->reopen();
  check_holds(*target, 1);
  target->commit(numbered_batch(2));
  check_holds(*target, 2);
  // The snapshot was one of the closed database.
  check_store_failed([&] { old->get(store_space::state, "latest"); });
}

TEST_CASE("rocksdb: an error of its own threads stops commits until reopen") {
  const temporary_directory directory;
  const auto files = std::make_shared<faulty_file_system>();
  const auto target = open_rocksdb_store(directory.path(), {files});
  files->set_hook([&](file_step step, const std::string& path) {
    return step == file_step::append && path.ends_with(".sst") ? broken_disk()
                                                               : rocksdb::IOStatus::OK();
  });
  // More than its buffers hold: it must write tables in the background, and cannot.
  const std::string large(1 << 20, 'x');
  int committed = 0;
  const auto commit_large = [&](int number) {
    store_batch batch;
    batch.put(store_space::state, "large/" + std::to_string(number), large);
    target->commit(batch);
  };
  const auto fill = [&] {
    for (; committed < 64; ++committed)
      commit_large(committed);
  };
  check_store_failed(fill);
  CHECK(committed >= 1);
  CHECK(target->scan(store_space::state, "large/").size() == static_cast<std::size_t>(committed));
  files->set_hook({});
  target->reopen();
  commit_large(committed);
  CHECK(target->scan(store_space::state, "large/").size() ==
        static_cast<std::size_t>(committed) + 1);
}

TEST_CASE("rocksdb: a second writer is refused, naming the directory") {
  const temporary_directory directory;
  auto first = open_rocksdb_store(directory.path());
  const auto problem = failure_of([&] { open_rocksdb_store(directory.path()); });
  CHECK(problem.code() == error_code::already_running);
  CHECK(std::string{problem.what()}.find(directory.path().string()) != std::string::npos);
  first.reset();
  open_rocksdb_store(directory.path());
}

TEST_CASE("rocksdb: a missing directory is created, an impossible one is named") {
  const temporary_directory directory;
  const auto deep = directory.path() / "a" / "b" / "c";
  open_rocksdb_store(deep)->commit(numbered_batch(1));
  check_holds(*open_rocksdb_store(deep / ""), 1);

  const auto file = directory.path() / "file";
  std::ofstream{file} << "text";
  for (const auto& impossible : {file, file / "below"}) {
    const auto problem = failure_of([&] { open_rocksdb_store(impossible); });
    CHECK(problem.code() == error_code::io_failed);
    CHECK(std::string{problem.what()}.find(file.string()) != std::string::npos);
  }
}

TEST_CASE("rocksdb: a directory that is no longer a store is refused, not repaired") {
  const temporary_directory directory;
  open_rocksdb_store(directory.path())->commit(numbered_batch(1));
  std::ofstream{directory.path() / "CURRENT"} << "nonsense\n";
  CHECK(failure_of([&] { open_rocksdb_store(directory.path()); }).code() == error_code::store_lost);
}

TEST_CASE("rocksdb: a reader beside the writer catches up when it refreshes") {
  const temporary_directory directory;
  CHECK(failure_of([&] { open_rocksdb_reader(directory.path()); }).code() == error_code::not_found);
  auto writer = open_rocksdb_store(directory.path());
  writer->commit(numbered_batch(1));
  const auto reader = open_rocksdb_reader(directory.path());
  check_holds(*reader, 1);
  writer->commit(numbered_batch(2));
  check_holds(*reader, 1); // a frozen view
  reader->refresh();
  check_holds(*reader, 2);
  CHECK(reader->last(store_space::journal, "event/") == store_entry{"event/2", "2"});
  CHECK(reader->scan(store_space::journal, "event/", "event/2", 1).size() == 1);

  // Through many logs and tables, old ones deleted meanwhile by the writer's own threads.
  const std::string large(1 << 20, 'x');
  for (int number = 3; number < 160; ++number) {
    auto batch = numbered_batch(number);
    batch.put(store_space::candles, "large", large + std::to_string(number));
    writer->commit(batch);
    // Now and then only: then there is much to catch up with, while tables are written.
    if (number % 10 == 0) {
      reader->refresh();
      check_holds(*reader, number);
    }
  }
  writer.reset();
  reader->refresh();
  check_holds(*reader, 159);
  writer = open_rocksdb_store(directory.path());
  writer->commit(numbered_batch(160));
  reader->refresh();
  check_holds(*reader, 160);
  check_holds(*open_rocksdb_reader(directory.path()), 160);
}

TEST_CASE("rocksdb: a reader sees whole commits without holes while the writer goes on") {
  const temporary_directory directory;
  const auto writer = open_rocksdb_store(directory.path());
  writer->commit(numbered_batch(1));
  const auto reader = open_rocksdb_reader(directory.path());
  std::atomic<int> committed{1};
  constexpr int last = 200;
  std::jthread busy{[&] {
    // Every few commits a table is written and logs are deleted.
    const std::string large(1 << 20, 'x');
    for (int number = 2; number <= last; ++number) {
      auto batch = numbered_batch(number);
      batch.put(number % 3 == 0 ? store_space::candles : store_space::state, "large",
                large + std::to_string(number));
      writer->commit(batch);
      committed = number;
    }
  }};
  bool whole = true;
  for (bool done = false; !done;) {
    const int least = committed;
    done = least == last;
    reader->refresh();
    const int seen = std::stoi(reader->get(store_space::state, "latest").value_or("0"));
    whole = whole && seen >= least &&
            reader->scan(store_space::journal, "").size() == static_cast<std::size_t>(seen) &&
            reader->scan(store_space::state, "row/").size() == static_cast<std::size_t>(seen);
  }
  busy.join();
  CHECK(whole);
}

TEST_CASE("rocksdb: a reader does not wait for what nobody changes") {
  const temporary_directory directory;
  auto owner = open_rocksdb_store(directory.path());
  owner->commit(numbered_batch(1));
  const auto reader = open_rocksdb_reader(directory.path());
  owner.reset();
  owner = open_rocksdb_store(directory.path()); // with another manifest
  owner.reset();
  for (const auto& file : std::filesystem::directory_iterator{directory.path()})
    if (file.path().filename().string().starts_with("MANIFEST"))
      std::filesystem::remove(file.path());
  const auto begun = std::chrono::steady_clock::now();
  check_store_failed([&] { reader->refresh(); });
  CHECK(std::chrono::steady_clock::now() - begun < usual_follower_patience);
  check_holds(*reader, 1); // as it was before
}
