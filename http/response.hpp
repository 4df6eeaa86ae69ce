// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "core/arena.hpp"
#include "http/body_part.hpp"
#include "http/body_writer.hpp"
#include "http/fields.hpp"
#include "http/status.hpp"

namespace stadion::http {

class Encoder;

/// What a handler answers; 200 without a body until it says otherwise.
///
/// The server itself sets Date, Content-Length, Transfer-Encoding and Connection, and leaves the
/// body out where HTTP wants none (HEAD, 204, 304).
///
/// Lifetime   That of its request. Text given to it is copied into the request's arena, but by
///            body_by_reference().
/// Threads    Its request's.
/// Throws     ArenaFailed; std::invalid_argument for a header that would break or forge the
///            response; std::logic_error for a field, or a body, after the head was sent.
class Response {
 public:
  explicit Response(Arena& arena) noexcept : arena_(&arena), fields_(arena), trailers_(arena) {}

  Response& status(Status status) noexcept {
    status_ = status;
    return *this;
  }

  /// Adds a header field. The name must be a token, the value free of CR, LF, NUL and other control
  /// characters, and the name none that the server sets itself.
  Response& header(std::string_view name, std::string_view value);
  /// The same in place of all fields of that name.
  Response& set_header(std::string_view name, std::string_view value);
  Response& remove_header(std::string_view name) noexcept;
  /// Adds a name to the Vary field: what the response depends on, for caches (RFC 9110
  /// section 12.5.5).
  Response& vary(std::string_view name);
  /// Adds a trailer field, sent behind a body of unknown length, up to that body's end. The name
  /// must be none that frames, routes or authenticates (RFC 9110 section 6.5.1). Where the body's
  /// length is known, or towards HTTP/1.0, trailers are left out.
  Response& trailer(std::string_view name, std::string_view value);

  /// The body, with its Content-Type.
  Response& bytes(std::string_view body, std::string_view content_type);
  Response& text(std::string_view body) { return copied(body, "text/plain; charset=utf-8"); }
  Response& html(std::string_view body) { return copied(body, "text/html; charset=utf-8"); }
  Response& json(std::string_view body) { return copied(body, "application/json"); }

  /// A body that is not copied: it must live as long as the request's arena, as static and arena
  /// data do.
  Response& body_by_reference(std::string_view body, std::string_view content_type);

  /// A body of several parts, sent one after the other without a copy: files by sendfile. The parts
  /// themselves are copied, what they refer to is not; see BodyPart.
  Response& body_parts(std::span<const BodyPart> parts, std::string_view content_type);

  /// How many bytes Exchange::write() is going to send in all; there must then be just as many.
  Response& announce_length(std::uint64_t bytes) noexcept {
    announced_length_ = bytes;
    return *this;
  }

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
  /// The same for a producer that lives in the arena already.
  Response& stream_from_arena(std::string_view content_type, BodyProducer& producer) {
    set_body({}, content_type);
    producer_ = &producer;
    return *this;
  }

  /// What Exchange::write() sends passes through the encoder, which lives as long as the arena. For
  /// whoever sets Content-Encoding; see compression().
  Response& encode_with(Encoder& encoder) noexcept {
    encoder_ = &encoder;
    return *this;
  }

  /// Close the connection after this response.
  Response& close_connection() noexcept {
    closes_connection_ = true;
    return *this;
  }

  /// Replaces all that was said by this status and a short text; nothing happens once the head was
  /// sent. Needs no memory: `static_text` is not copied.
  void fail(Status status, std::string_view static_text) noexcept;

  Status status() const noexcept { return status_; }
  const Fields& headers() const noexcept { return fields_; }
  std::string_view content_type() const noexcept { return content_type_; }
  const Fields& trailers() const noexcept { return trailers_; }
  /// The body, where it is one piece of memory; else empty.
  std::string_view body() const noexcept {
    return parts_.empty() ? body_.bytes : std::string_view();
  }
  std::span<const BodyPart> parts() const noexcept {
    return parts_.empty() ? std::span(&body_, 1) : parts_;
  }
  /// Null when the body is not streamed.
  BodyProducer* producer() const noexcept { return producer_; }
  Encoder* encoder() const noexcept { return encoder_; }
  /// Bytes of the body that were worked on much more than by writing them, see BodyProducer::effort().
  std::uint64_t effort() const noexcept {
    return effort_ + (producer_ == nullptr ? 0 : producer_->effort());
  }
  void add_effort(std::uint64_t bytes) noexcept { effort_ += bytes; }
  /// None when it is not known before the body's end.
  std::optional<std::uint64_t> content_length() const noexcept {
    const bool is_one_part = parts_.empty() && producer_ == nullptr && !is_written_;
    if (is_one_part && encoder_ == nullptr) {
      return body_.size();
    }
    return length_of_others();
  }
  /// Whether the head has been sent, or is being: then only trailers can still be set. Set by the
  /// server.
  bool is_begun() const noexcept { return is_begun_; }
  void begin() noexcept { is_begun_ = true; }
  /// Whether the body is what Exchange::write() gives. Set by the server.
  bool is_written() const noexcept { return is_written_; }
  void begin_written() noexcept { is_written_ = true; }
  bool closes_connection() const noexcept { return closes_connection_; }
  Arena& arena() const noexcept { return *arena_; }

 private:
  template <class Produce>
  Response& stream_from(std::string_view content_type, std::optional<std::uint64_t> length,
                        Produce&& produce) {
    using Producer = detail::ProducerOf<std::decay_t<Produce>>;
    set_body({}, content_type);
    producer_ = &arena_->make<Producer>(std::forward<Produce>(produce));
    announced_length_ = length;
    return *this;
  }
  void check_not_begun() const;
  Response& copied(std::string_view body, std::string_view static_content_type);
  void set_body(std::string_view body, std::string_view content_type);
  std::optional<std::uint64_t> length_of_others() const noexcept;
  void replace_body(std::string_view body, std::string_view lasting_content_type);

  Arena* arena_;
  Status status_ = Status::ok;
  bool closes_connection_ = false;
  bool is_begun_ = false;
  bool is_written_ = false;
  Fields fields_;
  Fields trailers_;
  std::string_view content_type_;
  BodyPart body_;
  std::span<const BodyPart> parts_;  ///< When there are several.
  BodyProducer* producer_ = nullptr;
  Encoder* encoder_ = nullptr;
  std::uint64_t effort_ = 0;
  std::optional<std::uint64_t> announced_length_;
};

}  // namespace stadion::http
