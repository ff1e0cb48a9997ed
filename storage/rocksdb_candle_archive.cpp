#include "storage/rocksdb_candle_archive.hpp"

#include "messages/error.hpp"
#include "storage/rocksdb_store.hpp"

#include <mutex>
#include <utility>

namespace backtest {

namespace {

class rocksdb_candle_archive : public candle_archive {
public:
  rocksdb_candle_archive(std::filesystem::path directory,
                         std::function<std::int64_t()> reserve_bytes)
      : directory_(std::move(directory)), reserve_bytes_(std::move(reserve_bytes)) {}

  void read(const std::function<void(const store_reader&)>& work) override {
    const std::lock_guard lock{mutex_};
    if (reader_)
      reader_->refresh();
    else if (!open_reader())
      return;
    work(*reader_);
  }

  void write(const std::function<void(store&)>& work) override {
    const std::lock_guard lock{mutex_};
    std::unique_ptr<store> target;
    try {
      rocksdb_options options;
      options.reserve_bytes = reserve_bytes_();
      target = open_rocksdb_store(directory_, options);
    } catch (const failure& caught) {
      if (caught.code() == error_code::already_running)
        return;
      throw;
    }
    work(*target);
  }

private:
  bool open_reader() {
    try {
      reader_ = open_rocksdb_reader(directory_);
      return true;
    } catch (const failure& caught) {
      if (caught.code() == error_code::not_found)
        return false;
      throw;
    }
  }

  std::filesystem::path directory_;
  std::function<std::int64_t()> reserve_bytes_;
  std::mutex mutex_;
  std::unique_ptr<store_follower> reader_; ///< once there is a store
};

} // namespace

std::unique_ptr<candle_archive>
make_rocksdb_candle_archive(std::filesystem::path directory,
                            std::function<std::int64_t()> reserve_bytes) {
  return std::make_unique<rocksdb_candle_archive>(std::move(directory), std::move(reserve_bytes));
}

} // namespace backtest
