// A store of one's own, kept in one file that every commit replaces as a whole, and the check that
// it keeps the promises of a store:
//   custom_store [DIRECTORY]
// A runtime uses it with
//   options.open_store = [] { return std::make_unique<file_store>("state.rows"); };
#include "messages/error.hpp"
#include "storage/store.hpp"
#include "storage/store_conformance.hpp"

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace {

namespace fs = std::filesystem;
using backtest::store_entry;
using backtest::store_space;
using rows = std::map<std::string, std::string, std::less<>>;
using tables = std::array<rows, backtest::store_space_count>;

[[noreturn]] void fail(const fs::path& file, const std::string& what) {
  throw backtest::failure(backtest::error_code::store_failed,
                          fmt::format("{}: {}", file.string(), what));
}

/// What was committed at one time; nobody changes it.
class frozen_tables : public backtest::store_reader {
public:
  explicit frozen_tables(std::shared_ptr<const tables> held) : held_(std::move(held)) {}

  std::optional<std::string> get(store_space space, std::string_view key) const override {
    const auto found = of(space).find(key);
    return found == of(space).end() ? std::nullopt : std::optional{found->second};
  }
  std::vector<store_entry> scan(store_space space, std::string_view prefix, std::string_view from,
                                std::size_t limit) const override {
    std::vector<store_entry> found;
    for (auto at = of(space).lower_bound(std::max(prefix, from));
         at != of(space).end() && at->first.starts_with(prefix) && found.size() < limit; ++at)
      found.push_back({at->first, at->second});
    return found;
  }
  std::optional<store_entry> last(store_space space, std::string_view prefix) const override {
    const auto end = backtest::end_of_prefix(prefix);
    auto at = end ? of(space).lower_bound(*end) : of(space).end();
    if (at == of(space).begin() || !(--at)->first.starts_with(prefix))
      return std::nullopt;
    return store_entry{at->first, at->second};
  }

private:
  const rows& of(store_space space) const { return (*held_)[static_cast<std::size_t>(space)]; }

  std::shared_ptr<const tables> held_;
};

class file_store : public backtest::store {
public:
  explicit file_store(fs::path file) : file_(std::move(file)) {
    if (file_.has_parent_path())
      fs::create_directories(file_.parent_path());
    now_ = std::make_shared<const tables>(read());
  }

  std::optional<std::string> get(store_space space, std::string_view key) const override {
    return frozen_tables{newest()}.get(space, key);
  }
  std::vector<store_entry> scan(store_space space, std::string_view prefix, std::string_view from,
                                std::size_t limit) const override {
    return frozen_tables{newest()}.scan(space, prefix, from, limit);
  }
  std::optional<store_entry> last(store_space space, std::string_view prefix) const override {
    return frozen_tables{newest()}.last(space, prefix);
  }
  std::unique_ptr<backtest::store_reader> snapshot() const override {
    return std::make_unique<frozen_tables>(newest());
  }

  void commit(const backtest::store_batch& batch) override {
    if (batch.empty())
      return;
    auto changed = std::make_shared<tables>(*now_); // only this thread replaces it
    for (const auto& write : batch) {
      auto& table = (*changed)[static_cast<std::size_t>(write.space)];
      if (write.value)
        table.insert_or_assign(std::string{write.key}, std::string{*write.value});
      else
        table.erase(std::string{write.key});
    }
    write_durably(*changed);
    const std::lock_guard lock{mutex_};
    now_ = std::move(changed);
  }
  /// A commit that failed changed nothing here, and the next one writes everything.
  void reopen() override {}

private:
  std::shared_ptr<const tables> newest() const {
    const std::lock_guard lock{mutex_};
    return now_;
  }

  // A row is its space and the lengths of key and value on a line, then their bytes.

  tables read() const {
    tables found;
    std::ifstream in{file_, std::ios::binary};
    for (std::size_t space = 0, key = 0, value = 0; in >> space >> key >> value;) {
      std::string bytes(key + value, '\0');
      in.get();
      if (space >= found.size() ||
          !in.read(bytes.data(), static_cast<std::streamsize>(bytes.size())))
        fail(file_, "it is damaged");
      found[space][bytes.substr(0, key)] = bytes.substr(key);
    }
    return found;
  }

  void write_durably(const tables& all) const {
    std::string text;
    for (std::size_t space = 0; space < all.size(); ++space)
      for (const auto& [key, value] : all[space])
        text += fmt::format("{} {} {}\n", space, key.size(), value.size()) + key + value;
    const auto fresh = file_.string() + ".new";
    const int out = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    bool is_written = out >= 0;
    for (std::size_t done = 0; is_written && done < text.size();) {
      const auto count = ::write(out, text.data() + done, text.size() - done);
      is_written = count > 0;
      done += is_written ? static_cast<std::size_t>(count) : 0;
    }
    is_written = is_written && ::fsync(out) == 0;
    if (out >= 0)
      ::close(out);
    // The name is durable once the directory is.
    const auto directory = file_.has_parent_path() ? file_.parent_path() : fs::path{"."};
    const int folder = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    is_written = is_written && std::rename(fresh.c_str(), file_.c_str()) == 0 && folder >= 0 &&
                 ::fsync(folder) == 0;
    if (folder >= 0)
      ::close(folder);
    if (!is_written)
      fail(file_, "cannot be written");
  }

  fs::path file_;
  mutable std::mutex mutex_; ///< guards which tables are the newest ones
  std::shared_ptr<const tables> now_;
};

} // namespace

int main(int count, char** arguments) {
  const fs::path directory = count > 1 ? arguments[1] : "custom_store_places";
  fs::remove_all(directory);
  int places = 0;
  const auto make_place = [&]() -> backtest::store_opener {
    const auto file = directory / fmt::format("{}.rows", ++places);
    return [file] { return std::make_unique<file_store>(file); };
  };
  const auto broken = backtest::check_store({make_place, true});
  for (const auto& promise : broken)
    fmt::print("{}\n", promise);
  if (broken.empty())
    fmt::print("the store keeps every promise\n");
  return broken.empty() ? 0 : 1;
}
