#pragma once

#include "messages/signal.hpp"

#include <cstdint>
#include <string>

namespace backtest {

/// What a run asks the arbiter of its risk profiles.
struct risk_query {
  instant when = 0;
  bool adds = false; ///< try to open now; false: only check (a schedule is being created)
  double price = 0;  ///< average price at `when`
  signal_request request;
  /// The run asks or ends nothing before these instants, whichever way the answer goes.
  instant clock_if_allowed = 0;
  instant clock_if_rejected = 0;
};

struct risk_verdict {
  bool allowed = true;
  std::string risk_name; ///< the profile that refused
  std::string comment;
  std::int64_t active_position_count = 0; ///< of that profile
  std::string validation_error;           ///< text of an exception out of a user's rule, else ""
  std::string callback_error;             ///< the same out of on_allowed or on_rejected
  bool has_waiting_callbacks = false;     ///< live: they are called once the decision is durable
  bool stopped = false; ///< nobody decided, as the run was told to stop meanwhile; not allowed
};

/// Live: the next so many decisions with waiting callbacks of a participant are durable.
struct durable_decisions {
  std::size_t participant = 0;
  std::size_t count = 0;
};

/// What a callback threw that had waited for a decision to be durable.
struct callback_failure {
  std::size_t participant = 0;
  instant when = 0; ///< of the decision
  std::string text;

  friend bool operator==(const callback_failure&, const callback_failure&) = default;
};

} // namespace backtest
