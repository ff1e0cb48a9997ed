#pragma once

#include "actors/sizing/sizing_schema.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace backtest {

/// The sizings there were when a run was asked for; shared by its clients.
using shared_sizings = std::shared_ptr<const std::vector<sizing_schema>>;

/// What a signal source sizes with, inside its own strategy client: a question to the sizing's
/// client would block there.
class run_sizer final : public position_sizer {
public:
  /// Null: none.
  explicit run_sizer(shared_sizings sizings) : sizings_(std::move(sizings)) {}

  double size(std::string_view symbol, std::string_view sizing_name,
              const size_request& request) override;

  bool has_callback_errors() const noexcept { return !callback_errors_.empty(); }
  /// What `on_calculate` threw since the last call.
  std::vector<std::string> take_callback_errors() { return std::exchange(callback_errors_, {}); }

private:
  shared_sizings sizings_;
  std::vector<std::string> callback_errors_;
};

} // namespace backtest
