#pragma once

#include "messages/time.hpp"
#include "storage/store.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace backtest {

/// A state row that could not be understood, moved aside.
struct quarantined_row {
  std::string kept_under; ///< its key now: quarantine/<time>/<original key>
  instant time = 0;       ///< when it was moved
  std::string key;        ///< its key before
  std::string value;      ///< its bytes, whatever they are
  std::string reason;

  friend bool operator==(const quarantined_row&, const quarantined_row&) = default;
};

/// Adds to `batch`: the row is erased where it was and kept in the quarantine. `now` is 0 or later.
void quarantine_row(store_batch& batch, const store_entry& row, std::string_view reason,
                    instant now);

/// Everything in the quarantine, oldest first.
std::vector<quarantined_row> list_quarantine(const store_reader& from);

} // namespace backtest
