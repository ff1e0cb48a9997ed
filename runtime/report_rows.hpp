#pragma once

#include "runtime/column.hpp"
#include "runtime/report_text.hpp"
#include "runtime/trade_sample.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace backtest {

/// What the reports of one run have in common: its names, its newest rows, and the page they make.
/// A row carries the names of its run as `run`.
template <class Row>
class report_rows {
public:
  /// `run` must not be null; exchange and frame are taken from the rows as they come.
  report_rows(shared_identity run, std::int64_t capacity)
      : run_(std::move(run)), rows_(static_cast<std::size_t>(capacity)) {}

  void add(Row&& row) {
    take_names(row);
    rows_.add(std::move(row));
    ++total_;
  }
  /// Puts the row where an older one is, if there is one, else on top.
  void replace(Row* older, Row&& row) {
    if (older == nullptr)
      return add(std::move(row));
    take_names(row);
    *older = std::move(row);
  }
  void clear() noexcept {
    rows_.clear();
    total_ = 0;
  }

  const run_identity& run() const noexcept { return *run_; }
  newest_rows<Row>& rows() noexcept { return rows_; }
  /// Rows added since the last clear, those no longer held included.
  std::int64_t total() const noexcept { return total_; }
  std::vector<Row> list() const { return {rows_.begin(), rows_.end()}; }

  /// Title, table, and what `summary()` returns; without rows the sentence that says so.
  template <class Summary>
  std::string page(std::string_view report, std::string_view nothing_yet,
                   const column_list<Row>& columns, Summary&& summary) const {
    const std::string title = report_title(report, *run_);
    if (rows_.empty())
      return join_blocks({title, std::string(nothing_yet) + '\n'});
    const std::string table = markdown_table(columns, rows_);
    return join_blocks(
        {title, table,
         table.empty() ? "" : part_note(static_cast<std::int64_t>(rows_.size()), total_),
         summary()});
  }

private:
  void take_names(const Row& row) {
    if (row.run && row.run != run_)
      run_ = row.run;
  }

  shared_identity run_;
  newest_rows<Row> rows_;
  std::int64_t total_ = 0;
};

} // namespace backtest
