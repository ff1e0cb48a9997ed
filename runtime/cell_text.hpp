#pragma once

#include "messages/signal.hpp"

#include <string>
#include <string_view>

namespace backtest {

/// The text itself, N/A when it is empty.
std::string text_or_na(std::string_view text);
/// Letters a to z in upper case, everything else as it is.
std::string upper_text(std::string_view text);
/// "LONG" / "SHORT"
std::string position_text(position_side side);
/// A signal's note as plain text on one line.
std::string note_text(std::string_view note);

/// A name of the run a row belongs to; N/A where it belongs to none.
std::string run_text(const shared_identity& run, std::string run_identity::*name);

} // namespace backtest
