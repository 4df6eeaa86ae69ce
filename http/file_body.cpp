// SPDX-License-Identifier: MIT
#include "http/file_body.hpp"

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <span>
#include <system_error>
#include <utility>

#include "http/conditional.hpp"
#include "http/range.hpp"
#include "http/text_builder.hpp"

namespace stadion::http {
namespace {

/// A file that stays open as long as the response's arena.
struct Source {
  int descriptor = -1;
  std::uint64_t bytes = 0;
  std::string_view content_type;

  BodyPart part(ByteRange range) const noexcept {
    return {.file = descriptor, .offset = range.first, .file_bytes = range.size()};
  }
};

/// GET alone has ranges; for HEAD, too, the field must be ignored (RFC 9110 section 14.2).
RangeSet asked_ranges(const Request& request, std::uint64_t bytes, const Validators& validators) {
  const std::optional<std::string_view> value = request.header("Range");
  if (!value.has_value() || request.method() != Method::get ||
      !if_range_holds(request.headers(), validators)) {
    return {};
  }
  return parse_ranges(*value, bytes);
}

void answer_whole(Response& response, const Source& source) {
  const BodyPart whole{.file = source.descriptor, .offset = 0, .file_bytes = source.bytes};
  response.body_parts({&whole, 1}, source.content_type);
}

void answer_unsatisfiable(Response& response, const Source& source) {
  // What was said of the file does not hold for this text.
  response.remove_header("Content-Encoding").remove_header("Content-Disposition");
  response.status(Status::range_not_satisfiable).text("The file has no such range.\n");
  response.header("Content-Range", unsatisfied_content_range(source.bytes, response.arena()));
}

void answer_range(Response& response, const Source& source, ByteRange range) {
  const BodyPart part = source.part(range);
  response.status(Status::partial_content).body_parts({&part, 1}, source.content_type);
  response.header("Content-Range", content_range(range, source.bytes, response.arena()));
}

/// Nobody can have put it into a file beforehand: 128 random bits.
std::string_view make_boundary(Arena& arena) {
  std::array<std::uint64_t, 2> random{};
  if (::getrandom(random.data(), sizeof random, 0) != static_cast<ssize_t>(sizeof random)) {
    throw std::system_error(errno, std::generic_category(), "cannot make a boundary");
  }
  return TextBuilder(arena, 40).add_number(random[0], 16).add_number(random[1], 16).text();
}

std::string_view part_head(std::string_view boundary, const Source& source, ByteRange range,
                           Arena& arena) {
  const std::string_view where = content_range(range, source.bytes, arena);
  TextBuilder head(arena, 192);
  head.add("\r\n--").add(boundary).add("\r\nContent-Type: ").add(source.content_type);
  return head.add("\r\nContent-Range: ").add(where).add("\r\n\r\n").text();
}

/// Each part's Content-Range stands with it; the response itself must have none (RFC 9110 section
/// 15.3.7.2).
void answer_ranges(Response& response, const Source& source, std::span<const ByteRange> ranges) {
  Arena& arena = response.arena();
  const std::string_view boundary = make_boundary(arena);
  std::array<BodyPart, 2 * kRangesMax + 1> parts;
  std::size_t count = 0;
  for (const ByteRange range : ranges) {
    parts[count++] = {.bytes = part_head(boundary, source, range, arena)};
    parts[count++] = source.part(range);
  }
  parts[count++] = {.bytes = TextBuilder(arena).add("\r\n--").add(boundary).add("--\r\n").text()};
  TextBuilder type(arena);
  type.add("multipart/byteranges; boundary=").add(boundary);
  response.status(Status::partial_content).body_parts(std::span(parts).first(count), type.text());
}

}  // namespace

void answer_with_file(const Request& request, Response& response, OpenFile file,
                      std::string_view content_type, const Validators& validators) {
  const Source source{
      .descriptor = response.arena().make<net::Descriptor>(std::move(file.descriptor())).get(),
      .bytes = file.bytes(),
      .content_type = content_type};
  response.header("Accept-Ranges", "bytes");
  const RangeSet set = asked_ranges(request, source.bytes, validators);
  switch (set.outcome()) {
    case RangeSet::Outcome::ignored: return answer_whole(response, source);
    case RangeSet::Outcome::unsatisfiable: return answer_unsatisfiable(response, source);
    case RangeSet::Outcome::satisfiable: break;
  }
  set.ranges().size() == 1 ? answer_range(response, source, set.ranges().front())
                           : answer_ranges(response, source, set.ranges());
}

}  // namespace stadion::http
