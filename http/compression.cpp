// SPDX-License-Identifier: MIT
#include "http/compression.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "http/accept.hpp"
#include "http/encoded_body.hpp"
#include "http/mime.hpp"

namespace stadion::http {
namespace {

bool forbids_transformation(const Fields& fields) noexcept {
  bool forbids = false;
  for (const Field& field : fields) {
    if (equals_ignoring_case(field.name, "cache-control")) {
      for_each_list_element(field.value, [&forbids](std::string_view directive) {
        forbids = forbids || equals_ignoring_case(directive, "no-transform");
        return !forbids;
      });
    }
  }
  return forbids;
}

bool is_worth_compressing(const Response& response, const CompressionOptions& options) {
  return !never_has_body(response.status()) && response.status() != Status::partial_content &&
         response.content_length().value_or(options.bytes_min) >= options.bytes_min &&
         options.is_worth_it(response.content_type()) &&
         !response.headers().contains("Content-Encoding") &&
         !forbids_transformation(response.headers());
}

// A client that says nothing would have to take any coding (RFC 9110 section 12.5.3), but few can.
ContentCoding choose_coding(const Request& request, const CompressionOptions& options) {
  if (!request.headers().contains("Accept-Encoding")) {
    return ContentCoding::identity;
  }
  ContentCoding chosen = ContentCoding::identity;
  int best = 0;
  for (const ContentCoding coding : options.codings) {
    const int quality = accepted_quality(request.headers(), "Accept-Encoding", to_string(coding));
    if (quality > best) {
      chosen = coding;
      best = quality;
    }
  }
  const bool prefers_identity =
      accepted_quality(request.headers(), "Accept-Encoding", "identity") > best;
  return prefers_identity ? ContentCoding::identity : chosen;
}

/// The whole body, encoded; empty where that is no shorter.
std::string_view encode_whole(std::string_view body, Encoder& encoder, Arena& arena) {
  std::span<char> room(static_cast<char*>(arena.alloc(body.size(), 1)), body.size());
  const char* const begin = room.data();
  if (encoder.encode(body, room, Flush::finish) == Progress::need_output) {
    return {};
  }
  return {begin, static_cast<std::size_t>(room.data() - begin)};
}

void weaken_entity_tag(Response& response) {
  const std::string_view tag = response.headers().find("ETag").value_or(std::string_view());
  if (tag.starts_with('"')) {
    auto* weak = static_cast<char*>(response.arena().alloc(tag.size() + 2, 1));
    weak[0] = 'W';
    weak[1] = '/';
    tag.copy(weak + 2, tag.size());
    response.set_header("ETag", {weak, tag.size() + 2});
  }
}

/// False where the body is better sent as it is.
bool encode(Response& response, ContentCoding coding, const CompressionOptions& options) {
  EncoderOptions encoder_options = options.levels;
  encoder_options.size_hint = response.content_length();
  Arena& arena = response.arena();
  Encoder& encoder = make_encoder(coding, arena, encoder_options);
  if (response.is_written()) {
    response.encode_with(encoder);
  } else if (response.producer() != nullptr) {
    response.stream_from_arena(
        response.content_type(),
        arena.make<EncodedBody>(arena, encoder, *response.producer(), response.content_length()));
  } else if (!response.body().empty() && response.body().size() <= options.whole_bytes_max) {
    response.add_effort(response.body().size());
    const std::string_view encoded = encode_whole(response.body(), encoder, arena);
    if (encoded.empty()) {
      return false;
    }
    response.body_by_reference(encoded, response.content_type());
  } else {
    const auto parts = arena.make_array<BodyPart>(response.parts().size());
    std::copy(response.parts().begin(), response.parts().end(), parts.begin());
    response.stream_from_arena(response.content_type(),
                               arena.make<EncodedBody>(arena, encoder, parts));
  }
  return true;
}

void compress(Exchange& exchange, const CompressionOptions& options) {
  Response& response = exchange.response();
  if (response.status() == Status::not_modified) {
    response.vary("Accept-Encoding");  // As the 200 would have it (RFC 9110 section 15.4.5).
  }
  if (!is_worth_compressing(response, options)) {
    return;
  }
  response.vary("Accept-Encoding");
  const ContentCoding coding = choose_coding(exchange.request(), options);
  if (coding == ContentCoding::identity) {
    return;
  }
  try {
    if (!encode(response, coding, options)) {
      return;
    }
  } catch (const ArenaFailed&) {  // Before the body was touched: it is sent as it is.
    return;
  }
  // Where there is no memory for these, the body must not be sent without them.
  response.set_header("Content-Encoding", to_string(coding));
  weaken_entity_tag(response);
  response.remove_header("Accept-Ranges");
}

}  // namespace

Middleware compression(CompressionOptions options) {
  std::erase_if(options.codings, [](ContentCoding coding) {
    return coding == ContentCoding::identity || !is_available(coding);
  });
  if (!options.is_worth_it) {
    options.is_worth_it = is_compressible;
  }
  const auto shared = std::make_shared<const CompressionOptions>(std::move(options));
  return {.after = [shared](Exchange& exchange) { compress(exchange, *shared); }};
}

}  // namespace stadion::http
