// SPDX-License-Identifier: MIT
#include "http/body_writer.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace stadion::http {
namespace {

TEST_CASE("body writer: write() takes what there is room for, and says how much") {
  std::array<char, 10> memory{};
  BodyWriter out(memory);
  CHECK(out.room().size() == 10);
  CHECK(out.write("") == 0);
  CHECK(out.write("abcdef") == 6);
  CHECK(out.written() == 6);
  CHECK(out.room().size() == 4);
  CHECK(out.write("ghijkl") == 4);
  CHECK(out.write("m") == 0);
  CHECK(out.written() == 10);
  CHECK(std::string_view(memory.data(), memory.size()) == "abcdefghij");
}

TEST_CASE("body writer: what is written in place counts when committed, no further than the room") {
  std::array<char, 8> memory{};
  BodyWriter out(memory);
  std::fill_n(out.room().data(), 3, 'x');
  CHECK(out.written() == 0);
  out.commit(3);
  CHECK(out.written() == 3);
  CHECK(out.room().data() == memory.data() + 3);
  CHECK(out.write("yz") == 2);
  out.commit(100);
  CHECK(out.written() == 8);
  CHECK(out.room().empty());
  CHECK(std::string_view(memory.data(), 5) == "xxxyz");
}

TEST_CASE("body writer: without room it takes nothing") {
  BodyWriter out({});
  CHECK(out.write("abc") == 0);
  out.commit(1);
  CHECK(out.written() == 0);
}

}  // namespace
}  // namespace stadion::http
