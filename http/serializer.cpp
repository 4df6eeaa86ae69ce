// SPDX-License-Identifier: MIT
#include "http/serializer.hpp"

#include <charconv>
#include <cstring>

namespace stadion::http {
namespace {

/// The status line of the longest reason phrase, Connection, Content-Type without its value, Content-Length
/// or Transfer-Encoding, and the empty line.
constexpr std::size_t kFixedBytesMax = 192;

/// Writes from a place on, where there is room.
class Writer {
 public:
  explicit Writer(char* to) noexcept : at_(to) {}

  /// A literal, whose size the compiler knows.
  template <std::size_t Size>
  void put(const char (&text)[Size]) noexcept {
    std::memcpy(at_, text, Size - 1);
    at_ += Size - 1;
  }
  void put(std::string_view text) noexcept {
    if (!text.empty()) {
      std::memcpy(at_, text.data(), text.size());
      at_ += text.size();
    }
  }
  void put(std::uint64_t number) noexcept {
    if (number < 100) {  // As the sizes of small bodies: to_chars() is a call.
      *at_ = static_cast<char>('0' + number / 10);
      at_ += number >= 10 ? 1 : 0;
      *at_++ = static_cast<char>('0' + number % 10);
    } else {
      at_ = std::to_chars(at_, at_ + 20, number).ptr;
    }
  }
  char* end() const noexcept { return at_; }

 private:
  char* at_;
};

void put_connection(Writer& writer, const ResponseFraming& framing) noexcept {
  // Each version's default goes without saying (RFC 9112 section 9.3).
  if (!framing.keep_alive) {
    writer.put("Connection: close\r\n");
  } else if (framing.client_version == Version::http_1_0) {
    writer.put("Connection: keep-alive\r\n");
  }
}

inline void put_status_line(Writer& writer, Status status) noexcept {
  if (status == Status::ok) {  // Nearly all.
    return writer.put("HTTP/1.1 200 OK\r\n");
  }
  writer.put("HTTP/1.1 ");
  writer.put(std::uint64_t{code_of(status)});
  writer.put(" ");
  writer.put(reason_phrase(status));
  writer.put("\r\n");
}

inline void put_fields(Writer& writer, const Fields& fields) noexcept {
  for (const Field& field : fields) {
    writer.put(field.name);
    writer.put(": ");
    writer.put(field.value);
    writer.put("\r\n");
  }
}

/// Exactly what put_fields() writes.
std::size_t field_bytes(const Fields& fields) noexcept {
  std::size_t bytes = 0;
  for (const Field& field : fields) {
    bytes += field.name.size() + field.value.size() + 4;
  }
  return bytes;
}

}  // namespace

ResponseFraming frame_response(const Response& response, Method method, Version version,
                               bool keep_alive) noexcept {
  ResponseFraming framing{.content_length = response.content_length(),
                          .keep_alive = keep_alive,
                          .client_version = version};
  if (method == Method::head || never_has_body(response.status())) {
    framing.body = BodyFraming::none;
  } else if (framing.content_length.has_value()) {
    framing.body = BodyFraming::content_length;
  } else if (version == Version::http_1_1) {
    framing.body = BodyFraming::chunked;
  } else {
    framing.body = BodyFraming::until_close;
    framing.keep_alive = false;
  }
  return framing;
}

std::size_t head_bytes_max(const Response& response, std::string_view date_line) noexcept {
  return kFixedBytesMax + date_line.size() + response.content_type().size() +
         field_bytes(response.headers());
}

char* write_head(char* to, const Response& response, const ResponseFraming& framing,
                 std::string_view date_line) noexcept {
  Writer writer(to);
  put_status_line(writer, response.status());
  writer.put(date_line);
  put_connection(writer, framing);
  if (!response.content_type().empty()) {
    writer.put("Content-Type: ");
    writer.put(response.content_type());
    writer.put("\r\n");
  }
  put_fields(writer, response.headers());
  if (framing.body == BodyFraming::chunked) {
    writer.put("Transfer-Encoding: chunked\r\n");
  } else if (framing.content_length.has_value() && !never_has_body(response.status())) {
    writer.put("Content-Length: ");
    writer.put(*framing.content_length);
    writer.put("\r\n");
  }
  writer.put("\r\n");
  return writer.end();
}

std::string_view write_interim_head(const Response& response, Arena& arena) {
  auto* head = static_cast<char*>(arena.alloc(head_bytes_max(response, {}), 1));
  Writer writer(head);
  put_status_line(writer, response.status());
  if (response.status() == Status::switching_protocols) {
    writer.put("Connection: upgrade\r\n");
  }
  put_fields(writer, response.headers());
  writer.put("\r\n");
  return {head, static_cast<std::size_t>(writer.end() - head)};
}

std::size_t last_chunk_bytes(const Fields& trailers) noexcept { return 5 + field_bytes(trailers); }

char* write_last_chunk(char* to, const Fields& trailers) noexcept {
  Writer writer(to);
  writer.put("0\r\n");
  put_fields(writer, trailers);
  writer.put("\r\n");
  return writer.end();
}

char* write_chunk_head(char* to, std::size_t chunk_bytes) noexcept {
  char* end = std::to_chars(to, to + 16, chunk_bytes, 16).ptr;
  *end++ = '\r';
  *end++ = '\n';
  return end;
}

}  // namespace stadion::http
