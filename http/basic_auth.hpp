// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string_view>

#include "core/arena.hpp"

namespace stadion::http {

/// What a client says who it is.
struct BasicCredentials {
  std::string_view user{};
  std::string_view password{};
};

/// Reads the value of an Authorization field:
///
///     const auto credentials = parse_basic_credentials(*request.header("Authorization"), arena);
///     if (!credentials || !equal_in_constant_time(password_of(credentials->user),
///                                                 credentials->password)) {
///       response.status(Status::unauthorized).header("WWW-Authenticate", challenge);
///
/// None for another scheme, for what is not base64 to the letter, without a colon, or with a
/// control character in user or password. Either may be empty. They are the client's bytes: UTF-8
/// when the challenge asked for it and the client is a good one.
///
/// Lifetime   User and password live in the arena.
/// Throws     ArenaFailed.
/// Source     RFC 7617 section 2, RFC 9110 section 11.4.
std::optional<BasicCredentials> parse_basic_credentials(std::string_view authorization,
                                                        Arena& arena);

/// The value of a WWW-Authenticate field that asks for a user and password in UTF-8:
/// `Basic realm="the staff", charset="UTF-8"`. Made once, when routes are.
///
/// Lifetime   The text lives in the arena.
/// Throws     std::invalid_argument when the realm is empty or has a control character or one
///            beyond ASCII, which clients read in different ways; ArenaFailed.
/// Source     RFC 7617 sections 2 and 2.1, RFC 9110 section 11.5.
std::string_view basic_challenge(std::string_view realm, Arena& arena);

/// Whether both are the same, found out in a time that depends on the size of `given` alone, which
/// is the client's own: not on what is in either, nor on the size of `secret`.
///
/// There is one step for each byte of `given`, whatever came before it, and no branch on either
/// text; each is compared with a byte of `secret`, which begins again where it ends. That the sizes
/// differ is a bit among those in which the bytes do.
bool equal_in_constant_time(std::string_view secret, std::string_view given) noexcept;

}  // namespace stadion::http
