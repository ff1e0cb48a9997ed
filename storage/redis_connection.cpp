#include "storage/redis_connection.hpp"

#include "messages/error.hpp"

#include <cerrno>
#include <charconv>
#include <csignal>
#include <ctime>
#include <system_error>

#include <fmt/format.h>
#include <hiredis/hiredis.h>
#include <pthread.h>

namespace backtest {

namespace {

/// A server that hangs up makes a write raise SIGPIPE, which ends a process that does not expect
/// it; hiredis leaves that to its caller. Here the write fails instead, whatever the process does
/// about signals.
class broken_pipe_guard {
public:
  broken_pipe_guard() {
    sigemptyset(&broken_pipe_);
    sigaddset(&broken_pipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &broken_pipe_, &before_);
  }
  broken_pipe_guard(const broken_pipe_guard&) = delete;
  broken_pipe_guard& operator=(const broken_pipe_guard&) = delete;
  ~broken_pipe_guard() {
    const timespec at_once{};
    if (!was_pending_)
      sigtimedwait(&broken_pipe_, nullptr, &at_once);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

private:
  sigset_t broken_pipe_{};
  sigset_t before_{};
  bool was_pending_ = false;
};

timeval to_timeval(std::chrono::milliseconds length) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(length);
  return {static_cast<time_t>(seconds.count()),
          static_cast<suseconds_t>(std::chrono::microseconds{length - seconds}.count())};
}

redis_value value_of(const redisReply& reply) {
  redis_value value;
  switch (reply.type) {
  case REDIS_REPLY_INTEGER:
    value.is = redis_value::kind::number;
    value.number = reply.integer;
    break;
  case REDIS_REPLY_STRING:
  case REDIS_REPLY_STATUS:
    value.is = redis_value::kind::text;
    value.text.assign(reply.str, static_cast<std::size_t>(reply.len));
    break;
  case REDIS_REPLY_ERROR:
    value.is = redis_value::kind::error;
    value.text.assign(reply.str, static_cast<std::size_t>(reply.len));
    break;
  case REDIS_REPLY_ARRAY:
    value.is = redis_value::kind::list;
    value.items.reserve(reply.elements);
    for (std::size_t i = 0; i < reply.elements; ++i)
      value.items.push_back(value_of(*reply.element[i]));
    break;
  default: break;
  }
  return value;
}

std::optional<int> parse_whole(std::string_view text, int highest) {
  int number = 0;
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, number);
  if (text.empty() || result.ec != std::errc{} || result.ptr != end || number < 0 ||
      number > highest)
    return std::nullopt;
  return number;
}

} // namespace

redis_address parse_redis_url(std::string_view url) {
  const auto refuse = [url](std::string_view why) {
    throw failure(error_code::invalid_argument,
                  fmt::format("store \"{}\": expected redis://HOST[:PORT][/DB]: {}", url, why));
  };
  constexpr std::string_view scheme = "redis://";
  if (!url.starts_with(scheme))
    refuse("it does not start with redis://");
  if (url.find('@') != std::string_view::npos)
    throw failure(error_code::invalid_argument, // without the url: it may hold a password
                  "store: expected redis://HOST[:PORT][/DB], got user name or password too");
  redis_address address;
  auto rest = url.substr(scheme.size());
  if (const auto slash = rest.find('/'); slash != std::string_view::npos) {
    const auto database = parse_whole(rest.substr(slash + 1), 1'000'000);
    if (!database)
      refuse("the database is not a number");
    address.database = *database;
    rest = rest.substr(0, slash);
  }
  std::string_view port;
  bool has_port = false;
  const bool bracketed = rest.starts_with('[');
  const auto host_end = bracketed ? rest.find(']') : rest.find(':');
  if (bracketed) {
    if (host_end == std::string_view::npos)
      refuse("a bracket is not closed");
    address.host = rest.substr(1, host_end - 1);
    rest = rest.substr(host_end + 1);
    has_port = !rest.empty();
    if (has_port && rest.front() != ':')
      refuse("something other than a port follows the host");
    port = has_port ? rest.substr(1) : rest;
  } else {
    address.host = rest.substr(0, host_end);
    has_port = host_end != std::string_view::npos;
    port = has_port ? rest.substr(host_end + 1) : std::string_view{};
  }
  if (address.host.empty())
    refuse("the host is missing");
  if (has_port) {
    const auto number = parse_whole(port, 65535);
    if (!number || *number == 0)
      refuse("the port is not a number from 1 to 65535");
    address.port = *number;
  }
  return address;
}

void redis_connection::closer::operator()(redisContext* context) const noexcept {
  const broken_pipe_guard guard;
  redisFree(context);
}

redis_connection::redis_connection(redis_address address, std::chrono::milliseconds connect_timeout,
                                   std::chrono::milliseconds command_timeout)
    : address_(std::move(address)), command_timeout_(command_timeout),
      context_(redisConnectWithTimeout(address_.host.c_str(), address_.port,
                                       to_timeval(connect_timeout))) {
  if (!context_)
    fail("no memory for a connection");
  if (context_->err != 0)
    fail(fmt::format("cannot connect: {}", context_->errstr));
  if (redisSetTimeout(context_.get(), to_timeval(command_timeout)) != REDIS_OK)
    fail(fmt::format("cannot set the time-out: {}", context_->errstr));
  if (address_.database != 0)
    command({"SELECT", std::to_string(address_.database)});
}

redis_connection::~redis_connection() = default;

redis_value redis_connection::command(const std::vector<std::string_view>& words) {
  queue(words);
  auto answer = next_answer();
  if (answer.is == redis_value::kind::error)
    fail_as_answered(words.front(), answer.text);
  return answer;
}

void redis_connection::queue(const std::vector<std::string_view>& words) {
  std::vector<const char*> texts;
  std::vector<std::size_t> lengths;
  for (auto word : words) {
    texts.push_back(word.empty() ? "" : word.data());
    lengths.push_back(word.size());
  }
  if (redisAppendCommandArgv(context_.get(), static_cast<int>(words.size()), texts.data(),
                             lengths.data()) != REDIS_OK)
    fail(fmt::format("{} cannot be sent: {}", words.front(), context_->errstr));
}

redis_value redis_connection::next_answer() {
  const broken_pipe_guard guard;
  void* raw = nullptr;
  if (context_->err != 0 || redisGetReply(context_.get(), &raw) != REDIS_OK || raw == nullptr)
    fail(fmt::format("the connection failed: {}",
                     context_->errstr == std::generic_category().message(EAGAIN)
                         ? fmt::format("no answer within {} s",
                                       std::chrono::duration<double>(command_timeout_).count())
                         : context_->errstr));
  const std::unique_ptr<void, void (*)(void*)> owner{raw, freeReplyObject};
  return value_of(*static_cast<const redisReply*>(raw));
}

bool redis_connection::broken() const noexcept { return context_->err != 0; }

void redis_connection::fail(std::string_view problem) const {
  throw_as(error_code::store_failed, problem);
}

void redis_connection::lose(std::string_view problem) const {
  throw_as(error_code::store_lost, problem);
}

void redis_connection::fail_as_answered(std::string_view action, std::string_view answer) const {
  throw_as(answer.starts_with("WRONGTYPE") ? error_code::store_lost : error_code::store_failed,
           fmt::format("{} was answered: {}", action, answer));
}

void redis_connection::throw_as(error_code code, std::string_view problem) const {
  throw failure(code, fmt::format("store redis://{}:{}/{}: {}", address_.host, address_.port,
                                  address_.database, problem));
}

} // namespace backtest
