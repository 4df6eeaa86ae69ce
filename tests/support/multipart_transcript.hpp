// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "http/multipart.hpp"

namespace stadion::tests {

/// What a MultipartParser tells of a body, as text: the same for the same events, however the data
/// was split. "{name=a;file=none;type=text/plain;Field: value;}data(5)hello}end" is a whole body.
class MultipartTranscript {
 public:
  MultipartTranscript(std::string_view boundary, const http::MultipartLimits& limits, Arena& arena)
      : parser_(boundary, limits, arena) {}

  void feed(std::string_view piece) {
    while (!is_over_) {
      const Event event = parser_.next(piece);
      if (event.kind == Kind::need_more) {
        is_sound_ &= piece.empty();
        return;
      }
      note(event);
    }
  }

  std::string finish() {
    if (!is_over_) {
      const http::MultipartError error = parser_.finish();
      write_data();
      text_ += http::describe(error);
    }
    return text_;
  }

  /// Whether data was never empty, and more was asked for only when all had been taken.
  bool is_sound() const noexcept { return is_sound_; }

 private:
  using Event = http::MultipartParser::Event;
  using Kind = Event::Kind;

  void note(const Event& event) {
    if (event.kind == Kind::data) {
      is_sound_ &= !event.data.empty();
      data_ += event.data;
      return;
    }
    write_data();
    switch (event.kind) {
      case Kind::part_begin: write_part(); break;
      case Kind::part_end: text_ += '}'; break;
      case Kind::end: text_ += "end"; break;
      default: text_ += http::describe(parser_.error()); is_over_ = true;
    }
  }

  void write_data() {
    if (!data_.empty()) {
      text_ += "data(" + std::to_string(data_.size()) + ")" + data_;
      data_.clear();
    }
  }

  void write_part() {
    const http::MultipartPart& part = parser_.part();
    text_ += "{name=" + std::string(part.name.value_or("none"));
    text_ += ";file=" + std::string(part.filename.value_or("none"));
    text_ += ";type=" + std::string(part.content_type) + ";";
    for (const http::Field& field : part.fields) {
      text_ += std::string(field.name) + ": " + std::string(field.value) + ";";
    }
    text_ += '}';
  }

  http::MultipartParser parser_;
  std::string text_;
  std::string data_;
  bool is_over_ = false;
  bool is_sound_ = true;
};

}  // namespace stadion::tests
