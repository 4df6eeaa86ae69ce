// SPDX-License-Identifier: MIT
#pragma once

namespace stadion {

/// Where in the program something was asked for: the document's file and line for debugging.
///
/// Taken as a defaulted last argument it names the caller's line. (`std::source_location` needs a
/// newer clang than 14.)
struct SourceLocation {
  const char* file = nullptr;  ///< A string literal, or null when not known.
  unsigned line = 0;

  static constexpr SourceLocation current(const char* file = __builtin_FILE(),
                                          unsigned line = __builtin_LINE()) noexcept {
    return {file, line};
  }
};

}  // namespace stadion
