// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/arena.hpp"
#include "http/encoder.hpp"
#include "http/response.hpp"
#include "http/serializer.hpp"
#include "pool/connection.hpp"

namespace stadion::http {

/// Puts one response on its connection: head, body and trailer, as far as there is room each time.
///
/// Lifetime   Its response and arena outlive it. What is_by_reference() must stay until it is sent.
class ResponseWriter {
 public:
  /// Begins: the response is settled, but for trailers and what is written with write_some().
  void begin(Response& response, Method method, Version version, bool keep_alive);
  bool is_begun() const noexcept { return response_ != nullptr; }
  /// Whether the head is on its way.
  bool has_written() const noexcept { return stage_ != Stage::head; }

  /// From here on kBodyEffortAtOnce may be encoded before others have their turn.
  void begin_turn() noexcept { effort_left_ = kBodyEffortAtOnce; }

  /// Writes on until there is no room; true when all is written. `date_line` is a whole line.
  bool write(pool::Connection& connection, std::string_view date_line);

  /// The same for the head and a piece of a body from Exchange::write(): takes off the front of
  /// `bytes` what was written, and answers whether that was all of it.
  bool write_some(pool::Connection& connection, std::string_view date_line,
                  std::string_view& bytes);
  /// Has an encoder let go of what it holds back; false when there is no room for it.
  bool flush(pool::Connection& connection);
  /// No more write_some(): write() goes on with the body's end.
  void end_written() noexcept { is_ended_ = true; }

  bool has_failed() const noexcept { return stage_ == Stage::failed; }
  /// Why, once it has. The head has gone, so that only a connection cut short can tell the client
  /// (RFC 9112 section 8).
  std::string_view failure() const noexcept { return failure_; }

  const ResponseFraming& framing() const noexcept { return framing_; }
  /// Bytes of the body, as they are on the wire but for their chunks.
  std::uint64_t body_bytes() const noexcept { return body_bytes_; }
  /// Whether something outside of the connection's buffer is on its way.
  bool is_by_reference() const noexcept { return is_by_reference_; }

 private:
  enum class Stage : std::uint8_t { head, body, body_end, done, failed };

  bool write_head(pool::Connection& connection, std::string_view date_line);
  std::string_view body_beside_head() const noexcept;
  bool write_body(pool::Connection& connection);
  bool write_parts(pool::Connection& connection);
  bool write_part(pool::Connection& connection, const BodyPart& part);
  bool write_file(pool::Connection& connection, const BodyPart& part);
  bool write_produced(pool::Connection& connection);
  bool produce(pool::Connection& connection);
  bool encode(pool::Connection& connection, std::string_view& bytes, Flush flush);
  bool encode_some(pool::Connection& connection, std::string_view& bytes, Flush flush);
  bool end_encoded(pool::Connection& connection);
  bool end_body() noexcept;
  bool write_body_end(pool::Connection& connection);
  void commit(pool::Connection& connection, std::span<char> room, std::size_t data_bytes) noexcept;
  std::span<char> data_room(std::span<char> room) const noexcept;
  void fail(std::string_view why) noexcept;

  Response* response_ = nullptr;
  ResponseFraming framing_;
  Stage stage_ = Stage::head;
  bool is_by_reference_ = false;
  bool is_ended_ = false;
  bool is_flushed_ = true;   ///< The encoder holds nothing back.
  bool shows_work_ = false;  ///< It is to let go of something, as the turn is over.
  std::size_t part_ = 0;
  std::uint64_t body_bytes_ = 0;
  std::size_t effort_left_ = kBodyEffortAtOnce;
  std::uint64_t body_left_ = 0;  ///< Without an announced length, more than there will ever be.
  std::string_view failure_;     ///< In the arena, or static.
};

}  // namespace stadion::http
