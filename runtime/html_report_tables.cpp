#include "runtime/html_report_tables.hpp"

#include "messages/json.hpp"
#include "runtime/figure_text.hpp"
#include "runtime/gap_ranges.hpp"
#include "runtime/html_report_text.hpp"
#include "runtime/number_text.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>
#include <vector>

#include <fmt/format.h>

namespace backtest::html {

namespace {

using stats = trade_statistics;

constexpr std::size_t most_heat_rows = 400;
constexpr std::size_t most_reasons = 100;
constexpr std::size_t most_rejections = 200;
constexpr std::size_t most_problems = 200;
constexpr std::size_t longest_comment = 300;

/// Which way is good, and whether zero is the middle of the shades.
enum class shading : std::uint8_t { none, around_zero, higher, lower };

struct heat_column {
  std::string_view label;
  statistic_member member;
  figure_format format = nullptr;
  shading shade = shading::none;
};

const std::vector<heat_column>& heat_columns() {
  static const std::vector<heat_column> columns{
      {"Trades", &stats::total_signals},
      {"Win rate", &stats::win_rate, figure_text::percent2, shading::higher},
      {"Total PnL", &stats::total_pnl, figure_text::signed_percent2, shading::around_zero},
      {"Compounded", &stats::compounded_return, figure_text::signed_percent2, shading::around_zero},
      {"Avg PnL", &stats::avg_pnl, figure_text::signed_percent3, shading::around_zero},
      {"Profit factor", &stats::profit_factor, figure_text::ratio3, shading::higher},
      {"Sharpe", &stats::sharpe_ratio, figure_text::ratio3, shading::around_zero},
      {"Sortino", &stats::sortino_ratio, figure_text::ratio3, shading::around_zero},
      {"Max drawdown", &stats::max_drawdown, figure_text::negative_percent2, shading::lower},
      {"Avg win", &stats::avg_win, figure_text::signed_percent2},
      {"Avg loss", &stats::avg_loss, figure_text::signed_percent2},
      {"Avg duration", &stats::avg_duration, duration},
      {"Exposure", &stats::exposure, figure_text::percent2},
      {"Buy and hold", &stats::buy_and_hold_return, figure_text::signed_percent2},
  };
  return columns;
}

std::optional<double> number_of(const stats& statistics, const statistic_member& member) {
  const auto value = value_of(statistics, member);
  if (const auto* count = std::get_if<std::int64_t>(&value))
    return static_cast<double>(*count);
  return std::get<std::optional<double>>(value);
}

/// An absent figure is a dash whose tooltip says why.
std::string figure_cell(const stats& statistics, const heat_column& column) {
  const auto number = number_of(statistics, column.member);
  if (!number)
    return fmt::format("<span class=\"none\" title=\"not available: {}\">–</span>",
                       escaped(reason_unavailable(statistics, key_of(column.member))));
  if (column.format == nullptr)
    return grouped(static_cast<std::int64_t>(*number));
  return column.format(*number);
}

struct bounds {
  double low = 0;
  double high = 0;
};

bounds bounds_of(const std::vector<statistics_row>& rows, const heat_column& column) {
  bounds found;
  bool is_first = true;
  for (const auto& row : rows)
    if (const auto number = number_of(row.statistics, column.member)) {
      found.low = is_first ? *number : std::min(found.low, *number);
      found.high = is_first ? *number : std::max(found.high, *number);
      is_first = false;
    }
  return found;
}

/// -1 worst to 1 best.
double goodness(double value, const bounds& range, shading shade) {
  if (shade == shading::around_zero) {
    const double largest = std::max(std::abs(range.low), std::abs(range.high));
    return largest > 0 ? value / largest : 0;
  }
  if (!(range.high > range.low))
    return 0;
  const double place = 2 * (value - range.low) / (range.high - range.low) - 1;
  return shade == shading::lower ? -place : place;
}

/// The background of a shaded cell: which colour, and how much of it in percent.
std::string shade_of(double good) {
  const auto strength = std::lround(std::min(1.0, std::abs(good)) * 50);
  if (strength == 0)
    return {};
  return fmt::format(" class=\"{}\" style=\"--h:{}%\"", good > 0 ? "good" : "bad", strength);
}

std::string table_head(std::initializer_list<std::string_view> texts,
                       std::initializer_list<std::string_view> numbers) {
  std::string out = "<thead><tr>";
  for (const auto label : texts)
    out += fmt::format("<th scope=\"col\" class=\"text\">{}</th>", label);
  for (const auto label : numbers)
    out += fmt::format("<th scope=\"col\">{}</th>", label);
  return out + "</tr></thead>";
}

std::string wrapped(std::string_view css, const std::string& content) {
  return fmt::format("<div class=\"wide\" tabindex=\"0\" role=\"region\" "
                     "aria-label=\"Table\"><table class=\"{}\">{}</table></div>",
                     css, content);
}

std::string shown_of(std::size_t shown, std::size_t total, std::string_view what) {
  if (shown >= total)
    return {};
  return fmt::format("<p class=\"note\">{} of {} {} are shown.</p>",
                     grouped(static_cast<std::int64_t>(shown)),
                     grouped(static_cast<std::int64_t>(total)), what);
}

std::string cell(std::string_view content) { return fmt::format("<td>{}</td>", content); }
std::string text_cell(std::string_view content) {
  return fmt::format("<td class=\"text\">{}</td>", content);
}

/// The columns of statistics over some rows, shaded from worst to best of them.
class shaded_columns {
public:
  explicit shaded_columns(const std::vector<statistics_row>& rows) {
    for (const auto& column : heat_columns())
      ranges_.push_back(bounds_of(rows, column));
  }

  static std::string labels() {
    std::string out;
    for (const auto& column : heat_columns())
      out += fmt::format("<th scope=\"col\">{}</th>", column.label);
    return out;
  }

  std::string cells(const trade_statistics& statistics) const {
    std::string out;
    for (std::size_t at = 0; at < ranges_.size(); ++at) {
      const auto& column = heat_columns()[at];
      const auto number = number_of(statistics, column.member);
      const bool is_shaded = number && column.shade != shading::none;
      out += fmt::format("<td{}>{}</td>",
                         is_shaded ? shade_of(goodness(*number, ranges_[at], column.shade)) : "",
                         figure_cell(statistics, column));
    }
    return out;
  }

private:
  std::vector<bounds> ranges_;
};

} // namespace

std::string key_figures(const trade_statistics& portfolio) {
  struct tile {
    heat_column figure;
    std::string hint;
    bool is_coloured = false;
  };
  const std::vector<tile> tiles{
      {{"Compounded return", &stats::compounded_return, figure_text::signed_percent2},
       "all capital in each trade, one after another",
       true},
      {{"Total PnL", &stats::total_pnl, figure_text::signed_percent2},
       "sum of the results of all trades",
       true},
      {{"Closed trades", &stats::total_signals},
       fmt::format("{} won · {} lost · {} even{}", grouped(portfolio.win_count),
                   grouped(portfolio.loss_count), grouped(portfolio.break_even_count),
                   portfolio.excluded_count > 0
                       ? fmt::format(" · {} invalid", grouped(portfolio.excluded_count))
                       : "")},
      {{"Win rate", &stats::win_rate, figure_text::percent2}, "of the trades that won or lost"},
      {{"Max drawdown", &stats::max_drawdown, figure_text::negative_percent2},
       "deepest fall below the highest equity"},
      {{"Profit factor", &stats::profit_factor, figure_text::ratio3}, "gains for each unit lost"},
      {{"Sharpe ratio", &stats::sharpe_ratio, figure_text::ratio3}, "per trade"},
      {{"Expectancy", &stats::expectancy, figure_text::signed_percent3}, "of a trade"},
  };
  std::string out = "<dl class=\"tiles\">";
  for (const auto& [figure, hint, is_coloured] : tiles) {
    const auto number = number_of(portfolio, figure.member);
    const auto colour = !is_coloured || !number ? ""
                        : *number > 0           ? "up"
                        : *number < 0           ? "down"
                                                : "";
    const auto reason = reason_unavailable(portfolio, key_of(figure.member));
    out += fmt::format("<div><dt>{}</dt><dd class=\"{}\" data-key=\"{}\">{}</dd><dd "
                       "class=\"hint\">{}</dd></div>",
                       figure.label, colour, key_of(figure.member), figure_cell(portfolio, figure),
                       reason.empty() ? hint : fmt::format("not available: {}", escaped(reason)));
  }
  return out + "</dl>";
}

std::string heat_table(const std::vector<statistics_row>& rows, const trade_statistics& portfolio) {
  const shaded_columns shaded{rows};
  std::string out = "<thead><tr><th scope=\"col\" class=\"text\">Symbol</th><th scope=\"col\" "
                    "class=\"text\">Strategy</th>" +
                    shaded.labels() + "</tr></thead><tbody>";
  const std::size_t shown = std::min(rows.size(), most_heat_rows);
  for (std::size_t i = 0; i < shown; ++i) {
    const auto& row = rows[i];
    out += fmt::format("<tr{}><th scope=\"row\" class=\"text\">{}</th><td class=\"text\">{}</td>",
                       row.strategy.empty() ? " class=\"all\"" : "", name(row.symbol),
                       row.strategy.empty() ? "all" : name(row.strategy));
    out += shaded.cells(row.statistics) + "</tr>";
  }
  out += "</tbody><tfoot><tr><th scope=\"row\" class=\"text\">Portfolio</th><td "
         "class=\"text\">all</td>";
  for (const auto& column : heat_columns())
    out += cell(figure_cell(portfolio, column));
  return wrapped("heat", out + "</tr></tfoot>") + shown_of(shown, rows.size(), "rows");
}

std::string ranking_table(const walker_report_data& walk) {
  std::vector<statistics_row> rows;
  for (const auto& result : walk.strategy_results)
    rows.push_back({walk.symbol, result.strategy_name, result.statistics});
  const shaded_columns shaded{rows};
  std::string out =
      fmt::format("<thead><tr><th scope=\"col\">Rank</th><th scope=\"col\" "
                  "class=\"text\">Strategy</th><th scope=\"col\">{}</th>{}</tr></thead>"
                  "<tbody>",
                  escaped(walk.metric), shaded.labels());
  const std::size_t shown = std::min(rows.size(), most_heat_rows);
  for (std::size_t i = 0; i < shown; ++i) {
    const auto& result = walk.strategy_results[i];
    const bool is_best = walk.best_strategy == result.strategy_name;
    out += fmt::format(
        "<tr{}><td>{}</td><th scope=\"row\" class=\"text\">{}{}</th>{}{}</tr>",
        is_best ? " class=\"all\"" : "", result.partial ? "–" : fmt::format("{}", i + 1),
        name(result.strategy_name), result.partial ? " (partial)" : "",
        cell(result.metric_value
                 ? fixed_text(result.metric_value, 3)
                 : fmt::format("<span class=\"none\" title=\"not available: {}\">–</span>",
                               escaped(reason_unavailable(result.statistics, walk.metric)))),
        shaded.cells(result.statistics));
  }
  return wrapped("heat", out + "</tbody>") + shown_of(shown, rows.size(), "strategies");
}

std::string month_table(const std::vector<month_return>& months) {
  if (months.empty())
    return {};
  double largest = 0;
  for (const auto& month : months)
    largest = std::max(largest, std::abs(month.percent));
  std::string out = table_head({"Year"}, {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug",
                                          "Sep", "Oct", "Nov", "Dec", "Year"}) +
                    "<tbody>";
  for (auto at = months.begin(); at != months.end();) {
    const int year = at->year;
    out += fmt::format("<tr><th scope=\"row\" class=\"text\">{}</th>", year);
    double growth = 1;
    for (int month = 1; month <= 12; ++month) {
      if (at == months.end() || at->year != year || at->month != month) {
        out += "<td><span class=\"none\">–</span></td>";
        continue;
      }
      growth *= 1 + at->percent / 100;
      out += fmt::format("<td{} title=\"{} trades\">{}</td>",
                         shade_of(largest > 0 ? at->percent / largest : 0), grouped(at->trades),
                         signed_percent_text(at->percent, 2));
      ++at;
    }
    out +=
        fmt::format("<td class=\"sum\">{}</td></tr>", signed_percent_text(100 * (growth - 1), 2));
  }
  return wrapped("heat months", out + "</tbody>");
}

std::string signal_table(const html_report& report) {
  std::string out =
      table_head({"Symbol", "Strategy", "Outcome"},
                 {"Scheduled", "Opened", "Closed", "Cancelled", "Refused by risk", "Errors"}) +
      "<tbody>";
  std::size_t shown = 0;
  for (const auto& [key, run] : report.runs) {
    if (++shown > most_heat_rows)
      break;
    out += "<tr>" + text_cell(name(key.first)) + text_cell(name(key.second)) +
           text_cell(run.outcome ? to_string(*run.outcome) : "–");
    for (const auto count :
         {run.scheduled, run.opened, static_cast<std::int64_t>(run.trades.size()), run.cancelled,
          run.rejected, run.errors})
      out += cell(grouped(count));
    out += "</tr>";
  }
  return wrapped("", out + "</tbody>") +
         shown_of(std::min(shown, most_heat_rows), report.runs.size(), "runs");
}

std::string rejection_tables(const html_report& report) {
  std::map<std::pair<std::string, std::string>, std::int64_t> reasons;
  for (const auto& refused : report.rejections)
    ++reasons[{refused.risk_name, refused.comment}];
  std::vector<std::tuple<std::int64_t, std::string, std::string>> ranked;
  for (const auto& [reason, count] : reasons)
    ranked.emplace_back(-count, reason.first, reason.second);
  std::sort(ranked.begin(), ranked.end());
  std::string out = table_head({"Risk profile", "Reason"}, {"Signals refused"}) + "<tbody>";
  for (std::size_t i = 0; i < std::min(ranked.size(), most_reasons); ++i) {
    const auto& [count, risk, comment] = ranked[i];
    out += "<tr>" + text_cell(name(risk)) +
           text_cell("<bdi>" + escaped(shortened(comment, longest_comment)) + "</bdi>") +
           cell(grouped(-count)) + "</tr>";
  }
  out = wrapped("", out + "</tbody>") +
        shown_of(std::min(ranked.size(), most_reasons), ranked.size(), "reasons");
  std::string newest = table_head({"Time (UTC)", "Symbol", "Strategy", "Side", "Reason"},
                                  {"Price", "Open positions"}) +
                       "<tbody>";
  const std::size_t shown = std::min(report.rejections.size(), most_rejections);
  for (std::size_t i = 0; i < shown; ++i) {
    const auto& refused = report.rejections[report.rejections.size() - 1 - i];
    newest += "<tr>" + text_cell(moment(refused.timestamp)) + text_cell(name(refused.run.first)) +
              text_cell(name(refused.run.second)) + text_cell(to_string(refused.position)) +
              text_cell("<bdi>" + escaped(shortened(refused.comment, longest_comment)) + "</bdi>") +
              cell(price(refused.current_price)) + cell(grouped(refused.active_position_count)) +
              "</tr>";
  }
  return out + "<details><summary>The newest, one by one</summary>" +
         wrapped("", newest + "</tbody>") +
         shown_of(shown, report.rejections.size(), "refused signals") + "</details>";
}

namespace {

/// An error, or the first one of a gap.
struct problem_row {
  const html_problem* first = nullptr;
  gap_range gap; ///< without a count: none
};

/// Gaps are ranges, each in the place of its first instant.
std::vector<problem_row> rows_of_problems(const html_report& report) {
  struct open_gap {
    gap_ranges ranges;
    std::size_t row = 0;
  };
  std::map<html_run_key, open_gap> gaps;
  std::vector<problem_row> rows;
  for (const auto& problem : report.problems) {
    if (problem.code != error_code::data_gap || !problem.timestamp) {
      rows.push_back({&problem, {}});
      continue;
    }
    auto& gap = gaps.try_emplace(problem.run, open_gap{gap_ranges{report.step}, 0}).first->second;
    if (!gap.ranges.add(*problem.timestamp)) {
      gap.row = rows.size();
      rows.push_back({&problem, {}});
    }
    rows[gap.row].gap = gap.ranges.ranges().back();
  }
  return rows;
}

} // namespace

std::string problem_table(const html_report& report) {
  std::string out =
      table_head({"Time (UTC)", "Topic", "Symbol", "Strategy", "Code", "Message"}, {}) + "<tbody>";
  const auto rows = rows_of_problems(report);
  const std::size_t shown = std::min(rows.size(), most_problems);
  for (std::size_t i = 0; i < shown; ++i) {
    const auto& [first, gap] = rows[i];
    const auto& problem = *first;
    auto message = escaped(shortened(problem.message, longest_comment));
    if (gap.count > 1)
      message = fmt::format("{}: {}", to_text(gap), message);
    out += "<tr>" + text_cell(problem.timestamp ? moment(*problem.timestamp) : "–") +
           text_cell(to_string(problem.on)) + text_cell(name(problem.run.first)) +
           text_cell(name(problem.run.second)) + text_cell(to_string(problem.code)) +
           text_cell("<bdi>" + message + "</bdi>") + "</tr>";
  }
  return wrapped("", out + "</tbody>") +
         shown_of(shown, rows.size(), "errors and gaps, the first ones,");
}

trade_list trades_as_data(const html_report& report) {
  constexpr std::size_t most_bytes = 2'400'000;
  constexpr std::size_t longest_note = 160;
  struct placed {
    const html_trade* trade;
    std::size_t run;
  };
  trade_list list;
  std::vector<placed> newest;
  std::size_t run = 0;
  json_writer out{list.json};
  out.begin_object().key("runs").begin_array();
  for (const auto& [key, value] : report.runs) {
    out.begin_array()
        .string(shortened(key.first, 80))
        .string(shortened(key.second, 80))
        .end_array();
    for (const auto& trade : value.trades)
      newest.push_back({&trade, run});
    ++run;
  }
  out.end_array().key("trades").begin_array();
  std::sort(newest.begin(), newest.end(), [](const placed& left, const placed& right) {
    return std::tuple{left.trade->record.close_ts, left.trade->record.seq} >
           std::tuple{right.trade->record.close_ts, right.trade->record.seq};
  });
  list.total = std::ssize(newest);
  const auto figure = [&out](double value, std::string_view format) {
    if (std::isfinite(value))
      out.raw(fmt::format(fmt::runtime(format), value));
    else
      out.null();
  };
  for (const auto& [trade, of_run] : newest) {
    if (list.json.size() > most_bytes)
      break;
    out.begin_array().integer(static_cast<std::int64_t>(of_run));
    out.integer(trade->position == position_side::long_side ? 1 : -1);
    out.integer(trade->record.open_ts).integer(trade->record.close_ts);
    for (const double value :
         {trade->price_open, trade->price_close, trade->price_take_profit, trade->price_stop_loss})
      figure(value, "{:.9g}");
    figure(trade->record.pnl, "{:.4f}");
    out.integer(static_cast<std::int64_t>(trade->reason));
    if (!trade->note.empty())
      out.string(shortened(trade->note, longest_note));
    out.end_array();
    ++list.shown;
  }
  out.end_array().end_object();
  list.json = script_data(std::move(list.json));
  return list;
}

} // namespace backtest::html
