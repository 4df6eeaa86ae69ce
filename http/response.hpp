// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#include "core/arena.hpp"
#include "http/body_writer.hpp"
#include "http/fields.hpp"
#include "http/status.hpp"

namespace stadion::http {

/// What a handler answers; 200 without a body until it says otherwise.
///
/// The server itself sets Date, Content-Length, Transfer-Encoding and Connection, and leaves the
/// body out where HTTP wants none (HEAD, 204, 304).
///
/// Lifetime   That of its request. Text given to it is copied into the request's arena, but by
///            body_by_reference().
/// Threads    Its request's.
/// Throws     ArenaFailed; std::invalid_argument for a header that would break or forge the
///            response.
class Response {
 public:
  explicit Response(Arena& arena) noexcept : arena_(&arena), fields_(arena) {}

  Response& status(Status status) noexcept {
    status_ = status;
    return *this;
  }

  /// Adds a header field. The name must be a token, the value free of CR, LF, NUL and other control
  /// characters, and the name none that the server sets itself.
  Response& header(std::string_view name, std::string_view value);

  /// The body, with its Content-Type.
  Response& bytes(std::string_view body, std::string_view content_type);
  Response& text(std::string_view body) { return bytes(body, "text/plain; charset=utf-8"); }
  Response& html(std::string_view body) { return bytes(body, "text/html; charset=utf-8"); }
  Response& json(std::string_view body) { return bytes(body, "application/json"); }

  /// A body that is not copied: it must live as long as the request's arena, as static and arena
  /// data do.
  Response& body_by_reference(std::string_view body, std::string_view content_type);

  /// 302 unless another status is given; `location` as it is to be sent.
  Response& redirect(std::string_view location, Status status = Status::found);

  /// A body of unknown length, sent in chunks as `produce` writes it:
  ///
  ///     response.stream("text/plain", [line = 0](BodyWriter& out) mutable {
  ///       out.write("line\n");
  ///       return ++line < 10;  // true: there is more
  ///     });
  ///
  /// `bool produce(BodyWriter&)` is moved into the request's arena and called again whenever the
  /// client has taken what was written. If it throws, the connection is closed, so that the client
  /// sees that something is missing.
  template <class Produce>
  Response& stream(std::string_view content_type, Produce produce) {
    return stream_from(content_type, std::nullopt, std::move(produce));
  }
  /// The same for a body whose length is known beforehand; it must then be just that long.
  template <class Produce>
  Response& stream(std::string_view content_type, std::uint64_t length, Produce produce) {
    return stream_from(content_type, length, std::move(produce));
  }

  /// Close the connection after this response.
  Response& close_connection() noexcept {
    closes_connection_ = true;
    return *this;
  }

  /// Replaces all that was said by this status and a short text. Needs no memory: `static_text` is
  /// not copied.
  void fail(Status status, std::string_view static_text) noexcept;

  Status status() const noexcept { return status_; }
  const Fields& headers() const noexcept { return fields_; }
  std::string_view content_type() const noexcept { return content_type_; }
  std::string_view body() const noexcept { return body_; }
  /// Null when the body is not streamed.
  BodyProducer* producer() const noexcept { return producer_; }
  /// None when the body is streamed in chunks.
  std::optional<std::uint64_t> content_length() const noexcept;
  bool closes_connection() const noexcept { return closes_connection_; }
  Arena& arena() const noexcept { return *arena_; }

 private:
  template <class Produce>
  Response& stream_from(std::string_view content_type, std::optional<std::uint64_t> length,
                        Produce&& produce) {
    using Producer = detail::ProducerOf<std::decay_t<Produce>>;
    set_body({}, content_type);
    producer_ = &arena_->make<Producer>(std::forward<Produce>(produce));
    stream_length_ = length;
    return *this;
  }
  void set_body(std::string_view body, std::string_view content_type);

  Arena* arena_;
  Status status_ = Status::ok;
  bool closes_connection_ = false;
  Fields fields_;
  std::string_view content_type_;
  std::string_view body_;
  BodyProducer* producer_ = nullptr;
  std::optional<std::uint64_t> stream_length_;
};

}  // namespace stadion::http
