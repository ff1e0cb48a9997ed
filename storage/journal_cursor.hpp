#pragma once

#include "storage/store.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace backtest {

/// A durable cursor: the number of the first journal entry that its subscriber has not yet seen.
/// Absent for an unknown name. Throws `failure(store_failed)` for a row that is no cursor.
std::optional<std::int64_t> read_journal_cursor(const store_reader& from, std::string_view name);

void put_journal_cursor(store_batch& batch, std::string_view name, std::int64_t next);

} // namespace backtest
