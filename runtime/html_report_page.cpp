#include "runtime/html_report.hpp"
#include "runtime/html_report_assets.hpp"
#include "runtime/html_report_charts.hpp"
#include "runtime/html_report_tables.hpp"
#include "runtime/html_report_text.hpp"
#include "runtime/html_report_walk.hpp"
#include "runtime/number_text.hpp"
#include "runtime/trade_sample.hpp"

#include <algorithm>
#include <iterator>
#include <set>

#include <fmt/format.h>

namespace backtest {

namespace {

using namespace html;

constexpr std::size_t most_lines = 8; // of symbols, beside the portfolio
constexpr std::size_t most_cards = 60;
constexpr std::size_t most_price_charts = 12;
constexpr std::size_t most_drawn_trades = 3'000; // in all price charts together
constexpr std::size_t longest_configuration = 300'000;

/// A symbol with the trades of all its strategies.
struct symbol_part {
  std::string symbol;
  std::vector<const html_run*> runs;
  std::vector<std::string> strategies; ///< of the runs
  trade_statistics statistics;
  curves lines;
};

/// What several parts of the page need.
struct digest {
  std::vector<trade_record> trades; ///< of all runs, in order of closing
  trade_statistics portfolio;
  std::vector<symbol_part> symbols;       ///< most trades first
  std::vector<statistics_row> statistics; ///< by symbol, then strategy
  std::int64_t earlier = 0;               ///< trades that count, but closed before the page heard
  time_span span;
};

std::vector<trade_record> records_of(const html_run& run) {
  std::vector<trade_record> records;
  records.reserve(run.trades.size());
  for (const auto& trade : run.trades)
    records.push_back(trade.record);
  return records;
}

/// Exposure of those runs, whose trades are given; absent when the bounds are not known.
statistics_inputs inputs_of(const html_report& report,
                            std::span<const std::span<const trade_record>> trades,
                            std::span<const html_run* const> runs) {
  statistics_inputs inputs;
  if (!report.bounds)
    return inputs;
  const auto [start, end] = *report.bounds;
  std::vector<trade_record> still_open;
  for (const html_run* run : runs)
    std::ranges::copy(open_position(run->open_since, end), std::back_inserter(still_open));
  std::vector<std::span<const trade_record>> held{trades.begin(), trades.end()};
  held.emplace_back(still_open);
  inputs.exposure = exposure_of(held, start, end);
  return inputs;
}

digest digest_of(const html_report& report) {
  digest all;
  std::vector<std::vector<trade_record>> records;
  std::vector<const html_run*> runs;
  records.reserve(report.runs.size());
  for (const auto& [key, run] : report.runs) {
    records.push_back(records_of(run));
    runs.push_back(&run);
  }
  const std::vector<std::span<const trade_record>> members{records.begin(), records.end()};
  all.trades = in_order(members);
  const auto inputs_from = [&](std::size_t first, std::size_t count) {
    return inputs_of(report, std::span{members}.subspan(first, count),
                     std::span{runs}.subspan(first, count));
  };
  all.portfolio = report.portfolio ? *report.portfolio
                                   : compute_portfolio_statistics(members, report.gates,
                                                                  inputs_from(0, members.size()));
  all.earlier = all.portfolio.total_signals;
  for (const auto& trades : records)
    all.earlier -= std::ssize(trades);
  std::size_t at = 0;
  for (auto run = report.runs.begin(); run != report.runs.end();) {
    symbol_part part;
    part.symbol = run->first.first;
    const std::size_t first = at;
    std::vector<statistics_row> rows;
    for (; run != report.runs.end() && run->first.first == part.symbol; ++run, ++at) {
      part.runs.push_back(&run->second);
      part.strategies.push_back(run->first.second);
      rows.push_back({part.symbol, run->first.second,
                      run->second.statistics ? *run->second.statistics
                                             : compute_trade_statistics(members[at], report.gates,
                                                                        inputs_from(at, 1))});
    }
    const auto own = std::span{members}.subspan(first, at - first);
    auto inputs = inputs_from(first, at - first);
    inputs.buy_and_hold_return = rows.front().statistics.buy_and_hold_return;
    part.statistics = rows.size() == 1 ? rows.front().statistics
                                       : compute_portfolio_statistics(own, report.gates, inputs);
    part.lines = curves_of(in_order(own));
    if (rows.size() > 1)
      all.statistics.push_back({part.symbol, "", part.statistics});
    std::move(rows.begin(), rows.end(), std::back_inserter(all.statistics));
    all.symbols.push_back(std::move(part));
  }
  std::stable_sort(all.symbols.begin(), all.symbols.end(), [](const auto& left, const auto& right) {
    return left.statistics.total_signals > right.statistics.total_signals;
  });
  all.span = {report.first_instant.value_or(0), report.last_instant.value_or(0)};
  for (const auto& trade : all.trades)
    all.span.from = std::min(all.span.from, trade.open_ts);
  all.span.until = std::max(all.span.until, all.span.from + minute_ms);
  return all;
}

std::string count_of(std::size_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", grouped(static_cast<std::int64_t>(count)), count == 1 ? one : many);
}

std::string title_of(const html_report& report) {
  std::set<std::string> strategies(report.facts.strategies.begin(), report.facts.strategies.end());
  std::set<std::string> symbols(report.facts.symbols.begin(), report.facts.symbols.end());
  for (const auto& [key, run] : report.runs) {
    symbols.insert(key.first);
    strategies.insert(key.second);
  }
  const auto part = [](const std::set<std::string>& names, std::string_view many) {
    return names.size() == 1 ? name(*names.begin())
                             : grouped(std::ssize(names)) + ' ' + std::string{many};
  };
  return part(strategies, "strategies") + " on " + part(symbols, "symbols");
}

std::string heading_of(const html_report& report) {
  if (report.walks.empty())
    return title_of(report);
  return fmt::format("{} on {}", name(report.walks.front().walker_name),
                     report.walks.size() == 1 ? name(report.walks.front().symbol)
                                              : grouped(std::ssize(report.walks)) + " symbols");
}

std::string kind_of(const html_report& report) {
  return !report.walks.empty() ? "Walker" : report.mode == run_mode::live ? "Live" : "Backtest";
}

std::string header_of(const html_report& report, const digest& all) {
  std::string facts;
  const auto fact = [&facts](std::string_view label, const std::string& value) {
    if (!value.empty())
      facts += fmt::format("<li><span>{}</span><b>{}</b></li>", label, value);
  };
  if (report.first_instant)
    fact("Events", moment(*report.first_instant) + " to " + moment(*report.last_instant) + " UTC");
  fact("Exchange", report.facts.exchange.empty() ? "" : name(report.facts.exchange));
  fact("Frame", report.facts.frame.empty() ? "" : name(report.facts.frame));
  fact("From", report.facts.from ? moment(*report.facts.from) : "");
  fact("To", report.facts.to ? moment(*report.facts.to) : "");
  if (!report.walks.empty())
    fact("Compared by", escaped(report.walks.front().metric));
  fact("Closed trades", grouped(all.portfolio.total_signals));
  fact("Refused by risk", grouped(std::ssize(report.rejections)));
  fact("Errors", grouped(std::count_if(report.problems.begin(), report.problems.end(),
                                       [](const auto& item) { return item.on == topic::error; })));
  std::string missing;
  for (const auto& text : report.missing)
    missing += (missing.empty() ? "" : "; ") + text;
  if (!missing.empty())
    missing = fmt::format("<p class=\"note\"><b>Not everything that happened is in these events:"
                          "</b> {}.</p>",
                          escaped(missing));
  std::string warnings;
  for (const auto& warning : report.warnings)
    warnings += "<p class=\"warning\" role=\"note\">" + escaped(warning) + "</p>";
  return fmt::format("<header><p class=\"eyebrow\">{} report</p><h1>{}</h1>{}<ul "
                     "class=\"facts\">{}</ul>{}</header>\n",
                     kind_of(report), heading_of(report), missing, facts, warnings);
}

/// Of a live run that was resumed: what its figures count and this part of the page does not show.
std::string earlier_note(const digest& all) {
  if (all.earlier <= 0)
    return {};
  return fmt::format(" {} that closed before this page began count in the figures, but are not "
                     "shown here{}.",
                     count_of(static_cast<std::size_t>(all.earlier), "trade", "trades"),
                     all.trades.empty() ? "" : ": what is shown starts anew behind them");
}

std::string no_trade(const digest& all) {
  return empty_state("No trade has closed." + earlier_note(all));
}

std::string equity_section(const digest& all) {
  if (all.trades.empty())
    return section("equity", "Equity and drawdown", "", no_trade(all));
  const auto total = curves_of(all.trades);
  std::vector<line> equity{{"Portfolio", total.equity}};
  std::vector<line> drawdown{{"Portfolio", total.drawdown}};
  if (all.symbols.size() > 1)
    for (std::size_t i = 0; i < std::min(all.symbols.size(), most_lines); ++i) {
      equity.push_back({all.symbols[i].symbol, all.symbols[i].lines.equity});
      drawdown.push_back({all.symbols[i].symbol, all.symbols[i].lines.drawdown});
    }
  std::string note = "Compounded: all capital goes into each trade, one after another, net of fees "
                     "and slippage." +
                     on_screen(" Drag over a chart to zoom, double-click to go back.") +
                     earlier_note(all);
  if (all.symbols.size() > most_lines)
    note += fmt::format(" Of {} symbols the {} with most trades are drawn.", all.symbols.size(),
                        most_lines);
  return section("equity", "Equity and drawdown", note,
                 "<h3>Equity, % gained since the start</h3>" + equity_figure(equity, all.span) +
                     "<h3>Drawdown, % below the highest equity before</h3><div "
                     "class=\"low\">" +
                     drawdown_figure(drawdown, all.span) + "</div>");
}

std::string symbol_cards(const digest& all) {
  if (all.symbols.size() < 2 || all.trades.empty())
    return {};
  std::string cards = "<div class=\"cards\">";
  const std::size_t shown = std::min(all.symbols.size(), most_cards);
  for (std::size_t i = 0; i < shown; ++i) {
    const auto& part = all.symbols[i];
    const auto& gained = part.statistics.compounded_return;
    cards += fmt::format(
        "<article class=\"card\"><header>{}<span class=\"{}\">{}</span></header>{}<p>{} · win rate "
        "{} · max drawdown {}</p></article>",
        name(part.symbol),
        !gained       ? "none"
        : *gained > 0 ? "up"
        : *gained < 0 ? "down"
                      : "none",
        signed_percent_text(gained, 2),
        part.lines.equity.empty() ? empty_state("No trade has closed.")
                                  : thumbnail(part.lines, all.span),
        count_of(static_cast<std::size_t>(part.statistics.total_signals), "trade", "trades"),
        percent_text(part.statistics.win_rate, 1),
        signed_percent_text(part.statistics.max_drawdown
                                ? std::optional{-*part.statistics.max_drawdown}
                                : std::nullopt,
                            1));
  }
  std::string note =
      "Equity above, drawdown below it; every symbol has its own scale." + earlier_note(all);
  if (shown < all.symbols.size())
    note += fmt::format(" The {} of {} symbols with most trades.", shown, all.symbols.size());
  return section("symbols", "Symbol by symbol", note, cards + "</div>");
}

/// The newest trades of a symbol, at most `most`.
std::vector<drawn_trade> drawn_of(const symbol_part& part, std::size_t most) {
  std::vector<drawn_trade> drawn;
  for (std::size_t i = 0; i < part.runs.size(); ++i)
    for (const auto& trade : part.runs[i]->trades)
      if (is_valid(trade.record))
        drawn.push_back({&trade, part.strategies[i]});
  std::stable_sort(drawn.begin(), drawn.end(), [](const auto& left, const auto& right) {
    return left.trade->record.close_ts < right.trade->record.close_ts;
  });
  if (drawn.size() > most)
    drawn.erase(drawn.begin(), drawn.end() - static_cast<std::ptrdiff_t>(most));
  return drawn;
}

std::string price_section(const html_report& report, const digest& all) {
  std::string options, panes;
  const std::size_t charts = std::min(all.symbols.size(), most_price_charts);
  for (std::size_t i = 0; i < charts; ++i) {
    const auto& part = all.symbols[i];
    const auto found = report.candles.find(part.symbol);
    const auto* candles =
        found != report.candles.end() && found->second ? found->second.get() : nullptr;
    const auto drawn = drawn_of(part, most_drawn_trades / charts);
    auto figure = price_figure(part.symbol, candles, drawn);
    std::string note = candles != nullptr ? "Closes of one-minute candles."
                                          : "Prices as far as entries and exits tell them.";
    if (std::ssize(drawn) < part.statistics.total_signals)
      note += fmt::format(" The newest {} of {} trades are drawn.", grouped(std::ssize(drawn)),
                          grouped(part.statistics.total_signals));
    if (figure.empty())
      figure = empty_state("No trade of this symbol has closed.");
    options += "<option>" + escaped(shortened(part.symbol, 80)) + "</option>";
    panes += fmt::format("<div class=\"prices\"><h3>{}</h3><p class=\"note\">{}</p>{}</div>",
                         name(part.symbol), note, figure);
  }
  if (panes.empty())
    return section("prices", "Prices and trades", "", empty_state("There are no runs."));
  const std::string picker =
      charts > 1 ? "<select class=\"pick\" hidden aria-label=\"Symbol\">" + options + "</select>"
                 : "";
  std::string note =
      "Hover over a trade for its result; zoom in to see take profits and stop losses "
      "where many trades are drawn.";
  if (charts < all.symbols.size())
    note += fmt::format(" The {} of {} symbols with most trades.", charts, all.symbols.size());
  return section("prices", "Prices and trades", note, picker + panes);
}

std::string result_sections(const digest& all) {
  if (all.trades.empty())
    return {};
  std::vector<double> results;
  for (const auto& trade : all.trades)
    results.push_back(trade.pnl);
  std::sort(results.begin(), results.end());
  return section("results", "Results of trades",
                 fmt::format("Trades (upwards) by net result in %. Median {}, mean {}; nine of ten "
                             "between {} and {}.",
                             signed_percent_text(percentile(results, 50), 2),
                             signed_percent_text(mean_of(results), 2),
                             signed_percent_text(percentile(results, 5), 2),
                             signed_percent_text(percentile(results, 95), 2)) +
                     earlier_note(all),
                 distribution_figure(all.trades)) +
         section("months", "Monthly returns",
                 "Trades by the month they closed in, compounded." + earlier_note(all),
                 month_table(monthly_returns(all.trades)));
}

std::string trade_section(const html_report& report, const digest& all) {
  if (all.trades.empty() && all.portfolio.total_signals == 0)
    return section("trades", "Trades", "", no_trade(all));
  const auto list = trades_as_data(report);
  const std::string note =
      (list.shown < list.total
           ? fmt::format("The newest {} of {} trades; all of them count in the figures above.",
                         grouped(list.shown), grouped(list.total))
           : on_screen("Click on a column to sort by it.")) +
      earlier_note(all);
  return section(
      "trades", "Trades", note,
      "<form class=\"filters\" hidden><input type=\"search\" placeholder=\"Filter: symbol, date, "
      "note\" aria-label=\"Filter\"><select aria-label=\"Symbol\"><option value=\"\">All "
      "symbols</option></select><select aria-label=\"Strategy\"><option value=\"\">All "
      "strategies</option></select><select aria-label=\"Side\"><option value=\"\">Long and "
      "short</option><option>long</option><option>short</option></select><select "
      "aria-label=\"Result\"><option value=\"\">Any result</option><option "
      "value=\"gain\">gains</option><option value=\"loss\">losses</option><option>take "
      "profit</option><option>stop loss</option><option>time expired</option><option>closed by "
      "user</option></select><output></output></form><noscript><p class=\"empty\">The list of "
      "trades needs JavaScript.</p></noscript><div class=\"wide\" tabindex=\"0\" role=\"region\" "
      "aria-label=\"Trades\"><table><thead></thead><tbody></tbody></table></div><button "
      "type=\"button\" class=\"more\" hidden></button><script type=\"application/json\" "
      "id=\"trade-data\">" +
          list.json + "</script>");
}

std::string configuration_section(const html_report& report) {
  const auto& text = report.facts.configuration;
  if (text.empty())
    return section("configuration", "Configuration", "",
                   empty_state("The events do not say how the run was configured."));
  return section("configuration", "Configuration", "As it was read when the run began.",
                 "<pre tabindex=\"0\">" + escaped(shortened(text, longest_configuration)) +
                     "</pre>");
}

constexpr std::string_view navigation_begin = "<nav aria-label=\"Sections\"><div>";
constexpr std::string_view navigation =
    "<a href=\"#equity\">Equity</a><a "
    "href=\"#statistics\">Statistics</a><a href=\"#prices\">Prices</a><a "
    "href=\"#trades\">Trades</a><a href=\"#signals\">Signals</a><a "
    "href=\"#rejections\">Rejections</a><a href=\"#errors\">Errors</a><a "
    "href=\"#configuration\">Configuration</a></div></nav>\n";

constexpr std::string_view security =
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; "
    "style-src "
    "'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">";

std::string title_text(const html_report& report) {
  std::string names;
  for (const auto& each : report.facts.strategies)
    names += (names.empty() ? "" : ", ") + each;
  if (!report.walks.empty())
    names = report.walks.front().walker_name;
  return escaped(shortened(names.empty() ? "report" : names, 60)) +
         (!report.walks.empty()           ? " · walker"
          : report.mode == run_mode::live ? " · live"
                                          : " · backtest");
}

/// All that is known of the runs themselves.
std::string run_sections(const html_report& report, const digest& all) {
  std::string page = key_figures(all.portfolio) + "\n";
  page += equity_section(all);
  page += result_sections(all);
  page += section("statistics", "Statistics by symbol and strategy",
                  "Shades run from worst to best in a column; a dash is a figure that is not "
                  "available" +
                      on_screen(", its tooltip says why") + ".",
                  all.statistics.empty() ? empty_state("There are no runs.")
                                         : heat_table(all.statistics, all.portfolio));
  page += symbol_cards(all);
  page += price_section(report, all);
  page += trade_section(report, all);
  page += section("signals", "What became of the signals", "",
                  report.runs.empty() ? empty_state("There are no runs.") : signal_table(report));
  page += section("rejections", "Refused by risk", "",
                  report.rejections.empty() ? empty_state("No signal was refused.")
                                            : rejection_tables(report));
  page +=
      section("errors", "Errors", "",
              report.problems.empty() ? empty_state("Nothing went wrong.") : problem_table(report));
  return page;
}

/// Rankings, then the winners as a report of their own.
std::string walk_parts(const html_report& report) {
  const auto winners = winners_of(report);
  std::string page = walk_sections(report);
  page += section("winners", report.walks.size() == 1 ? "The winner" : "The winners", "",
                  winners.runs.empty() ? empty_state("Nobody won.")
                                       : "<p>" + title_of(winners) + "</p>");
  return page + run_sections(winners, digest_of(winners));
}

} // namespace

std::string html_page(const html_report& report) {
  const bool is_walk = !report.walks.empty();
  const auto all = digest_of(report);
  std::string page =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width, initial-scale=1\"><link rel=\"icon\" href=\"data:,\">";
  page += security;
  page += "<title>" + title_text(report) + "</title>\n<style>";
  page += style_sheet;
  page += "</style></head>\n<body>\n";
  page += header_of(report, all);
  page += navigation_begin;
  if (is_walk)
    page += "<a href=\"#ranking\">Ranking</a>";
  page += navigation;
  page += "<main>\n";
  page += is_walk ? walk_parts(report) : run_sections(report, all);
  page += configuration_section(report);
  page += "</main>\n<footer>";
  page += fmt::format("backtest {}{}. Times are UTC. Results are net of fees and slippage.",
                      escaped(report.facts.version),
                      report.facts.command.empty() ? "" : " " + escaped(report.facts.command));
  page += "</footer>\n<script>";
  page += script;
  page += "</script>\n</body>\n</html>\n";
  return page;
}

} // namespace backtest
