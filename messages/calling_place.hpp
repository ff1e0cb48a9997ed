#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace backtest {

/// Which function of a user's is being called.
enum class calling_place : std::uint8_t {
  // On threads that actors share: those of the actor system of a runtime.
  strategy,
  risk_profile,
  frame,
  report_column,
  // On whichever thread there is.
  sizing,
  logger,
  // On threads of their own.
  exchange,
  blocking_strategy,
  listener,
  walker,
  store,
  opening_store,
};

inline constexpr std::size_t calling_place_count = 12;

/// What a function of the runtime waits for.
enum class waiting_for : std::uint8_t {
  actors,            ///< an answer that comes as soon as some thread of the actor system is free
  store,             ///< the store's own thread
  subscribers,       ///< that have heard what was published
  commands,          ///< one that takes effect with the next instant of a live run
  replayed_commands, ///< the same on the replay clock, where a run waits for its subscribers
  runs,              ///< their ends, or their next elements
  walkers,           ///< the same
};

inline constexpr std::size_t waiting_for_count = 7;

/// Around each call of a user's function: as long as it lives, this thread is inside of one. Lives
/// on the stack; calls may be nested. `runtime`: whose call it is, compared only; null: not known.
/// `name`: of the schema, "" where there is none; must outlive it.
class place_mark {
public:
  explicit place_mark(calling_place where, const void* runtime = nullptr,
                      std::string_view name = {}) noexcept;
  ~place_mark();
  place_mark(const place_mark&) = delete;
  place_mark& operator=(const place_mark&) = delete;

  calling_place where() const noexcept { return where_; }
  const void* runtime() const noexcept { return runtime_; }
  std::string_view name() const noexcept { return name_; }
  /// The call that this one was made in; null: none.
  const place_mark* outer() const noexcept { return outer_; }

  /// Of this thread; null: it is in no call.
  static const place_mark* innermost() noexcept;

private:
  calling_place where_;
  const void* runtime_;
  std::string_view name_;
  const place_mark* outer_;
};

/// Whether what a function waits for can come about while the call of this place has not returned.
bool can_wait(calling_place where, waiting_for what) noexcept;

/// Where this thread is, when it must not wait there for something of `runtime`: "the callback of a
/// listener". `shares_thread`: scheduled actors of the runtime's actor system need this thread.
std::optional<std::string> place_not_to_wait(const void* runtime, bool shares_thread,
                                             waiting_for what);

} // namespace backtest
