// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/arena.hpp"
#include "http/date.hpp"
#include "http/limits.hpp"
#include "http/metrics.hpp"
#include "http/parser.hpp"
#include "http/response.hpp"
#include "http/router.hpp"
#include "http/serializer.hpp"
#include "pool/connection.hpp"

namespace stadion::http {

/// What all sessions of one Worker share.
struct SessionContext {
  const Router& router;
  const Limits& limits;
  const Times& times;
  WorkerMetrics& metrics;
  DateLine date;
};

/// HTTP/1.1 on one connection: requests in, responses out, in order.
///
///     idle → reading → responding → idle …          → closing
///
/// An exchange (one request and its response) has one arena. It is made at the request's first
/// byte, before its handler, and disposed when the response's last byte has been handed to the
/// system, or the connection is gone, whichever way it ended (document Pattern 1, Rule 4).
class Session {
 public:
  explicit Session(SessionContext& context) : context_(&context), parser_(context.limits) {}

  void on_input(pool::Connection& connection) { advance(connection); }
  void on_input_end(pool::Connection& connection);
  void on_output_sent(pool::Connection& connection);
  void on_timeout(pool::Connection& connection);
  void on_drain(pool::Connection& connection);

 private:
  enum class Phase : std::uint8_t { idle, reading, responding, closing };
  /// What of a response is yet to be written to the output buffer.
  enum class Pending : std::uint8_t {
    head,
    body,
    nothing,
    failed,
  };

  struct Exchange {
    explicit Exchange(const Limits& limits)
        : arena(
              {.chunk_bytes = kRequestChunkBytes, .limit_bytes = limits.request_memory_bytes_max}),
          response(arena) {}

    static constexpr std::size_t kRequestChunkBytes = 16 * 1024;

    Arena arena;
    Response response;
    ResponseFraming framing;
    Pending pending = Pending::head;
    bool sends_by_reference = false;  ///< Bytes of the arena, which are on their way.
    std::uint64_t body_left = 0;  ///< Without an announced length, more than there will ever be.
  };

  void advance(pool::Connection& connection);
  bool step(pool::Connection& connection);

  bool may_begin_exchange(const pool::Connection& connection) const noexcept;
  /// False when there is no memory for one; the connection is closed then.
  bool begin_exchange(pool::Connection& connection);
  void end_exchange(pool::Connection& connection);

  bool read(pool::Connection& connection);
  void limit_time(pool::Connection& connection);
  void begin_body(pool::Connection& connection);
  void answer_expectation(pool::Connection& connection);

  void run_handler();
  void answer_failure(Status status, std::string_view text, std::string_view reason);
  void answer_error(ParseErrorAnswer answer);

  void begin_response(bool keep_alive);
  bool write_response(pool::Connection& connection);
  bool write_head_of_response(pool::Connection& connection);
  bool write_body(pool::Connection& connection);
  bool write_streamed_body(pool::Connection& connection);
  std::size_t write_piece(std::span<char> room);
  bool produce(BodyWriter& writer);
  void fail_response(std::string_view reason);
  void log_failure(std::string_view what, std::string_view reason) const;

  SessionContext* context_;
  Parser parser_;
  std::optional<Exchange> exchange_;
  Phase phase_ = Phase::idle;
  bool is_draining_ = false;
  bool owes_continue_ = false;  ///< 100 Continue, RFC 9110 section 10.1.1.
  bool is_timed_ = false;       ///< The head has its deadline.
  std::size_t answered_in_turn_ = 0;
  std::chrono::steady_clock::time_point body_began_{};
};

}  // namespace stadion::http
