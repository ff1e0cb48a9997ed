#include "actors/exchange/binance_candles.hpp"

#include "actors/exchange/binance_klines.hpp"
#include "actors/exchange/fetch_failure.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <utility>

#include <fmt/format.h>

namespace backtest {

namespace {

/// A candle may come so much later than it closed.
constexpr instant latest_kline = 60 * minute_ms;

class binance_client {
public:
  binance_client(std::string base_url, http_get get, std::function<instant()> now)
      : base_url_(std::move(base_url)), get_(std::move(get)), now_(std::move(now)) {
    while (base_url_.ends_with('/'))
      base_url_.pop_back();
  }

  std::vector<candle> fetch(const candle_query& query) {
    const instant length = length_of(query.size);
    const instant now = now_();
    // Later ones are not closed yet.
    const instant until = std::min(query.until, align_down(now, length));
    std::vector<candle> candles;
    if (is_known_empty(query, until))
      return candles;
    for (instant since = query.since; since < until;) {
      const auto page = fetch_page({query.symbol, query.size, since, until, query.stop});
      if (page.empty()) {
        if (candles.empty())
          look_ahead({query.symbol, query.size, until, align_down(now - latest_kline, length),
                      query.stop});
        break;
      }
      for (const candle& item : page)
        if (item.open_time >= since && item.open_time < until && item.open_time + length <= now)
          candles.push_back(item);
      since = page.back().open_time + length;
    }
    return candles;
  }

private:
  using series_name = std::pair<std::string, interval>;

  bool is_known_empty(const candle_query& query, instant until) {
    const std::lock_guard lock{mutex_};
    const auto known = empty_.find({query.symbol, query.size});
    return known != empty_.end() && known->second.first <= query.since &&
           until <= known->second.second;
  }

  /// Years before a symbol is listed take one request more, not one a day.
  void look_ahead(const candle_query& behind) {
    if (behind.since >= behind.until)
      return;
    const auto next = fetch_page(behind, 1);
    const std::lock_guard lock{mutex_};
    empty_[{behind.symbol, behind.size}] = {
        behind.since, next.empty() ? behind.until : std::min(next.front().open_time, behind.until)};
  }

  /// No kline is the end of what there is; one before query.since would be asked for for ever.
  std::vector<candle> fetch_page(const candle_query& query, int limit = most_klines) {
    require_welcome();
    const auto url = base_url_ + klines_path(query, limit);
    const auto answer = get_(url, query.stop);
    try {
      require_klines(answer, query.symbol, url, now_());
    } catch (const postponed_failure& caught) {
      be_quiet_until(now_() + caught.retry_after().count());
      throw;
    }
    auto page = parse_klines(answer.body, url, query.size);
    if (!page.empty() && page.back().open_time < query.since)
      throw failure(error_code::bad_candles,
                    fmt::format("{}: row {}: open time is {}; expected {} or later", url,
                                page.size() - 1, to_iso(page.back().open_time),
                                to_iso(query.since)));
    return page;
  }

  /// Asking earlier than the server wants to be asked makes it refuse for longer; it is one server,
  /// whatever is asked for.
  void require_welcome() const {
    constexpr instant slack = 1000; // between the clock that waits and the one that reads the time
    const instant until = quiet_until_;
    const instant rest = until - now_();
    if (rest > slack)
      throw postponed_failure(
          error_code::fetch_failed,
          fmt::format("{} asked not to be asked before {}", base_url_, to_iso(until)),
          std::chrono::milliseconds{rest});
  }

  void be_quiet_until(instant when) {
    for (instant known = quiet_until_; known < when;)
      if (quiet_until_.compare_exchange_weak(known, when))
        return;
  }

  std::string base_url_;
  http_get get_;
  std::function<instant()> now_;
  std::atomic<instant> quiet_until_ = 0;
  std::mutex mutex_;
  /// Where a symbol has no candle, from the end of a day without any: the range found last.
  std::map<series_name, std::pair<instant, instant>> empty_;
};

} // namespace

candle_function binance_candles(std::string base_url, http_get get, std::function<instant()> now) {
  return [client = std::make_shared<binance_client>(std::move(base_url), std::move(get),
                                                    std::move(now))](const candle_query& query) {
    return client->fetch(query);
  };
}

} // namespace backtest
