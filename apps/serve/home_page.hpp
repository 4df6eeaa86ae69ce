// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "http/server.hpp"

namespace stadion::serve {

/// The page at "/": what this is, its routes, and figures that the page itself keeps fresh from
/// /metrics.
std::string home_page(const http::Server& server);

}  // namespace stadion::serve
