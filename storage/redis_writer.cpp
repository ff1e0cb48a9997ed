#include "storage/redis_writer.hpp"

#include "messages/error.hpp"
#include "storage/store_key.hpp"

#include <array>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <fmt/format.h>
#include <unistd.h>

namespace backtest {

namespace {

std::string first_line(const std::string& path) {
  std::ifstream in{path};
  std::string line;
  std::getline(in, line);
  return line;
}

/// When a process started, in ticks since boot; "" when there is none that runs.
std::string start_of(const std::string& id) {
  const auto line = first_line("/proc/" + id + "/stat");
  // The name in parentheses may hold anything; the start is the 20th field behind it.
  const auto name_end = line.rfind(')');
  if (name_end == std::string::npos || line.size() < name_end + 3)
    return {};
  const char state = line[name_end + 2];
  if (state == 'Z' || state == 'X')
    return {}; // dead, its parent has not yet asked
  std::size_t at = name_end + 2;
  for (int field = 3; field < 22 && at != std::string::npos; ++field) {
    at = line.find(' ', at);
    if (at != std::string::npos)
      ++at;
  }
  if (at == std::string::npos)
    return {};
  return line.substr(at, line.find(' ', at) - at);
}

std::string make_token() {
  // Two stores of one process are two writers.
  static std::atomic<std::uint64_t> opened{0};
  const auto self = this_process();
  return make_store_key(
      {self.host, self.boot, self.name_space, self.id, self.start, std::to_string(++opened)});
}

std::optional<process_identity> owner_of(const std::string& token) {
  auto parts = split_store_key(token);
  if (!parts || parts->size() != 6)
    return std::nullopt;
  return process_identity{(*parts)[0], (*parts)[1], (*parts)[2], (*parts)[3], (*parts)[4]};
}

std::string describe(const std::string& token) {
  const auto owner = owner_of(token);
  return owner ? fmt::format("process {} of {}", owner->id, owner->host)
               : fmt::format("\"{}\"", token);
}

} // namespace

process_identity this_process() {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  std::error_code ignored; // without it nobody is taken for gone
  const auto id = std::to_string(::getpid());
  return {host.data(), first_line("/proc/sys/kernel/random/boot_id"),
          std::filesystem::read_symlink("/proc/self/ns/pid", ignored).string(), id, start_of(id)};
}

bool is_gone(const process_identity& other) {
  const auto self = this_process();
  // Only where both see the same processes does a missing one mean anything.
  if (self.boot.empty() || self.name_space.empty() || self.start.empty() ||
      other.boot != self.boot || other.name_space != self.name_space || other.id.empty())
    return false;
  return start_of(other.id) != other.start;
}

redis_writer::redis_writer(const std::string& key_prefix, std::chrono::milliseconds lifetime)
    : writer_key_(key_prefix + "writer"), owner_key_(key_prefix + "owner"), token_(make_token()),
      lifetime_ms_(std::to_string(lifetime.count())) {}

/// Ends what WATCH began; false when another one was faster.
bool redis_writer::take(redis_connection& server) const {
  server.command({"MULTI"});
  // Also where it is the same text: it makes transactions that watch it fail.
  server.command({"SET", owner_key_, token_});
  server.command({"SET", writer_key_, token_, "PX", lifetime_ms_});
  return server.command({"EXEC"}).is == redis_value::kind::list;
}

void redis_writer::acquire(redis_connection& server) const {
  constexpr int attempts = 10;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    server.command({"WATCH", writer_key_, owner_key_});
    const auto holder = server.command({"GET", writer_key_});
    if (holder.is == redis_value::kind::text && holder.text != token_) {
      const auto owner = owner_of(holder.text);
      if (!owner || !is_gone(*owner)) {
        const auto left = server.command({"PTTL", writer_key_}).number;
        server.command({"UNWATCH"});
        throw failure(error_code::already_running,
                      fmt::format("store in redis: {} writes there; expected one writer at a time. "
                                  "If it is gone, its lock \"{}\" ends in {} s",
                                  describe(holder.text), writer_key_, (left + 999) / 1000));
      }
    }
    if (take(server))
      return;
  }
  server.fail("others keep taking the right to write");
}

void redis_writer::keep(redis_connection& server) const {
  watch(server);
  if (!take(server))
    server.fail("another process took over the writing just now");
}

void redis_writer::watch(redis_connection& server) const {
  server.command({"WATCH", owner_key_});
  const auto owner = server.command({"GET", owner_key_});
  if (owner.is != redis_value::kind::text)
    server.lose(
        fmt::format("the key \"{}\" is gone; expected the data that was stored there", owner_key_));
  if (owner.text != token_)
    server.lose(fmt::format("{} has taken over the writing; expected this store to be opened anew",
                            describe(owner.text)));
}

void redis_writer::queue_renewal(redis_connection& server) const {
  server.queue({"SET", writer_key_, token_, "PX", lifetime_ms_});
}

void redis_writer::release(redis_connection& server) const {
  server.command({"EVAL",
                  "if redis.call('GET', KEYS[1]) == ARGV[1] then "
                  "return redis.call('DEL', KEYS[1]) end return 0",
                  "1", writer_key_, token_});
}

} // namespace backtest
