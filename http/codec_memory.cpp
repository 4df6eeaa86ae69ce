// SPDX-License-Identifier: MIT
#include "http/codec_memory.hpp"

#include <new>

namespace stadion::http {

void* CodecMemory::allocate(void* memory, std::size_t bytes) noexcept {
  CodecMemory& self = *static_cast<CodecMemory*>(memory);
  if (void* freed = self.take_freed(bytes)) {
    return freed;
  }
  return self.take_new(bytes);
}

void* CodecMemory::allocate_array(void* memory, unsigned count, unsigned bytes) noexcept {
  return allocate(memory, std::size_t{count} * bytes);
}

void CodecMemory::release(void* memory, void* block) noexcept {
  if (block != nullptr) {
    CodecMemory& self = *static_cast<CodecMemory*>(memory);
    Block* freed = static_cast<Block*>(block) - 1;
    freed->next = self.freed_;
    self.freed_ = freed;
  }
}

/// The one that fits best; but none that is twice as large, which would be missed when its own size
/// is asked for again.
void* CodecMemory::take_freed(std::size_t bytes) noexcept {
  Block** best = nullptr;
  for (Block** link = &freed_; *link != nullptr; link = &(*link)->next) {
    const std::size_t has = (*link)->bytes;
    if (has >= bytes && has / 2 <= bytes && (best == nullptr || has < (*best)->bytes)) {
      best = link;
    }
  }
  if (best == nullptr) {
    return nullptr;
  }
  Block* block = *best;
  *best = block->next;
  return block + 1;
}

void* CodecMemory::take_new(std::size_t bytes) noexcept {
  if (bytes_left_ < sizeof(Block) || bytes > bytes_left_ - sizeof(Block)) {
    is_over_limit_ = true;
    return refuse();
  }
  void* memory = arena_->try_alloc(sizeof(Block) + bytes, alignof(Block));
  if (memory == nullptr) {
    bytes_refused_ = sizeof(Block) + bytes;
    return refuse();
  }
  bytes_left_ -= sizeof(Block) + bytes;
  return ::new (memory) Block{nullptr, bytes} + 1;
}

void* CodecMemory::refuse() noexcept {
  if (way_out_ != nullptr) {
    std::longjmp(*way_out_, 1);  // Over C only, which has nothing to destroy.
  }
  return nullptr;
}

void CodecMemory::raise_refusal() const {
  if (bytes_refused_ > 0) {
    (void)arena_->alloc(bytes_refused_);  // So that the arena itself says why it has no more.
    throw ArenaFailed(bytes_refused_, {"a content coding could not allocate"}, {});
  }
}

}  // namespace stadion::http
