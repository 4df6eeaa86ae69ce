// SPDX-License-Identifier: MIT
#pragma once

#include <boost/json.hpp>
#include <cstddef>
#include <string_view>

#include "core/arena.hpp"
#include "http/request.hpp"
#include "http/response.hpp"

namespace stadion::http {

/// Lets Boost.JSON's values live in an arena; json_storage() is the usual way to one.
///
/// Lifetime   The arena outlives the resource, the resource the values. No value needs to be
///            destroyed: deallocation does nothing, and Boost.JSON knows it.
/// Threads    Those of Arena::alloc().
/// Throws     ArenaFailed.
class JsonResource final : public boost::json::memory_resource {
 public:
  explicit JsonResource(Arena& arena) noexcept : arena_(&arena) {}

 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override {
    return arena_->alloc(bytes, alignment, SourceLocation{});
  }
  void do_deallocate(void* /*memory*/, std::size_t /*bytes*/, std::size_t /*alignment*/) override {}
  bool do_is_equal(const boost::json::memory_resource& other) const noexcept override {
    const auto* same_kind = dynamic_cast<const JsonResource*>(&other);
    return same_kind != nullptr && same_kind->arena_ == arena_;
  }

  Arena* arena_;
};

/// For values that a program builds: `boost::json::object reply(json_storage(request.arena()));`
/// What is put into such a value lives in the arena too. One storage serves any number of values.
///
/// Throws     ArenaFailed.
boost::json::storage_ptr json_storage(Arena& arena);

/// What a text may ask for.
struct JsonLimits {
  /// Arrays and objects in each other, at most kJsonDepthMax. Default is 32.
  std::size_t depth_max = 32;
  /// Members of one object. Boost.JSON's hash has no secret, so that keys can be chosen to collide,
  /// for a time that grows with the square of this number: a body of 1 MiB took 10 s without the
  /// limit, and 0.1 s with it. Default is 1,024.
  std::size_t object_members_max = 1024;
};

/// Parsing recurses, so a larger depth would be a matter of the thread's stack.
inline constexpr std::size_t kJsonDepthMax = 512;

/// Why a text was refused, and where.
struct JsonError {
  std::size_t offset = 0;    ///< Of the byte, from 0. The text's size where it ends too early.
  std::size_t line = 1;      ///< From 1; lines end with LF.
  std::size_t column = 1;    ///< From 1, in characters, not in bytes.
  std::string_view message;  ///< A literal: "unexpected character".
};

/// "line 2, column 7: unexpected character", for a 400. Nothing in it comes from the client.
///
/// Throws     ArenaFailed.
std::string_view to_text(const JsonError& error, Arena& arena);

/// A parsed value, or why there is none.
class JsonResult {
 public:
  explicit JsonResult(boost::json::value& value) noexcept : value_(&value) {}
  explicit JsonResult(const JsonError& error) noexcept : error_(error) {}

  explicit operator bool() const noexcept { return value_ != nullptr; }
  /// Requires a value.
  boost::json::value& value() const noexcept {
    STADION_ASSERT(value_ != nullptr);
    return *value_;
  }
  /// Requires that there is no value.
  const JsonError& error() const noexcept {
    STADION_ASSERT(value_ == nullptr);
    return error_;
  }

 private:
  boost::json::value* value_ = nullptr;
  JsonError error_;
};

/// Parses one JSON text, such as a request's body:
///
///     const JsonResult json = parse_json(request.body(), request.arena());
///     if (!json) {
///       return response.status(Status::bad_request).text(to_text(json.error(), arena));
///     }
///
/// Strict: no comments, trailing commas or byte order mark, nothing after the value but white
/// space, and all of it valid UTF-8. Where an object has a key twice, the last one counts. Integers
/// that fit 64 bits are exact, all other numbers the nearest double; one beyond a double's range is
/// refused, one too small for it is 0.
///
/// Lifetime   The value, and all that is in it, lives in the arena. The text may go.
/// Limits     JsonLimits. For each byte of text up to 60 bytes of arena, which an array of one-digit
///            numbers takes; 5 to 10 for objects as services send them.
/// Throws     ArenaFailed when the arena's budget is spent: the text was too large for it.
/// Cost       No heap allocation; the parser's own memory is 4 KiB of the stack, then the arena.
/// Source     RFC 8259.
JsonResult parse_json(std::string_view text, Arena& arena, JsonLimits limits = {});

/// The value as one JSON text without white space. A double has as many digits as it takes to read
/// the same one again; one that is not finite becomes null, as in ECMAScript. Strings are taken to
/// be UTF-8.
///
/// Lifetime   The text lives in the arena.
/// Throws     ArenaFailed.
/// Cost       No heap allocation, and one of the arena: the value is measured first.
std::string_view to_json(const boost::json::value& value, Arena& arena);

/// The request's body, parsed. Throws HttpError: 400 that says where, for a malformed one, and 413 for
/// one that takes more than the request's memory.
boost::json::value& json_body(const Request& request, JsonLimits limits = {});

/// Answers with the value, as application/json.
void answer_json(Response& response, const boost::json::value& value);

}  // namespace stadion::http

/// Lets Boost.JSON leave out what would only lead to do_deallocate().
template <>
struct boost::json::is_deallocate_trivial<stadion::http::JsonResource> {
  static constexpr bool value = true;
};
