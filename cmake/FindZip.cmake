# libzip by its files: Debian's package file names tools that its -dev package does not need.
find_path(BACKTEST_ZIP_INCLUDE_DIR zip.h REQUIRED)
find_library(BACKTEST_ZIP_LIBRARY zip REQUIRED)
if(NOT TARGET backtest_zip)
  add_library(backtest_zip UNKNOWN IMPORTED)
  set_target_properties(backtest_zip PROPERTIES
    IMPORTED_LOCATION ${BACKTEST_ZIP_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${BACKTEST_ZIP_INCLUDE_DIR})
endif()
