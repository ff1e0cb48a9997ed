// Whatever bytes a connection brings: they pass or they do not, the same in one piece and byte by
// byte, and what passed is sound by itself.

#include "actors/gate/frame_check.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace backtest;

namespace {

std::string passed_piecewise(frame_check& check, std::string_view bytes) {
  std::string passed;
  std::string waiting;
  for (const char byte : bytes) {
    waiting += byte;
    const auto count = check.passable(waiting);
    passed.append(waiting, 0, count);
    waiting.erase(0, count);
  }
  return passed;
}

void try_from(frame_sender sender, std::string_view bytes) {
  frame_rules rules;
  rules.version = 3;
  rules.longest_payload = 1 << 16;
  frame_check whole{rules, sender};
  const auto count = whole.passable(bytes);
  frame_check cut{rules, sender};
  const auto passed = passed_piecewise(cut, bytes);
  frame_check again{rules, sender};
  const bool is_sound = again.passable(passed) == passed.size() && !again.problem();
  if (count > bytes.size() || passed != bytes.substr(0, count) ||
      whole.problem() != cut.problem() || !is_sound)
    std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
  try_from(frame_sender::client, bytes);
  try_from(frame_sender::server, bytes);
  return 0;
}
