# SPDX-License-Identifier: MIT
# Fails when a file of a layer includes what stadion_layer() does not allow it. Run by ctest:
#
#   cmake -DLAYER=pool -DUSES=core,net -DPUBLIC_HEADERS=a.hpp,b.hpp
#         -DSOURCE_DIR=… -DPUBLISHED_DIR=<build>/include/stadion -P CheckLayering.cmake
cmake_minimum_required(VERSION 3.22)

# Third-party libraries that belong to one layer, and how an include of theirs begins.
set(owned_libraries asio llhttp zlib brotli zstd boost_json)
set(asio_owner net)
set(asio_include "^asio(\\.hpp|/)")
set(llhttp_owner http)
set(llhttp_include "llhttp")
set(zlib_owner http)
set(zlib_include "^(zlib|zconf)\\.h$")
set(brotli_owner http)
set(brotli_include "^brotli/")
set(zstd_owner http)
set(zstd_include "^zstd")
set(boost_json_owner http)
set(boost_json_include "^boost/json")
set(boost_json_is_public TRUE)  # Who includes json.hpp wants its values.

string(REPLACE "," ";" USES "${USES}")
string(REPLACE "," ";" PUBLIC_HEADERS "${PUBLIC_HEADERS}")
set(allowed ${LAYER} ${USES})
list(JOIN allowed ", " allowed_text)

function(complain)
  string(CONCAT text ${ARGV})
  message("${where}: ${text}")  # To stderr, in the form that editors can jump to.
  set_property(GLOBAL APPEND PROPERTY complaints "${where}")
endfunction()

# Our own files: `name` is "core/arena.hpp", whichever way it was written.
function(check_own_include name is_public)
  string(REGEX MATCH "^[^/]*" folder "${name}")
  if(NOT folder IN_LIST allowed)
    complain("includes ${name}, but ${LAYER} may include only: ${allowed_text}")
  elseif(is_public AND NOT EXISTS "${PUBLISHED_DIR}/${name}")
    complain("a public header includes ${name}, which is not in PUBLIC_HEADERS of ${folder}")
  endif()
endfunction()

function(check_third_party_include name is_public)
  foreach(library IN LISTS owned_libraries)
    if(NOT name MATCHES "${${library}_include}")
      continue()
    elseif(NOT LAYER STREQUAL "${${library}_owner}")
      complain("includes ${name}, which belongs to ${${library}_owner}")
    elseif(is_public AND NOT ${library}_is_public)
      complain("a public header includes ${name}, which users of stadion need not have")
    endif()
  endforeach()
endfunction()

function(check_line line is_public)
  if(NOT line MATCHES "^[ \t]*#[ \t]*include[ \t]*([\"<])([^\">]+)")
    return()
  endif()
  set(quote "${CMAKE_MATCH_1}")
  set(name "${CMAKE_MATCH_2}")
  # <net/if.h> is the system's, <net/worker.hpp> is ours however it is spelt.
  if(quote STREQUAL "\"" OR name MATCHES "^stadion/|^(core|net|pool|http|apps|tests)/.*\\.hpp$")
    string(REGEX REPLACE "^stadion/" "" name "${name}")
    check_own_include("${name}" ${is_public})
  else()
    check_third_party_include("${name}" ${is_public})
  endif()
endfunction()

function(check_file file)
  file(RELATIVE_PATH in_layer "${SOURCE_DIR}/${LAYER}" "${file}")
  set(is_public FALSE)
  if(in_layer IN_LIST PUBLIC_HEADERS)
    set(is_public TRUE)
  endif()

  file(READ "${file}" text)
  string(REGEX REPLACE "[][;\\]" " " text "${text}")  # Each of them would upset the list of lines.
  string(REPLACE "\n" ";" lines "${text}")
  set(number 0)
  foreach(line IN LISTS lines)
    math(EXPR number "${number} + 1")
    set(where "${LAYER}/${in_layer}:${number}")
    check_line("${line}" ${is_public})
  endforeach()
endfunction()

file(GLOB_RECURSE files "${SOURCE_DIR}/${LAYER}/*.hpp" "${SOURCE_DIR}/${LAYER}/*.cpp")
foreach(file IN LISTS files)
  check_file("${file}")
endforeach()

list(LENGTH files checked)
get_property(complaints GLOBAL PROPERTY complaints)
list(LENGTH complaints count)
if(checked EQUAL 0 OR count GREATER 0)
  message(FATAL_ERROR "${LAYER}: ${checked} files checked, ${count} includes break the layering")
endif()
message(STATUS "${LAYER}: ${checked} files include only ${allowed_text}")
