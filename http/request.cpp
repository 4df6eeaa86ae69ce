// SPDX-License-Identifier: MIT
#include "http/request.hpp"

namespace stadion::http {

std::string_view Request::param(std::string_view name) const noexcept {
  for (const PathParameter& parameter : parameters_) {
    if (parameter.name == name) {
      return parameter.value;
    }
  }
  return {};
}

}  // namespace stadion::http
