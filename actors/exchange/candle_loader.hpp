#pragma once

#include "actors/exchange/candle_keeper.hpp"
#include "actors/exchange/exchange_schema.hpp"
#include "actors/exchange/fresh_candles.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <utility>

namespace backtest {

/// Waits; false: somebody wants to end, give up.
using wait_function = std::function<bool(std::chrono::milliseconds)>;

/// The candles of one symbol, by interval. A copy shares them; one thread at a time.
struct held_candles {
  /// The prices of one-minute candles, and of which.
  struct priced_series {
    shared_series minutes;
    shared_prices prices;
  };

  /// What was made from one-minute candles, and from which.
  struct aggregated_series {
    shared_series minutes;
    shared_series larger;
  };

  std::map<interval, loaded_series>
      fetched; ///< as the source gave it, each up to where it is settled
  std::map<interval, instant> longest; ///< asked for; of a market that goes on no more is held
  std::map<interval, aggregated_series> aggregated;
  priced_series priced;
  std::map<interval, fresh_candles> fresh; ///< with a keeper: on their way to it
  std::map<interval, fresh_candles> older; ///< the same of what was asked for afterwards
};

/// Thrown through a load that nobody waits for any more. Not a failure: nothing that is done about
/// failures is to be done about it.
struct fetch_given_up {};

/// A batch as the source gave it.
struct arrived_batch {
  std::vector<candle> candles;
  bool is_final = false; ///< all of its candles were closed and due when they were asked for
  bool is_told = false;  ///< to `on_candle_data`
};

/// How far a load came that has to be tried again.
struct load_progress {
  std::map<std::pair<instant, instant>, arrived_batch> arrived; ///< by range
  std::set<std::pair<instant, instant>> refused; ///< ranges that are done without
  std::int64_t tries = 0;                        ///< of the next one

  /// What another load of the symbol need not fetch again.
  void hand_over(load_progress& to) {
    std::erase_if(arrived, [](const auto& item) { return !item.second.is_final; });
    to.arrived.merge(arrived);
  }
};

/// Fetches, checks, retries and keeps the candles of one exchange. Blocks as long as its source
/// does; one thread at a time.
class candle_loader {
public:
  /// `on_candle_data` must not throw: the runtime tells what a user's own does.
  /// With a `keeper`, which needs `schema.now`, what it holds is not fetched, and what is fetched
  /// is given to it once it is closed, complete and old enough not to be revised; it also hears of
  /// revisions, which change nothing of what is held. Null: nothing is kept.
  candle_loader(exchange_schema schema, configuration parameters, wait_function wait,
                std::shared_ptr<candle_keeper> keeper = nullptr);

  /// What a source may ask to wait, 300 s unless told otherwise; above it the request fails, and
  /// who asked decides when to ask again.
  void limit_waiting(std::chrono::seconds longest) { longest_retry_after_ = longest; }
  /// For whom the next loads are: once `is_given_up` says so no function of the schema is called
  /// any more, and `fetch_given_up` is thrown; a load that waits itself throws
  /// `failure{fetch_failed}`. `stop` is what the source sees as `candle_query::stop`.
  void work_for(std::function<bool()> is_given_up, std::stop_token stop) {
    is_given_up_ = std::move(is_given_up);
    stop_ = std::move(stop);
  }
  /// The same where one token says both.
  void stop_with(const std::stop_token& stop) {
    work_for([stop] { return stop.stop_requested(); }, stop);
  }

  /// Candles of at least [from, until), but for an extent that takes them in parts; without one,
  /// whole UTC days are welcome. Larger intervals than the source's own are aggregated from
  /// one-minute candles. One-minute candles of a market that does not go on come with their average
  /// prices. Throws `failure`: `not_found` for a symbol the exchange does not have,
  /// `bad_candles` and `fetch_failed` (after the last attempt), `io_failed` for files. Waits
  /// between attempts.
  loaded_series load(const std::string& symbol, interval size, instant from, instant until,
                     const std::optional<candle_extent>& extent = std::nullopt);

  /// The same for a caller that holds the symbol's candles and does the waiting: throws
  /// `postponed_failure` when it is to be called again, with what it was given, at a later time.
  loaded_series load(const std::string& symbol, held_candles& held, load_progress& progress,
                     interval size, instant from, instant until,
                     const std::optional<candle_extent>& extent = std::nullopt);

  /// What `load` answers when nothing need be fetched for it.
  std::optional<loaded_series> find(held_candles& held, interval size, instant from,
                                    instant until) const;

  const exchange_schema& schema() const noexcept { return schema_; }

private:
  /// One call of `load`.
  struct request {
    const std::string& symbol;
    interval size; ///< one the source knows
    held_candles& held;
    load_progress& progress;
    candle_extent extent;
  };

  loaded_series fetched(const request& of, instant from, instant until);
  loaded_series in_size(held_candles& held, interval size, const loaded_series& own) const;
  /// Up to where nothing can come any more; what is missing behind is asked for again.
  instant settled_until(const candle_series& series, instant from, instant until) const;
  /// Adds candles, kept or fetched: those of `needed`, and of the welcome ones around them what
  /// can be had. Answers from where to where.
  time_range obtain(const request& of, time_range needed, time_range welcome,
                    std::vector<candle>& out);
  /// `tries`: attempts at it; 0: as many as the parameters say.
  const std::vector<candle>& fetch_day(const request& of, time_range day, std::int64_t tries = 0);
  /// Null when the day cannot be had and can be done without: all of it, or as a whole because of
  /// bad candles.
  const std::vector<candle>* fetch_welcome_day(const request& of, time_range day, bool is_needed);
  std::vector<candle> fetch_and_keep(const request& of, time_range day, std::int64_t tries);
  /// Where the answer for that day belongs.
  fresh_candles& fresh_for(const request& of, time_range day);
  void ask_again(const request& of, fresh_candles& fresh, time_range day);
  void tell_not_kept(const request& of, time_range range, const error& why);
  void keep(const request& of, fresh_candles::taken taken);
  void keep(const request& of, std::vector<settled_candles> settled);
  void tell(const request& of, instant since, std::span<const candle> data);
  /// Before every call of a function of the schema's.
  void require_wanted() const {
    if (is_given_up_ && is_given_up_())
      throw fetch_given_up{};
  }
  arrived_batch fetch_whole(const request& of, time_range day, std::int64_t tries);
  /// A checked answer. `again`: the candles from there to the beginning of the query, which were
  /// had before; they are none of the answer and spoil none.
  struct answer {
    std::vector<candle> candles;
    std::vector<candle> again;
    std::optional<error> again_refused; ///< they fail the checks
  };
  answer fetch_batch(const candle_query& query, instant again_from, load_progress& progress,
                     std::int64_t most_tries);
  answer attempt(const candle_query& query, instant again_from);
  std::optional<error> fault_of(std::span<const candle> batch, interval size) const;
  instant revision_ms() const { return parameters_.candle_revision_minutes * minute_ms; }
  bool is_native(interval size) const;
  failure given_up(const std::string& symbol) const;

  exchange_schema schema_;
  configuration parameters_;
  wait_function wait_;
  std::chrono::seconds longest_retry_after_{300};
  std::function<bool()> is_given_up_; ///< empty: never
  std::stop_token stop_;
  std::shared_ptr<candle_keeper> keeper_;
  std::map<std::string, held_candles> held_; ///< of `load` without
};

} // namespace backtest
