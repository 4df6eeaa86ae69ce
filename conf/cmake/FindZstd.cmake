# SPDX-License-Identifier: MIT
# Finds zstd. Gives Zstd::zstd, if it has the functions that take an allocator: a shared library may
# hide them.
find_path(Zstd_INCLUDE_DIR zstd.h)
find_library(Zstd_LIBRARY NAMES zstd zstd_static)
mark_as_advanced(Zstd_INCLUDE_DIR Zstd_LIBRARY)

if(Zstd_INCLUDE_DIR)
  file(STRINGS "${Zstd_INCLUDE_DIR}/zstd.h" version
    REGEX "define ZSTD_VERSION_(MAJOR|MINOR|RELEASE) ")
  string(REGEX REPLACE "[^0-9]+" "." version "${version}")
  string(REGEX MATCH "[0-9]+\\.[0-9]+\\.[0-9]+" Zstd_VERSION "${version}")
endif()

if(Zstd_INCLUDE_DIR AND Zstd_LIBRARY)
  include(CheckCXXSymbolExists)
  include(CMakePushCheckState)
  cmake_push_check_state(RESET)
  set(CMAKE_REQUIRED_DEFINITIONS -DZSTD_STATIC_LINKING_ONLY)
  set(CMAKE_REQUIRED_INCLUDES "${Zstd_INCLUDE_DIR}")
  set(CMAKE_REQUIRED_LIBRARIES "${Zstd_LIBRARY}")
  set(CMAKE_REQUIRED_QUIET TRUE)
  check_cxx_symbol_exists(ZSTD_createCCtx_advanced zstd.h Zstd_TAKES_ALLOCATOR)
  cmake_pop_check_state()
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Zstd
  REQUIRED_VARS Zstd_LIBRARY Zstd_INCLUDE_DIR Zstd_TAKES_ALLOCATOR
  VERSION_VAR Zstd_VERSION
  REASON_FAILURE_MESSAGE "On Debian and Ubuntu: apt-get install libzstd-dev")

if(Zstd_FOUND AND NOT TARGET Zstd::zstd)
  add_library(Zstd::zstd UNKNOWN IMPORTED)
  set_target_properties(Zstd::zstd PROPERTIES
    IMPORTED_LOCATION "${Zstd_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${Zstd_INCLUDE_DIR}")
endif()
