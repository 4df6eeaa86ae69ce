// SPDX-License-Identifier: MIT
#include "http/decoded_body.hpp"

#include <optional>
#include <string>

#include "http/text_builder.hpp"

namespace stadion::http {
namespace {

constexpr std::size_t kRoomBytes = 16 * 1024;

/// The one coding that the request's body has.
std::optional<ContentCoding> coding_of(const Fields& fields) {
  ContentCoding coding = ContentCoding::identity;
  bool is_known = true;
  for (const Field& field : fields) {
    if (equals_ignoring_case(field.name, "content-encoding")) {
      for_each_list_element(field.value, [&](std::string_view element) {
        const auto parsed = parse_content_coding(element);
        is_known = is_known && coding == ContentCoding::identity && parsed.has_value() &&
                   is_available(*parsed);
        coding = parsed.value_or(coding);
        return true;
      });
    }
  }
  return is_known ? std::optional(coding) : std::nullopt;
}

std::string available_codings() {
  std::string list;
  for (const ContentCoding coding : {ContentCoding::gzip, ContentCoding::br, ContentCoding::zstd}) {
    if (is_available(coding)) {
      list.append(list.empty() ? "" : ", ").append(to_string(coding));
    }
  }
  return list.empty() ? "none" : list;
}

void check(DecodeStatus status) {
  if (status == DecodeStatus::malformed) {
    throw HttpError(Status::bad_request, "The body's content coding is malformed.\n");
  }
  if (status == DecodeStatus::too_large) {
    throw HttpError(Status::content_too_large, "The decoded body is too large.\n");
  }
}

}  // namespace

DecodedBody::DecodedBody(Exchange& exchange, const DecoderLimits& limits) : exchange_(&exchange) {
  const std::optional<ContentCoding> coding = coding_of(exchange.request().headers());
  if (!coding.has_value()) {
    throw HttpError(
        Status::unsupported_media_type,
        "The body may have one of these content codings: " + available_codings() + ".\n");
  }
  if (*coding != ContentCoding::identity) {
    decoder_ = &make_decoder(*coding, arena(), limits);
    room_ = {static_cast<char*>(arena().alloc(kRoomBytes, 1)), kRoomBytes};
  }
}

Task<std::string_view> DecodedBody::read() {
  if (decoder_ == nullptr) {
    co_return co_await exchange_->read_body();
  }
  while (!is_at_end_) {
    std::span<char> left = room_;
    const DecodeStatus status = decoder_->decode(input_, left, has_all_input_);
    check(status);
    is_at_end_ = status == DecodeStatus::end;
    if (left.size() < room_.size()) {
      co_return std::string_view(room_.data(), room_.size() - left.size());
    }
    if (status == DecodeStatus::need_input) {
      input_ = co_await exchange_->read_body();
      has_all_input_ = input_.empty();
    }
  }
  co_return std::string_view();
}

Task<std::string_view> DecodedBody::read_all() {
  TextBuilder text(arena());
  for (;;) {
    const std::string_view piece = co_await read();
    if (piece.empty()) {
      co_return text.text();
    }
    text.add(piece);
  }
}

}  // namespace stadion::http
