// SPDX-License-Identifier: MIT
#include "apps/attack/attacks.hpp"

#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <span>
#include <string_view>

#include "core/arena.hpp"
#include "http/content_coding.hpp"
#include "http/encoder.hpp"

namespace stadion::attack {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kGet = "GET /plaintext HTTP/1.1\r\nHost: t\r\n\r\n";

std::string repeated(std::string_view text, std::size_t times) {
  std::string result;
  for (std::size_t i = 0; i < times; ++i) {
    result += text;
  }
  return result;
}

std::string get(std::string_view target, std::string_view fields = {}) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: t\r\n" + std::string(fields) + "\r\n";
}

std::string post(std::string_view target, std::string_view fields) {
  return "POST " + std::string(target) + " HTTP/1.1\r\nHost: t\r\n" + std::string(fields) + "\r\n";
}

/// Names that have the same hash by h * 33 + c and by h * 31 + c, as have been sent to many a server.
std::string colliding_name(unsigned number) {
  std::string name = "X";
  for (unsigned bit = 0; bit < 10; ++bit) {
    name += (number >> bit & 1) != 0 ? "Ez" : "FY";
  }
  return name;
}

std::string many_fields() {
  std::string fields;
  for (unsigned i = 0; i < 90; ++i) {
    fields += colliding_name(i) + ": y\r\n";
  }
  return fields;
}

std::string many_query_keys() {
  std::string target = "/plaintext?";
  for (unsigned i = 0; target.size() < 8000; ++i) {
    target += colliding_name(i) + "=b&";
  }
  return target;
}

std::string post_whole(std::string_view target, std::string_view fields, std::string_view body) {
  return post(target,
              std::string(fields) + "Content-Length: " + std::to_string(body.size()) + "\r\n") +
         std::string(body);
}

std::string form_of_colliding_names() {
  std::string body;
  for (unsigned i = 0; i < 1000; ++i) {
    body += colliding_name(i) + "=b&";
  }
  return post_whole("/form", "", body);
}

/// 16 MiB of zeros.
std::string bomb() {
  Arena arena;
  http::Encoder& encoder = http::make_encoder(http::ContentCoding::gzip, arena);
  const std::string zeros(16 << 20, '\0');
  std::string coded(64 * 1024, '\0');
  std::string_view input = zeros;
  std::span<char> room(coded);
  encoder.encode(input, room, http::Flush::finish);
  coded.resize(coded.size() - room.size());
  return post_whole("/form", "Content-Encoding: gzip\r\n", coded);
}

/// Parts within parts, as far down as they go.
std::string deep_multipart() {
  std::string body;
  for (int depth = 0; depth < 300; ++depth) {
    const std::string boundary = "b" + std::to_string(depth);
    body += "--" + boundary +
            "\r\nContent-Disposition: form-data; name=a\r\n"
            "Content-Type: multipart/mixed; boundary=b" +
            std::to_string(depth + 1) + "\r\n\r\n";
  }
  return post_whole("/form", "Content-Type: multipart/form-data; boundary=b0\r\n",
                    body + "\r\n--b0--");
}

std::string many_parts() {
  const std::string body =
      repeated("--b\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n", 1000);
  return post_whole("/form", "Content-Type: multipart/form-data; boundary=b\r\n", body + "--b--");
}

std::string many_ranges() {
  std::string value = "Range: bytes=0-0";
  for (int i = 2; i < 1000; i += 2) {
    value += "," + std::to_string(i) + "-" + std::to_string(i);
  }
  return value + "\r\n";
}

}  // namespace

std::string large_file() { return repeated("A line of text that can be compressed.\n", 25'000); }

std::vector<Attack> all_attacks() {
  using Reads = Behaviour::Reads;
  using Leaves = Behaviour::Leaves;
  const milliseconds at_once{0};
  std::vector<Attack> attacks{
      {"slow heads", {.opening = "GET / HTTP/1.1\r\nHost: t\r\n", .drip = "X: y\r\n"}},
      {"slow bodies", {.opening = post("/echo", "Content-Length: 1000000\r\n"), .drip = "x"}},
      {"slow readers",
       {.connections = 100, .opening = get("/download/64"), .reads = Reads::nothing}},
      {"silence", {.connections = 3000}},
      {"half-closed connections",
       {.opening = "GET /plaintext HTTP/1.1\r\n", .leaves = Leaves::half}},
      {"connect and reset",
       {.connections = 50, .opening = std::string(kGet), .leaves = Leaves::after_opening_by_reset}},
      {"reset while a response comes",
       {.connections = 50,
        .opening = get("/download/8"),
        .leaves = Leaves::after_opening_by_reset}},
      {"pipelining, nothing read",
       {.connections = 50,
        .opening = repeated(kGet, 1000),
        .drip = repeated(kGet, 1000),
        .interval = at_once,
        .reads = Reads::nothing}},
      {"pipelining",
       {.connections = 8,
        .opening = repeated(kGet, 100),
        .drip = repeated(kGet, 100),
        .interval = at_once}},
      {"large heads",
       {.connections = 20, .opening = get("/", "X: " + std::string(100'000, 'x') + "\r\n")}},
      {"90 fields of one hash",
       {.connections = 8,
        .opening = {},
        .drip = get("/plaintext", many_fields()),
        .interval = at_once}},
      {"350 query keys of one hash",
       {.connections = 8, .opening = {}, .drip = get(many_query_keys()), .interval = at_once}},
      {"1,000 form fields of one hash",
       {.connections = 8, .opening = {}, .drip = form_of_colliding_names(), .interval = at_once}},
      {"multipart, 300 deep",
       {.connections = 8, .opening = {}, .drip = deep_multipart(), .interval = at_once}},
      {"multipart, 1,000 parts",
       {.connections = 8, .opening = {}, .drip = many_parts(), .interval = at_once}},
      {"cookies of 15 KB",
       {.connections = 8,
        .opening = {},
        .drip = get("/plaintext", "Cookie: a=" + std::string(15'000, 'x') + "\r\n"),
        .interval = at_once}},
      {"500 ranges",
       {.connections = 8,
        .opening = {},
        .drip = get("/static/large.txt", many_ranges()),
        .interval = milliseconds(5)}},
      {"16 ranges",
       {.connections = 8,
        .opening = {},
        .drip = get("/static/large.txt",
                    "Range: bytes=0-0,9-9,19-19,29-29,39-39,49-49,59-59,69-69,79-79,89-89,99-99,"
                    "109-109,119-119,129-129,139-139,149-149\r\n"),
        .interval = at_once}},
      {"compression of 1 MB",
       {.connections = 8,
        .opening = {},
        .drip = get("/static/large.txt", "Accept-Encoding: gzip\r\n"),
        .interval = milliseconds(20)}},
      {"chunks of a byte",
       {.connections = 8,
        .opening = post("/upload", "Transfer-Encoding: chunked\r\n"),
        .drip = repeated("1\r\nx\r\n", 2000),
        .interval = at_once}},
      {"garbage", {.connections = 20, .opening = repeated("\x16\x03\x01\x02", 20)}},
  };
  if (http::is_available(http::ContentCoding::gzip)) {
    attacks.push_back({"decompression bombs",
                       {.connections = 8, .opening = {}, .drip = bomb(), .interval = at_once}});
  }
  return attacks;
}

std::vector<Attack> attacks_of_slowhttptest(double seconds) {
  if (std::system("command -v slowhttptest >/dev/null") != 0) {
    return {};
  }
  const auto attack = [seconds](const char* name, const char* mode, const char* path) {
    // Some seconds more: it is ended when the attack is over.
    const std::string length = std::to_string(static_cast<int>(std::ceil(seconds)) + 5);
    return Attack{.name = std::string("slowhttptest, ") + name,
                  .program = {"slowhttptest", mode, "-c", "1000", "-r", "500", "-i", "1", "-p", "3",
                              "-l", length, "-u"},
                  .path = path};
  };
  return {attack("slow heads", "-H", "/"), attack("slow bodies", "-B", "/echo"),
          attack("ranges", "-R", "/static/large.txt"), attack("slow readers", "-X", "/download/1")};
}

}  // namespace stadion::attack
