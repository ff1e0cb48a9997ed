#include "tools/directory_tap.hpp"

#include "storage/rocksdb_store.hpp"

namespace backtest::tools {

void tap_directory(const std::filesystem::path& directory, const tap_request& request,
                   std::chrono::milliseconds patience, tap_output& output) {
  constexpr std::chrono::milliseconds between_looks{200};
  const auto reader = open_rocksdb_reader(directory, patience);
  auto bounds = find_journal_bounds(*reader);
  journal_tap tap{request, bounds};
  while (!output.is_done()) {
    tap.grant(most_tap_credit);
    if (tap.may_read(bounds.last)) {
      if (const auto piece = tap.read(*reader))
        output.print(*piece);
    } else if (tap.is_over()) {
      return;
    } else {
      output.wait_for(between_looks);
      reader->refresh();
      bounds = find_journal_bounds(*reader);
      tap.require_still_there(bounds);
    }
  }
}

} // namespace backtest::tools
