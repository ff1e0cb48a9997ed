#include "storage/redis_store.hpp"

#include "messages/error.hpp"
#include "storage/commit_mark.hpp"
#include "storage/redis_tables.hpp"
#include "storage/redis_writer.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <mutex>
#include <system_error>

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
    try {
      begin_mark();
    } catch (const failure&) {
      let_go();
      throw;
    }
  }

  ~redis_store() override { let_go(); }

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

  void let_go() noexcept {
    try {
      if (server_)
        writer_.release(*server_);
    } catch (const failure&) {
      // Then the lock ends by itself.
    }
  }

  void require_acknowledged(redis_connection& server) const;
  void begin_mark();
  void keep_old_values(const store_batch& batch);
  std::uint64_t commit_owned(const store_batch& batch);

  std::string url_;
  redis_address address_;
  redis_options options_;
  redis_tables tables_;
  redis_writer writer_;
  mutable std::mutex mutex_; ///< one connection, one command at a time
  mutable std::unique_ptr<redis_connection> server_;
  mutable std::vector<redis_snapshot*> snapshots_; ///< alive
  std::string commits_key_{options_.key_prefix + "commits"};
  std::optional<commit_mark> mark_; ///< of the last commit that was acknowledged
  std::optional<commit_mark_file> mark_file_;
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

void redis_store::require_acknowledged(redis_connection& server) const {
  if (!mark_)
    return;
  const auto counted = server.command({"GET", commits_key_});
  std::uint64_t commits = 0;
  if (counted.is == redis_value::kind::text)
    std::from_chars(counted.text.data(), counted.text.data() + counted.text.size(), commits);
  const auto found = tables_.scan_back(server, store_space::journal, {}, 1);
  // A newest key that is no number is compared with nothing.
  const auto newest =
      newest_journal_number(found.empty() ? std::nullopt : std::optional{found.front()})
          .value_or(INT64_MAX);
  if (commits >= mark_->commits && newest >= mark_->journal_last)
    return;
  const auto numbers = missing_numbers(*mark_, newest);
  throw failure(
      error_code::store_lost,
      fmt::format("store {}: the server was rolled back or emptied: it counts {} commits, {} "
                  "were acknowledged{}; nothing was changed. \"backtest repair --data-dir {} "
                  "--store {}\" goes on with what is there",
                  url_, commits, mark_->commits, numbers.empty() ? "" : ", " + numbers,
                  options_.mark.parent_path().string(), url_));
}

void redis_store::begin_mark() {
  if (options_.mark.empty())
    return;
  std::error_code problem;
  if (options_.mark.has_parent_path())
    std::filesystem::create_directories(options_.mark.parent_path(), problem);
  if (problem)
    throw failure(error_code::io_failed,
                  fmt::format("cannot create the data directory {}: {}",
                              options_.mark.parent_path().string(), problem.message()));
  if (!options_.accepts_loss) {
    mark_ = read_commit_mark(options_.mark);
    require_acknowledged(*server_);
    return;
  }
  // What is committed from now on is no reason to forget which numbers were given out: a repair
  // that is interrupted must find them again.
  try {
    mark_ = read_commit_mark(options_.mark);
  } catch (const failure& caught) {
    if (may_come_back(caught.code()))
      throw;
    std::filesystem::remove(options_.mark, problem); // nothing can be known from it
  }
}

/// Answers with how many commits there were.
std::uint64_t redis_store::commit_owned(const store_batch& batch) {
  auto& target = server();
  writer_.watch(target);
  keep_old_values(batch);
  target.queue({"MULTI"});
  for (const auto& write : batch)
    tables_.queue(target, write);
  writer_.queue_renewal(target);
  target.queue({"INCR", commits_key_});
  target.queue({"EXEC"});
  const std::size_t queued = 3 + batch.size() * 2; // MULTI, the writes, the renewal and the count
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
  return outcome.items.empty() ? 0 : static_cast<std::uint64_t>(outcome.items.back().number);
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
  const auto commits = commit_owned(batch);
  if (!options_.mark.empty()) {
    const commit_mark next{
        commits, std::max(last_journal_number(batch).value_or(0), mark_ ? mark_->journal_last : 0),
        0, 0};
    if (!mark_file_)
      mark_file_.emplace(options_.mark, next);
    mark_file_->write(next);
    mark_ = next;
  }
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
  require_acknowledged(*next);
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
