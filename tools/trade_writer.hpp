#pragma once

#include "messages/event.hpp"
#include "tools/output_file.hpp"

namespace backtest::tools {

/// Writes closed signals as CSV, one line each, times in ISO 8601. One thread at a time.
class trade_writer {
public:
  /// Throws `failure{io_failed}`.
  explicit trade_writer(const std::string& destination);

  void hear(const event& item);
  /// Throws `failure{io_failed}`.
  void close() { out_.close(); }

private:
  output_file out_;
};

} // namespace backtest::tools
