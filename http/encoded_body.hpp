// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/arena.hpp"
#include "http/body_part.hpp"
#include "http/body_writer.hpp"
#include "http/encoder.hpp"

namespace stadion::http {

/// A body on its way through an encoder: what another producer makes, or the parts of a fixed one.
/// Internal to http/.
///
/// Lifetime   In the arena, as all that it refers to.
class EncodedBody final : public BodyProducer {
 public:
  /// `length` is the source's, where it is known.
  EncodedBody(Arena& arena, Encoder& encoder, BodyProducer& source,
              std::optional<std::uint64_t> length) noexcept
      : arena_(&arena), encoder_(&encoder), producer_(&source), source_left_(length) {}
  EncodedBody(Arena& arena, Encoder& encoder, std::span<const BodyPart> source) noexcept
      : arena_(&arena), encoder_(&encoder), parts_(source) {}

  /// Throws ArenaFailed, what the source throws, and std::runtime_error when a file, or what a
  /// producer makes, is shorter than was said.
  bool produce(BodyWriter& out) override;
  std::uint64_t effort() const noexcept override { return effort_; }

 private:
  void refill();
  void refill_from_producer();
  void refill_from_parts();
  std::span<char> scratch();

  Arena* arena_;
  Encoder* encoder_;
  BodyProducer* producer_ = nullptr;
  std::optional<std::uint64_t> source_left_;  ///< Of the producer's, where it was announced.
  std::span<const BodyPart> parts_;
  std::uint64_t part_offset_ = 0;
  std::string_view input_;  ///< Not encoded yet.
  std::span<char> scratch_;
  bool is_at_end_ = false;  ///< Of the source.
  std::uint64_t effort_ = 0;
  std::optional<std::size_t>
      flush_left_;  ///< Of input_, what the flush under way is still to take.
};

}  // namespace stadion::http
