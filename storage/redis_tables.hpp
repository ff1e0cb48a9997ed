#pragma once

// Shared by the parts of the Redis store; nothing else includes this.

#include "storage/redis_connection.hpp"
#include "storage/store.hpp"

namespace backtest {

/// How a store lies in Redis: per space a hash of the values and a sorted set of the keys, whose
/// members of equal score are ordered bytewise.
class redis_tables {
public:
  explicit redis_tables(std::string key_prefix) : prefix_(std::move(key_prefix)) {}

  std::optional<std::string> get(redis_connection& server, store_space space,
                                 std::string_view key) const;
  std::vector<store_entry> scan(redis_connection& server, store_space space,
                                std::string_view prefix, std::string_view from,
                                std::size_t limit) const;
  /// The greatest keys with the prefix, descending.
  std::vector<store_entry> scan_back(redis_connection& server, store_space space,
                                     std::string_view prefix, std::size_t limit) const;
  /// The values of several keys, in one step.
  std::vector<std::optional<std::string>> get_all(redis_connection& server, store_space space,
                                                  const std::vector<std::string_view>& keys) const;

  /// Queues the commands of one write; two answers.
  void queue(redis_connection& server, const store_write& write) const;

private:
  std::string index_of(store_space space) const;
  std::string values_of(store_space space) const;
  std::vector<store_entry> range(redis_connection& server, store_space space,
                                 std::string_view command, std::string_view first,
                                 std::string_view last, std::size_t limit) const;

  std::string prefix_;
};

} // namespace backtest
