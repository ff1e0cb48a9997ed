#pragma once

#include "messages/configuration.hpp"
#include "storage/store.hpp"

#include <filesystem>

namespace rocksdb {
class FileSystem;
}

namespace backtest {

struct rocksdb_options {
  /// What files are read and written through; tests put one that fails here. Null: the system's.
  std::shared_ptr<rocksdb::FileSystem> file_system = nullptr;
  /// Space kept back in the directory, for ending what is under way on a full disk; 0 = none.
  std::int64_t reserve_bytes = configuration{}.store_reserve_bytes;
  /// What a table in memory may take before it is written; tests make that happen soon. 0: usual.
  std::size_t write_buffer_bytes = 0;
};

/// The store in `directory`, which is created when missing. One process writes at a time. After a
/// commit that failed, and after an error of RocksDB's own threads, commits are refused until
/// `reopen`; reads go on and show what was acknowledged. A commit is one synced batch: what is
/// recovered after a crash is a prefix of the batches, up to the last acknowledged one at least.
/// The file `commit.mark` beside it knows what was acknowledged: a store that holds less is
/// damaged, is not opened, and stays as it is for `repair_rocksdb_store`. Without `reserve_bytes`
/// of room on the disk nothing is opened, committed or reopened; what is refused for that has
/// changed nothing. Throws `failure(io_failed)` when the directory cannot be created,
/// `failure(already_running)` when a process has it open, `failure(store_lost)` when it is damaged,
/// `failure(store_failed)` when RocksDB refuses it or there is no room.
std::unique_ptr<store> open_rocksdb_store(const std::filesystem::path& directory,
                                          const rocksdb_options& options = {});

/// Reads the store in `directory`, also beside a process that writes there. Between refreshes it is
/// a frozen view. It may show a batch just before the writer's disk has confirmed it. It writes
/// nothing. What lacks something that was acknowledged is refused, as above.
/// `patience`: of opening it and of each refresh, while a writer keeps replacing its files.
/// Throws `failure(not_found)` when there is no store, else as above.
std::unique_ptr<store_follower>
open_rocksdb_reader(const std::filesystem::path& directory,
                    std::chrono::milliseconds patience = usual_follower_patience);

} // namespace backtest
