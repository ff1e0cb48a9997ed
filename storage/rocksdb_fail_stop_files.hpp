#pragma once

// Shared by the RocksDB store and its tests; nothing else includes this.

#include "storage/disk_reserve.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <rocksdb/file_system.h>

namespace backtest {

/// The number in the name of a manifest; absent for other files.
std::optional<std::uint64_t> manifest_number(const std::string& path);

/// The files of one opened database. A library built with its assertions ends the process when a
/// file is used again after it failed, and does so by itself. So it hears of no failed write:
///
/// - A write that finds the disk full is given the reserve, and goes on.
/// - After the first change that failed all the same, nothing reaches the disk any more, as if the
///   process had ended there. Files take writes and drop them; other changes are refused. Whoever
///   commits must therefore ask for `problem` before anything counts as durable.
/// - Notes for people (LOG) are lost where they cannot be written, and nothing else.
///
/// Reads go on. What a later opening finds is what a crash at that moment would have left.
class fail_stop_file_system : public rocksdb::FileSystemWrapper {
public:
  /// `reserve` must outlive it.
  fail_stop_file_system(const std::shared_ptr<rocksdb::FileSystem>& below, disk_reserve& reserve);

  const char* Name() const override { return "fail_stop_file_system"; }

  /// The list of tables that RocksDB goes by: the number of the file, and how many of its bytes are
  /// durable; zeros before there is one. Any thread.
  struct manifest_state {
    std::uint64_t number = 0;
    std::uint64_t bytes = 0;
  };
  manifest_state manifest() const;

  /// What failed first: which change of which file, and why. Any thread.
  std::optional<std::string> problem() const;

  rocksdb::IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* result,
                                    rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus ReopenWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                       std::unique_ptr<rocksdb::FSWritableFile>* result,
                                       rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus ReuseWritableFile(const std::string& path, const std::string& old_path,
                                      const rocksdb::FileOptions& options,
                                      std::unique_ptr<rocksdb::FSWritableFile>* result,
                                      rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus NewDirectory(const std::string& path, const rocksdb::IOOptions& options,
                                 std::unique_ptr<rocksdb::FSDirectory>* result,
                                 rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus DeleteFile(const std::string& path, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus Truncate(const std::string& path, std::size_t size,
                             const rocksdb::IOOptions& options,
                             rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus CreateDir(const std::string& path, const rocksdb::IOOptions& options,
                              rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus CreateDirIfMissing(const std::string& path, const rocksdb::IOOptions& options,
                                       rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus DeleteDir(const std::string& path, const rocksdb::IOOptions& options,
                              rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus RenameFile(const std::string& from, const std::string& to,
                               const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus LinkFile(const std::string& from, const std::string& to,
                             const rocksdb::IOOptions& options,
                             rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus LockFile(const std::string& path, const rocksdb::IOOptions& options,
                             rocksdb::FileLock** lock, rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus NewLogger(const std::string& path, const rocksdb::IOOptions& options,
                              std::shared_ptr<rocksdb::Logger>* result,
                              rocksdb::IODebugContext* debug) override;

private:
  class file;
  class directory;

  /// `change` is tried, and tried again with the reserve when there is no room.
  template <class Change>
  rocksdb::IOStatus with_reserve(const Change& change);
  /// The same for what makes, moves or removes a file: refused after a failure, and one itself
  /// when it fails.
  template <class Change>
  rocksdb::IOStatus changed(std::string_view what, const std::string& path, const Change& change);
  void fail(std::string_view what, const std::string& path, std::string_view why);
  void note_manifest(std::uint64_t number, std::uint64_t bytes);
  void use_next_manifest();
  bool has_failed() const noexcept { return has_failed_; }

  disk_reserve& reserve_;
  std::atomic<bool> has_failed_{false};
  mutable std::mutex mutex_;
  std::string problem_; ///< once it has failed
  manifest_state manifest_;
  manifest_state next_manifest_; ///< until CURRENT names it
};

} // namespace backtest
