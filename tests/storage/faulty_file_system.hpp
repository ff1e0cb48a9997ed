#pragma once

#include <csignal>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <string>

#include <rocksdb/file_system.h>

namespace backtest::testing {

/// Where an operation on a file can be made to fail, or the process to end.
enum class file_step {
  append,
  append_torn,
  append_done,
  sync,
  sync_done,
  create,
  allocate,
  close,
  rename,
  remove,
  make_directory,
  sync_directory,
};

/// The system's files with a hook before and after what changes them, and a memory of what was
/// synced. The hook is called by any thread of RocksDB.
class faulty_file_system : public rocksdb::FileSystemWrapper {
public:
  using hook = std::function<rocksdb::IOStatus(file_step, const std::string& path)>;

  faulty_file_system() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}

  const char* Name() const override { return "faulty_file_system"; }

  void set_hook(hook next) {
    const std::lock_guard lock{mutex_};
    hook_ = std::move(next);
  }

  /// Ends the process as a power cut would: what was not synced is gone.
  [[noreturn]] void cut_power() {
    // Nothing another thread does may reach the disk any more: a deletion, say, that relies on a
    // sync which is undone here.
    power_.lock();
    {
      const std::lock_guard lock{mutex_};
      for (const auto& [path, bytes] : synced_) {
        std::error_code gone;
        std::filesystem::resize_file(path, bytes, gone);
      }
    }
    end_process();
  }

  /// As `kill -9`: what the system was given survives.
  [[noreturn]] static void end_process() {
    ::kill(::getpid(), SIGKILL);
    for (;;)
      ::pause();
  }

  rocksdb::IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* result,
                                    rocksdb::IODebugContext* debug) override {
    auto status = reached(file_step::create, path);
    if (!status.ok())
      return status;
    const std::shared_lock powered{power_};
    std::unique_ptr<rocksdb::FSWritableFile> file;
    status = FileSystemWrapper::NewWritableFile(path, options, &file, debug);
    if (status.ok()) {
      note_synced(path, 0);
      *result = std::make_unique<watched_file>(std::move(file), *this, path);
    }
    return status;
  }

  rocksdb::IOStatus DeleteFile(const std::string& path, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override {
    const auto status = reached(file_step::remove, path);
    if (!status.ok())
      return status;
    const std::shared_lock powered{power_};
    return FileSystemWrapper::DeleteFile(path, options, debug);
  }
  rocksdb::IOStatus CreateDirIfMissing(const std::string& path, const rocksdb::IOOptions& options,
                                       rocksdb::IODebugContext* debug) override {
    const auto status = reached(file_step::make_directory, path);
    return status.ok() ? FileSystemWrapper::CreateDirIfMissing(path, options, debug) : status;
  }
  rocksdb::IOStatus NewDirectory(const std::string& path, const rocksdb::IOOptions& options,
                                 std::unique_ptr<rocksdb::FSDirectory>* result,
                                 rocksdb::IODebugContext* debug) override {
    std::unique_ptr<rocksdb::FSDirectory> below;
    auto status = FileSystemWrapper::NewDirectory(path, options, &below, debug);
    if (status.ok())
      *result = std::make_unique<watched_directory>(std::move(below), *this, path);
    return status;
  }
  rocksdb::IOStatus RenameFile(const std::string& from, const std::string& to,
                               const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override {
    auto status = reached(file_step::rename, to);
    if (!status.ok())
      return status;
    const std::shared_lock powered{power_};
    status = FileSystemWrapper::RenameFile(from, to, options, debug);
    if (status.ok()) {
      const std::lock_guard lock{mutex_};
      if (auto known = synced_.extract(from)) {
        known.key() = to;
        synced_.insert(std::move(known));
      }
    }
    return status;
  }

private:
  class watched_file : public rocksdb::FSWritableFileOwnerWrapper {
  public:
    watched_file(std::unique_ptr<rocksdb::FSWritableFile>&& file, faulty_file_system& owner,
                 std::string path)
        : FSWritableFileOwnerWrapper(std::move(file)), owner_(owner), path_(std::move(path)) {}

    rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                             rocksdb::IODebugContext* debug) override {
      auto status = owner_.reached(file_step::append, path_);
      if (!status.ok())
        return status;
      const std::size_t half = data.size() / 2;
      status = write({data.data(), half}, options, debug);
      if (status.ok())
        status = owner_.reached(file_step::append_torn, path_);
      if (status.ok())
        status = write({data.data() + half, data.size() - half}, options, debug);
      return status.ok() ? owner_.reached(file_step::append_done, path_) : status;
    }
    rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                             const rocksdb::DataVerificationInfo&,
                             rocksdb::IODebugContext* debug) override {
      return Append(data, options, debug);
    }
    rocksdb::IOStatus Sync(const rocksdb::IOOptions& options,
                           rocksdb::IODebugContext* debug) override {
      return synced([&] { return target()->Sync(options, debug); });
    }
    rocksdb::IOStatus Fsync(const rocksdb::IOOptions& options,
                            rocksdb::IODebugContext* debug) override {
      return synced([&] { return target()->Fsync(options, debug); });
    }

    rocksdb::IOStatus Allocate(std::uint64_t offset, std::uint64_t length,
                               const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override {
      const auto status = owner_.reached(file_step::allocate, path_);
      return status.ok() ? target()->Allocate(offset, length, options, debug) : status;
    }
    rocksdb::IOStatus Close(const rocksdb::IOOptions& options,
                            rocksdb::IODebugContext* debug) override {
      const auto status = owner_.reached(file_step::close, path_);
      const auto closed = target()->Close(options, debug); // however it fails, it is closed
      return status.ok() ? closed : status;
    }

  private:
    rocksdb::IOStatus write(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                            rocksdb::IODebugContext* debug) {
      const std::shared_lock powered{owner_.power_};
      written_ += data.size();
      return target()->Append(data, options, debug);
    }

    template <class Operation>
    rocksdb::IOStatus synced(const Operation& operation) {
      auto status = owner_.reached(file_step::sync, path_);
      if (status.ok()) {
        const std::shared_lock powered{owner_.power_};
        status = operation();
        if (status.ok())
          owner_.note_synced(path_, written_);
      }
      if (!status.ok())
        return status;
      return owner_.reached(file_step::sync_done, path_);
    }

    faulty_file_system& owner_;
    std::string path_;
    std::uintmax_t written_ = 0;
  };

  class watched_directory : public rocksdb::FSDirectoryWrapper {
  public:
    watched_directory(std::unique_ptr<rocksdb::FSDirectory>&& directory, faulty_file_system& owner,
                      std::string path)
        : FSDirectoryWrapper(std::move(directory)), owner_(owner), path_(std::move(path)) {}

    rocksdb::IOStatus Fsync(const rocksdb::IOOptions& options,
                            rocksdb::IODebugContext* debug) override {
      const auto status = owner_.reached(file_step::sync_directory, path_);
      return status.ok() ? FSDirectoryWrapper::Fsync(options, debug) : status;
    }
    rocksdb::IOStatus FsyncWithDirOptions(const rocksdb::IOOptions& options,
                                          rocksdb::IODebugContext* debug,
                                          const rocksdb::DirFsyncOptions& how) override {
      const auto status = owner_.reached(file_step::sync_directory, path_);
      return status.ok() ? FSDirectoryWrapper::FsyncWithDirOptions(options, debug, how) : status;
    }

  private:
    faulty_file_system& owner_;
    std::string path_;
  };

  rocksdb::IOStatus reached(file_step step, const std::string& path) {
    hook current;
    {
      const std::lock_guard lock{mutex_};
      current = hook_;
    }
    return current ? current(step, path) : rocksdb::IOStatus::OK();
  }

  void note_synced(const std::string& path, std::uintmax_t bytes) {
    const std::lock_guard lock{mutex_};
    synced_[path] = bytes;
  }

  std::shared_mutex power_; ///< held by whoever changes a file, and for good once it is cut
  std::mutex mutex_;
  hook hook_;
  std::map<std::string, std::uintmax_t> synced_;
};

/// RocksDB's write-ahead logs end like this.
inline bool is_write_ahead_log(const std::string& path) { return path.ends_with(".log"); }

} // namespace backtest::testing
