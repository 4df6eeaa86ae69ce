// SPDX-License-Identifier: MIT
#include "http/multipart_reader.hpp"

#include <algorithm>
#include <cerrno>
#include <string>
#include <system_error>

#include <unistd.h>

#include "http/text_builder.hpp"

namespace stadion::http {
namespace {

std::string_view boundary_of(const Request& request) {
  const auto boundary =
      multipart_boundary(request.header("Content-Type").value_or(std::string_view()));
  if (!boundary.has_value()) {
    throw HttpError(Status::unsupported_media_type,
                    "The body must be multipart/form-data with a boundary.\n");
  }
  return *boundary;
}

[[noreturn]] void refuse(MultipartError error) {
  throw HttpError(Status::bad_request, std::string(describe(error)));
}

void check_size(std::uint64_t size, std::uint64_t bytes_max) {
  if (size > bytes_max) {
    throw HttpError(Status::content_too_large, "A part of the body is too large.\n");
  }
}

void write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) {
      throw std::system_error(errno, std::generic_category(), "cannot save a part of the body");
    }
    bytes.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(written, 0)));
  }
}

}  // namespace

MultipartReader::MultipartReader(Exchange& exchange, const MultipartLimits& limits)
    : exchange_(&exchange), parser_(boundary_of(exchange.request()), limits, exchange.arena()) {}

Task<MultipartReader::Event> MultipartReader::next_event() {
  while (!has_all_input_) {
    const Event event = parser_.next(input_);
    if (event.kind == Event::Kind::error) {
      refuse(parser_.error());
    }
    if (event.kind != Event::Kind::need_more) {
      co_return event;
    }
    input_ = co_await exchange_->read_body();
    if (input_.empty()) {
      if (const MultipartError error = parser_.finish(); error != MultipartError::none) {
        refuse(error);
      }
      has_all_input_ = true;
    }
  }
  co_return Event{.kind = Event::Kind::end};
}

Task<const MultipartPart*> MultipartReader::next() {
  while (!has_all_input_) {  // What follows the last delimiter is read, too: it must be in order.
    const Event event = co_await next_event();
    if (event.kind == Event::Kind::part_begin) {
      is_in_part_ = true;
      co_return &parser_.part();
    }
  }
  is_in_part_ = false;
  co_return nullptr;
}

Task<std::string_view> MultipartReader::read() {
  while (is_in_part_) {
    const Event event = co_await next_event();
    if (event.kind == Event::Kind::data) {
      co_return event.data;
    }
    is_in_part_ = event.kind != Event::Kind::part_end && event.kind != Event::Kind::end;
  }
  co_return std::string_view();
}

Task<std::string_view> MultipartReader::read_all(std::size_t bytes_max) {
  TextBuilder text(arena());
  for (;;) {
    const std::string_view piece = co_await read();
    if (piece.empty()) {
      co_return text.text();
    }
    check_size(text.text().size() + piece.size(), bytes_max);
    text.add(piece);
  }
}

Task<std::uint64_t> MultipartReader::save(int file, std::uint64_t bytes_max) {
  for (std::uint64_t size = 0;;) {
    const std::string_view piece = co_await read();
    if (piece.empty()) {
      co_return size;
    }
    size += piece.size();
    check_size(size, bytes_max);
    co_await exchange_->offload([file, piece] { write_all(file, piece); });
  }
}

}  // namespace stadion::http
