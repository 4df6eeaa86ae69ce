# SPDX-License-Identifier: MIT
# What makes find_package(stadion) work after `cmake --install`.
include(CMakePackageConfigHelpers)

set(stadion_needs_llhttp FALSE)
if(llhttp_DIR)  # FindLlhttp found a packaged llhttp; otherwise llhttp is inside stadion::http.
  set(stadion_needs_llhttp TRUE)
endif()

# The compression libraries that http was built with: what links a static stadion::http needs them.
set(stadion_needs "")
get_target_property(linked stadion_http LINK_LIBRARIES)
foreach(package IN ITEMS ZLIB Brotli Zstd)
  if("${linked}" MATCHES "${package}::")
    list(APPEND stadion_needs ${package})
  endif()
endforeach()

set(stadion_has_json FALSE)
if(TARGET stadion_json)
  set(stadion_has_json TRUE)
endif()

set(folder ${CMAKE_INSTALL_LIBDIR}/cmake/stadion)
configure_package_config_file(
  "${CMAKE_CURRENT_LIST_DIR}/stadion-config.cmake.in"
  "${PROJECT_BINARY_DIR}/stadion-config.cmake"
  INSTALL_DESTINATION ${folder})
# Before 1.0 a minor version may break its users.
write_basic_package_version_file(
  "${PROJECT_BINARY_DIR}/stadion-config-version.cmake" COMPATIBILITY SameMinorVersion)

install(EXPORT stadion-targets NAMESPACE stadion:: DESTINATION ${folder})
install(FILES
  "${CMAKE_CURRENT_LIST_DIR}/FindBrotli.cmake"
  "${CMAKE_CURRENT_LIST_DIR}/FindZstd.cmake"
  "${PROJECT_BINARY_DIR}/stadion-config.cmake"
  "${PROJECT_BINARY_DIR}/stadion-config-version.cmake"
  DESTINATION ${folder})
