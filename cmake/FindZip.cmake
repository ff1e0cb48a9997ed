# libzip through pkg-config: Debian's package file names tools that its -dev package does not need.
find_path(BACKTEST_ZIP_INCLUDE_DIR zip.h REQUIRED)
find_library(BACKTEST_ZIP_LIBRARY zip REQUIRED)
add_library(backtest_zip INTERFACE)
target_include_directories(backtest_zip SYSTEM INTERFACE
  $<BUILD_INTERFACE:${BACKTEST_ZIP_INCLUDE_DIR}>)
target_link_libraries(backtest_zip INTERFACE ${BACKTEST_ZIP_LIBRARY})
