// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "http/client.hpp"
#include "http/exchange.hpp"
#include "http/failure.hpp"
#include "http/parser.hpp"
#include "http/response_writer.hpp"
#include "http/session_context.hpp"
#include "pool/connection.hpp"

namespace stadion::http {

/// HTTP/1.1 on one connection: requests in, responses out, in order.
///
///     idle → reading_head → (reading_body) → (handling) → responding → (discarding) → idle …
///
/// reading_body is for a function that wants the body whole, handling for a coroutine that waits,
/// discarding for a body that nobody wanted. An exchange (one request and its response) has one
/// arena. It is made at the request's first byte, before its handler, and disposed when the
/// response's last byte has been handed to the system and the handler has come to its end,
/// whichever way it ended (document Pattern 1, Rule 4).
///
/// Lifetime   Its connection's: the exchange may live longer, see ExchangePool.
class Session final : private Client {
 public:
  Session(SessionContext& context, pool::ConnectionRef connection)
      : context_(&context), ref_(connection), parser_(context.service.options.limits) {}
  ~Session();

  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Something has moved on the connection: input, its end, output sent, or the handler's own.
  void advance(pool::Connection& connection);
  void on_timeout(pool::Connection& connection);
  void on_drain(pool::Connection& connection);
  /// There is none for a buffer, and the connection ends after this.
  void on_no_memory(pool::Connection& connection);
  /// Answers 503 from static memory, and has the connection closed: there is none for a request.
  static void refuse(SessionContext& context, pool::Connection& connection);

  /// Whether the connection waits for a request, and may be closed for others' sake.
  bool is_idle() const noexcept { return phase_ == Phase::idle && connection_ == nullptr; }

 private:
  using Clock = std::chrono::steady_clock;

  /// When the server stops, a request that is already on its way to an idle connection still gets its
  /// answer.
  static constexpr std::chrono::milliseconds kDrainGrace{100};

  enum class Phase : std::uint8_t {
    idle,
    reading_head,
    reading_body,
    handling,
    responding,
    discarding,
    closing,
  };

  // What an exchange's operations want.
  Read read_body(std::span<char> room, std::string_view& piece) noexcept override;
  bool receive_body() noexcept override;
  bool is_body_read() const noexcept override { return parser_.is_complete(); }
  bool write_body(std::string_view& bytes) noexcept override;
  bool flush() noexcept override;
  bool send_interim(std::string_view head) noexcept override;
  bool become_raw() noexcept override;
  Read read_raw(std::span<char> room, std::string_view& piece) noexcept override;
  bool write_raw(std::string_view& bytes) noexcept override;
  void on_given_up() noexcept override { stop_body_wait(); }
  std::string_view remote_address() override;
  void on_wake() noexcept override;

  void note_remote_address();
  bool step();
  bool may_begin_exchange() const noexcept;
  bool begin_exchange();
  bool read_head();
  void dispatch();
  void run_handler();
  bool read_whole_body();
  void answer_expectation() noexcept;

  bool handle();
  void finish_handling();
  void fail_handling(const Failure& failure);
  void answer_error(const Failure& failure);

  void begin_response(bool keep_alive) noexcept;
  bool leaves_connection_clear() const noexcept;
  std::uint64_t body_left() const noexcept;
  bool write_response();
  void abort_response(std::string_view reason);
  bool discard();
  void limit_discarding() noexcept;
  void rest() noexcept;
  bool end_closed_exchange();
  void end_exchange();
  std::size_t effort_of(const Response& response) const noexcept;
  void lose_client();
  void react_to_input_end();

  void limit_handler() noexcept;
  Clock::duration time_for(std::uint64_t body_bytes) const noexcept;
  Clock::duration body_time_max() const noexcept;
  void settle_body_time() noexcept;
  void wait_for_body() noexcept;
  void stop_body_wait() noexcept;
  void end_body_wait() noexcept;
  void set_deadline() noexcept;

  SessionContext* context_;
  pool::Connection* connection_ = nullptr;  ///< Within advance().
  pool::ConnectionRef ref_;
  std::string remote_address_;  ///< Once somebody has asked.
  Parser parser_;
  Exchange* exchange_ = nullptr;
  ResponseWriter writer_;
  std::optional<Failure> failure_;  ///< Why the handler is being ended.
  Phase phase_ = Phase::idle;
  bool is_draining_ = false;
  bool owes_continue_ = false;  ///< 100 Continue, RFC 9110 section 10.1.1.
  bool has_deadline_ = false;   ///< The head has.
  bool gave_body_ = false;      ///< Whole, as a piece.
  bool is_raw_ = false;
  bool is_superfluous_ = false;  ///< The handler: it writes a body that is not sent.
  std::size_t answered_in_turn_ = 0;
  std::size_t requests_ = 0;  ///< Begun on this connection.
  std::uint64_t discard_left_ = 0;
  std::optional<Clock::time_point> handler_deadline_;
  std::optional<Clock::time_point> body_deadline_;  ///< While a piece of it is waited for.
  Clock::time_point body_wait_began_{};
  Clock::duration body_time_left_{};   ///< As of then; what the client may be late by.
  std::uint64_t body_bytes_paid_ = 0;  ///< Those that have earned it time.
};

}  // namespace stadion::http
