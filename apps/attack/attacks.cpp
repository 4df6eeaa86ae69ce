// SPDX-License-Identifier: MIT
#include "apps/attack/attacks.hpp"

#include <cstddef>
#include <string_view>

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

std::string many_fields() {
  std::string fields;
  for (int i = 0; i < 90; ++i) {
    fields += "X-" + std::to_string(i) + ": y\r\n";
  }
  return fields;
}

std::string many_query_keys() {
  std::string target = "/plaintext?";
  while (target.size() < 8000) {
    target += "aaaa=b&";
  }
  return target;
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
  return {
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
      {"90 fields",
       {.connections = 8,
        .opening = {},
        .drip = get("/plaintext", many_fields()),
        .interval = at_once}},
      {"1,100 query keys",
       {.connections = 8, .opening = {}, .drip = get(many_query_keys()), .interval = at_once}},
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
}

}  // namespace stadion::attack
