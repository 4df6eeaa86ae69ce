# SPDX-License-Identifier: MIT
# Builds and runs tests/consumer as a user would, in both ways. It is compiled as the rest of this
# build is: a sanitized library in a program that is not would not link.
list(JOIN STADION_SANITIZE_FLAGS " " sanitize)

function(stadion_consumer_test way)
  add_test(NAME consumer.${way} COMMAND ${CMAKE_CTEST_COMMAND}
    --build-and-test "${CMAKE_CURRENT_SOURCE_DIR}/consumer" "${CMAKE_CURRENT_BINARY_DIR}/${way}"
    --build-generator "${CMAKE_GENERATOR}"
    --build-makeprogram "${CMAKE_MAKE_PROGRAM}"
    --build-noclean  # The first run builds all of stadion again; the next ones only what changed.
    --build-options
      -DCMAKE_BUILD_TYPE=${CMAKE_BUILD_TYPE}
      -DCMAKE_C_COMPILER=${CMAKE_C_COMPILER}
      -DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER}
      "-DCMAKE_C_FLAGS=${CMAKE_C_FLAGS} ${sanitize}"
      "-DCMAKE_CXX_FLAGS=${CMAKE_CXX_FLAGS} ${sanitize}"
      -DCONSUMER_USES_JSON=$<TARGET_EXISTS:stadion::json>
      ${ARGN}
    --test-command consumer)
  set_tests_properties(consumer.${way} PROPERTIES TIMEOUT 900 PROCESSORS 2)
endfunction()

stadion_consumer_test(add_subdirectory "-DCONSUMER_ADDS_STADION_FROM=${PROJECT_SOURCE_DIR}")

set(prefix "${CMAKE_CURRENT_BINARY_DIR}/installed")
stadion_consumer_test(find_package "-DCMAKE_PREFIX_PATH=${prefix}")
set_tests_properties(consumer.find_package PROPERTIES FIXTURES_REQUIRED installed)

# Removed afterwards, lest the next run pass thanks to a file that is installed no longer.
add_test(NAME consumer.install
  COMMAND ${CMAKE_COMMAND} --install "${PROJECT_BINARY_DIR}" --prefix "${prefix}")
add_test(NAME consumer.uninstall COMMAND ${CMAKE_COMMAND} -E rm -rf "${prefix}")
set_tests_properties(consumer.install PROPERTIES FIXTURES_SETUP installed)
set_tests_properties(consumer.uninstall PROPERTIES FIXTURES_CLEANUP installed)
