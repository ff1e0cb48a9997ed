#pragma once

#include "messages/event.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace backtest {

/// What a live run that ends could not make durable.
struct undurable_work {
  std::vector<shared_identity> runs;
  std::size_t events = 0;       ///< of the journal; nobody was told of them
  std::int64_t last_number = 0; ///< of the journal, that this run knows to be durable; 0: none yet
};

/// For the end of a sentence that says why.
std::string to_text(const undurable_work& left);

} // namespace backtest
