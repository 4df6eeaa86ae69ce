// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <ctime>
#include <optional>

#include "http/entity_tag.hpp"
#include "http/fields.hpp"
#include "http/method.hpp"
#include "http/request.hpp"
#include "http/response.hpp"

namespace stadion::http {

/// What tells one state of a resource that exists from another (RFC 9110 section 8.8).
struct Validators {
  std::optional<EntityTag> entity_tag{};
  std::optional<std::time_t> last_modified{};
};

enum class Precondition : std::uint8_t {
  proceed,       ///< As if there were no precondition.
  not_modified,  ///< 304: the client has it already. Only for GET and HEAD.
  failed,        ///< 412: the resource is not in the state that the client expects.
};

/// Whether the request's conditions let its method be carried out: If-Match, else
/// If-Unmodified-Since; then If-None-Match, else If-Modified-Since (RFC 9110 section 13.2.2).
///
/// Several lines of one list are one list. A date is ignored when it is malformed, stands on
/// several lines, or the resource has no last_modified.
Precondition evaluate_preconditions(Method method, const Fields& fields,
                                    const Validators& validators) noexcept;

/// Whether a Range is to be heeded, once the preconditions let the request proceed: there is no
/// If-Range, or it names this very state (RFC 9110 section 13.1.5). A weak entity tag never does; a
/// date only when it is last_modified itself.
bool if_range_holds(const Fields& fields, const Validators& validators) noexcept;

/// Answers the request when its preconditions say so, by 304 or 412; then true. False: go on to the
/// handler's own answer. Where that would be neither 2xx nor 412, don't ask (RFC 9110
/// section 13.2.1).
///
///     if (answer_preconditions(request, response, {.last_modified = row.changed_at})) {
///       return;
///     }
///
/// Sets the response's ETag and Last-Modified, but where a method other than GET and HEAD goes on:
/// the state is then about to change. Fields set before stay, as a 304 needs them.
///
/// Throws     std::invalid_argument for an entity tag with a character that none can have;
///            ArenaFailed.
bool answer_preconditions(const Request& request, Response& response, const Validators& validators);

}  // namespace stadion::http
