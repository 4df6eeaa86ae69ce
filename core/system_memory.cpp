// SPDX-License-Identifier: MIT
#include "core/system_memory.hpp"

#include <atomic>
#include <cstdlib>

namespace stadion {
namespace {

void* default_allocate(std::size_t bytes) noexcept {
  return std::aligned_alloc(kSystemMemoryAlignment, bytes);
}

void default_release(void* memory, std::size_t /*bytes*/) noexcept { std::free(memory); }

constinit std::atomic<void* (*)(std::size_t) noexcept> allocate_function{default_allocate};
constinit std::atomic<void (*)(void*, std::size_t) noexcept> release_function{default_release};

}  // namespace

SystemMemory exchange_system_memory(SystemMemory source) noexcept {
  return {allocate_function.exchange(source.allocate), release_function.exchange(source.release)};
}

namespace detail {

void* system_allocate(std::size_t bytes) noexcept { return allocate_function.load()(bytes); }

void system_release(void* memory, std::size_t bytes) noexcept {
  release_function.load()(memory, bytes);
}

}  // namespace detail
}  // namespace stadion
