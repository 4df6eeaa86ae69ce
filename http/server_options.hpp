// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>

#include "http/failure.hpp"
#include "http/limits.hpp"

namespace stadion::http {

class Exchange;
struct AccessRecord;

/// Makes an error response: is called when the server is about to send one of its own (404, 413, 500
/// …), or Exchange::fail() or HttpError asks for one. The response has failure.status and
/// failure.text already, and may be changed. The request may be blank: when it could not be read.
/// An exception in it is logged, and the plain response is sent.
using ErrorHandler = std::function<void(Exchange& exchange, const Failure& failure)>;

/// Is told of every exchange when it has ended. From all Workers, several at a time.
using AccessLog = std::function<void(const AccessRecord& record)>;

struct ServerOptions {
  /// Threads that serve connections, at most 1,024; 0 for one per processor. Default is 1.
  std::size_t workers = 1;
  /// Whether another process of the same user may listen on the same TCP address, if it says so too
  /// (SO_REUSEPORT): to start a new server before the old one stops. Default is no: the address is then
  /// in use.
  bool reuse_port = false;
  /// Per Worker, from 1 to 1,000,000; further ones are closed at once. Default is 10,000.
  std::size_t connections_max = 10'000;
  /// Of one client (an IPv4 address, or an IPv6 network of 64 bits), per Worker; further ones are closed
  /// at once. Behind a proxy all clients are one. Default is 0, for no limit.
  std::size_t connections_per_address_max = 0;
  /// Connections that are accepted in a second, per Worker and address that it listens on; further ones
  /// wait for the next. At most 1,000,000. Default is 0, for no limit.
  std::size_t accepts_per_second_max = 0;
  /// Memory of all arenas in the process (Arena::process_bytes()), but for those of connections and their
  /// buffers, above which connections without a request are closed, and new requests get 503. 0 for no
  /// such mark. Default is 1 GiB.
  std::size_t memory_bytes_high = std::size_t{1} << 30;
  /// Input and output buffer of a connection, each; from 2 KiB to 16 MiB. Default is 16 KiB.
  std::size_t buffer_bytes = 16 * 1024;
  Limits limits{};
  Times times{};
  /// Threads for Exchange::offload(), started when first needed; from 1 to 1,024. Default is 2.
  std::size_t offload_threads = 2;
  /// Work that waits for one of them, at least 1; over it, PoolFull. Default is 1,024.
  std::size_t offload_queue_max = 1024;
  /// Whether a client that has ended its side of the connection still gets the response of a
  /// coroutine that waits. If not, it counts as gone, as with most servers: few clients do this
  /// but by closing. Default is false.
  bool serves_half_closed = false;
};

}  // namespace stadion::http
