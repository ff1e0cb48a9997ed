#include "storage/journal_cursor.hpp"

#include "messages/json_reader.hpp"
#include "storage/store_key.hpp"

#include <fmt/format.h>

namespace backtest {

std::optional<std::int64_t> read_journal_cursor(const store_reader& from, std::string_view name) {
  const auto key = make_store_key({"cursor", name});
  const auto row = from.get(store_space::state, key);
  if (!row)
    return std::nullopt;
  try {
    const auto document = parse_json(*row, error_code::store_failed);
    const json_reader in{document, error_code::store_failed};
    const auto next = in.integer("next");
    if (next < 1)
      in.fail_at("next", fmt::format("expected 1 or more, got {}", next));
    return next;
  } catch (const failure& problem) {
    throw failure(error_code::store_failed, fmt::format("row {}: {}", key, problem.what()));
  }
}

void put_journal_cursor(store_batch& batch, std::string_view name, std::int64_t next) {
  std::string row;
  json_writer out{row};
  out.begin_object().key("next").integer(next).end_object();
  batch.put(store_space::state, make_store_key({"cursor", name}), row);
}

} // namespace backtest
