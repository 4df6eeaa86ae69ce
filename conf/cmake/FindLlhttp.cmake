# SPDX-License-Identifier: MIT
# Finds llhttp, the HTTP/1.1 parser. Gives Llhttp::llhttp; include it as <llhttp.h>.
#
# Where there is a package with a CMake config (9.x: Debian 13, Fedora, vcpkg) that is used. Debian 12
# ships 8.1 as three C files instead, which are then compiled into whoever links Llhttp::llhttp.
include(FindPackageHandleStandardArgs)

find_package(llhttp CONFIG QUIET)
foreach(packaged llhttp::llhttp_static llhttp::llhttp_shared)
  if(TARGET ${packaged} AND NOT TARGET Llhttp::llhttp)
    add_library(Llhttp::llhttp ALIAS ${packaged})
  endif()
endforeach()

if(llhttp_FOUND)
  set(Llhttp_VERSION "${llhttp_VERSION}")
  find_package_handle_standard_args(Llhttp REQUIRED_VARS llhttp_DIR VERSION_VAR Llhttp_VERSION)
  return()
endif()

find_path(Llhttp_INCLUDE_DIR llhttp.h
  PATHS /usr/share/include /usr/local/share/include PATH_SUFFIXES llhttp)
find_path(Llhttp_SOURCE_DIR llhttp.c
  PATHS /usr/share /usr/local/share PATH_SUFFIXES llhttp)
mark_as_advanced(Llhttp_INCLUDE_DIR Llhttp_SOURCE_DIR)

if(Llhttp_INCLUDE_DIR)
  file(STRINGS "${Llhttp_INCLUDE_DIR}/llhttp.h" version REGEX "define LLHTTP_VERSION_")
  string(REGEX REPLACE "[^0-9]+" "." version "${version}")
  string(REGEX MATCH "[0-9]+\\.[0-9]+\\.[0-9]+" Llhttp_VERSION "${version}")
endif()

find_package_handle_standard_args(Llhttp
  REQUIRED_VARS Llhttp_SOURCE_DIR Llhttp_INCLUDE_DIR
  VERSION_VAR Llhttp_VERSION
  REASON_FAILURE_MESSAGE "On Debian 12: apt-get install node-llhttp")

if(Llhttp_FOUND AND NOT TARGET Llhttp::llhttp)
  add_library(Llhttp::llhttp INTERFACE IMPORTED)
  target_sources(Llhttp::llhttp INTERFACE
    "${Llhttp_SOURCE_DIR}/api.c" "${Llhttp_SOURCE_DIR}/http.c" "${Llhttp_SOURCE_DIR}/llhttp.c")
  target_include_directories(Llhttp::llhttp INTERFACE "${Llhttp_INCLUDE_DIR}")
  # Decides both the state machine and the layout of its types, so header and sources must agree.
  target_compile_definitions(Llhttp::llhttp INTERFACE LLHTTP_STRICT_MODE=1)
  # Generated code: its warnings are not ours to mend.
  target_compile_options(Llhttp::llhttp INTERFACE $<$<COMPILE_LANGUAGE:C>:-w>)
endif()
