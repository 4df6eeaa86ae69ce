// SPDX-License-Identifier: MIT
#pragma once

#include <unistd.h>

#include <utility>

namespace stadion::net {

/// A file descriptor that is closed when its owner goes.
class Descriptor {
 public:
  Descriptor() noexcept = default;
  /// Takes over an open descriptor; -1 for none.
  explicit Descriptor(int number) noexcept : number_(number) {}
  ~Descriptor() { close(); }

  Descriptor(Descriptor&& other) noexcept : number_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      close();
      number_ = other.release();
    }
    return *this;
  }

  int get() const noexcept { return number_; }
  bool is_open() const noexcept { return number_ >= 0; }
  /// Gives the open descriptor up to the caller.
  int release() noexcept { return std::exchange(number_, -1); }
  void close() noexcept {
    if (is_open()) {
      ::close(release());
    }
  }

 private:
  int number_ = -1;
};

}  // namespace stadion::net
