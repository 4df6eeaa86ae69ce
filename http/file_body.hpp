// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "http/open_file.hpp"
#include "http/request.hpp"
#include "http/response.hpp"

/// Internal to http/.
namespace stadion::http {

struct Validators;

/// Answers with the file, or with the ranges of it that the request asks for: 200, 206 or 416. The
/// descriptor stays open until the request's arena is disposed. Requires the preconditions to be
/// answered, and a regular file.
///
/// Source     RFC 9110 sections 14 and 15.3.7.
void answer_with_file(const Request& request, Response& response, OpenFile file,
                      std::string_view content_type, const Validators& validators);

}  // namespace stadion::http
