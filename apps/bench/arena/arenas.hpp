// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory_resource>
#include <new>

#include "apps/bench/arena/contestant.hpp"
#include "apps/bench/arena/ideal.hpp"
#include "core/arena.hpp"

#ifdef STADION_BENCH_PROTOBUF
#include <google/protobuf/arena.h>
#endif
#ifdef STADION_BENCH_APR
#include <apr-1.0/apr_general.h>
#include <apr-1.0/apr_pools.h>
#endif
#ifdef STADION_BENCH_TALLOC
#include <talloc.h>
#endif

/// The contestants of the arena type: all allocations go back at once.
namespace stadion::bench {

template <std::size_t>
class Ideal : public ContestantDefaults {
 public:
  static constexpr const char* kName = "ideal";
  // Its chunks would pile up on the thread that disposes: the ideal knows of one thread.
  static constexpr bool kMovesBetweenThreads = false;

  void* alloc(std::size_t bytes) { return arena_.alloc(bytes); }
  void* alloc(std::size_t bytes, std::size_t alignment) { return arena_.alloc(bytes, alignment); }
  void clear() noexcept { arena_.clear(); }

 private:
  IdealArena arena_;
};

template <std::size_t>
class Stadion : public ContestantDefaults {
 public:
  static constexpr const char* kName = "stadion";
  static constexpr Sharing kSharing = Sharing::one_arena;
  static constexpr bool kRunsDestructors = true;

  void* alloc(std::size_t bytes) { return arena_.alloc(bytes); }
  void* alloc(std::size_t bytes, std::size_t alignment) { return arena_.alloc(bytes, alignment); }
  void clear() noexcept { arena_.clear(); }
  template <class T>
  void* make() {
    return &arena_.make<T>();
  }

 private:
  Arena arena_;
};

template <std::size_t>
class Pmr : public ContestantDefaults {
 public:
  static constexpr const char* kName = "pmr";

  void* alloc(std::size_t bytes) { return resource_.allocate(bytes); }
  void* alloc(std::size_t bytes, std::size_t alignment) {
    return resource_.allocate(bytes, alignment);
  }
  void clear() noexcept { resource_.release(); }

 private:
  std::pmr::monotonic_buffer_resource resource_{kBlockBytes};
};

#ifdef STADION_BENCH_PROTOBUF
template <std::size_t>
class Protobuf : public ContestantDefaults {
 public:
  static constexpr const char* kName = "protobuf";
  static constexpr Sharing kSharing = Sharing::one_arena;
  static constexpr bool kRunsDestructors = true;

  void* alloc(std::size_t bytes) {
    return google::protobuf::Arena::CreateArray<char>(&arena_, bytes);
  }
  void* alloc(std::size_t bytes, std::size_t alignment) {
    return alignment <= 8 ? alloc(bytes) : align_up(alloc(bytes + alignment - 8), alignment);
  }
  void clear() noexcept { arena_.Reset(); }
  template <class T>
  void* make() {
    return google::protobuf::Arena::Create<T>(&arena_);
  }

 private:
  static google::protobuf::ArenaOptions options() {
    google::protobuf::ArenaOptions options;
    options.start_block_size = kBlockBytes;
    options.max_block_size = kBlockBytes;
    return options;
  }

  google::protobuf::Arena arena_{options()};
};
#endif

#ifdef STADION_BENCH_APR
template <std::size_t>
class Apr : public ContestantDefaults {
 public:
  static constexpr const char* kName = "apr";
  static constexpr bool kRunsDestructors = true;

  Apr() {
    if (apr_pool_create(&pool_, nullptr) != APR_SUCCESS) {
      throw std::bad_alloc();
    }
  }
  ~Apr() { apr_pool_destroy(pool_); }
  Apr(const Apr&) = delete;
  Apr& operator=(const Apr&) = delete;

  void* alloc(std::size_t bytes) { return apr_palloc(pool_, bytes); }
  void* alloc(std::size_t bytes, std::size_t alignment) {
    return alignment <= 8 ? alloc(bytes) : align_up(alloc(bytes + alignment - 8), alignment);
  }
  void clear() noexcept { apr_pool_clear(pool_); }
  template <class T>
  void* make() {
    T* object = ::new (alloc(sizeof(T))) T;
    apr_pool_cleanup_register(pool_, object, destroy<T>, apr_pool_cleanup_null);
    return object;
  }

 private:
  template <class T>
  static apr_status_t destroy(void* object) {
    static_cast<T*>(object)->~T();
    return APR_SUCCESS;
  }

  apr_pool_t* pool_ = nullptr;
};
#endif

#ifdef STADION_BENCH_TALLOC
template <std::size_t>
class Talloc : public ContestantDefaults {
 public:
  static constexpr const char* kName = "talloc";
  static constexpr bool kRunsDestructors = true;

  Talloc() = default;
  ~Talloc() { talloc_free(context_); }
  Talloc(const Talloc&) = delete;
  Talloc& operator=(const Talloc&) = delete;

  void* alloc(std::size_t bytes) { return talloc_size(context_, bytes); }
  void* alloc(std::size_t bytes, std::size_t alignment) {
    return alignment <= 16 ? alloc(bytes) : align_up(alloc(bytes + alignment - 16), alignment);
  }
  void clear() noexcept { talloc_free_children(context_); }
  template <class T>
  void* make() {
    T* object = ::new (alloc(sizeof(T))) T;
    talloc_set_destructor(object, destroy<T>);
    return object;
  }

 private:
  template <class T>
  static int destroy(T* object) {
    object->~T();
    return 0;
  }

  void* context_ = talloc_new(nullptr);
};
#endif

}  // namespace stadion::bench
