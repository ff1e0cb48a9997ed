#include "messages/event_json.hpp"

#include "messages/signal_json.hpp"
#include "messages/statistics_json.hpp"

#include <fmt/format.h>

namespace backtest {

namespace {

void write_run(json_writer& out, const shared_identity& run) {
  if (run)
    write_run_fields(out, *run);
}

shared_identity read_run(const json_reader& in) {
  auto run = std::make_shared<run_identity>();
  read_json(in, *run);
  return run;
}

void write_signal(json_writer& out, const shared_signal& signal) {
  if (signal)
    write_json(out.key("signal"), *signal);
}

shared_signal read_signal(const json_reader& in) {
  auto row = std::make_shared<signal_row>();
  read_json(in.member("signal"), *row);
  return row;
}

void write_time(json_writer& out, std::string_view key, const std::optional<instant>& when) {
  if (when)
    out.key(key).integer(*when);
}

void write_percent(json_writer& out, std::string_view key, const std::optional<double>& percent) {
  if (percent)
    out.key(key).number(*percent);
}

void write_payload(json_writer& out, const tick_result& tick) {
  out.key("action").string(to_string(tick.action));
  write_run(out, tick.run);
  out.key("current_price").number(tick.current_price);
  out.key("timestamp").integer(tick.timestamp);
  write_signal(out, tick.signal);
  if (tick.action == tick_action::active || tick.action == tick_action::waiting ||
      tick.percent_tp != 0 || tick.percent_sl != 0) {
    out.key("percent_tp").number(tick.percent_tp);
    out.key("percent_sl").number(tick.percent_sl);
  }
  if (tick.closed_by)
    out.key("close_reason").string(to_string(*tick.closed_by));
  if (tick.cancelled_by)
    out.key("reason").string(to_string(*tick.cancelled_by));
  write_time(out, "close_timestamp", tick.close_timestamp);
  if (tick.pnl) {
    out.key("pnl").begin_object();
    out.key("pnl_percentage").number(tick.pnl->pnl_percentage);
    out.key("price_open").number(tick.pnl->price_open);
    out.key("price_close").number(tick.pnl->price_close);
    out.end_object();
  }
  write_percent(out, "peak_pnl", tick.peak_pnl);
  write_percent(out, "fall_pnl", tick.fall_pnl);
  if (tick.caught_up)
    out.key("caught_up").boolean(true);
}

void write_payload(json_writer& out, const partial_event& item) {
  write_run(out, item.run);
  write_signal(out, item.signal);
  out.key("current_price").number(item.current_price);
  out.key("level").integer(item.level);
  out.key("timestamp").integer(item.timestamp);
}

void write_payload(json_writer& out, const risk_event& item) {
  write_run(out, item.run);
  out.key("risk_name").string(item.risk_name);
  write_json(out.key("pending_signal"), item.pending_signal);
  out.key("current_price").number(item.current_price);
  out.key("active_position_count").integer(item.active_position_count);
  out.key("comment").string(item.comment);
  out.key("timestamp").integer(item.timestamp);
}

void write_payload(json_writer& out, const error_event& item) {
  out.key("code").string(to_string(item.code));
  out.key("message").string(item.message);
  out.key("source").string(item.source);
  write_time(out, "timestamp", item.timestamp);
  write_run(out, item.run);
}

void write_payload(json_writer& out, const done_event& item) {
  write_run(out, item.run);
  out.key("walker_name").string(item.walker_name);
  out.key("outcome").string(to_string(item.outcome));
}

void write_payload(json_writer& out, const progress_backtest& item) {
  write_run(out, item.run);
  out.key("total_frames").integer(item.total_frames);
  out.key("processed_frames").integer(item.processed_frames);
  out.key("progress").number(item.progress);
}

void write_payload(json_writer& out, const performance_event& item) {
  out.key("timestamp").integer(item.timestamp);
  out.key("previous_timestamp");
  if (item.previous_timestamp)
    out.integer(*item.previous_timestamp);
  else
    out.null(); // present in every event, null for the first of its metric
  out.key("metric_type").string(to_string(item.metric));
  out.key("duration").number(item.duration);
  write_run(out, item.run);
}

void write_payload(json_writer& out, const control_event& item) {
  write_run(out, item.run);
  out.key("command").string(to_string(item.command));
  out.key("timestamp").integer(item.timestamp);
}

/// Names of a walker's run on one symbol.
void write_walker(json_writer& out, const run_identity& run) {
  out.key("walker_name").string(run.strategy_name);
  out.key("symbol").string(run.symbol);
  out.key("exchange_name").string(run.exchange_name);
  out.key("frame_name").string(run.frame_name);
}

shared_identity read_walker(const json_reader& in) {
  auto run = std::make_shared<run_identity>();
  run->strategy_name = in.text("walker_name");
  run->symbol = in.text("symbol");
  run->exchange_name = in.text("exchange_name");
  run->frame_name = in.text("frame_name");
  return run;
}

/// Always there, null where there is no such figure.
void write_figure(json_writer& out, std::string_view key, const std::optional<double>& value) {
  out.key(key);
  value ? out.number(*value) : out.null();
}
std::optional<double> read_figure(const json_reader& in, std::string_view key) {
  const auto found = in.member(key);
  return found.value().is_null() ? std::nullopt : std::optional(found.number());
}

void write_name(json_writer& out, std::string_view key, const std::optional<std::string>& name) {
  out.key(key);
  name ? out.string(*name) : out.null();
}
std::optional<std::string> read_name(const json_reader& in, std::string_view key) {
  const auto found = in.member(key);
  return found.value().is_null() ? std::nullopt : std::optional(std::string{found.text()});
}

shared_statistics read_statistics(const json_reader& in) {
  auto statistics = std::make_shared<trade_statistics>();
  read_json(in, *statistics);
  return statistics;
}

void write_payload(json_writer& out, const progress_walker& item) {
  write_walker(out, *item.run);
  out.key("total_strategies").integer(item.total_strategies);
  out.key("processed_strategies").integer(item.processed_strategies);
  out.key("progress").number(item.progress);
}

void write_payload(json_writer& out, const walker_event& item) {
  out.key("walker_name").string(item.walker_name);
  write_run(out, item.run);
  write_json(out.key("stats"), *item.statistics);
  out.key("metric").string(item.metric);
  write_figure(out, "metric_value", item.metric_value);
  write_figure(out, "best_metric", item.best_metric);
  write_name(out, "best_strategy", item.best_strategy);
  out.key("strategies_tested").integer(item.strategies_tested);
  out.key("total_strategies").integer(item.total_strategies);
  out.key("partial").boolean(item.partial);
}

void write_payload(json_writer& out, const walker_complete& item) {
  write_walker(out, *item.run);
  out.key("metric").string(item.metric);
  out.key("total_strategies").integer(item.total_strategies);
  out.key("strategies_tested").integer(item.strategies_tested);
  out.key("strategies_failed").integer(item.strategies_failed);
  out.key("stopped").boolean(item.stopped);
  write_name(out, "best_strategy", item.best_strategy);
  write_figure(out, "best_metric", item.best_metric);
  out.key("best_stats");
  if (item.best_statistics)
    write_json(out, *item.best_statistics);
  else
    out.null();
}

tick_result read_tick(const json_reader& in) {
  tick_result tick;
  tick.action = in.one_of("action", &parse_tick_action, "a tick action");
  tick.run = read_run(in);
  tick.current_price = in.number("current_price");
  tick.timestamp = in.integer("timestamp");
  if (tick.action != tick_action::idle || in.has("signal"))
    tick.signal = read_signal(in);
  const bool has_progress = tick.action == tick_action::active;
  tick.percent_tp = has_progress ? in.number("percent_tp") : in.number_or("percent_tp", 0);
  tick.percent_sl = has_progress ? in.number("percent_sl") : in.number_or("percent_sl", 0);
  const bool closed = tick.action == tick_action::closed;
  const bool cancelled = tick.action == tick_action::cancelled;
  if (closed || in.has("close_reason"))
    tick.closed_by = in.one_of("close_reason", &parse_close_reason, "a close reason");
  if (cancelled || in.has("reason"))
    tick.cancelled_by = in.one_of("reason", &parse_cancel_reason, "a cancel reason");
  if (closed || cancelled || in.has("close_timestamp"))
    tick.close_timestamp = in.integer("close_timestamp");
  if (closed || in.has("pnl")) {
    const auto pnl = in.member("pnl");
    tick.pnl = profit_and_loss{pnl.number("pnl_percentage"), pnl.number("price_open"),
                               pnl.number("price_close")};
  }
  tick.peak_pnl = in.optional_number("peak_pnl");
  tick.fall_pnl = in.optional_number("fall_pnl");
  tick.caught_up = in.flag_or("caught_up", false);
  return tick;
}

partial_event read_partial(const json_reader& in, milestone_side side) {
  const auto level = in.integer("level");
  if (level < 0 || level > 100)
    in.fail_at("level", fmt::format("expected 0 to 100, got {}", level));
  return {read_run(in),
          read_signal(in),
          side,
          static_cast<int>(level),
          in.number("current_price"),
          in.integer("timestamp")};
}

risk_event read_risk(const json_reader& in) {
  risk_event item;
  item.run = read_run(in);
  item.risk_name = in.text("risk_name");
  read_json(in.member("pending_signal"), item.pending_signal);
  item.current_price = in.number("current_price");
  item.active_position_count = in.integer("active_position_count");
  item.comment = in.text("comment");
  item.timestamp = in.integer("timestamp");
  return item;
}

/// An error may know a part of its run only, or nothing of it.
shared_identity read_known_run(const json_reader& in) {
  constexpr std::string_view fields[] = {"symbol", "strategy_name", "exchange_name", "frame_name",
                                         "backtest"};
  bool known = false;
  for (auto field : fields)
    known = known || in.has(field);
  if (!known)
    return nullptr;
  auto run = std::make_shared<run_identity>();
  run->symbol = in.text_or("symbol", "");
  run->strategy_name = in.text_or("strategy_name", "");
  run->exchange_name = in.text_or("exchange_name", "");
  run->frame_name = in.text_or("frame_name", "");
  run->mode = in.flag_or("backtest", true) ? run_mode::backtest : run_mode::live;
  return run;
}

error_event read_error(const json_reader& in) {
  error_event item;
  item.code = in.one_of("code", &parse_error_code, "an error code");
  item.message = in.text("message");
  item.source = in.text("source");
  item.timestamp = in.optional_integer("timestamp");
  item.run = read_known_run(in);
  return item;
}

done_event read_done(const json_reader& in) {
  return {read_run(in), std::string{in.text("walker_name")},
          in.one_of("outcome", &parse_run_outcome, "\"completed\", \"stopped\" or \"failed\"")};
}

progress_backtest read_progress(const json_reader& in) {
  return {read_run(in), in.integer("total_frames"), in.integer("processed_frames"),
          in.number("progress")};
}

performance_event read_performance(const json_reader& in) {
  performance_event item;
  item.run = read_run(in);
  item.metric = in.one_of("metric_type", &parse_metric_type, "a metric type");
  item.duration = in.number("duration");
  item.timestamp = in.integer("timestamp");
  if (const auto previous = in.find("previous_timestamp"); previous && !previous->value().is_null())
    item.previous_timestamp = previous->integer();
  return item;
}

control_event read_control(const json_reader& in) {
  return {read_run(in),
          in.one_of("command", &parse_operator_command,
                    "\"pause\", \"resume\", \"cancel\" or \"close\""),
          in.integer("timestamp")};
}

progress_walker read_progress_walker(const json_reader& in) {
  return {read_walker(in), in.integer("total_strategies"), in.integer("processed_strategies"),
          in.number("progress")};
}

walker_event read_walker_event(const json_reader& in) {
  walker_event item;
  item.run = read_run(in);
  item.walker_name = in.text("walker_name");
  item.statistics = read_statistics(in.member("stats"));
  item.metric = in.text("metric");
  item.metric_value = read_figure(in, "metric_value");
  item.best_metric = read_figure(in, "best_metric");
  item.best_strategy = read_name(in, "best_strategy");
  item.strategies_tested = in.integer("strategies_tested");
  item.total_strategies = in.integer("total_strategies");
  item.partial = in.flag("partial");
  return item;
}

walker_complete read_walker_complete(const json_reader& in) {
  walker_complete item;
  item.run = read_walker(in);
  item.metric = in.text("metric");
  item.total_strategies = in.integer("total_strategies");
  item.strategies_tested = in.integer("strategies_tested");
  item.strategies_failed = in.integer("strategies_failed");
  item.stopped = in.flag("stopped");
  item.best_strategy = read_name(in, "best_strategy");
  item.best_metric = read_figure(in, "best_metric");
  if (const auto best = in.member("best_stats"); !best.value().is_null())
    item.best_statistics = read_statistics(best);
  return item;
}

event_payload read_payload(topic on, const json_reader& in, const json_reader& outer) {
  switch (on) {
  case topic::signal:
  case topic::signal_live:
  case topic::signal_backtest: return read_tick(in);
  case topic::partial_profit: return read_partial(in, milestone_side::profit);
  case topic::partial_loss: return read_partial(in, milestone_side::loss);
  case topic::risk: return read_risk(in);
  case topic::error:
  case topic::exit:
  case topic::validation: return read_error(in);
  case topic::done_backtest:
  case topic::done_live:
  case topic::done_walker: return read_done(in);
  case topic::progress_backtest: return read_progress(in);
  case topic::control: return read_control(in);
  case topic::performance: return read_performance(in);
  case topic::progress_walker: return read_progress_walker(in);
  case topic::walker: return read_walker_event(in);
  case topic::walker_complete: return read_walker_complete(in);
  case topic::progress_optimizer: break;
  }
  outer.fail_at("topic", fmt::format("events of the topic \"{}\" cannot be read", to_string(on)));
}

void write_topic_and_payload(json_writer& out, topic on, const event_payload& payload) {
  out.key("topic").string(to_string(on));
  append_payload(out.key("event"), payload);
}

} // namespace

void append_payload(json_writer& out, const event_payload& payload) {
  out.begin_object();
  std::visit([&out](const auto& item) { write_payload(out, item); }, payload);
  out.end_object();
}

void append_event(json_writer& out, const event& item) {
  out.begin_object();
  write_topic_and_payload(out, item.on, item.payload);
  out.end_object();
}

void append_event_line(std::string& out, std::optional<std::int64_t> seq, topic shown_on,
                       const event& item) {
  json_writer writer{out};
  writer.begin_object().key("seq");
  if (seq)
    writer.integer(*seq);
  else
    writer.null();
  append_behind_number(out, shown_on, item);
}

void append_behind_number(std::string& out, topic shown_on, const event& item) {
  out += ',';
  json_writer writer{out};
  write_topic_and_payload(writer, shown_on, item.payload);
  writer.end_object();
}

void write_json(json_writer& out, const event& item) { append_event(out, item); }

void read_json(const json_reader& in, event& item) {
  item.on = in.one_of("topic", &parse_topic, "a topic");
  item.payload = read_payload(item.on, in.member("event"), in);
}

event_line parse_event_line(const boost::json::value& line, error_code code) {
  const json_reader in{line, code};
  event_line result;
  if (const auto seq = in.find("seq"); seq && !seq->value().is_null())
    result.seq = seq->integer();
  read_json(in, result.item);
  return result;
}

event_line parse_event_line(std::string_view line, error_code code) {
  return parse_event_line(parse_json(line, code), code);
}

} // namespace backtest
