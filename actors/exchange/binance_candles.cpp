#include "actors/exchange/binance_candles.hpp"

#include "actors/exchange/binance_klines.hpp"
#include "actors/exchange/fetch_failure.hpp"

#include <algorithm>
#include <atomic>

#include <fmt/format.h>

namespace backtest {

namespace {

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
    for (instant since = query.since; since < until;) {
      const auto page = fetch_page({query.symbol, query.size, since, until, query.stop});
      if (page.empty())
        break;
      for (const candle& item : page)
        if (item.open_time >= since && item.open_time < until && item.open_time + length <= now)
          candles.push_back(item);
      since = page.back().open_time + length;
    }
    return candles;
  }

private:
  /// No kline is the end of what there is; one before query.since would be asked for for ever.
  std::vector<candle> fetch_page(const candle_query& query) {
    require_welcome();
    const auto url = base_url_ + klines_path(query);
    const auto answer = get_(url, query.stop);
    try {
      require_klines(answer, query.symbol, url, now_());
    } catch (const postponed_failure& caught) {
      be_quiet_until(now_() + caught.retry_after().count());
      throw;
    }
    auto page = parse_klines(answer.body, url);
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
};

} // namespace

candle_function binance_candles(std::string base_url, http_get get, std::function<instant()> now) {
  return [client = std::make_shared<binance_client>(std::move(base_url), std::move(get),
                                                    std::move(now))](const candle_query& query) {
    return client->fetch(query);
  };
}

} // namespace backtest
