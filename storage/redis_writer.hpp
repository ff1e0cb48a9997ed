#pragma once

// Shared by the parts of the Redis store; nothing else includes this.

#include "storage/redis_connection.hpp"

namespace backtest {

/// The right to write, of one opened store. Two keys carry it: `writer`, which expires, says that
/// the last owner is alive; `owner` stays, and every commit is conditional on it, so that a writer
/// that was taken for dead can never write over its successor.
class redis_writer {
public:
  redis_writer(const std::string& key_prefix, std::chrono::milliseconds lifetime);

  /// Takes the right when it is free, has expired, or its owner is a process of this machine that
  /// is gone. Throws `failure(already_running)` naming the owner.
  void acquire(redis_connection& server) const;
  /// Keeps the right on a new connection. A transaction that an old one has sent, and the server
  /// not yet seen, is void then. Throws as `watch`.
  void keep(redis_connection& server) const;
  /// Makes the transaction that follows depend on being the owner. Throws `failure(store_lost)`
  /// when another one has taken the right since, or the data was removed.
  void watch(redis_connection& server) const;
  /// Queues the renewal, inside a transaction; one answer.
  void queue_renewal(redis_connection& server) const;
  /// Lets the next writer in at once.
  void release(redis_connection& server) const;

private:
  bool take(redis_connection& server) const;

  std::string writer_key_;
  std::string owner_key_;
  std::string token_;
  std::string lifetime_ms_;
};

/// A process as others can tell it from those before and after it.
struct process_identity {
  std::string host;       ///< for people
  std::string boot;       ///< of the system
  std::string name_space; ///< of the process id
  std::string id;
  std::string start; ///< tells a process from a later one with its id
};

process_identity this_process();

/// True only for a process of this machine that certainly is gone.
bool is_gone(const process_identity& other);

} // namespace backtest
