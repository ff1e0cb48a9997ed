#include "messages/statistics_json.hpp"

#include <fmt/format.h>

namespace backtest {

namespace {

void read_figure(const json_reader& in, std::string_view key, std::int64_t& value) {
  value = in.integer(key);
}
void read_figure(const json_reader& in, std::string_view key, std::optional<std::int64_t>& value) {
  const auto found = in.member(key);
  value = found.value().is_null() ? std::nullopt : std::optional(found.integer());
}
void read_figure(const json_reader& in, std::string_view key, std::optional<double>& value) {
  const auto found = in.member(key);
  value = found.value().is_null() ? std::nullopt : std::optional(found.number());
}

} // namespace

void write_json(json_writer& out, const trade_statistics& statistics) {
  out.begin_object();
  for_each_statistic(statistics, [&out](std::string_view key, const statistic_value& value) {
    out.key(key);
    if (const auto* count = std::get_if<std::int64_t>(&value))
      out.integer(*count);
    else if (const auto& figure = std::get<std::optional<double>>(value))
      out.number(*figure);
    else
      out.null();
  });
  if (!statistics.unavailable.empty()) {
    out.key("unavailable").begin_object();
    for (const auto& [key, reason] : statistics.unavailable)
      out.key(key).string(reason);
    out.end_object();
  }
  if (!statistics.sampled.empty()) {
    out.key("sampled").begin_object();
    for (const auto& [key, trades, of] : statistics.sampled) {
      out.key(key).begin_object().key("trades").integer(trades);
      out.key("of").integer(of).end_object();
    }
    out.end_object();
  }
  out.end_object();
}

void read_json(const json_reader& in, trade_statistics& statistics) {
  statistics = {};
  for (const auto& field : statistic_fields())
    std::visit([&](auto member) { read_figure(in, field.key, statistics.*member); }, field.member);
  const auto unavailable = in.find("unavailable");
  const auto sampled = in.find("sampled");
  for (const auto& field : statistic_fields()) {
    if (unavailable && unavailable->has(field.key)) {
      const auto text = unavailable->text(field.key);
      const auto reason = find_reason(text);
      if (!reason)
        unavailable->fail_at(field.key,
                             fmt::format("expected why a figure is absent, got \"{}\"", text));
      statistics.unavailable.push_back({field.key, *reason});
    }
    if (sampled && sampled->has(field.key)) {
      const auto rests_on = sampled->member(field.key);
      statistics.sampled.push_back({field.key, rests_on.integer("trades"), rests_on.integer("of")});
    }
  }
}

} // namespace backtest
