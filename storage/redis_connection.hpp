#pragma once

// Shared by the parts of the Redis store; nothing else includes this.

#include "messages/error.hpp"

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct redisContext;

namespace backtest {

struct redis_address {
  std::string host;
  int port = 6379;
  int database = 0;

  friend bool operator==(const redis_address&, const redis_address&) = default;
};

/// Reads `redis://HOST[:PORT][/DB]`, an IPv6 host in brackets. Throws `failure(invalid_argument)`.
redis_address parse_redis_url(std::string_view url);

/// What the server answered: nothing, a number, a text or a list.
struct redis_value {
  enum class kind : std::uint8_t { nothing, number, text, list, error };
  kind is = kind::nothing;
  std::int64_t number = 0;
  std::string text; ///< also of an error
  std::vector<redis_value> items;
};

/// A connection with time-outs. After a failure it is broken: every later call fails too. Every
/// function throws `failure(store_failed)` naming the server, `failure(store_lost)` where it says
/// so. Not thread-safe.
class redis_connection {
public:
  redis_connection(redis_address address, std::chrono::milliseconds connect_timeout,
                   std::chrono::milliseconds command_timeout);
  ~redis_connection();
  redis_connection(redis_connection&&) = delete;

  /// One command and its answer; an error that the server answers is thrown.
  redis_value command(const std::vector<std::string_view>& words);

  /// Several commands in one round trip: queued, then each answered in turn, errors as values.
  void queue(const std::vector<std::string_view>& words);
  redis_value next_answer();

  bool broken() const noexcept;

  [[noreturn]] void fail(std::string_view problem) const;
  /// Throws `failure(store_lost)`: trying again would not help.
  [[noreturn]] void lose(std::string_view problem) const;
  /// Throws what an error that the server answered means: `store_lost` for keys of another type, so
  /// another program writes there; `store_failed` else.
  [[noreturn]] void fail_as_answered(std::string_view action, std::string_view answer) const;

private:
  struct closer {
    void operator()(redisContext* context) const noexcept;
  };

  [[noreturn]] void throw_as(error_code code, std::string_view problem) const;

  redis_address address_;
  std::chrono::milliseconds command_timeout_;
  std::unique_ptr<redisContext, closer> context_;
};

} // namespace backtest
