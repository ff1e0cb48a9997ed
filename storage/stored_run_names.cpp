#include "storage/stored_run_names.hpp"

#include "storage/store_key.hpp"

#include <fmt/format.h>

namespace backtest {

std::string stored_run_names(const store_reader& from) {
  constexpr std::size_t most_named = 10;
  std::string text;
  std::size_t runs = 0;
  for (const auto& row : from.scan(store_space::state, make_store_prefix({run_rows}))) {
    const auto parts = split_store_key(row.key); // run, exchange, strategy, symbol
    if (!parts || parts->size() != 4 || ++runs > most_named)
      continue;
    text += fmt::format("{}{} on {} at {}", runs > 1 ? ", " : "", (*parts)[2], (*parts)[3],
                        (*parts)[1]);
  }
  if (runs > most_named)
    text += fmt::format(" and {} more", runs - most_named);
  return text;
}

} // namespace backtest
