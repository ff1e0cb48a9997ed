#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace backtest {

inline bool always_visible() noexcept { return true; }

/// One column of a report table. Visibility is asked once per report, `format` once per row with
/// the row's position in the table (newest first).
template <class Row>
struct column {
  using formatter = std::function<std::string(const Row&, std::size_t)>;

  // A default member initialiser instead of these crashes GCC 12 where columns are listed in braces.
  column() = default;
  column(std::string key_, std::string label_, formatter format_,
         std::function<bool()> is_visible_ = always_visible)
      : key(std::move(key_)), label(std::move(label_)), format(std::move(format_)),
        is_visible(std::move(is_visible_)) {}

  std::string key;
  std::string label;
  formatter format;
  std::function<bool()> is_visible;
};

template <class Row>
using column_list = std::vector<column<Row>>;

/// What the rules for columns look at.
struct column_facts {
  std::string_view key;
  std::string_view label;
  bool has_format = false;
  bool has_visibility = false;
};

/// Every rule the columns of a group (`backtest_columns`, ...) break, one sentence each: key and
/// label are not blank, keys are unique within the group, both functions are set.
std::vector<std::string> violations_of(std::string_view group,
                                       const std::vector<column_facts>& columns);

/// Throws `failure{invalid_configuration}` with a numbered list; returns when there is nothing to
/// list.
void require_no_column_violations(const std::vector<std::string>& violations);

template <class Row>
std::vector<std::string> violations_of(std::string_view group, const column_list<Row>& columns) {
  std::vector<column_facts> facts;
  for (const auto& c : columns)
    facts.push_back({c.key, c.label, static_cast<bool>(c.format), static_cast<bool>(c.is_visible)});
  return violations_of(group, facts);
}

template <class Row>
void require_valid(std::string_view group, const column_list<Row>& columns) {
  require_no_column_violations(violations_of(group, columns));
}

/// Text on one line: line breaks become one space each.
std::string single_line(std::string_view text);

/// Text as it may stand in a pipe table.
std::string table_cell(std::string_view text);

/// "| a | b |\n", cells escaped.
std::string table_line(const std::vector<std::string>& cells);

/// A pipe table with one line per row, in the order given; "" when no column is visible.
template <class Row, class Rows>
std::string markdown_table(const column_list<Row>& columns, const Rows& rows) {
  std::vector<const column<Row>*> visible;
  for (const auto& c : columns)
    if (c.is_visible())
      visible.push_back(&c);
  if (visible.empty())
    return {};

  std::vector<std::string> cells;
  const auto line_of = [&](auto&& text_of) {
    cells.clear();
    for (const auto* c : visible)
      cells.push_back(text_of(*c));
    return table_line(cells);
  };
  std::string table = line_of([](const auto& c) { return c.label; });
  table += line_of([](const auto&) { return std::string("---"); });
  std::size_t index = 0;
  for (const Row& row : rows) {
    table += line_of([&](const auto& c) { return c.format(row, index); });
    ++index;
  }
  return table;
}

} // namespace backtest
