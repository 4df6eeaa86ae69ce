// SPDX-License-Identifier: MIT
#include "http/encoded_body.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/arena.hpp"
#include "http/body_part.hpp"
#include "tests/support/coded.hpp"
#include "tests/support/live_arenas.hpp"
#include "tests/support/peer.hpp"

namespace stadion::http {
namespace {

using tests::decoded;
using tests::LiveArenas;
using tests::patterned_text;

/// All that it makes, in rooms of this size; and checks that no call works for long, or for nothing.
std::string produced(EncodedBody& body, std::size_t room_bytes) {
  std::string text;
  std::vector<char> room(room_bytes);
  for (bool has_more = true; has_more;) {
    const std::uint64_t effort = body.effort();
    BodyWriter out(room);
    has_more = body.produce(out);
    CHECK(body.effort() - effort <= kBodyEffortAtOnce);
    CHECK((out.written() > 0 || !has_more));
    text.append(room.data(), out.written());
  }
  return text;
}

TEST_CASE_FIXTURE(LiveArenas,
                  "encoded body: nothing to compress, or much, each call does its share") {
  for (const ContentCoding coding : tests::available_codings()) {
    CAPTURE(static_cast<int>(coding));
    for (const std::size_t bytes :
         {std::size_t{0}, std::size_t{1}, kBodyEffortAtOnce - 1, kBodyEffortAtOnce,
          kBodyEffortAtOnce + 1, std::size_t{2'000'000}}) {
      CAPTURE(bytes);
      for (const std::string& text : {std::string(bytes, 'x'), patterned_text(bytes)}) {
        for (const std::size_t room : {kBodyRoomMin, std::size_t{16 * 1024}}) {
          Arena arena;
          const std::array parts{BodyPart{.bytes = text}};
          EncodedBody body(arena, make_encoder(coding, arena), parts);
          CHECK(decoded(coding, produced(body, room)).text == text);
        }
      }
    }
  }
}

TEST_CASE_FIXTURE(LiveArenas, "encoded body: that others have their turn costs next to nothing") {
  for (const ContentCoding coding : tests::available_codings()) {
    CAPTURE(static_cast<int>(coding));
    const std::string text(10'000'000, 'x');
    Arena arena;
    const std::array parts{BodyPart{.bytes = text}};
    EncodedBody body(arena, make_encoder(coding, arena), parts);
    CHECK(produced(body, 16 * 1024).size() < text.size() / 500);
  }
}

}  // namespace
}  // namespace stadion::http
