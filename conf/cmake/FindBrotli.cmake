# SPDX-License-Identifier: MIT
# Finds brotli, which on Debian comes without a CMake config. Gives Brotli::brotli, both its encoder
# and its decoder.
find_path(Brotli_INCLUDE_DIR brotli/encode.h)
set(libraries "")
foreach(part IN ITEMS enc dec common)  # In the order in which static ones use each other.
  find_library(Brotli_${part}_LIBRARY NAMES brotli${part} brotli${part}-static)
  list(APPEND libraries Brotli_${part}_LIBRARY)
endforeach()
mark_as_advanced(Brotli_INCLUDE_DIR ${libraries})

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Brotli
  REQUIRED_VARS ${libraries} Brotli_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "On Debian and Ubuntu: apt-get install libbrotli-dev")

if(Brotli_FOUND AND NOT TARGET Brotli::brotli)
  add_library(Brotli::brotli UNKNOWN IMPORTED)
  set_target_properties(Brotli::brotli PROPERTIES
    IMPORTED_LOCATION "${Brotli_enc_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${Brotli_INCLUDE_DIR}"
    INTERFACE_LINK_LIBRARIES "${Brotli_dec_LIBRARY};${Brotli_common_LIBRARY}")
endif()
