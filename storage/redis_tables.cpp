#include "storage/redis_tables.hpp"

#include <algorithm>

namespace backtest {

namespace {

/// Keys of a range and their values in one step, in slices that fit Lua's stack.
constexpr std::string_view range_script = R"(
local keys = redis.call(ARGV[1], KEYS[1], ARGV[2], ARGV[3], 'LIMIT', 0, ARGV[4])
local found = {}
for first = 1, #keys, 1000 do
  local last = math.min(first + 999, #keys)
  local values = redis.call('HMGET', KEYS[2], unpack(keys, first, last))
  for at = first, last do
    found[#found + 1] = keys[at]
    found[#found + 1] = values[at - first + 1]
  end
end
return found
)";

std::string bound(char kind, std::string_view key) {
  std::string text(1, kind); // '[' includes the key, '(' does not
  return text.append(key);
}

std::string upper_bound(std::string_view prefix) {
  const auto end = end_of_prefix(prefix);
  return end ? bound('(', *end) : "+";
}

} // namespace

std::string redis_tables::index_of(store_space space) const {
  return prefix_ + std::string{to_string(space)} + ":keys";
}

std::string redis_tables::values_of(store_space space) const {
  return prefix_ + std::string{to_string(space)} + ":values";
}

std::optional<std::string> redis_tables::get(redis_connection& server, store_space space,
                                             std::string_view key) const {
  auto answer = server.command({"HGET", values_of(space), key});
  if (answer.is != redis_value::kind::text)
    return std::nullopt;
  return std::move(answer.text);
}

std::vector<std::optional<std::string>>
redis_tables::get_all(redis_connection& server, store_space space,
                      const std::vector<std::string_view>& keys) const {
  std::vector<std::optional<std::string>> found;
  if (keys.empty())
    return found;
  const auto table = values_of(space);
  std::vector<std::string_view> words{"HMGET", table};
  words.insert(words.end(), keys.begin(), keys.end());
  auto answer = server.command(words);
  for (auto& item : answer.items)
    found.push_back(item.is == redis_value::kind::text ? std::optional{std::move(item.text)}
                                                       : std::nullopt);
  if (found.size() != keys.size())
    server.fail("HMGET was answered with another number of values");
  return found;
}

std::vector<store_entry> redis_tables::range(redis_connection& server, store_space space,
                                             std::string_view command, std::string_view first,
                                             std::string_view last, std::size_t limit) const {
  std::vector<store_entry> found;
  if (limit == 0)
    return found;
  constexpr std::size_t largest = 1'000'000'000; // the server's counts are signed
  const auto count = limit > largest ? std::string{"-1"} : std::to_string(limit);
  auto answer = server.command(
      {"EVAL", range_script, "2", index_of(space), values_of(space), command, first, last, count});
  if (answer.items.size() % 2 != 0)
    server.fail("a scan was answered with a key without value");
  for (std::size_t i = 0; i < answer.items.size(); i += 2) {
    if (answer.items[i + 1].is != redis_value::kind::text)
      server.fail("a key of the index has no value: something else writes to these keys");
    found.push_back({std::move(answer.items[i].text), std::move(answer.items[i + 1].text)});
  }
  return found;
}

std::vector<store_entry> redis_tables::scan(redis_connection& server, store_space space,
                                            std::string_view prefix, std::string_view from,
                                            std::size_t limit) const {
  return range(server, space, "ZRANGEBYLEX", bound('[', std::max(prefix, from)),
               upper_bound(prefix), limit);
}

std::vector<store_entry> redis_tables::scan_back(redis_connection& server, store_space space,
                                                 std::string_view prefix, std::size_t limit) const {
  return range(server, space, "ZREVRANGEBYLEX", upper_bound(prefix), bound('[', prefix), limit);
}

void redis_tables::queue(redis_connection& server, const store_write& write) const {
  const auto index = index_of(write.space);
  const auto values = values_of(write.space);
  if (write.value) {
    server.queue({"HSET", values, write.key, *write.value});
    server.queue({"ZADD", index, "0", write.key});
  } else {
    server.queue({"HDEL", values, write.key});
    server.queue({"ZREM", index, write.key});
  }
}

} // namespace backtest
