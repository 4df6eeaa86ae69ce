// SPDX-License-Identifier: MIT
// Runs a fuzz target without libFuzzer, for the suite: on the files that are named, or are in a folder
// that is named, on what becomes of them by chance, and on random inputs. Each is announced, so that the
// last line names the one that failed.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr std::uint32_t kRandomInputs = 200;
constexpr std::uint32_t kVariantsOfFile = 100;
constexpr std::size_t kRandomBytesMax = 1024;

using Bytes = std::vector<std::uint8_t>;

void run(const Bytes& bytes) { LLVMFuzzerTestOneInput(bytes.data(), bytes.size()); }

/// Up to four changes: a byte is another, is gone, or a stretch comes twice.
Bytes variant_of(Bytes bytes, std::mt19937& random) {
  const auto position = [&bytes, &random] {
    return static_cast<std::ptrdiff_t>(random() % bytes.size());
  };
  for (std::uint32_t changes = random() % 4 + 1; changes > 0 && !bytes.empty(); --changes) {
    const auto at = bytes.begin() + position();
    switch (random() % 3) {
      case 0: *at = static_cast<std::uint8_t>(random()); break;
      case 1: bytes.erase(at); break;
      default: {
        const Bytes stretch(at, at + std::min<std::ptrdiff_t>(random() % 32, bytes.end() - at));
        bytes.insert(bytes.begin() + position(), stretch.begin(), stretch.end());
      }
    }
  }
  return bytes;
}

void run_file(const std::filesystem::path& path) {
  std::fprintf(stderr, "input %s\n", path.c_str());
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> text{std::istreambuf_iterator<char>(file), {}};
  const Bytes bytes(text.begin(), text.end());
  run(bytes);
  for (std::uint32_t seed = 1; seed <= kVariantsOfFile; ++seed) {
    std::fprintf(stderr, "its variant %u\n", seed);
    std::mt19937 random(seed);
    run(variant_of(bytes, random));
  }
}

/// Answers how many inputs there were.
std::size_t run_path(const std::filesystem::path& path) {
  if (!std::filesystem::is_directory(path)) {
    run_file(path);
    return 1;
  }
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(path)) {
    files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::for_each(files.begin(), files.end(), run_file);
  return files.size();
}

void run_random(std::uint32_t seed) {
  std::fprintf(stderr, "random input %u\n", seed);
  std::mt19937 random(seed);
  Bytes bytes(random() % kRandomBytesMax);
  for (std::uint8_t& byte : bytes) {
    byte = static_cast<std::uint8_t>(random());
  }
  run(bytes);
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t inputs = 0;
  for (int i = 1; i < argc; ++i) {
    inputs += run_path(argv[i]);
  }
  if (inputs == 0) {
    std::fprintf(stderr, "no input: a test that runs nothing must not pass\n");
    return 1;
  }
  for (std::uint32_t seed = 1; seed <= kRandomInputs; ++seed) {
    run_random(seed);
  }
  return 0;
}
