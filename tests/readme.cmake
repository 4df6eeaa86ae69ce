# SPDX-License-Identifier: MIT
# The first C++ program of the README, built exactly as it is printed.
set(readme "${PROJECT_SOURCE_DIR}/README.md")
if(NOT EXISTS "${readme}")
  message(STATUS "No README.md: the test readme.program is left out")
  return()
endif()
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${readme}")

file(READ "${readme}" text)
string(FIND "${text}" "\n```cpp\n" begin)
if(begin EQUAL -1)
  message(FATAL_ERROR "README.md has no ```cpp block: it should begin with a program")
endif()
math(EXPR begin "${begin} + 8")
string(SUBSTRING "${text}" ${begin} -1 text)
string(FIND "${text}" "\n```" end)
math(EXPR end "${end} + 1")
string(SUBSTRING "${text}" 0 ${end} program)

string(REGEX MATCHALL "\n" lines "${program}")
list(LENGTH lines line_count)
if(line_count GREATER 20)
  message(FATAL_ERROR "README.md: its first program has ${line_count} lines, 20 at most")
endif()

_stadion_write_if_different("${CMAKE_CURRENT_BINARY_DIR}/readme_program.cpp" "${program}")
# Not part of `all`: a program that does not compile should be a failed test, not a broken build.
add_executable(stadion-readme-program EXCLUDE_FROM_ALL
  "${CMAKE_CURRENT_BINARY_DIR}/readme_program.cpp")
target_link_libraries(stadion-readme-program PRIVATE stadion::http)
add_test(NAME readme.program
  COMMAND ${CMAKE_COMMAND} --build "${PROJECT_BINARY_DIR}" --target stadion-readme-program)
