# SPDX-License-Identifier: MIT
# The tests consumer.add_subdirectory and consumer.find_package, by `cmake -P`: configure, build and run tests/consumer/project.

cmake_minimum_required(VERSION 3.22)

function(run what)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${what} failed (${status}):\n${output}")
  endif()
  message(STATUS "${what}: ok")
endfunction()

set(work "${BINARY_DIR}/consumer/${WAY}")
file(REMOVE_RECURSE "${work}")

if(WAY STREQUAL "find_package")
  run("install" "${CMAKE_COMMAND}" --install "${BINARY_DIR}" --prefix "${work}/prefix")
  file(GLOB_RECURSE headers "${work}/prefix/include/*.hpp")
  foreach(header IN LISTS headers)
    file(STRINGS "${header}" leaks REGEX "#include \"(core|net|pool|http)/")
    if(leaks)
      message(FATAL_ERROR "${header} includes from the source tree: ${leaks}")
    endif()
  endforeach()
  set(where "-DCMAKE_PREFIX_PATH=${work}/prefix")
else()
  set(where "-DSTADION_SOURCE_DIR=${SOURCE_DIR}" "-DSTADION_SANITIZE=${SANITIZE}")
endif()

set(flags "")
if(SANITIZE)
  set(flags "-fsanitize=${SANITIZE}")
endif()
run("configure" "${CMAKE_COMMAND}" -S "${SOURCE_DIR}/tests/consumer/project" -B "${work}/build" -G "${GENERATOR}"
  "-DCMAKE_BUILD_TYPE=${BUILD_TYPE}" "-DCMAKE_C_COMPILER=${C_COMPILER}" "-DCMAKE_CXX_COMPILER=${CXX_COMPILER}"
  "-DCMAKE_CXX_FLAGS=${flags}" "-DCMAKE_C_FLAGS=${flags}" ${where})
run("build" "${CMAKE_COMMAND}" --build "${work}/build")
run("run" "${work}/build/consumer")
