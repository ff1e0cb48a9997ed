#include "runtime/cell_text.hpp"

#include "messages/plain_text.hpp"
#include "runtime/number_text.hpp"

#include <algorithm>

namespace backtest {

std::string text_or_na(std::string_view text) {
  return std::string(text.empty() ? not_available : text);
}

std::string upper_text(std::string_view text) {
  std::string upper(text);
  std::transform(upper.begin(), upper.end(), upper.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return upper;
}

std::string position_text(position_side side) { return upper_text(to_string(side)); }

std::string note_text(std::string_view note) { return text_or_na(plain_text(note)); }

std::string run_text(const shared_identity& run, std::string run_identity::*name) {
  return text_or_na(run ? run.get()->*name : "");
}

} // namespace backtest
