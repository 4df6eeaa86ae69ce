// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>
#include <vector>

#include "net/listening_socket.hpp"

/// What systemd, or another that speaks as it does, and a service say to each other.
namespace stadion::net {

/// The listening sockets that were opened for this process before it began (socket activation): none
/// without $LISTEN_FDS, or when $LISTEN_PID names another process. Once: they are the caller's, and the
/// variables are unset.
///
/// Throws     std::invalid_argument for variables that make no sense, or a descriptor that is no
///            listening stream socket.
/// Threads    One at a time, and nobody else uses the environment.
/// Source     sd_listen_fds(3).
std::vector<ListeningSocket> inherited_listening_sockets();

/// Says "READY=1", "STOPPING=1" and the like, one assignment a line, where $NOTIFY_SOCKET asks for it.
/// False when it could not be said.
///
/// Source     sd_notify(3).
bool notify_service_manager(std::string_view assignments) noexcept;

}  // namespace stadion::net
