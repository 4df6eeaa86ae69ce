# SPDX-License-Identifier: MIT
include(StadionInTree)

# Declares a layer once:
#
#   stadion_layer(http
#     SOURCES        server.cpp …     its source files
#     PUBLIC_HEADERS server.hpp …     what users may include as <stadion/http/server.hpp>
#     USES           core net pool    the layers it may include, every one of them
#     LINKS          Llhttp::llhttp   third-party targets, which its users never see)
#
# From this follow the library stadion::http and its link line, the headers that users see, and the
# tests that keep the declaration true: `layering.http` and the target stadion_http_headers_alone.
# A layer can only use one that was declared before it, so the graph has no circle.
function(stadion_layer layer)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;PUBLIC_HEADERS;USES;LINKS")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "stadion_layer(${layer}): does not know ${arg_UNPARSED_ARGUMENTS}")
  endif()

  set(target stadion_${layer})
  add_library(${target} ${arg_SOURCES})
  add_library(stadion::${layer} ALIAS ${target})
  _stadion_describe_library(${target} ${layer})
  _stadion_use_layers(${layer} "${arg_USES}")
  _stadion_link_third_party(${target} "${arg_LINKS}")
  _stadion_publish_headers(${layer} "${arg_PUBLIC_HEADERS}" "${layer};${arg_USES}")

  if(STADION_BUILD_TESTS)
    _stadion_test_layering(${layer} "${arg_PUBLIC_HEADERS}" "${arg_USES}")
    _stadion_compile_headers_alone(${layer} "${arg_PUBLIC_HEADERS}")
  endif()
  if(STADION_INSTALL)
    install(TARGETS ${target} EXPORT stadion-targets
      INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
    install(DIRECTORY "${PROJECT_BINARY_DIR}/include/stadion/${layer}"
      DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/stadion)
  endif()
endfunction()

# An optional library beside a layer, in its folder: stadion_extension(json OF http SOURCES json.cpp
# LINKS Boost::json) makes stadion::json. Its header is one of the layer's PUBLIC_HEADERS, and needs
# what it LINKS.
function(stadion_extension name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "OF" "SOURCES;LINKS")
  set(target stadion_${name})
  add_library(${target} ${arg_SOURCES})
  add_library(stadion::${name} ALIAS ${target})
  _stadion_describe_library(${target} ${name})
  target_link_libraries(${target} PUBLIC stadion::${arg_OF} ${arg_LINKS})
  if(STADION_BUILD_TESTS)
    target_link_libraries(stadion_${arg_OF}_headers_alone PRIVATE ${arg_LINKS})
  endif()
  if(STADION_INSTALL)
    install(TARGETS ${target} EXPORT stadion-targets
      INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  endif()
endfunction()

# What all libraries of stadion have in common.
function(_stadion_describe_library target name)
  set_target_properties(${target} PROPERTIES
    EXPORT_NAME ${name}
    POSITION_INDEPENDENT_CODE ON
    INSTALL_RPATH "$ORIGIN"  # A shared layer finds those it uses beside itself.
    VERSION ${PROJECT_VERSION}
    SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_link_libraries(${target} PUBLIC Threads::Threads)
  stadion_in_tree(${target})
  # Position-independent code that may inline its own functions: nobody replaces them one by one.
  target_compile_options(${target} PRIVATE -fno-semantic-interposition)
endfunction()

function(_stadion_use_layers layer uses)
  foreach(used IN LISTS uses)
    if(NOT TARGET stadion::${used})
      message(FATAL_ERROR "stadion_layer(${layer}): USES ${used}, which is not declared before it")
    endif()
    target_link_libraries(stadion_${layer} PUBLIC stadion::${used})
  endforeach()
endfunction()

# A header-only library, or one that comes as sources, is compiled into the layer: it leaves nothing
# to link, so an installed stadion must not ask for it. Any other stays a dependency.
function(_stadion_link_third_party target libraries)
  foreach(library IN LISTS libraries)
    get_target_property(type ${library} TYPE)
    if(type STREQUAL INTERFACE_LIBRARY)
      target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:${library}>)
    else()
      target_link_libraries(${target} PRIVATE ${library})
    endif()
  endforeach()
endfunction()

# In the tree we write "core/arena.hpp", users write <stadion/core/arena.hpp>: "core/" alone would
# clash with a folder of their own. So users get copies in which our includes are written their way.
function(_stadion_publish_headers layer headers may_include)
  list(JOIN may_include "|" layers)
  set(ours "#([ \t]*)include([ \t]*)\"(${layers})/([^\"\n]+)\"")

  set(folder "${PROJECT_BINARY_DIR}/include/stadion/${layer}")
  file(GLOB_RECURSE stale RELATIVE "${folder}" "${folder}/*")
  foreach(header IN LISTS headers)
    list(REMOVE_ITEM stale "${header}")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${header}")
    file(READ "${CMAKE_CURRENT_SOURCE_DIR}/${header}" text)
    string(REGEX REPLACE "${ours}" "#\\1include\\2<stadion/\\3/\\4>" text "${text}")
    _stadion_write_if_different("${folder}/${header}" "${text}")
  endforeach()
  list(TRANSFORM stale PREPEND "${folder}/")
  if(stale)
    file(REMOVE ${stale})  # Else a header that is public no longer would still be installed.
  endif()

  target_include_directories(stadion_${layer} INTERFACE
    "$<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/include>")
endfunction()

function(_stadion_test_layering layer headers uses)
  list(JOIN headers "," headers)  # A ";" would end the argument.
  list(JOIN uses "," uses)
  add_test(NAME layering.${layer} COMMAND ${CMAKE_COMMAND}
    -DLAYER=${layer} -DUSES=${uses} -DPUBLIC_HEADERS=${headers}
    -DSOURCE_DIR=${PROJECT_SOURCE_DIR} -DPUBLISHED_DIR=${PROJECT_BINARY_DIR}/include/stadion
    -P "${PROJECT_SOURCE_DIR}/conf/cmake/CheckLayering.cmake")
endfunction()

# One translation unit for each public header, with nothing else in sight. It is included twice, for
# a header must stand that too.
function(_stadion_compile_headers_alone layer headers)
  set(folder "${PROJECT_BINARY_DIR}/headers_alone/${layer}")
  set(units "")
  foreach(header IN LISTS headers)
    set(line "#include <stadion/${layer}/${header}>\n")
    _stadion_write_if_different("${folder}/${header}.cpp" "${line}${line}")
    list(APPEND units "${folder}/${header}.cpp")
  endforeach()

  add_library(stadion_${layer}_headers_alone OBJECT ${units})
  target_link_libraries(stadion_${layer}_headers_alone PRIVATE stadion::${layer})
  target_compile_options(stadion_${layer}_headers_alone PRIVATE
    -Wall -Wextra -Wpedantic $<$<BOOL:${STADION_WERROR}>:-Werror>)
endfunction()

# Leaves an unchanged file alone, so that nothing which includes it is built again.
function(_stadion_write_if_different path text)
  set(before "")
  if(EXISTS "${path}")
    file(READ "${path}" before)
  endif()
  if(NOT before STREQUAL text)
    file(WRITE "${path}" "${text}")
  endif()
endfunction()
