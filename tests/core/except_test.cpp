// SPDX-License-Identifier: MIT
#include "core/except.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/arena.hpp"
#include "tests/support/live_arenas.hpp"

namespace stadion {
namespace {

using tests::LiveArenas;

struct SomeException {};
struct OtherException {
  int number;
};
struct DerivedException : OtherException {};

TEST_CASE("TRY: a body that ends normally runs FINALLY, and no handler") {
  std::string trace;
  TRY { trace += "body "; }
  EXCEPT(SomeException) { trace += "except "; }
  ELSE { trace += "else "; }
  FINALLY { trace += "finally"; }
  END_TRY;
  CHECK(trace == "body finally");
}

TEST_CASE("TRY: a handled exception ends at its handler, then FINALLY runs") {
  std::string trace;
  TRY {
    trace += "body ";
    throw SomeException{};
  }
  EXCEPT(SomeException) { trace += "except "; }
  FINALLY { trace += "finally "; }
  END_TRY;
  trace += "after";
  CHECK(trace == "body except finally after");
}

TEST_CASE("TRY: an exception that nobody handles goes on after FINALLY") {
  std::string trace;
  const auto run = [&trace] {
    TRY {
      trace += "body ";
      throw OtherException{7};
    }
    EXCEPT(SomeException) { trace += "except "; }
    FINALLY { trace += "finally"; }
    END_TRY;
    trace += " after";
  };
  int number = 0;
  try {
    run();
  } catch (const OtherException& exception) {
    number = exception.number;
  }
  CHECK(number == 7);
  CHECK(trace == "body finally");
}

TEST_CASE("TRY: a handler that throws runs FINALLY, and not the handlers beside it") {
  std::string trace;
  const auto run = [&trace] {
    TRY { throw SomeException{}; }
    EXCEPT(SomeException) {
      trace += "except ";
      throw OtherException{8};
    }
    EXCEPT(OtherException) { trace += "beside "; }
    ELSE { trace += "else "; }
    FINALLY { trace += "finally"; }
    END_TRY;
  };
  CHECK_THROWS_AS(run(), OtherException);
  CHECK(trace == "except finally");
}

TEST_CASE("TRY: an ELSE that throws runs FINALLY, and its exception leaves") {
  std::string trace;
  const auto run = [&trace] {
    TRY { throw SomeException{}; }
    ELSE { throw OtherException{8}; }
    FINALLY { trace += "finally"; }
    END_TRY;
  };
  CHECK_THROWS_AS(run(), OtherException);
  CHECK(trace == "finally");
}

TEST_CASE("TRY: a handler may pass on what it caught with a bare throw, whole and not sliced") {
  std::string trace;
  const auto run = [&trace] {
    TRY { throw DerivedException{{9}}; }
    EXCEPT(const OtherException& exception) {
      trace += std::to_string(exception.number);
      throw;
    }
    FINALLY { trace += " finally"; }
    END_TRY;
  };
  CHECK_THROWS_AS(run(), DerivedException);
  CHECK(trace == "9 finally");
}

TEST_CASE("TRY: an early return leaves the block it stands in, and FINALLY runs") {
  std::string trace;
  const bool early = true;
  TRY {
    trace += "body ";
    if (early) {
      return;
    }
    trace += "not reached ";
  }
  FINALLY {
    trace += "finally ";
    if (early) {
      return;
    }
    trace += "not reached ";
  }
  END_TRY;
  trace += "after";
  CHECK(trace == "body finally after");
}

TEST_CASE("TRY: an early return from EXCEPT and from ELSE runs FINALLY") {
  std::string trace;
  const bool early = true;
  for (int round = 0; round < 2; ++round) {
    TRY {
      if (round == 0) {
        throw SomeException{};
      }
      throw OtherException{1};
    }
    EXCEPT(SomeException) {
      if (early) {
        trace += "except ";
        return;
      }
      trace += "not reached ";
    }
    ELSE {
      if (early) {
        trace += "else ";
        return;
      }
      trace += "not reached ";
    }
    FINALLY { trace += "finally "; }
    END_TRY;
  }
  CHECK(trace == "except finally else finally ");
}

TEST_CASE("TRY: FINALLY that throws after a normal end runs once") {
  int runs = 0;
  const auto run = [&runs] {
    TRY {}
    FINALLY {
      ++runs;
      throw SomeException{};
    }
    END_TRY;
  };
  CHECK_THROWS_AS(run(), SomeException);
  CHECK(runs == 1);
}

TEST_CASE("TRY: what FINALLY throws replaces the exception that was under way") {
  int runs = 0;
  const auto run = [&runs] {
    TRY { throw OtherException{1}; }
    FINALLY {
      ++runs;
      throw SomeException{};
    }
    END_TRY;
  };
  CHECK_THROWS_AS(run(), SomeException);
  CHECK(runs == 1);
}

TEST_CASE("TRY: what FINALLY throws is not handled by its own EXCEPT or ELSE") {
  std::string trace;
  const auto run = [&trace] {
    TRY { throw OtherException{1}; }
    EXCEPT(OtherException) { trace += "except "; }
    ELSE { trace += "else "; }
    FINALLY { throw SomeException{}; }
    END_TRY;
  };
  CHECK_THROWS_AS(run(), SomeException);
  CHECK(trace == "except ");
}

TEST_CASE("TRY: ELSE handles what no EXCEPT does, of any type") {
  std::string trace;
  const auto run = [&trace](auto thrown) {
    TRY { throw thrown; }
    EXCEPT(SomeException) { trace += "except "; }
    ELSE { trace += "else "; }
    END_TRY;
  };
  run(SomeException{});
  run(OtherException{1});
  run(42);
  run(std::runtime_error("text"));
  CHECK(trace == "except else else else ");
}

TEST_CASE("TRY: the first EXCEPT that matches handles, and only it") {
  std::string trace;
  TRY { throw DerivedException{{1}}; }
  EXCEPT(SomeException) { trace += "none "; }
  EXCEPT(const OtherException&) { trace += "base "; }
  EXCEPT(const DerivedException&) { trace += "derived "; }
  ELSE { trace += "else "; }
  END_TRY;
  CHECK(trace == "base ");

  trace.clear();
  TRY { throw DerivedException{{1}}; }
  EXCEPT(const DerivedException&) { trace += "derived "; }
  EXCEPT(const OtherException&) { trace += "base "; }
  END_TRY;
  CHECK(trace == "derived ");
}

TEST_CASE("EXCEPT: a base class catches the derived, named or not, and sees the whole object") {
  std::string text;
  TRY { throw std::out_of_range("index 7"); }
  EXCEPT(const std::exception& exception) { text = exception.what(); }
  END_TRY;
  CHECK(text == "index 7");

  bool caught = false;
  TRY { throw std::out_of_range("index 7"); }
  EXCEPT(std::logic_error) { caught = true; }
  END_TRY;
  CHECK(caught);
}

TEST_CASE("EXCEPT: a derived class does not catch the base") {
  bool caught = false;
  const auto run = [&caught] {
    TRY { throw OtherException{1}; }
    EXCEPT(DerivedException) { caught = true; }
    END_TRY;
  };
  CHECK_THROWS_AS(run(), OtherException);
  CHECK_FALSE(caught);
}

TEST_CASE("EXCEPT: takes a type, a value, a reference, and types with a comma") {
  std::string trace;
  const auto run = [&trace](auto thrown) {
    TRY { throw thrown; }
    EXCEPT(SomeException) { trace += "type "; }
    EXCEPT(OtherException exception) { trace += "value " + std::to_string(exception.number) + " "; }
    EXCEPT(const std::string& text) { trace += "reference " + text + " "; }
    EXCEPT(const std::pair<int, int>& pair) {
      trace += "pair " + std::to_string(pair.second) + " ";
    }
    EXCEPT(int number) { trace += "int " + std::to_string(number); }
    END_TRY;
  };
  run(SomeException{});
  run(OtherException{3});
  run(std::string("text"));
  run(std::pair(4, 5));
  run(6);
  CHECK(trace == "type value 3 reference text pair 5 int 6");
}

TEST_CASE("TRY: nested, the inner FINALLY runs before the outer handler and the outer FINALLY") {
  std::string trace;
  TRY {
    TRY {
      trace += "body ";
      throw SomeException{};
    }
    EXCEPT(OtherException) { trace += "inner "; }
    FINALLY { trace += "inner-finally "; }
    END_TRY;
    trace += "not reached ";
  }
  EXCEPT(SomeException) {
    TRY { throw OtherException{1}; }
    EXCEPT(OtherException) { trace += "in-handler "; }
    END_TRY;
  }
  FINALLY {
    TRY { throw SomeException{}; }
    ELSE { trace += "in-finally "; }
    END_TRY;
    trace += "outer-finally";
  }
  END_TRY;
  CHECK(trace == "body inner-finally in-handler in-finally outer-finally");
}

TEST_CASE("TRY: without EXCEPT, ELSE and FINALLY it changes nothing") {
  int number = 0;
  TRY { number = 1; }
  END_TRY;
  CHECK(number == 1);
  const auto run = [] {
    TRY { throw SomeException{}; }
    END_TRY;
  };
  CHECK_THROWS_AS(run(), SomeException);
}

TEST_CASE("TRY: blocks see and change the function's variables, its loop's and its object's") {
  struct Object {
    int total = 0;
    void add(const std::vector<int>& numbers) {
      for (const int number : numbers) {
        TRY {
          if (number < 0) {
            throw OtherException{number};
          }
          total += number;
        }
        EXCEPT(const OtherException& exception) { total -= exception.number; }
        FINALLY { total += 100; }
        END_TRY;
      }
    }
  };
  Object object;
  object.add({1, -2, 3});
  CHECK(object.total == 306);
}

TEST_CASE("TRY: locals of the body are destroyed before the handler and FINALLY run") {
  const auto number = std::make_shared<int>(7);
  long seen_by_handler = 0;
  long seen_by_finally = 0;
  TRY {
    const auto local = number;
    throw SomeException{};
  }
  EXCEPT(SomeException) { seen_by_handler = number.use_count(); }
  FINALLY { seen_by_finally = number.use_count(); }
  END_TRY;
  CHECK(seen_by_handler == 1);
  CHECK(seen_by_finally == 1);
}

TEST_CASE_FIXTURE(
    LiveArenas,
    "TRY: an arena made before it and disposed in FINALLY is disposed on every way out [Rule 4]") {
  for (int way_out = 0; way_out < 4; ++way_out) {
    CAPTURE(way_out);
    Arena arena;
    const auto run = [&] {
      TRY {
        (void)arena.alloc(100);
        if (way_out == 1) {
          return;
        }
        if (way_out == 2) {
          (void)arena.alloc(static_cast<std::size_t>(-1));
        }
        if (way_out == 3) {
          throw SomeException{};
        }
      }
      EXCEPT(const std::bad_alloc& failure) {
        CHECK(std::string(failure.what()).starts_with("arena: "));
      }
      FINALLY { arena.dispose(); }
      END_TRY;
    };
    if (way_out == 3) {
      CHECK_THROWS_AS(run(), SomeException);
    } else {
      CHECK_NOTHROW(run());
    }
    CHECK(arena.is_disposed());
  }
}

}  // namespace
}  // namespace stadion
