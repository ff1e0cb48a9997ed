// Whatever the bytes, a line is refused with a `failure` or it is an event that is written in a
// form that reads back equal.

#include "messages/event_json.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

using namespace backtest;

namespace {

std::optional<event_line> read(std::string_view text) {
  try {
    return parse_event_line(text);
  } catch (const failure&) {
    return std::nullopt;
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto line = read({reinterpret_cast<const char*>(data), size});
  if (!line)
    return 0;
  std::string written;
  append_event_line(written, line->seq, line->item.on, line->item);
  if (read(written) != line)
    std::abort();
  return 0;
}
