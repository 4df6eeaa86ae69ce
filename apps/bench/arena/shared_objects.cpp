// SPDX-License-Identifier: MIT
#include "apps/bench/arena/shared_objects.hpp"

#include <dlfcn.h>

#include <stdexcept>
#include <string>

namespace stadion::bench {
namespace {

std::string file_that_has(void* function) {
  Dl_info info{};
  return dladdr(function, &info) != 0 && info.dli_fname != nullptr ? info.dli_fname : "nowhere";
}

void require_from(void* function, const char* library, const std::string& name) {
  const std::string file = file_that_has(function);
  if (file.find(library) == std::string::npos) {
    throw std::runtime_error(name + " is not that of " + library + " but of " + file);
  }
}

template <class Function>
Function* find_function(void* handle, const char* name, const char* library) {
  void* function = dlsym(handle, name);
  if (function == nullptr) {
    throw std::runtime_error(std::string(library) + " has no " + name);
  }
  require_from(function, library, name);
  return reinterpret_cast<Function*>(function);
}

// RTLD_LOCAL keeps its malloc out of everybody else's sight.
void* open_library(const char* file, LoadedHeap& heap) {
  void* handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    heap.version = dlerror();  // NOLINT(concurrency-mt-unsafe): no other thread is there yet.
  }
  return handle;
}

std::string mimalloc_version(int version) {
  return std::to_string(version / 100) + "." + std::to_string(version / 10 % 10) + "." +
         std::to_string(version % 10);
}

void load_mimalloc() {
  constexpr const char* kFile = "libmimalloc.so.2";
  void* handle = open_library(kFile, mimalloc_heap);
  if (handle == nullptr) {
    return;
  }
  constexpr const char* kLibrary = "libmimalloc";
  LoadedHeap& heap = mimalloc_heap;
  heap.alloc = find_function<void*(std::size_t)>(handle, "mi_malloc", kLibrary);
  heap.alloc_aligned =
      find_function<void*(std::size_t, std::size_t)>(handle, "mi_malloc_aligned", kLibrary);
  heap.free = find_function<void(void*)>(handle, "mi_free", kLibrary);
  heap.version = mimalloc_version(find_function<int()>(handle, "mi_version", kLibrary)());
}

using AlignedAlloc = void*(std::size_t alignment, std::size_t bytes);
AlignedAlloc* jemalloc_aligned_alloc = nullptr;

void load_jemalloc() {
  constexpr const char* kFile = "libjemalloc.so.2";
  void* handle = open_library(kFile, jemalloc_heap);
  if (handle == nullptr) {
    return;
  }
  constexpr const char* kLibrary = "libjemalloc";
  LoadedHeap& heap = jemalloc_heap;
  heap.alloc = find_function<void*(std::size_t)>(handle, "malloc", kLibrary);
  jemalloc_aligned_alloc = find_function<AlignedAlloc>(handle, "aligned_alloc", kLibrary);
  heap.alloc_aligned = [](std::size_t bytes, std::size_t alignment) {
    return jemalloc_aligned_alloc(alignment, bytes);
  };
  heap.free = find_function<void(void*)>(handle, "free", kLibrary);

  using Mallctl = int(const char*, void*, std::size_t*, void*, std::size_t);
  const char* version = "?";
  std::size_t bytes = sizeof(const char*);  // NOLINT(bugprone-sizeof-expression): it answers one.
  auto* mallctl = find_function<Mallctl>(handle, "mallctl", kLibrary);
  if (mallctl("version", static_cast<void*>(&version), &bytes, nullptr, 0) == 0) {
    heap.version = std::string(version).substr(0, std::string(version).find('-'));
  }
}

}  // namespace

void load_heaps() {
  const bool counts_mallocs = dlsym(RTLD_DEFAULT, "stadion_bench_malloc_calls") != nullptr;
  if (!counts_mallocs) {
    require_from(dlsym(RTLD_DEFAULT, "malloc"), "libc.so", "malloc");
    require_from(dlsym(RTLD_DEFAULT, "free"), "libc.so", "free");
  }
  load_mimalloc();
  load_jemalloc();
}

}  // namespace stadion::bench
