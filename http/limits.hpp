// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>

namespace stadion::http {

/// How much of everything a client may ask for. Each is enforced before the memory is spent.
struct Limits {
  /// Request line and header fields together; over it, 431 (or 414 while still in the request
  /// line). Default is 16 KiB.
  std::size_t head_bytes_max = 16 * 1024;
  /// The request target; over it, 414. Default is 8 KiB.
  std::size_t target_bytes_max = 8 * 1024;
  /// Header fields of a request, and again trailer fields; over it, 431. Default is 100.
  std::size_t fields_max = 100;
  /// The request's body after its transfer coding is taken off; over it, 413. Default is 1 MiB.
  std::size_t body_bytes_max = 1024 * 1024;
  /// Chunk extensions of one body, which are ignored; over it, 413. Default is 1 KiB.
  std::size_t chunk_extension_bytes_max = 1024;
  /// Trailer fields of one body; over it, 431. Default is 4 KiB.
  std::size_t trailer_bytes_max = 4 * 1024;
  /// All memory of one request's arena; over it, ArenaFailed, and 503 if the handler lets that
  /// pass. At least four times head_bytes_max; and a body that arrives in pieces takes up to four
  /// times its size, so raise this with body_bytes_max. Default is 8 MiB.
  std::size_t request_memory_bytes_max = 8 * 1024 * 1024;
  /// Pipelined requests that are answered before other connections have their turn. Default is 64.
  std::size_t pipelined_requests_max = 64;
  /// Requests on one connection: the last one's response says that it closes. Default is 0, for no
  /// limit.
  std::size_t requests_per_connection_max = 0;
};

/// How long a client may take. Each is taken as net::bounded_delay() has it.
struct Times {
  /// For a request's head, from its first byte. Default is 10 s.
  std::chrono::milliseconds head_read_max{10'000};
  /// By how much a request's body may be late: this long, and a second more for every
  /// body_bytes_per_second_min that have come, but never by more than idle_max (or this, where it is
  /// longer). The same for one that nobody wants. Default is 10 s.
  std::chrono::milliseconds body_read_grace{10'000};
  /// Default is 1 KiB per second.
  std::size_t body_bytes_per_second_min = 1024;
  /// For a coroutine to begin its response, from the last piece of the body that it read, if any; over
  /// it, 503. Zero for no limit. Default is 60 s.
  std::chrono::milliseconds handler_max{60'000};
  /// A connection without a request, or an upgraded one, on which nothing moves. Zero for no limit.
  /// Default is 60 s.
  std::chrono::milliseconds idle_max{60'000};
  /// A client that takes fewer than write_bytes_per_second_min of a response that waits for it, on the
  /// average of this time. Zero for no limit. Default is 30 s.
  std::chrono::milliseconds write_stalled_max{30'000};
  /// Default is 1 KiB per second.
  std::size_t write_bytes_per_second_min = 1024;
  /// For the client's end of the connection to close after ours; zero does not wait. As long as the
  /// system still has something for the client, write_stalled_max counts instead, as for idle_max.
  /// Default is 2 s.
  std::chrono::milliseconds linger_max{2'000};
  /// For requests in flight when the server stops; zero does not wait. Default is 30 s.
  std::chrono::milliseconds drain_max{30'000};
};

}  // namespace stadion::http
