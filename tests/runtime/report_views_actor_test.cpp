#include "tests/support/walker_fixture.hpp"

#include "tests/support/scratch_directory.hpp"

#include <algorithm>
#include <limits>
#include <map>

using namespace backtest;
using namespace backtest::testing;

namespace {

/// Runs with schedules, milestones, rejections and closes: `limit` and `buyer` on BTC, `buyer` on
/// ETH.
void run_everything(runtime& target) {
  add_basics(target, buy, 3 * day_ms);
  risk_schema rarely;
  rarely.risk_name = "rarely";
  rarely.validations.push_back(
      {[](const risk_question& asked) -> std::optional<std::string> {
         if (asked.timestamp / (60 * minute_ms) % 2 == 0)
           return "even hours";
         return std::nullopt;
       },
       ""});
  target.add_risk(rarely);
  auto limit = strategy_of("limit", [](const run_context& context) {
    auto request = *buy(context);
    request.price_open = context.average_price() * 0.999;
    return std::optional{request};
  });
  limit.risk_name = "rarely";
  target.add_strategy(limit);
  run_to_end(target, request_of({"BTC"}, {"limit"}));
  run_to_end(target, request_of({"BTC", "ETH"}, {"buyer"}));
}

runtime_options with_every_report() {
  auto options = quiet();
  options.reports = report_set::all();
  return options;
}

constexpr auto backtest_mode = run_mode::backtest;

} // namespace

TEST_CASE("reports: every kind is kept when it is enabled") {
  const watchdog guard{};
  runtime target{with_every_report()};
  run_everything(target);
  const auto schedule = target.schedule().get_data("BTC", "limit", backtest_mode);
  CHECK(schedule.statistics.total_scheduled > 0);
  CHECK(schedule.statistics.total_scheduled ==
        schedule.statistics.total_opened + schedule.statistics.total_cancelled);
  CHECK(target.performance().get_data("BTC", "limit", backtest_mode).total_events > 0);
  CHECK(target.partial().get_data("BTC", "buyer", backtest_mode).total_profit > 0);
  CHECK(target.risk().get_data("BTC", "limit", backtest_mode).total_rejections > 0);
  CHECK(target.risk().get_data("BTC", "buyer", backtest_mode).total_rejections == 0);
  const auto heat = target.heat().get_data("buyer", backtest_mode);
  CHECK(heat.total_symbols == 2);
  CHECK(heat.portfolio.total_signals ==
        target.backtest().get_data("BTC", "buyer").statistics.total_signals +
            target.backtest().get_data("ETH", "buyer").statistics.total_signals);
  CHECK(target.risk().get_report("BTC", "limit", backtest_mode).find("even hours") !=
        std::string::npos);
}

TEST_CASE("reports: those of backtest and live are kept by default, the others are empty") {
  const watchdog guard{};
  runtime target{quiet()};
  run_everything(target);
  CHECK(target.enabled_reports() == report_set{report_kind::backtest, report_kind::live});
  CHECK(target.backtest().get_data("BTC", "limit").statistics.total_signals > 0);
  CHECK(target.schedule().get_data("BTC", "limit", backtest_mode).statistics.total_events == 0);
  CHECK(target.partial().get_data("BTC", "buyer", backtest_mode).total_events == 0);
  CHECK(target.risk().get_data("BTC", "limit", backtest_mode).total_rejections == 0);
  CHECK(target.performance().get_data("BTC", "limit", backtest_mode).total_events == 0);
  CHECK(target.heat().get_data("buyer", backtest_mode).total_symbols == 0);
  CHECK(target.schedule().get_report("BTC", "limit", backtest_mode).find("No scheduled signals") !=
        std::string::npos);
}

TEST_CASE("reports: they are enabled between runs, and told nothing twice") {
  const watchdog guard{};
  runtime target{quiet()};
  run_everything(target);
  const auto closed = target.backtest().get_data("BTC", "buyer").statistics.total_signals;
  target.enable_reports(report_set::all());
  CHECK(target.enabled_reports() == report_set::all());
  run_to_end(target);
  CHECK(target.backtest().get_data("BTC", "buyer").statistics.total_signals == closed);
  CHECK(target.heat().get_data("buyer", backtest_mode).portfolio.total_signals == closed);
  target.enable_reports({report_kind::backtest});
  run_to_end(target);
  CHECK(target.partial().get_data("BTC", "buyer", backtest_mode).total_events == 0);
  CHECK(target.heat().get_data("buyer", backtest_mode).total_symbols == 0);
  CHECK(target.backtest().get_data("BTC", "buyer").statistics.total_signals == closed);
}

TEST_CASE("reports: they are not chosen while a run is under way") {
  const watchdog guard{};
  runtime target{quiet()};
  gate held;
  add_basics(target, [&](const run_context& context) {
    held.pass();
    return buy(context);
  });
  auto run = target.backtest().background(request_of());
  held.wait_for_arrival();
  CHECK(failure_of([&] { target.enable_reports(report_set::all()); }).code ==
        error_code::already_running);
  held.open();
  run.wait();
  target.enable_reports(report_set::all());
}

TEST_CASE("reports: one key, or every one of a kind, is cleared") {
  const watchdog guard{};
  runtime target{with_every_report()};
  run_everything(target);
  const auto milestones = [&](const char* symbol) {
    return target.partial().get_data(symbol, "buyer", backtest_mode).total_events;
  };
  target.partial().clear("BTC", "buyer", backtest_mode);
  CHECK(milestones("BTC") == 0);
  CHECK(milestones("ETH") > 0);
  target.partial().clear();
  CHECK(milestones("ETH") == 0);
  CHECK(target.schedule().get_data("BTC", "limit", backtest_mode).statistics.total_events > 0);
  target.heat().clear("buyer", backtest_mode);
  CHECK(target.heat().get_data("buyer", backtest_mode).total_symbols == 0);
  CHECK(target.heat().get_data("limit", backtest_mode).total_symbols == 1);
  target.heat().clear();
  CHECK(target.heat().get_data("limit", backtest_mode).total_symbols == 0);
  CHECK(target.backtest().get_data("BTC", "buyer").statistics.total_signals > 0);
}

TEST_CASE("reports: a live run has its own, of every action") {
  const watchdog guard{};
  const scratch_directory folder{"report_views_live"};
  runtime target{with_every_report()};
  add_basics(target, buy, day_ms / 4);
  live_request request;
  request.symbols = {"BTC"};
  request.strategies = {"buyer"};
  request.exchange = "exchange";
  request.frame = "frame";
  request.clock = make_replay_clock(std::numeric_limits<double>::infinity());
  CHECK(target.live().get_data("BTC", "buyer").total_events == 0);
  target.live().background(request).wait();
  const auto data = target.live().get_data("BTC", "buyer");
  CHECK(data.total_closed > 0);
  CHECK(data.statistics.total_signals == data.total_closed);
  CHECK(data.total_events > data.total_closed);
  const auto has = [&](tick_action action) {
    return std::any_of(data.event_list.begin(), data.event_list.end(),
                       [&](const tick_result& tick) { return tick.action == action; });
  };
  CHECK(has(tick_action::opened));
  CHECK(has(tick_action::active));
  CHECK(target.live().get_report("BTC", "buyer").find("# Live Trading Report: BTC:buyer") == 0);
  CHECK(target.live().dump("BTC", "buyer", folder.path) == folder.path / "live/BTC_buyer.md");
  CHECK(target.partial().get_data("BTC", "buyer", run_mode::live).total_profit > 0);
  CHECK(target.partial().get_data("BTC", "buyer", backtest_mode).total_profit == 0);
  CHECK(target.heat().get_data("buyer", run_mode::live).portfolio.total_signals ==
        data.total_closed);
  CHECK(target.backtest().get_data("BTC", "buyer").statistics.total_signals == 0);
}

TEST_CASE("reports: a dump is named by symbol, strategy and mode") {
  const watchdog guard{};
  const scratch_directory folder{"report_views"};
  runtime target{with_every_report()};
  run_everything(target);
  CHECK(target.schedule().dump("BTC", "limit", backtest_mode, folder.path) ==
        folder.path / "schedule/BTC_limit_backtest.md");
  CHECK(target.heat().dump("buyer", backtest_mode, folder.path) ==
        folder.path / "heatmap/buyer_backtest.md");
  CHECK(content_of(folder.path / "heatmap/buyer_backtest.md") ==
        target.heat().get_report("buyer", backtest_mode));
}

TEST_CASE("reports: every kind dumped into one directory keeps its own file") {
  const watchdog guard{};
  const scratch_directory folder{"report_views_together"};
  runtime target{with_every_report()};
  run_everything(target);
  walker_schema walker;
  walker.walker_name = "buyer"; // the same name as a strategy's
  walker.exchange_name = "exchange";
  walker.frame_name = "frame";
  walker.strategies = {"buyer"};
  target.add_walker(walker);
  std::map<std::filesystem::path, std::string> written;
  const auto keep = [&](const std::filesystem::path& file, const std::string& markdown) {
    CHECK_MESSAGE(written.emplace(file, markdown).second, file.string());
  };
  for (const std::string symbol : {"BTC", "ETH"}) {
    keep(target.backtest().dump(symbol, "buyer", folder.path),
         target.backtest().get_report(symbol, "buyer"));
    keep(target.live().dump(symbol, "buyer", folder.path),
         target.live().get_report(symbol, "buyer"));
    keep(target.walker().dump(symbol, "buyer", folder.path),
         target.walker().get_report(symbol, "buyer"));
    for (const auto mode : {run_mode::backtest, run_mode::live}) {
      keep(target.schedule().dump(symbol, "buyer", mode, folder.path),
           target.schedule().get_report(symbol, "buyer", mode));
      keep(target.performance().dump(symbol, "buyer", mode, folder.path),
           target.performance().get_report(symbol, "buyer", mode));
      keep(target.partial().dump(symbol, "buyer", mode, folder.path),
           target.partial().get_report(symbol, "buyer", mode));
      keep(target.risk().dump(symbol, "buyer", mode, folder.path),
           target.risk().get_report(symbol, "buyer", mode));
    }
  }
  for (const auto mode : {run_mode::backtest, run_mode::live})
    keep(target.heat().dump("buyer", mode, folder.path), target.heat().get_report("buyer", mode));
  for (const auto& [file, markdown] : written)
    CHECK(content_of(file) == markdown);
}

TEST_CASE("reports: an unknown strategy is refused") {
  const watchdog guard{};
  runtime target{quiet()};
  const auto message = [](auto&& action) { return failure_of(action).message; };
  CHECK(message([&] { target.schedule().get_data("BTC", "who", backtest_mode); }) ==
        "strategy who not found source=schedule.get_data");
  CHECK(message([&] { target.performance().get_report("BTC", "who", backtest_mode); }) ==
        "strategy who not found source=performance.get_report");
  CHECK(message([&] { target.partial().dump("BTC", "who", backtest_mode); }) ==
        "strategy who not found source=partial.dump");
  CHECK(message([&] { target.risk().clear("BTC", "who", backtest_mode); }) ==
        "strategy who not found source=risk.clear");
  CHECK(message([&] { target.heat().get_data("who", backtest_mode); }) ==
        "strategy who not found source=heat.get_data");
  CHECK(message([&] { target.live().get_data("BTC", "who"); }) ==
        "strategy who not found source=live.get_data");
}

TEST_CASE("columns: groups are replaced as a whole, and wrong ones change nothing") {
  const watchdog guard{};
  runtime target{with_every_report()};
  run_everything(target);
  column_overrides narrow;
  narrow.heat = column_list<heat_row>{
      {"who", "Who", [](const heat_row& row, std::size_t) { return row.symbol; }}};
  target.set_columns(narrow);
  CHECK(target.get_columns().heat.size() == 1);
  CHECK(target.get_default_columns().heat.size() > 10);
  CHECK(target.get_columns().risk.size() == target.get_default_columns().risk.size());
  CHECK(target.heat().get_report("buyer", backtest_mode).find("| Who |") != std::string::npos);
  column_overrides wrong;
  wrong.heat = column_list<heat_row>{{"", "Who", nullptr}};
  wrong.risk = column_list<risk_event>{{"", "Who", nullptr}};
  const auto problem = failure_of([&] { target.set_columns(wrong); });
  CHECK(problem.code == error_code::invalid_configuration);
  CHECK(problem.message.find("risk_columns") != std::string::npos);
  CHECK(problem.message.find("heat_columns") != std::string::npos);
  CHECK(target.get_columns().heat.front().key == "who");
  // For one call.
  const column_list<heat_row> once{
      {"n", "Number", [](const heat_row&, std::size_t index) { return fmt::format("{}", index); }}};
  CHECK(target.heat().get_report("buyer", backtest_mode, once).find("| Number |") !=
        std::string::npos);
  CHECK(target.heat().get_report("buyer", backtest_mode).find("| Who |") != std::string::npos);
}
