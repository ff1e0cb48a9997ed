#include "storage/rocksdb_fail_stop_files.hpp"

#include <filesystem>
#include <system_error>
#include <utility>

#include <cerrno>
#include <cstdlib>
#include <fmt/format.h>
#include <sys/stat.h>

namespace backtest {

namespace {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

/// RocksDB tells a quota from other errors by its text only.
bool says_no_space(const IOStatus& status) {
  return status.IsNoSpace() ||
         status.ToString().find(std::generic_category().message(EDQUOT)) != std::string::npos;
}

/// Notes for people; the database does not depend on them.
bool is_info_log(const std::string& path) {
  return std::filesystem::path{path}.filename().string().starts_with("LOG");
}

IOStatus refusal(const std::string& path) {
  return IOStatus::IOError(
      fmt::format("{}: nothing is written any more after an earlier failure", path));
}

/// A file by its place on the disk, not by its name; absent when there is none.
std::optional<std::pair<dev_t, ino_t>> place_of(const std::string& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0)
    return std::nullopt;
  return std::pair{found.st_dev, found.st_ino};
}

/// Where there is no file to write to.
class dropped_file : public rocksdb::FSWritableFile {
public:
  IOStatus Append(const Slice& data, const IOOptions&, IODebugContext*) override {
    size_ += data.size();
    return IOStatus::OK();
  }
  IOStatus Append(const Slice& data, const IOOptions& options, const rocksdb::DataVerificationInfo&,
                  IODebugContext* debug) override {
    return Append(data, options, debug);
  }
  IOStatus Close(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Flush(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Sync(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  bool IsSyncThreadSafe() const override { return true; }
  std::uint64_t GetFileSize(const IOOptions&, IODebugContext*) override { return size_; }

private:
  std::atomic<std::uint64_t> size_{0};
};

/// Notes for people are written as long as they can be.
class notes_file : public rocksdb::FSWritableFileOwnerWrapper {
public:
  explicit notes_file(std::unique_ptr<rocksdb::FSWritableFile>&& below)
      : FSWritableFileOwnerWrapper(std::move(below)) {}

  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* debug) override {
    size_ += data.size();
    return tried([&] { return target()->Append(data, options, debug); });
  }
  IOStatus Append(const Slice& data, const IOOptions& options, const rocksdb::DataVerificationInfo&,
                  IODebugContext* debug) override {
    return Append(data, options, debug);
  }
  IOStatus Flush(const IOOptions& options, IODebugContext* debug) override {
    return tried([&] { return target()->Flush(options, debug); });
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    return tried([&] { return target()->Sync(options, debug); });
  }
  IOStatus Close(const IOOptions& options, IODebugContext* debug) override {
    return tried([&] { return target()->Close(options, debug); });
  }
  void PrepareWrite(std::size_t, std::size_t, const IOOptions&, IODebugContext*) override {}
  std::uint64_t GetFileSize(const IOOptions&, IODebugContext*) override { return size_; }

private:
  template <class Change>
  static IOStatus tried(const Change& change) {
    change().PermitUncheckedError();
    return IOStatus::OK();
  }

  std::atomic<std::uint64_t> size_{0}; ///< with what could not be written
};

} // namespace

std::optional<std::uint64_t> manifest_number(const std::string& path) {
  constexpr std::string_view beginning = "MANIFEST-";
  const auto name = std::filesystem::path{path}.filename().string();
  if (!name.starts_with(beginning))
    return std::nullopt;
  return std::strtoull(name.c_str() + beginning.size(), nullptr, 10);
}

/// Answers every write with success; `fail_stop_file_system::problem` knows better.
class fail_stop_file_system::file : public rocksdb::FSWritableFileOwnerWrapper {
public:
  file(std::unique_ptr<rocksdb::FSWritableFile>&& below, fail_stop_file_system& owner,
       std::string path, std::uint64_t size)
      : FSWritableFileOwnerWrapper(std::move(below)), owner_(owner), path_(std::move(path)),
        place_(place_of(path_)), manifest_(manifest_number(path_)), size_(size) {}

  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* debug) override {
    const auto begin = size_.fetch_add(data.size());
    return written("appending to", [&] {
      // Room for all of it or nothing: half a write cannot be finished later.
      auto status = owner_.with_reserve(
          [&] { return target()->Allocate(begin, data.size(), options, debug); });
      return says_no_space(status) ? status : target()->Append(data, options, debug);
    });
  }
  IOStatus Append(const Slice& data, const IOOptions& options, const rocksdb::DataVerificationInfo&,
                  IODebugContext* debug) override {
    return Append(data, options, debug);
  }
  IOStatus PositionedAppend(const Slice& data, std::uint64_t offset, const IOOptions& options,
                            IODebugContext* debug) override {
    return written("writing to",
                   [&] { return target()->PositionedAppend(data, offset, options, debug); });
  }
  IOStatus PositionedAppend(const Slice& data, std::uint64_t offset, const IOOptions& options,
                            const rocksdb::DataVerificationInfo&, IODebugContext* debug) override {
    return PositionedAppend(data, offset, options, debug);
  }
  IOStatus Truncate(std::uint64_t size, const IOOptions& options, IODebugContext* debug) override {
    size_ = size;
    return written("cutting", [&] { return target()->Truncate(size, options, debug); });
  }
  IOStatus Flush(const IOOptions& options, IODebugContext* debug) override {
    return written("flushing", [&] { return target()->Flush(options, debug); });
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    return synced([&] { return target()->Sync(options, debug); });
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    return synced([&] { return target()->Fsync(options, debug); });
  }
  IOStatus RangeSync(std::uint64_t offset, std::uint64_t count, const IOOptions& options,
                     IODebugContext* debug) override {
    return written("syncing", [&] { return target()->RangeSync(offset, count, options, debug); });
  }
  IOStatus Close(const IOOptions& options, IODebugContext* debug) override {
    const auto status = target()->Close(options, debug);
    if (!status.ok())
      owner_.fail("closing", path_, status.ToString());
    return IOStatus::OK();
  }
  std::uint64_t GetFileSize(const IOOptions&, IODebugContext*) override { return size_; }
  void PrepareWrite(std::size_t offset, std::size_t length, const IOOptions& options,
                    IODebugContext* debug) override {
    if (!owner_.has_failed())
      target()->PrepareWrite(offset, length, options, debug);
  }

private:
  template <class Change>
  IOStatus written(std::string_view what, const Change& change) {
    if (owner_.has_failed())
      return IOStatus::OK();
    const auto status = change();
    if (!status.ok())
      owner_.fail(what, path_, status.ToString());
    return IOStatus::OK();
  }

  /// A file that was removed, or replaced when its directory was, still takes writes; nobody would
  /// ever find them.
  template <class Change>
  IOStatus synced(const Change& change) {
    return written("syncing", [&] {
      auto status = change();
      if (status.ok() && place_ && place_of(path_) != place_)
        status = IOStatus::IOError("the file was removed or replaced while it was written");
      if (status.ok() && manifest_)
        owner_.note_manifest(*manifest_, size_);
      return status;
    });
  }

  fail_stop_file_system& owner_;
  std::string path_;
  std::optional<std::pair<dev_t, ino_t>> place_;
  std::optional<std::uint64_t> manifest_;
  std::atomic<std::uint64_t> size_; ///< with what was dropped
};

class fail_stop_file_system::directory : public rocksdb::FSDirectoryWrapper {
public:
  directory(std::unique_ptr<rocksdb::FSDirectory>&& below, fail_stop_file_system& owner,
            std::string path)
      : FSDirectoryWrapper(std::move(below)), owner_(owner), path_(std::move(path)) {}

  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    return synced([&] { return FSDirectoryWrapper::Fsync(options, debug); });
  }
  IOStatus FsyncWithDirOptions(const IOOptions& options, IODebugContext* debug,
                               const rocksdb::DirFsyncOptions& how) override {
    return synced([&] { return FSDirectoryWrapper::FsyncWithDirOptions(options, debug, how); });
  }
  IOStatus Close(const IOOptions& options, IODebugContext* debug) override {
    FSDirectoryWrapper::Close(options, debug).PermitUncheckedError(); // nothing was written to it
    return IOStatus::OK();
  }

private:
  template <class Change>
  IOStatus synced(const Change& change) {
    if (owner_.has_failed())
      return IOStatus::OK();
    const auto status = change();
    if (!status.ok())
      owner_.fail("syncing", path_, status.ToString());
    return IOStatus::OK();
  }

  fail_stop_file_system& owner_;
  std::string path_;
};

fail_stop_file_system::fail_stop_file_system(const std::shared_ptr<rocksdb::FileSystem>& below,
                                             disk_reserve& reserve)
    : FileSystemWrapper(below), reserve_(reserve) {}

std::optional<std::string> fail_stop_file_system::problem() const {
  if (!has_failed())
    return std::nullopt;
  const std::lock_guard lock{mutex_};
  return problem_;
}

fail_stop_file_system::manifest_state fail_stop_file_system::manifest() const {
  const std::lock_guard lock{mutex_};
  return manifest_;
}

void fail_stop_file_system::note_manifest(std::uint64_t number, std::uint64_t bytes) {
  const std::lock_guard lock{mutex_};
  (number == manifest_.number ? manifest_ : next_manifest_) = {number, bytes};
}

void fail_stop_file_system::use_next_manifest() {
  const std::lock_guard lock{mutex_};
  if (next_manifest_.number > manifest_.number)
    manifest_ = next_manifest_;
}

void fail_stop_file_system::fail(std::string_view what, const std::string& path,
                                 std::string_view why) {
  const std::lock_guard lock{mutex_};
  if (has_failed())
    return;
  problem_ = fmt::format("{} {} failed: {} ({})", what, path, why,
                         free_space_text(std::filesystem::path{path}.parent_path()));
  has_failed_ = true;
}

template <class Change>
IOStatus fail_stop_file_system::with_reserve(const Change& change) {
  // Another thread may have given the reserve away just now, for this one to use as well, or a
  // commit may have made it whole again in between.
  constexpr int attempts = 8;
  auto status = change();
  for (int i = 1; i < attempts && !status.ok() && says_no_space(status); ++i) {
    reserve_.release();
    status = change();
  }
  return status;
}

template <class Change>
IOStatus fail_stop_file_system::changed(std::string_view what, const std::string& path,
                                        const Change& change) {
  if (has_failed())
    return refusal(path);
  const auto status = with_reserve(change);
  if (status.ok())
    return status;
  fail(what, path, status.ToString());
  // Without its kind: RocksDB would try by itself what is tried again by others here.
  return IOStatus::IOError(status.ToString());
}

IOStatus fail_stop_file_system::NewWritableFile(const std::string& path, const FileOptions& options,
                                                std::unique_ptr<rocksdb::FSWritableFile>* result,
                                                IODebugContext* debug) {
  std::unique_ptr<rocksdb::FSWritableFile> below;
  const auto create = [&] {
    return FileSystemWrapper::NewWritableFile(path, options, &below, debug);
  };
  if (is_info_log(path)) {
    if (create().ok())
      *result = std::make_unique<notes_file>(std::move(below));
    else
      *result = std::make_unique<dropped_file>();
    return IOStatus::OK();
  }
  const auto status = changed("creating", path, create);
  if (status.ok())
    *result = std::make_unique<file>(std::move(below), *this, path, 0);
  else // RocksDB loses count of its own objects when it gets no file for a new log
    *result = std::make_unique<dropped_file>();
  return IOStatus::OK();
}

IOStatus fail_stop_file_system::ReopenWritableFile(const std::string& path,
                                                   const FileOptions& options,
                                                   std::unique_ptr<rocksdb::FSWritableFile>* result,
                                                   IODebugContext* debug) {
  return changed("opening", path, [&] {
    std::unique_ptr<rocksdb::FSWritableFile> below;
    auto status = FileSystemWrapper::ReopenWritableFile(path, options, &below, debug);
    if (status.ok()) {
      const auto size = below->GetFileSize(IOOptions{}, debug);
      *result = std::make_unique<file>(std::move(below), *this, path, size);
    }
    return status;
  });
}

IOStatus fail_stop_file_system::ReuseWritableFile(const std::string& path,
                                                  const std::string& old_path,
                                                  const FileOptions& options,
                                                  std::unique_ptr<rocksdb::FSWritableFile>* result,
                                                  IODebugContext* debug) {
  return changed("reusing", path, [&] {
    std::unique_ptr<rocksdb::FSWritableFile> below;
    auto status = FileSystemWrapper::ReuseWritableFile(path, old_path, options, &below, debug);
    if (status.ok())
      *result = std::make_unique<file>(std::move(below), *this, path, 0);
    return status;
  });
}

IOStatus fail_stop_file_system::NewDirectory(const std::string& path, const IOOptions& options,
                                             std::unique_ptr<rocksdb::FSDirectory>* result,
                                             IODebugContext* debug) {
  std::unique_ptr<rocksdb::FSDirectory> below;
  auto status = FileSystemWrapper::NewDirectory(path, options, &below, debug);
  if (status.ok())
    *result = std::make_unique<directory>(std::move(below), *this, path);
  return status;
}

/// A file too many does no harm: that it stays is no failure of the store.
IOStatus fail_stop_file_system::DeleteFile(const std::string& path, const IOOptions& options,
                                           IODebugContext* debug) {
  return has_failed() ? refusal(path) : FileSystemWrapper::DeleteFile(path, options, debug);
}

IOStatus fail_stop_file_system::Truncate(const std::string& path, std::size_t size,
                                         const IOOptions& options, IODebugContext* debug) {
  return changed("cutting", path,
                 [&] { return FileSystemWrapper::Truncate(path, size, options, debug); });
}

IOStatus fail_stop_file_system::CreateDir(const std::string& path, const IOOptions& options,
                                          IODebugContext* debug) {
  return changed("creating", path,
                 [&] { return FileSystemWrapper::CreateDir(path, options, debug); });
}

IOStatus fail_stop_file_system::CreateDirIfMissing(const std::string& path,
                                                   const IOOptions& options,
                                                   IODebugContext* debug) {
  return changed("creating", path,
                 [&] { return FileSystemWrapper::CreateDirIfMissing(path, options, debug); });
}

IOStatus fail_stop_file_system::DeleteDir(const std::string& path, const IOOptions& options,
                                          IODebugContext* debug) {
  return has_failed() ? refusal(path) : FileSystemWrapper::DeleteDir(path, options, debug);
}

IOStatus fail_stop_file_system::RenameFile(const std::string& from, const std::string& to,
                                           const IOOptions& options, IODebugContext* debug) {
  if (is_info_log(from)) {
    FileSystemWrapper::RenameFile(from, to, options, debug).PermitUncheckedError();
    return IOStatus::OK();
  }
  const auto status = changed(
      "renaming", from, [&] { return FileSystemWrapper::RenameFile(from, to, options, debug); });
  if (status.ok() && std::filesystem::path{to}.filename() == "CURRENT")
    use_next_manifest();
  return status;
}

IOStatus fail_stop_file_system::LinkFile(const std::string& from, const std::string& to,
                                         const IOOptions& options, IODebugContext* debug) {
  return changed("linking", from,
                 [&] { return FileSystemWrapper::LinkFile(from, to, options, debug); });
}

/// Its file is made by this and not by what is below, which would end the process on a full disk.
IOStatus fail_stop_file_system::NewLogger(const std::string& path, const IOOptions& options,
                                          std::shared_ptr<rocksdb::Logger>* result,
                                          IODebugContext* debug) {
  return rocksdb::FileSystem::NewLogger(path, options, result, debug);
}

/// The first thing that is done in a directory, by one process at a time: when there is no room,
/// nothing else is touched.
IOStatus fail_stop_file_system::LockFile(const std::string& path, const IOOptions& options,
                                         rocksdb::FileLock** lock, IODebugContext* debug) {
  auto status = FileSystemWrapper::LockFile(path, options, lock, debug);
  if (!status.ok())
    return status;
  const auto no_room = reserve_.hold();
  if (!no_room)
    return status;
  FileSystemWrapper::UnlockFile(*lock, options, debug).PermitUncheckedError();
  *lock = nullptr;
  return IOStatus::IOError(*no_room);
}

} // namespace backtest
