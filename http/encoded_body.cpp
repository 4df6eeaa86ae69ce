// SPDX-License-Identifier: MIT
#include "http/encoded_body.hpp"

#include <algorithm>
#include <optional>
#include <stdexcept>

#include "http/open_file.hpp"

namespace stadion::http {
namespace {

constexpr std::size_t kScratchBytes = 16 * 1024;

}  // namespace

bool EncodedBody::produce(BodyWriter& out) {
  std::size_t budget = kBodyEffortAtOnce;
  for (;;) {
    if (input_.empty() && !is_at_end_) {
      refill();
    }
    std::string_view piece = input_.substr(0, flush_left_.value_or(budget));
    const bool is_last = is_at_end_ && piece.size() == input_.size();
    // When it has worked enough, there is to be something to show for it.
    const bool flushes = flush_left_.has_value() || (piece.size() == budget && out.written() == 0);
    const Flush flush = is_last ? Flush::finish : flushes ? Flush::sync : Flush::none;
    const std::size_t piece_bytes = piece.size();
    std::span<char> room = out.room();
    const std::size_t room_bytes = room.size();
    const Progress progress = encoder_->encode(piece, room, flush);
    out.commit(room_bytes - room.size());
    const std::size_t taken = piece_bytes - piece.size();
    input_.remove_prefix(taken);
    effort_ += taken;
    budget -= std::min(taken, budget);
    if (progress == Progress::need_output) {
      flush_left_ = flushes && !is_last ? std::optional(piece.size()) : std::nullopt;
      return true;
    }
    flush_left_.reset();
    if (is_last) {
      return false;
    }
    if (budget == 0) {
      return true;
    }
  }
}

void EncodedBody::refill() { producer_ != nullptr ? refill_from_producer() : refill_from_parts(); }

void EncodedBody::refill_from_producer() {
  std::span<char> room = scratch();
  if (source_left_.has_value()) {  // A producer may go by its length, and never say that it ends.
    room = room.first(std::min<std::uint64_t>(room.size(), *source_left_));
  }
  BodyWriter writer(room);
  is_at_end_ = room.empty() || !producer_->produce(writer);
  if (source_left_.has_value()) {
    *source_left_ -= writer.written();
    if (is_at_end_ && *source_left_ > 0) {
      throw std::runtime_error("its body is shorter than announced");
    }
    is_at_end_ = *source_left_ == 0;
  }
  if (!is_at_end_ && writer.written() == 0) {
    throw std::runtime_error("its body's producer says there is more, and writes nothing");
  }
  input_ = {scratch_.data(), writer.written()};
}

void EncodedBody::refill_from_parts() {
  while (!parts_.empty() && part_offset_ == parts_.front().size()) {
    parts_ = parts_.subspan(1);
    part_offset_ = 0;
  }
  if (parts_.empty()) {
    is_at_end_ = true;
    return;
  }
  const BodyPart& part = parts_.front();
  if (part.file < 0) {
    input_ = part.bytes;
  } else {
    const std::size_t wanted =
        std::min<std::uint64_t>(scratch().size(), part.file_bytes - part_offset_);
    read_file(part.file, part.offset + part_offset_, scratch_.first(wanted));
    input_ = {scratch_.data(), wanted};
  }
  part_offset_ += input_.size();
}

std::span<char> EncodedBody::scratch() {
  if (scratch_.empty()) {
    scratch_ = {static_cast<char*>(arena_->alloc(kScratchBytes, 1)), kScratchBytes};
  }
  return scratch_;
}

}  // namespace stadion::http
