// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <new>

namespace stadion::bench {

/// Room for one object, made and disposed by command. The room's memory is resident before the
/// object is made, so that neither time nor memory of a measurement includes it.
template <class Object>
class Storage {
 public:
  Object& make() { return *(object_ = ::new (static_cast<void*>(bytes_)) Object); }
  void dispose() noexcept { std::destroy_at(object_); }

 private:
  Object* object_ = nullptr;
  alignas(Object) std::byte bytes_[sizeof(Object)] = {};
};

}  // namespace stadion::bench
