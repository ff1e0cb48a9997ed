#include "actors/http/http_client.hpp"

#include "messages/error.hpp"

#include <array>

#include <curl/curl.h>
#include <fmt/format.h>

namespace backtest {

namespace {

constexpr long most_redirects = 3;

void require(CURLcode result, std::string_view what) {
  if (result != CURLE_OK)
    throw failure(error_code::fetch_failed,
                  fmt::format("HTTP client: {}: {}", what, curl_easy_strerror(result)));
}

/// The library's own global state, once per process, however many threads come here first.
void start_library() {
  static const CURLcode result = curl_global_init(CURL_GLOBAL_DEFAULT);
  require(result, "libcurl does not start");
}

} // namespace

struct http_client::connection {
  struct handle_end {
    void operator()(CURL* ended) const noexcept { curl_easy_cleanup(ended); }
  };
  std::unique_ptr<CURL, handle_end> handle;
  http_limits limits;
  std::array<char, CURL_ERROR_SIZE> problem{};
  std::string body;
  bool too_large = false;
  std::stop_token stop;

  explicit connection(const http_limits& chosen) : limits(chosen) {
    start_library();
    handle.reset(curl_easy_init());
    if (!handle)
      throw failure(error_code::fetch_failed, "HTTP client: libcurl gives no handle");
    set(CURLOPT_NOSIGNAL, 1L); // signals belong to the process, not to a library's thread
    set(CURLOPT_ERRORBUFFER, problem.data());
    set(CURLOPT_USERAGENT, "backtest_caf");
    set(CURLOPT_ACCEPT_ENCODING, "gzip");
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_FOLLOWLOCATION, 1L);
    set(CURLOPT_MAXREDIRS, most_redirects);
    set(CURLOPT_SSL_VERIFYPEER, 1L);
    set(CURLOPT_SSL_VERIFYHOST, 2L);
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(limits.connect_timeout.count()));
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(limits.total_timeout.count()));
    set(CURLOPT_LOW_SPEED_LIMIT, static_cast<long>(limits.slowest_speed));
    set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(limits.slow_for.count()));
    set(CURLOPT_WRITEFUNCTION, &connection::take_body);
    set(CURLOPT_WRITEDATA, this);
    set(CURLOPT_XFERINFOFUNCTION, &connection::look_up);
    set(CURLOPT_XFERINFODATA, this);
    set(CURLOPT_NOPROGRESS, 0L);
  }
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  template <class Value>
  void set(CURLoption option, Value value) {
    const auto* known = curl_easy_option_by_id(option);
    require(curl_easy_setopt(handle.get(), option, value),
            fmt::format("option {}", known != nullptr ? known->name : "of another version"));
  }

  /// Called all the time, once a second at least; anything but 0 ends the transfer.
  static int look_up(void* owner, curl_off_t, curl_off_t, curl_off_t, curl_off_t) noexcept {
    return static_cast<connection*>(owner)->stop.stop_requested() ? 1 : 0;
  }

  /// Counts unpacked bytes: a small packed body may hide a large one.
  static std::size_t take_body(const char* data, std::size_t size, std::size_t count,
                               void* owner) noexcept {
    auto& self = *static_cast<connection*>(owner);
    const std::size_t bytes = size * count;
    if (bytes > self.limits.largest_body - self.body.size()) {
      self.too_large = true;
      return CURL_WRITEFUNC_ERROR;
    }
    try {
      self.body.append(data, bytes);
    } catch (...) { // out of memory must not pass through C code
      return CURL_WRITEFUNC_ERROR;
    }
    return bytes;
  }

  std::string header(const char* name) {
    curl_header* found = nullptr;
    const auto result = curl_easy_header(handle.get(), name, 0, CURLH_HEADER, -1, &found);
    return result == CURLHE_OK ? found->value : "";
  }

  std::string describe(CURLcode result) const {
    if (result == CURLE_ABORTED_BY_CALLBACK)
      return "stopped, nobody waits for the answer";
    if (too_large)
      return fmt::format("the answer is too large; expected at most {} bytes", limits.largest_body);
    return problem.front() != '\0' ? problem.data() : curl_easy_strerror(result);
  }
};

http_client::http_client(http_limits limits) : connection_(std::make_unique<connection>(limits)) {}

http_client::~http_client() = default;

http_answer http_client::get(const std::string& url, const std::stop_token& stop) {
  auto& own = *connection_;
  own.stop = stop;
  own.body.clear();
  own.too_large = false;
  own.problem.front() = '\0';
  own.set(CURLOPT_URL, url.c_str());
  own.set(CURLOPT_REDIR_PROTOCOLS_STR, url.starts_with("https:") ? "https" : "http");
  const CURLcode result = curl_easy_perform(own.handle.get());
  if (result != CURLE_OK)
    throw failure(error_code::fetch_failed, fmt::format("{}: {}", url, own.describe(result)));
  long status = 0;
  require(curl_easy_getinfo(own.handle.get(), CURLINFO_RESPONSE_CODE, &status), "status");
  return {static_cast<int>(status), own.header("Retry-After"), std::move(own.body)};
}

} // namespace backtest
