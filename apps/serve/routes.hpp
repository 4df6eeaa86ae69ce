// SPDX-License-Identifier: MIT
#pragma once

#include "apps/serve/config.hpp"
#include "http/server.hpp"

namespace stadion::serve {

/// Adds the example server's routes.
/// Throws std::system_error when there is no such static directory.
void add_routes(http::Server& server, const Config& config);

}  // namespace stadion::serve
