#include "runtime/spdlog_logger.hpp"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace backtest {

namespace {

spdlog::level::level_enum level_of(log_level level) {
  switch (level) {
  case log_level::debug: return spdlog::level::debug;
  case log_level::info: return spdlog::level::info;
  case log_level::warn: return spdlog::level::warn;
  case log_level::error: return spdlog::level::err;
  }
  return spdlog::level::info;
}

class spdlog_logger final : public logger {
public:
  spdlog_logger(log_level lowest, spdlog::sink_ptr sink)
      : lowest_(lowest), out_("backtest", std::move(sink)) {
    out_.set_level(level_of(lowest));
  }

  bool enabled(log_level level) const noexcept override { return level >= lowest_; }

  void write(log_level level, std::string_view topic, std::string_view payload,
             const log_context& context) override {
    out_.log(level_of(level), "{}", format_log_line(topic, payload, context));
  }

private:
  log_level lowest_;
  spdlog::logger out_;
};

} // namespace

shared_logger make_spdlog_logger(log_level lowest, bool colour) {
  spdlog::sink_ptr sink;
  if (colour)
    sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
  else
    sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  return std::make_shared<spdlog_logger>(lowest, std::move(sink));
}

} // namespace backtest
