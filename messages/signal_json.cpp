#include "messages/signal_json.hpp"

namespace backtest {

namespace {

void write_optional(json_writer& out, std::string_view key, const std::optional<double>& value) {
  if (value)
    out.key(key).number(*value);
}

void write_optional(json_writer& out, std::string_view key,
                    const std::optional<std::int64_t>& value) {
  if (value)
    out.key(key).integer(*value);
}

position_side read_position(const json_reader& in) {
  return in.one_of("position", &parse_position_side, "\"long\" or \"short\"");
}

} // namespace

void write_run_fields(json_writer& out, const run_identity& run) {
  out.key("symbol").string(run.symbol);
  out.key("strategy_name").string(run.strategy_name);
  out.key("exchange_name").string(run.exchange_name);
  out.key("frame_name").string(run.frame_name);
  out.key("backtest").boolean(run.mode == run_mode::backtest);
}

void write_json(json_writer& out, const run_identity& run) {
  out.begin_object();
  write_run_fields(out, run);
  out.end_object();
}

void read_json(const json_reader& in, run_identity& run) {
  run.symbol = in.text("symbol");
  run.strategy_name = in.text("strategy_name");
  run.exchange_name = in.text("exchange_name");
  run.frame_name = in.text("frame_name");
  run.mode = in.flag("backtest") ? run_mode::backtest : run_mode::live;
}

void write_json(json_writer& out, const signal_row& row) {
  out.begin_object();
  out.key("id").string(row.id);
  out.key("symbol").string(row.symbol);
  out.key("strategy_name").string(row.strategy_name);
  out.key("exchange_name").string(row.exchange_name);
  out.key("position").string(to_string(row.position));
  out.key("note").string(row.note);
  out.key("price_open").number(row.price_open);
  out.key("price_take_profit").number(row.price_take_profit);
  out.key("price_stop_loss").number(row.price_stop_loss);
  out.key("minute_estimated_time").integer(row.minute_estimated_time);
  out.key("scheduled_at").integer(row.scheduled_at);
  write_optional(out, "pending_at", row.pending_at);
  out.key("is_scheduled").boolean(row.is_scheduled);
  write_optional(out, "quantity", row.quantity);
  out.end_object();
}

void read_json(const json_reader& in, signal_row& row) {
  row.id = in.text("id");
  row.symbol = in.text("symbol");
  row.strategy_name = in.text("strategy_name");
  row.exchange_name = in.text("exchange_name");
  row.position = read_position(in);
  row.note = in.text("note");
  row.price_open = in.number("price_open");
  row.price_take_profit = in.number("price_take_profit");
  row.price_stop_loss = in.number("price_stop_loss");
  row.minute_estimated_time = in.integer("minute_estimated_time");
  row.scheduled_at = in.integer("scheduled_at");
  row.pending_at = in.optional_integer("pending_at");
  row.is_scheduled = in.flag("is_scheduled");
  row.quantity = in.optional_number("quantity");
}

void write_json(json_writer& out, const signal_request& request) {
  out.begin_object();
  out.key("position").string(to_string(request.position));
  if (request.id)
    out.key("id").string(*request.id);
  write_optional(out, "price_open", request.price_open);
  out.key("price_take_profit").number(request.price_take_profit);
  out.key("price_stop_loss").number(request.price_stop_loss);
  write_optional(out, "minute_estimated_time", request.minute_estimated_time);
  if (!request.note.empty())
    out.key("note").string(request.note);
  write_optional(out, "quantity", request.quantity);
  out.end_object();
}

void read_json(const json_reader& in, signal_request& request) {
  request.position = read_position(in);
  request.id = in.optional_text("id");
  request.price_open = in.optional_number("price_open");
  request.price_take_profit = in.number("price_take_profit");
  request.price_stop_loss = in.number("price_stop_loss");
  request.minute_estimated_time = in.optional_integer("minute_estimated_time");
  request.note = in.text_or("note", "");
  request.quantity = in.optional_number("quantity");
}

void write_json(json_writer& out, const candle& bar) {
  out.begin_array().integer(bar.open_time);
  for (double value : {bar.open, bar.high, bar.low, bar.close, bar.volume})
    out.number(value);
  out.end_array();
}

void read_json(const json_reader& in, candle& bar) {
  if (in.size() != 6)
    in.fail("expected [open_time, open, high, low, close, volume]");
  bar.open_time = in.element(0).integer();
  std::size_t index = 0;
  for (double* value : {&bar.open, &bar.high, &bar.low, &bar.close, &bar.volume})
    *value = in.element(++index).number();
}

void write_json(json_writer& out, const candle_series& series) {
  out.begin_object();
  out.key("symbol").string(series.symbol);
  out.key("interval").string(to_string(series.size));
  out.key("candles").begin_array();
  for (const auto& bar : series.candles)
    write_json(out, bar);
  out.end_array().end_object();
}

void read_json(const json_reader& in, candle_series& series) {
  series.symbol = in.text("symbol");
  series.size = in.one_of("interval", &parse_interval, "an interval such as \"1m\"");
  const auto list = in.member("candles");
  series.candles.assign(list.size(), {});
  for (std::size_t i = 0; i < series.candles.size(); ++i)
    read_json(list.element(i), series.candles[i]);
}

void write_json(json_writer& out, const error& reason) {
  out.begin_object();
  out.key("code").string(to_string(reason.code));
  out.key("message").string(reason.message);
  out.end_object();
}

void read_json(const json_reader& in, error& reason) {
  reason.code = in.one_of("code", &parse_error_code, "an error code");
  reason.message = in.text("message");
}

} // namespace backtest
