#include "storage/redis_store.hpp"

#include "messages/error.hpp"
#include "storage/redis_tables.hpp"
#include "storage/redis_writer.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <mutex>

#include <fmt/format.h>

namespace backtest {

namespace {

std::unique_ptr<redis_connection> connect(const redis_address& address,
                                          const redis_options& options) {
  return std::make_unique<redis_connection>(address, options.connect_timeout,
                                            options.command_timeout);
}

std::string setting(redis_connection& server, std::string_view name) {
  auto answer = server.command({"CONFIG", "GET", name});
  return answer.items.size() == 2 ? std::move(answer.items[1].text) : std::string{};
}

/// A server with the usual settings loses what it acknowledged in the last second, or everything.
void check_durable(redis_connection& server, std::string_view url) {
  constexpr std::pair<std::string_view, std::string_view> expected[] = {
      {"appendonly", "yes"}, {"appendfsync", "always"}, {"no-appendfsync-on-rewrite", "no"}};
  for (const auto& [name, value] : expected) {
    const auto actual = setting(server, name);
    if (actual != value)
      throw failure(
          error_code::invalid_configuration,
          fmt::format("store {}: the server would lose acknowledged writes: {} is \"{}\"; "
                      "expected \"{}\". Set it in redis.conf, or with: redis-cli config "
                      "set {} {}",
                      url, name, actual, value, name, value));
  }
  const auto policy = setting(server, "maxmemory-policy");
  if (policy.starts_with("allkeys") && setting(server, "maxmemory") != "0")
    throw failure(error_code::invalid_configuration,
                  fmt::format("store {}: the server would drop rows when its memory is full: "
                              "maxmemory-policy is \"{}\"; expected \"noeviction\"",
                              url, policy));
}

class redis_snapshot;

class redis_store : public store {
public:
  redis_store(std::string_view url, redis_options options)
      : url_(url), address_(parse_redis_url(url)), options_(std::move(options)),
        tables_(options_.key_prefix), writer_(options_.key_prefix, options_.writer_lifetime) {
    server_ = connect(address_, options_);
    check_durable(*server_, url_);
    writer_.acquire(*server_);
  }

  ~redis_store() override {
    try {
      if (server_)
        writer_.release(*server_);
    } catch (const failure&) {
      // Then the lock ends by itself.
    }
  }

  std::optional<std::string> get(store_space space, std::string_view key) const override {
    const std::lock_guard lock{mutex_};
    return tables_.get(server(), space, key);
  }
  std::vector<store_entry> scan(store_space space, std::string_view prefix, std::string_view from,
                                std::size_t limit) const override {
    const std::lock_guard lock{mutex_};
    return tables_.scan(server(), space, prefix, from, limit);
  }
  std::optional<store_entry> last(store_space space, std::string_view prefix) const override {
    const std::lock_guard lock{mutex_};
    auto found = tables_.scan_back(server(), space, prefix, 1);
    return found.empty() ? std::nullopt : std::optional{std::move(found.front())};
  }

  void commit(const store_batch& batch) override;
  void reopen() override;
  std::unique_ptr<store_reader> snapshot() const override;

private:
  friend class redis_snapshot;

  redis_connection& server() const {
    if (!server_)
      throw failure(error_code::store_failed,
                    fmt::format("store {}: not connected; expected a reopen that succeeds", url_));
    return *server_;
  }

  void keep_old_values(const store_batch& batch);
  void commit_owned(const store_batch& batch);

  std::string url_;
  redis_address address_;
  redis_options options_;
  redis_tables tables_;
  redis_writer writer_;
  mutable std::mutex mutex_; ///< one connection, one command at a time
  mutable std::unique_ptr<redis_connection> server_;
  mutable std::vector<redis_snapshot*> snapshots_; ///< alive
  bool failed_ = false;
};

/// The rows of now, with what was overwritten since put back.
class redis_snapshot : public store_reader {
public:
  /// The caller holds the store's mutex.
  explicit redis_snapshot(const redis_store& owner) : owner_(owner) {
    owner_.snapshots_.push_back(this);
  }
  ~redis_snapshot() override {
    const std::lock_guard lock{owner_.mutex_};
    std::erase(owner_.snapshots_, this);
  }

  std::optional<std::string> get(store_space space, std::string_view key) const override {
    const std::lock_guard lock{owner_.mutex_};
    const auto& old = old_values(space);
    const auto found = old.find(key);
    return found == old.end() ? owner_.tables_.get(owner_.server(), space, key) : found->second;
  }

  std::vector<store_entry> scan(store_space space, std::string_view prefix, std::string_view from,
                                std::size_t limit) const override {
    const std::lock_guard lock{owner_.mutex_};
    const auto& old = old_values(space);
    std::vector<store_entry> found;
    std::size_t replaced = 0; // rows of now that may be in the way of others
    for (auto at = old.lower_bound(std::max(prefix, from));
         at != old.end() && at->first.starts_with(prefix); ++at) {
      ++replaced;
      if (at->second)
        found.push_back({at->first, *at->second});
    }
    const std::size_t wanted = limit > SIZE_MAX - replaced ? SIZE_MAX : limit + replaced;
    for (auto& row : owner_.tables_.scan(owner_.server(), space, prefix, from, wanted))
      if (old.find(row.key) == old.end())
        found.push_back(std::move(row));
    std::sort(found.begin(), found.end(),
              [](const auto& left, const auto& right) { return left.key < right.key; });
    if (found.size() > limit)
      found.resize(limit);
    return found;
  }

  std::optional<store_entry> last(store_space space, std::string_view prefix) const override {
    const std::lock_guard lock{owner_.mutex_};
    const auto& old = old_values(space);
    std::optional<store_entry> found;
    std::size_t replaced = 0;
    for (auto at = old.lower_bound(prefix); at != old.end() && at->first.starts_with(prefix);
         ++at) {
      ++replaced;
      if (at->second)
        found = store_entry{at->first, *at->second};
    }
    for (auto& row : owner_.tables_.scan_back(owner_.server(), space, prefix, replaced + 1))
      if (old.find(row.key) == old.end()) {
        if (!found || found->key < row.key)
          found = std::move(row);
        break;
      }
    return found;
  }

  /// Only the first change of a row since the snapshot says what it was then.
  void keep(store_space space, const std::string& key, const std::optional<std::string>& value) {
    old_[static_cast<std::size_t>(space)].try_emplace(key, value);
  }

private:
  using values = std::map<std::string, std::optional<std::string>, std::less<>>;

  const values& old_values(store_space space) const {
    return old_[static_cast<std::size_t>(space)];
  }

  const redis_store& owner_;
  std::array<values, store_space_count> old_;
};

void redis_store::keep_old_values(const store_batch& batch) {
  if (snapshots_.empty())
    return;
  for (std::size_t i = 0; i < store_space_count; ++i) {
    const auto space = static_cast<store_space>(i);
    std::vector<std::string_view> keys;
    for (const auto& write : batch)
      if (write.space == space)
        keys.push_back(write.key);
    const auto values = tables_.get_all(server(), space, keys);
    for (std::size_t at = 0; at < keys.size(); ++at)
      for (auto* snapshot : snapshots_)
        snapshot->keep(space, std::string{keys[at]}, values[at]);
  }
}

void redis_store::commit_owned(const store_batch& batch) {
  auto& target = server();
  writer_.watch(target);
  keep_old_values(batch);
  target.queue({"MULTI"});
  for (const auto& write : batch)
    tables_.queue(target, write);
  writer_.queue_renewal(target);
  target.queue({"EXEC"});
  const std::size_t queued = 2 + batch.size() * 2; // MULTI, the writes and the renewal
  std::string refused;                             // then EXEC refuses too, but does not say why
  for (std::size_t i = 0; i < queued; ++i)
    if (auto answer = target.next_answer();
        answer.is == redis_value::kind::error && refused.empty())
      refused = std::move(answer.text);
  const auto outcome = target.next_answer();
  if (outcome.is == redis_value::kind::error) {
    failed_ = false; // nothing was written; the connection is well, and reads go on
    target.fail_as_answered(fmt::format("committing {} writes", batch.size()),
                            refused.empty() ? outcome.text : refused);
  }
  if (outcome.is != redis_value::kind::list)
    target.fail("another process took over the writing during a commit");
  for (const auto& answer : outcome.items)
    if (answer.is == redis_value::kind::error)
      target.fail_as_answered("a write", answer.text);
}

void redis_store::commit(const store_batch& batch) {
  if (batch.empty())
    return;
  const std::lock_guard lock{mutex_};
  if (failed_)
    throw failure(error_code::store_failed,
                  fmt::format("store {}: refuses a batch of {} writes since an earlier one failed; "
                              "expected a reopen first",
                              url_, batch.size()));
  failed_ = true; // until it is known to be there
  commit_owned(batch);
  failed_ = false;
}

void redis_store::reopen() {
  const std::lock_guard lock{mutex_};
  if (!failed_ && server_ && !server_->broken())
    return;
  if (server_ && server_->broken()) // else reads go on until there is another one
    server_.reset();
  auto next = connect(address_, options_);
  check_durable(*next, url_);
  writer_.keep(*next);
  server_ = std::move(next);
  failed_ = false;
}

std::unique_ptr<store_reader> redis_store::snapshot() const {
  const std::lock_guard lock{mutex_};
  server(); // throws where nothing could be read
  return std::make_unique<redis_snapshot>(*this);
}

class redis_reader : public store_follower {
public:
  redis_reader(std::string_view url, redis_options options)
      : address_(parse_redis_url(url)), options_(std::move(options)), tables_(options_.key_prefix),
        server_(connect(address_, options_)) {
    if (server_->command({"EXISTS", options_.key_prefix + "owner"}).number == 0)
      throw failure(error_code::not_found,
                    fmt::format("store {}: nothing was stored under \"{}\"; expected a store", url,
                                options_.key_prefix));
  }

  std::optional<std::string> get(store_space space, std::string_view key) const override {
    const std::lock_guard lock{mutex_};
    return tables_.get(*server_, space, key);
  }
  std::vector<store_entry> scan(store_space space, std::string_view prefix, std::string_view from,
                                std::size_t limit) const override {
    const std::lock_guard lock{mutex_};
    return tables_.scan(*server_, space, prefix, from, limit);
  }
  std::optional<store_entry> last(store_space space, std::string_view prefix) const override {
    const std::lock_guard lock{mutex_};
    auto found = tables_.scan_back(*server_, space, prefix, 1);
    return found.empty() ? std::nullopt : std::optional{std::move(found.front())};
  }

  void refresh() override {
    const std::lock_guard lock{mutex_};
    server_ = connect(address_, options_);
  }

private:
  redis_address address_;
  redis_options options_;
  redis_tables tables_;
  mutable std::mutex mutex_;
  std::unique_ptr<redis_connection> server_;
};

} // namespace

std::unique_ptr<store> open_redis_store(std::string_view url, redis_options options) {
  return std::make_unique<redis_store>(url, std::move(options));
}

std::unique_ptr<store_follower> open_redis_reader(std::string_view url, redis_options options) {
  return std::make_unique<redis_reader>(url, std::move(options));
}

} // namespace backtest
