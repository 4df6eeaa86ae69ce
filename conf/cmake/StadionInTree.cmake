# SPDX-License-Identifier: MIT
# What every target of this repository is built with, and nobody who uses the library has to know:
# includes from the source root, warnings, sanitizers. All of it is PRIVATE.
function(stadion_in_tree target)
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}")
  target_compile_options(${target} PRIVATE
    "$<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Wpedantic;-Wconversion;-Wshadow>"
    "$<$<AND:$<COMPILE_LANGUAGE:CXX>,$<BOOL:${STADION_WERROR}>>:-Werror>")

  if(STADION_SANITIZE)
    target_compile_options(${target} PRIVATE ${STADION_SANITIZE_FLAGS})
    target_link_options(${target} PRIVATE ${STADION_SANITIZE_FLAGS})
  endif()
endfunction()

# A finding ends the program: a test that only prints one would pass.
set(STADION_SANITIZE_FLAGS "")
if(STADION_SANITIZE)
  set(STADION_SANITIZE_FLAGS
    -fsanitize=${STADION_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
endif()
