// SPDX-License-Identifier: MIT
#include "net/descriptor.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <type_traits>
#include <utility>

namespace stadion::net {
namespace {

static_assert(!std::is_copy_constructible_v<Descriptor>);
static_assert(!std::is_copy_assignable_v<Descriptor>);
static_assert(std::is_nothrow_move_constructible_v<Descriptor>);

int open_number() {
  const int number = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  REQUIRE(number >= 0);
  return number;
}

bool is_open(int number) { return ::fcntl(number, F_GETFD) != -1; }

TEST_CASE("descriptor: is none until it is given one") {
  Descriptor none;
  CHECK(!none.is_open());
  CHECK(none.get() == -1);
  none.close();
  CHECK(!none.is_open());
}

TEST_CASE("descriptor: 0 is one like any other") {
  Descriptor zero(0);
  CHECK(zero.is_open());
  CHECK(zero.release() == 0);
}

TEST_CASE("descriptor: is closed with its owner") {
  const int number = open_number();
  {
    const Descriptor owner(number);
    CHECK(owner.is_open());
    CHECK(owner.get() == number);
    CHECK(is_open(number));
  }
  CHECK(!is_open(number));
}

TEST_CASE("descriptor: close() closes once, and leaves alone what has got the number since") {
  const int number = open_number();
  Descriptor owner(number);
  owner.close();
  CHECK(!owner.is_open());
  CHECK(!is_open(number));
  const Descriptor successor(open_number());
  REQUIRE(successor.get() == number);
  owner.close();
  CHECK(is_open(number));
}

TEST_CASE("descriptor: release() gives up what stays open") {
  const int number = open_number();
  {
    Descriptor owner(number);
    CHECK(owner.release() == number);
    CHECK(!owner.is_open());
  }
  CHECK(is_open(number));
  ::close(number);
}

TEST_CASE("descriptor: a move hands over, and what was held before is closed") {
  const int first = open_number();
  const int second = open_number();
  Descriptor from(first);
  Descriptor to(std::move(from));
  CHECK(to.get() == first);
  CHECK(is_open(first));

  to = Descriptor(second);
  CHECK(to.get() == second);
  CHECK(!is_open(first));
  CHECK(is_open(second));

  Descriptor& same = to;
  to = std::move(same);
  CHECK(to.get() == second);
  CHECK(is_open(second));
}

}  // namespace
}  // namespace stadion::net
