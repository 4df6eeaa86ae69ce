# SPDX-License-Identifier: MIT
# What the code of this repository is built with, and nobody who uses the library has to know:
# includes from the source root, and warnings.
function(stadion_in_tree target)
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}")
  target_compile_options(${target} PRIVATE
    "$<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Wpedantic;-Wconversion;-Wshadow>"
    "$<$<AND:$<COMPILE_LANGUAGE:CXX>,$<BOOL:${STADION_WERROR}>>:-Werror>")
endfunction()
