#pragma once

#include "storage/store.hpp"

#include <filesystem>

namespace rocksdb {
class FileSystem;
}

namespace backtest {

struct rocksdb_options {
  /// What files are read and written through; tests put one that fails here. Null: the system's.
  std::shared_ptr<rocksdb::FileSystem> file_system;
};

/// The store in `directory`, which is created when missing. One process writes at a time. After a
/// commit that failed, and after an error of RocksDB's own threads, commits are refused until
/// `reopen`; reads go on. A commit is one synced batch: what is recovered after a crash is a prefix
/// of the batches, up to the last acknowledged one at least.
/// Throws `failure(io_failed)` when the directory cannot be created, `failure(already_running)`
/// when a process has it open, `failure(store_failed)` when RocksDB refuses it.
std::unique_ptr<store> open_rocksdb_store(const std::filesystem::path& directory,
                                          const rocksdb_options& options = {});

/// Reads the store in `directory`, also beside a process that writes there. Between refreshes it is
/// a frozen view. It may show a batch just before the writer's disk has confirmed it.
/// Keeps notes in a directory of its own, under the system's temporary one, and removes them.
/// `patience`: of opening it and of each refresh.
/// Throws `failure(not_found)` when there is no store, else as above.
std::unique_ptr<store_follower>
open_rocksdb_reader(const std::filesystem::path& directory,
                    std::chrono::milliseconds patience = usual_follower_patience);

} // namespace backtest
