// SPDX-License-Identifier: MIT
#include "http/path_index.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace stadion::http {
namespace {

TEST_CASE("path index: an empty one knows nothing") {
  const PathIndex<const int> index;
  CHECK(index.find("/") == nullptr);
  CHECK(index.find("") == nullptr);
}

TEST_CASE("path index: finds each of many paths, short and long, and no other") {
  // Of every size, and alike at both ends, so that many have the same hash.
  std::vector<std::string> paths;
  for (std::size_t size = 0; size < 40; ++size) {
    for (const char c : {'a', 'b', 'c', '\xFF', '\0'}) {
      paths.push_back("/" + std::string(size, 'x') + c + std::string(size, 'y'));
    }
  }
  std::vector<int> values(paths.size());
  PathIndex<const int> index;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    CHECK(index.find(paths[i]) == nullptr);
    index.add(paths[i], values[i]);
  }
  for (std::size_t i = 0; i < paths.size(); ++i) {
    CHECK(index.find(paths[i]) == &values[i]);
    CHECK(index.find(paths[i] + "/") == nullptr);
    CHECK(index.find(paths[i].substr(1)) == nullptr);
  }
}

}  // namespace
}  // namespace stadion::http
