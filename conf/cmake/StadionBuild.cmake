# SPDX-License-Identifier: MIT
# What every target of this tree is built with.

if(PROJECT_IS_TOP_LEVEL AND NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug, Release, RelWithDebInfo or MinSizeRel" FORCE)
endif()

# Warnings and the source root as include directory, for this tree's own code alone: users of the library see neither.
function(stadion_in_tree target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
  target_include_directories(${target} PRIVATE "${stadion_SOURCE_DIR}")
  target_compile_options(${target} PRIVATE
    $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wpedantic -Wconversion -Wshadow>
    $<$<AND:$<BOOL:${STADION_WERROR}>,$<COMPILE_LANGUAGE:CXX>>:-Werror>)
  if(STADION_SANITIZE)
    # Public: what links a sanitized library must be sanitized itself.
    target_compile_options(${target} PUBLIC
      -fsanitize=${STADION_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(${target} PUBLIC -fsanitize=${STADION_SANITIZE})
  endif()
endfunction()
