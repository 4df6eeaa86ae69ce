// SPDX-License-Identifier: MIT
#include "http/serializer.hpp"

#include <charconv>
#include <cstring>

namespace stadion::http {
namespace {

constexpr std::string_view kVersion = "HTTP/1.1 ";
constexpr std::string_view kContentType = "Content-Type: ";
constexpr std::string_view kContentLength = "Content-Length: ";
constexpr std::string_view kChunked = "Transfer-Encoding: chunked\r\n";
constexpr std::string_view kClose = "Connection: close\r\n";
constexpr std::string_view kKeepAlive = "Connection: keep-alive\r\n";
constexpr std::string_view kLineEnd = "\r\n";
constexpr std::string_view kColon = ": ";

/// Adds up what would be written: the one description of a head then gives both its size and its
/// bytes.
class SizeCounter {
 public:
  void put(std::string_view text) noexcept { size_ += text.size(); }
  std::size_t size() const noexcept { return size_; }

 private:
  std::size_t size_ = 0;
};

class BytesWriter {
 public:
  explicit BytesWriter(char* to) noexcept : at_(to) {}
  void put(std::string_view text) noexcept {
    if (!text.empty()) {
      std::memcpy(at_, text.data(), text.size());
      at_ += text.size();
    }
  }
  char* end() const noexcept { return at_; }

 private:
  char* at_;
};

/// A number in decimal, without allocation.
class Decimal {
 public:
  explicit Decimal(std::uint64_t value) noexcept
      : end_(std::to_chars(text_, text_ + sizeof text_, value).ptr) {}
  std::string_view text() const noexcept { return {text_, static_cast<std::size_t>(end_ - text_)}; }

 private:
  char text_[20];
  char* end_;
};

template <class Sink>
void put_connection(Sink& sink, const ResponseFraming& framing) noexcept {
  // Each version's default goes without saying (RFC 9112 section 9.3).
  if (!framing.keep_alive) {
    sink.put(kClose);
  } else if (framing.client_version == Version::http_1_0) {
    sink.put(kKeepAlive);
  }
}

template <class Sink>
void put_status_line(Sink& sink, Status status) noexcept {
  sink.put(kVersion);
  sink.put(Decimal(code_of(status)).text());
  sink.put(" ");
  sink.put(reason_phrase(status));
  sink.put(kLineEnd);
}

template <class Sink>
void put_fields(Sink& sink, const Fields& fields) noexcept {
  for (const Field& field : fields) {
    sink.put(field.name);
    sink.put(kColon);
    sink.put(field.value);
    sink.put(kLineEnd);
  }
}

template <class Sink>
void put_interim_head(Sink& sink, const Response& response) noexcept {
  put_status_line(sink, response.status());
  if (response.status() == Status::switching_protocols) {
    sink.put("Connection: upgrade\r\n");
  }
  put_fields(sink, response.headers());
  sink.put(kLineEnd);
}

template <class Sink>
void put_last_chunk(Sink& sink, const Fields& trailers) noexcept {
  sink.put("0\r\n");
  put_fields(sink, trailers);
  sink.put(kLineEnd);
}

template <class Sink>
void put_head(Sink& sink, const Response& response, const ResponseFraming& framing,
              std::string_view date_line) noexcept {
  put_status_line(sink, response.status());
  sink.put(date_line);
  put_connection(sink, framing);
  if (!response.content_type().empty()) {
    sink.put(kContentType);
    sink.put(response.content_type());
    sink.put(kLineEnd);
  }
  put_fields(sink, response.headers());
  const std::optional<std::uint64_t> length = response.content_length();
  if (framing.body == BodyFraming::chunked) {
    sink.put(kChunked);
  } else if (length.has_value() && !never_has_body(response.status())) {
    sink.put(kContentLength);
    sink.put(Decimal(*length).text());
    sink.put(kLineEnd);
  }
  sink.put(kLineEnd);
}

}  // namespace

ResponseFraming frame_response(const Response& response, Method method, Version version,
                               bool keep_alive) noexcept {
  ResponseFraming framing{.keep_alive = keep_alive, .client_version = version};
  if (method == Method::head || never_has_body(response.status())) {
    framing.body = BodyFraming::none;
  } else if (response.content_length().has_value()) {
    framing.body = BodyFraming::content_length;
  } else if (version == Version::http_1_1) {
    framing.body = BodyFraming::chunked;
  } else {
    framing.body = BodyFraming::until_close;
    framing.keep_alive = false;
  }
  return framing;
}

std::size_t head_bytes(const Response& response, const ResponseFraming& framing,
                       std::string_view date_line) noexcept {
  SizeCounter counter;
  put_head(counter, response, framing, date_line);
  return counter.size();
}

char* write_head(char* to, const Response& response, const ResponseFraming& framing,
                 std::string_view date_line) noexcept {
  BytesWriter writer(to);
  put_head(writer, response, framing, date_line);
  return writer.end();
}

std::string_view write_interim_head(const Response& response, Arena& arena) {
  SizeCounter counter;
  put_interim_head(counter, response);
  auto* head = static_cast<char*>(arena.alloc(counter.size(), 1));
  BytesWriter writer(head);
  put_interim_head(writer, response);
  return {head, counter.size()};
}

std::size_t last_chunk_bytes(const Fields& trailers) noexcept {
  SizeCounter counter;
  put_last_chunk(counter, trailers);
  return counter.size();
}

char* write_last_chunk(char* to, const Fields& trailers) noexcept {
  BytesWriter writer(to);
  put_last_chunk(writer, trailers);
  return writer.end();
}

char* write_chunk_head(char* to, std::size_t chunk_bytes) noexcept {
  char* end = std::to_chars(to, to + 16, chunk_bytes, 16).ptr;
  *end++ = '\r';
  *end++ = '\n';
  return end;
}

}  // namespace stadion::http
