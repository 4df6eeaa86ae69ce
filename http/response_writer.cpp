// SPDX-License-Identifier: MIT
#include "http/response_writer.hpp"

#include <algorithm>
#include <cstring>
#include <exception>
#include <limits>

#include "core/remake.hpp"
#include "http/open_file.hpp"

namespace stadion::http {
namespace {

/// Around the data of one chunk.
constexpr std::size_t kChunkOverhead = kChunkHeadBytesMax + kChunkEnd.size();

std::string_view copied(std::string_view text, Arena& arena) noexcept {
  auto* copy = static_cast<char*>(arena.try_alloc(text.size(), 1));
  return copy == nullptr ? std::string_view()
                         : std::string_view(copy, text.copy(copy, text.size()));
}

}  // namespace

void ResponseWriter::begin(Response& response, Method method, Version version, bool keep_alive) {
  response_ = &response;
  response.begin();
  remake(framing_, [&] { return frame_response(response, method, version, keep_alive); });
  body_left_ = framing_.content_length.value_or(std::numeric_limits<std::uint64_t>::max());
}

bool ResponseWriter::write(pool::Connection& connection, std::string_view date_line) {
  if (!write_head(connection, date_line)) {
    return false;
  }
  return stage_ == Stage::done || (write_body(connection) && write_body_end(connection));
}

bool ResponseWriter::write_head(pool::Connection& connection, std::string_view date_line) {
  if (stage_ != Stage::head) {
    return stage_ != Stage::failed;
  }
  const std::size_t bytes_max = head_bytes_max(*response_, date_line);
  const std::span<char> room = connection.output_room();
  const auto write_to = [&](char* to) {
    const char* end = http::write_head(to, *response_, framing_, date_line);
    return static_cast<std::size_t>(end - to);
  };
  if (bytes_max <= room.size()) {
    const std::size_t head_bytes = write_to(room.data());
    const std::string_view body = body_beside_head();
    if (!body.empty() && body.size() <= room.size() - head_bytes) {
      std::memcpy(room.data() + head_bytes, body.data(), body.size());
      connection.commit_output(head_bytes + body.size());
      body_bytes_ = body.size();
      stage_ = Stage::done;
      return true;
    }
    connection.commit_output(head_bytes);
  } else if (connection.output_bytes() > 0 || connection.lacks_memory()) {
    return false;
  } else {  // Larger than the whole buffer.
    auto* head = static_cast<char*>(response_->arena().try_alloc(bytes_max, 1));
    if (head == nullptr) {
      fail("there is no memory for its header fields");
      return false;
    }
    is_by_reference_ = connection.write_by_reference({head, write_to(head)});
  }
  const bool has_body = framing_.body != BodyFraming::none;
  stage_ = has_body ? Stage::body : Stage::done;
  return true;
}

/// Nearly all bodies: in one piece, in memory. Empty where it is none of these.
std::string_view ResponseWriter::body_beside_head() const noexcept {
  const bool is_whole = framing_.body == BodyFraming::content_length && !response_->is_written();
  return is_whole ? response_->body() : std::string_view();
}

bool ResponseWriter::write_body(pool::Connection& connection) {
  if (stage_ != Stage::body) {
    return stage_ != Stage::failed;
  }
  if (response_->is_written()) {
    return is_ended_ && end_encoded(connection) && end_body();
  }
  if (response_->producer() != nullptr) {
    return write_produced(connection);
  }
  return write_parts(connection);
}

bool ResponseWriter::write_parts(pool::Connection& connection) {
  const std::span<const BodyPart> parts = response_->parts();
  while (part_ < parts.size()) {
    if (!write_part(connection, parts[part_])) {
      return false;
    }
    body_bytes_ += parts[part_].size();
    ++part_;
  }
  stage_ = Stage::body_end;
  return true;
}

bool ResponseWriter::write_part(pool::Connection& connection, const BodyPart& part) {
  if (part.file >= 0) {
    return write_file(connection, part);
  }
  if (connection.write(part.bytes)) {
    return true;
  }
  if (!connection.write_by_reference(part.bytes)) {
    return false;
  }
  is_by_reference_ = true;
  return true;
}

// What fits into the buffer goes out together with the head.
bool ResponseWriter::write_file(pool::Connection& connection, const BodyPart& part) {
  const std::span<char> room = connection.output_room();
  if (part.file_bytes > room.size()) {
    if (!connection.write_file(part.file, part.offset, part.file_bytes)) {
      return false;
    }
    is_by_reference_ = true;
    return true;
  }
  try {
    read_file(part.file, part.offset, room.first(part.file_bytes));
  } catch (const std::exception& error) {
    fail(copied(error.what(), response_->arena()));
    return false;
  }
  connection.commit_output(part.file_bytes);
  return true;
}

bool ResponseWriter::write_produced(pool::Connection& connection) {
  const BodyProducer& producer = *response_->producer();
  const std::uint64_t enough = producer.effort() + kBodyEffortAtOnce;
  while (stage_ == Stage::body) {
    if (!produce(connection)) {
      return false;
    }
    if (producer.effort() >= enough && stage_ == Stage::body) {
      return false;  // Goes on when that is sent.
    }
  }
  return stage_ != Stage::failed;
}

/// Where a body's bytes may be written in the room of the output buffer.
std::span<char> ResponseWriter::data_room(std::span<char> room) const noexcept {
  if (framing_.body == BodyFraming::chunked) {
    room = room.size() > kChunkOverhead
               ? room.subspan(kChunkHeadBytesMax, room.size() - kChunkOverhead)
               : std::span<char>();
  }
  return room.first(static_cast<std::size_t>(std::min<std::uint64_t>(room.size(), body_left_)));
}

/// The data is where data_room() said; frames it, and has it sent.
void ResponseWriter::commit(pool::Connection& connection, std::span<char> room,
                            std::size_t data_bytes) noexcept {
  body_bytes_ += data_bytes;
  body_left_ -= data_bytes;
  if (framing_.body != BodyFraming::chunked) {
    return connection.commit_output(data_bytes);
  }
  if (data_bytes == 0) {
    return;  // A chunk of size 0 would be the last.
  }
  char* end = write_chunk_head(room.data(), data_bytes);
  std::memmove(end, room.data() + kChunkHeadBytesMax, data_bytes);
  end = std::copy(kChunkEnd.begin(), kChunkEnd.end(), end + data_bytes);
  connection.commit_output(static_cast<std::size_t>(end - room.data()));
}

/// Has the producer write once; false when there is no room for that.
bool ResponseWriter::produce(pool::Connection& connection) {
  if (body_left_ == 0) {
    return end_body();
  }
  const std::span<char> room = connection.output_room();
  const std::span<char> for_data = data_room(room);
  if (for_data.size() < std::min<std::uint64_t>(kBodyRoomMin, body_left_)) {
    return false;
  }
  BodyWriter writer(for_data);
  bool has_more = false;
  try {
    has_more = response_->producer()->produce(writer);
  } catch (const std::exception& error) {
    return fail(copied(error.what(), response_->arena())), false;
  } catch (...) {
    return fail("unknown exception"), false;
  }
  if (has_more && writer.written() == 0 && body_left_ > 0) {
    return fail("its body's producer says there is more, and writes nothing"), false;
  }
  if (!has_more && writer.written() < body_left_ && framing_.content_length.has_value()) {
    return fail("its body is shorter than announced"), false;
  }
  commit(connection, room, writer.written());
  return (has_more && body_left_ > 0) || end_body();
}

bool ResponseWriter::write_some(pool::Connection& connection, std::string_view date_line,
                                std::string_view& bytes) {
  if (!write_head(connection, date_line)) {
    return has_failed();
  }
  if (stage_ != Stage::body) {  // HEAD.
    bytes = {};
    return true;
  }
  if (bytes.size() > body_left_) {
    fail("its body is longer than announced");
    return true;
  }
  if (response_->encoder() != nullptr) {
    is_flushed_ = is_flushed_ && bytes.empty();
    return bytes.empty() || encode(connection, bytes, Flush::none);
  }
  while (!bytes.empty()) {
    const std::span<char> room = connection.output_room();
    const std::span<char> for_data = data_room(room);
    const std::size_t taken = std::min(for_data.size(), bytes.size());
    if (taken < std::min(bytes.size(), kBodyRoomMin)) {
      return false;
    }
    std::memcpy(for_data.data(), bytes.data(), taken);
    commit(connection, room, taken);
    bytes.remove_prefix(taken);
  }
  return true;
}

/// Takes all of `bytes`, and does what `flush` says; false when there is no room for it, or the turn is
/// over. What is on its way by then has it go on: hence there is to be something.
bool ResponseWriter::encode(pool::Connection& connection, std::string_view& bytes, Flush flush) {
  for (;;) {
    if (shows_work_) {
      std::string_view nothing;
      if (!encode_some(connection, nothing, Flush::sync)) {
        return false;
      }
      shows_work_ = false;
      if (!bytes.empty() && connection.output_bytes() > 0) {
        return false;
      }
      effort_left_ = kBodyEffortAtOnce;  // With nothing to show, nothing would have it go on.
    }
    std::string_view piece = bytes.substr(0, effort_left_);
    const std::size_t piece_bytes = piece.size();
    const bool is_all = piece_bytes == bytes.size();
    const bool is_done = encode_some(connection, piece, is_all ? flush : Flush::none);
    bytes.remove_prefix(piece_bytes - piece.size());
    if (!is_done || is_all) {
      return is_done;
    }
    if (connection.output_bytes() > 0) {
      return false;
    }
    shows_work_ = true;
  }
}

bool ResponseWriter::encode_some(pool::Connection& connection, std::string_view& bytes,
                                 Flush flush) {
  for (;;) {
    const std::span<char> room = connection.output_room();
    const std::span<char> for_data = data_room(room);
    if (for_data.size() < kBodyRoomMin) {
      return false;
    }
    const std::size_t bytes_before = bytes.size();
    std::span<char> left = for_data;
    Progress progress = Progress::done;
    try {
      progress = response_->encoder()->encode(bytes, left, flush);
    } catch (const ArenaFailed& failure) {
      return fail(copied(failure.what(), response_->arena())), false;
    }
    const std::size_t taken = bytes_before - bytes.size();
    response_->add_effort(taken);
    effort_left_ -= std::min(taken, effort_left_);
    commit(connection, room, for_data.size() - left.size());
    if (progress == Progress::done) {
      return true;
    }
  }
}

bool ResponseWriter::flush(pool::Connection& connection) {
  if (!is_flushed_) {
    std::string_view nothing;
    // Until it is done, whatever is written then: no coding lets it be left off.
    shows_work_ = true;
    is_flushed_ = encode(connection, nothing, Flush::none);
  }
  return is_flushed_;
}

bool ResponseWriter::end_encoded(pool::Connection& connection) {
  std::string_view nothing;
  return response_->encoder() == nullptr || encode(connection, nothing, Flush::finish);
}

bool ResponseWriter::end_body() noexcept {
  if (body_left_ > 0 && framing_.content_length.has_value()) {
    fail("its body is shorter than announced");
    return false;
  }
  stage_ = Stage::body_end;
  return true;
}

bool ResponseWriter::write_body_end(pool::Connection& connection) {
  if (stage_ != Stage::body_end) {
    return stage_ == Stage::done;
  }
  if (framing_.body == BodyFraming::chunked) {
    const std::size_t size = last_chunk_bytes(response_->trailers());
    const std::span<char> room = connection.output_room();
    if (size > room.size()) {
      if (connection.output_bytes() == 0) {
        fail("its trailer fields are larger than the output buffer");
      }
      return false;
    }
    write_last_chunk(room.data(), response_->trailers());
    connection.commit_output(size);
  }
  stage_ = Stage::done;
  return true;
}

void ResponseWriter::fail(std::string_view why) noexcept {
  stage_ = Stage::failed;
  failure_ = why;
}

}  // namespace stadion::http
