# Finds the C++ Actor Framework where it ships no package file of its own (Debian's 0.17.6), and
# takes CAF 1.x's own package where there is one.
#   CAF::core, and CAF::io when the component io is asked for.
find_package(CAF CONFIG QUIET COMPONENTS ${CAF_FIND_COMPONENTS})
if(TARGET CAF::core)
  set(CAF_FOUND TRUE)
  return()
endif()

find_path(CAF_INCLUDE_DIR caf/all.hpp)
find_library(CAF_CORE_LIBRARY caf_core)
include(FindPackageHandleStandardArgs)
set(CAF_required CAF_CORE_LIBRARY CAF_INCLUDE_DIR)
if("io" IN_LIST CAF_FIND_COMPONENTS)
  find_library(CAF_IO_LIBRARY caf_io)
  list(APPEND CAF_required CAF_IO_LIBRARY)
endif()
find_package_handle_standard_args(CAF REQUIRED_VARS ${CAF_required})
if(CAF_FOUND AND NOT TARGET CAF::core)
  find_package(Threads REQUIRED)
  add_library(CAF::core UNKNOWN IMPORTED)
  set_target_properties(CAF::core PROPERTIES
    IMPORTED_LOCATION ${CAF_CORE_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${CAF_INCLUDE_DIR}
    INTERFACE_LINK_LIBRARIES Threads::Threads)
  if(CAF_IO_LIBRARY)
    add_library(CAF::io UNKNOWN IMPORTED)
    set_target_properties(CAF::io PROPERTIES
      IMPORTED_LOCATION ${CAF_IO_LIBRARY}
      INTERFACE_LINK_LIBRARIES CAF::core)
  endif()
endif()
