#include "runtime/kept_candles.hpp"

#include "runtime/runtime_core.hpp"
#include "storage/rocksdb_candle_archive.hpp"

namespace backtest {

namespace {

class runtime_archive : public candle_archive {
public:
  runtime_archive(runtime_core& core, const std::filesystem::path& directory) : core_(core) {
    if (!directory.empty())
      closed_ = make_rocksdb_candle_archive(directory, [&core] {
        const std::lock_guard lock{core.mutex};
        return core.parameters.store_reserve_bytes;
      });
  }

  void read(const std::function<void(const store_reader&)>& work) override {
    if (core_.is_ending() || core_.with_open_store([&work](store& open) { work(open); }))
      return;
    if (closed_)
      closed_->read(work);
  }

  void write(const std::function<void(store&)>& work) override {
    if (core_.is_ending() || core_.with_open_store(work) || !closed_)
      return;
    if (!core_.while_store_is_closed([&] { closed_->write(work); }))
      core_.with_open_store(work); // it was opened in between
  }

private:
  runtime_core& core_;
  std::unique_ptr<candle_archive> closed_; ///< the store, while this process has not opened it
};

} // namespace

std::shared_ptr<candle_archive> make_runtime_archive(runtime_core& core,
                                                     const std::filesystem::path& directory) {
  return std::make_shared<runtime_archive>(core, directory);
}

} // namespace backtest
