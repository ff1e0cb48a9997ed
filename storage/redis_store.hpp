#pragma once

#include "storage/store.hpp"

#include <chrono>
#include <filesystem>

namespace backtest {

struct redis_options {
  std::string key_prefix = "backtest:"; ///< of every key; one store per prefix and database
  std::chrono::milliseconds connect_timeout{2000};
  std::chrono::milliseconds command_timeout{5000};
  /// How long a writer that says nothing is still taken for alive; each commit begins it anew.
  std::chrono::milliseconds writer_lifetime{90'000};
  /// A file of this machine that knows what was acknowledged (`commit_mark`), so that a server that
  /// was rolled back or emptied between two starts is noticed; empty: none.
  std::filesystem::path mark = {};
  /// A store that lacks what the mark knows is opened all the same, to be repaired: until the
  /// journal has the mark's last number again, it is refused without this.
  bool accepts_loss = false;
};

/// The store in a Redis server, `redis://HOST[:PORT][/DB]`, a single one (no cluster).
///
/// Durable means that the server writes its log to disk before it answers, so it must run with
/// `appendonly yes`, `appendfsync always` and `no-appendfsync-on-rewrite no` (its default), and
/// must not evict keys.
///
/// One process writes at a time. After a clean end, and after the death of a process on the same
/// machine, the next one may write at once; after the death of another machine or container, when
/// `writer_lifetime` is over. A writer that was taken for dead and is not is refused from then on
/// with `store_lost`, as is one whose data were removed or replaced by keys of other types.
///
/// Each scan is one atomic step of the server, which serves nobody else meanwhile. A snapshot keeps
/// the old values of what this store overwrites while it lives, in memory: it is exact, since
/// nobody else may write. Any failed call, a read too, may have broken the connection: commits are
/// refused until `reopen`, which connects again.
///
/// Each commit counts up the key `commits`. A server that counted less than the mark knows has lost
/// something and is refused with `store_lost`, which names the journal numbers that are missing.
///
/// Throws `failure(invalid_argument)` for the url, `failure(already_running)` for a second writer,
/// `failure(invalid_configuration)` for a server that may lose data, `failure(store_failed)` else.
std::unique_ptr<store> open_redis_store(std::string_view url, redis_options options = {});

/// Reads beside a writer; every read shows the newest state, `refresh` connects again. Throws as
/// above, `failure(not_found)` where nothing was stored.
std::unique_ptr<store_follower> open_redis_reader(std::string_view url, redis_options options = {});

} // namespace backtest
