#include "runtime/column.hpp"

#include "messages/error.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <map>

namespace backtest {

namespace {

bool is_blank(std::string_view text) noexcept {
  return text.find_first_not_of(" \t\r\n\f\v") == std::string_view::npos;
}

} // namespace

std::vector<std::string> violations_of(std::string_view group,
                                       const std::vector<column_facts>& columns) {
  std::vector<std::string> found;
  std::map<std::string_view, std::vector<std::size_t>> positions;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const auto text = [&](std::string_view field, std::string_view value) {
      if (value.empty())
        found.push_back(fmt::format(
            "{}[{}]: Missing required field \"{}\", must be a non-empty string", group, i, field));
      else if (is_blank(value))
        found.push_back(
            fmt::format("{}[{}].{} must be a non-empty string, got only blanks", group, i, field));
    };
    const auto function = [&](std::string_view field, bool is_set) {
      if (!is_set)
        found.push_back(fmt::format("{}[{}]: Missing required field \"{}\", must be a function",
                                    group, i, field));
    };
    text("key", columns[i].key);
    text("label", columns[i].label);
    function("format", columns[i].has_format);
    function("is_visible", columns[i].has_visibility);
    if (!is_blank(columns[i].key))
      positions[columns[i].key].push_back(i);
  }
  for (const auto& [key, indexes] : positions)
    if (indexes.size() > 1)
      found.push_back(fmt::format("{}: Duplicate key \"{}\" at indexes {}", group, key,
                                  fmt::join(indexes, ", ")));
  return found;
}

void require_no_column_violations(const std::vector<std::string>& violations) {
  if (violations.empty())
    return;
  std::string message = "Column configuration is not valid:";
  for (std::size_t i = 0; i < violations.size(); ++i)
    message += fmt::format("\n{}. {}", i + 1, violations[i]);
  throw failure(error_code::invalid_configuration, message);
}

std::string single_line(std::string_view text) {
  std::string line;
  line.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_pair = text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n';
    if (!is_pair)
      line += text[i] == '\n' || text[i] == '\r' ? ' ' : text[i];
  }
  return line;
}

std::string table_cell(std::string_view text) {
  std::string cell = single_line(text);
  for (std::size_t i = 0; (i = cell.find('|', i)) != std::string::npos; i += 2)
    cell.insert(i, 1, '\\');
  return cell;
}

std::string table_line(const std::vector<std::string>& cells) {
  std::string line = "|";
  for (const std::string& cell : cells)
    line += ' ' + table_cell(cell) + " |";
  return line + '\n';
}

} // namespace backtest
