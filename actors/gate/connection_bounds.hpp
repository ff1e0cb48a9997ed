#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace backtest {

/// How many connections a node holds at a time.
struct connection_limits {
  std::size_t all = 256;
  std::size_t of_address = 128; ///< many tools of one machine, and commands in bursts
  std::size_t unproven = 64;    ///< of those, in the handshake

  /// The same, taking at most a quarter of the handles a process may have.
  connection_limits within(std::size_t handles) const;
  /// Ours, and the two ends of the one that CAF reads.
  static constexpr std::size_t handles_each = 3;
};

/// Which connections are there, and which may come. Where one too many comes, the oldest that has
/// not proven itself gives way, so that connections which only wait keep nobody out; those that
/// proved themselves never do. A plain value.
class connection_bounds {
public:
  using connection_id = std::uint64_t;

  explicit connection_bounds(connection_limits limits) : limits_(limits) {}

  struct admission {
    std::optional<connection_id> admitted;  ///< nothing: refuse it
    std::optional<connection_id> gives_way; ///< to be closed, and released
  };

  admission admit(const std::string& address);
  void prove(connection_id id);
  /// It is gone. One that is not there is ignored.
  void release(connection_id id);
  std::size_t size() const noexcept { return known_.size(); }

private:
  struct known_connection {
    std::string address;
    bool is_proven = false;
  };

  std::optional<connection_id> oldest_unproven(const std::string* address) const;

  connection_limits limits_;
  connection_id next_ = 1;
  std::map<connection_id, known_connection> known_; ///< in the order in which they came
};

} // namespace backtest
