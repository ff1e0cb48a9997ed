#pragma once

namespace backtest {

/// Where `dump` writes unless told otherwise, relative to the working directory.
inline constexpr const char* default_report_directory = "./dump";

/// Every kind of report has a folder of its own below the directory it is dumped to, so that
/// reports of several kinds about the same run never share a file.
namespace report_folder {

inline constexpr const char* backtest = "backtest";
inline constexpr const char* live = "live";
inline constexpr const char* schedule = "schedule";
inline constexpr const char* performance = "performance";
inline constexpr const char* partial = "partial";
inline constexpr const char* risk = "risk";
inline constexpr const char* heat = "heatmap";
inline constexpr const char* walker = "walker";

} // namespace report_folder

} // namespace backtest
