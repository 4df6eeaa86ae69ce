// SPDX-License-Identifier: MIT
// Runs a fuzz target without libFuzzer, for the suite: on the files that are named, or are in a folder
// that is named, and then for kTime on what becomes of them by chance, and on random bytes. Each file and
// each seed is announced, so that the last line names the one that failed.
#include <algorithm>
#include <chrono>
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

constexpr std::chrono::seconds kTime{2};
constexpr std::uint32_t kInputsOfSeed = 200;
/// Of that many inputs one is of random bytes alone, which seldom come far.
constexpr std::uint32_t kVariantsToRandom = 8;
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

Bytes random_bytes(std::mt19937& random) {
  Bytes bytes(random() % kRandomBytesMax);
  for (std::uint8_t& byte : bytes) {
    byte = static_cast<std::uint8_t>(random());
  }
  return bytes;
}

Bytes read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> text{std::istreambuf_iterator<char>(file), {}};
  return {text.begin(), text.end()};
}

/// The file, or those in the folder.
std::vector<std::filesystem::path> files_of(const std::filesystem::path& path) {
  if (!std::filesystem::is_directory(path)) {
    return {path};
  }
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(path)) {
    files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

void run_seed(std::uint32_t seed, const std::vector<Bytes>& inputs) {
  std::fprintf(stderr, "seed %u\n", seed);
  std::mt19937 random(seed);
  for (std::uint32_t i = 0; i < kInputsOfSeed; ++i) {
    run(i % kVariantsToRandom == 0 ? random_bytes(random)
                                   : variant_of(inputs[random() % inputs.size()], random));
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<Bytes> inputs;
  for (int i = 1; i < argc; ++i) {
    for (const std::filesystem::path& file : files_of(argv[i])) {
      std::fprintf(stderr, "input %s\n", file.c_str());
      inputs.push_back(read(file));
      run(inputs.back());
    }
  }
  if (inputs.empty()) {
    std::fprintf(stderr, "no input: a test that runs nothing must not pass\n");
    return 1;
  }
  const auto end = std::chrono::steady_clock::now() + kTime;
  std::uint32_t seeds = 0;
  while (std::chrono::steady_clock::now() < end) {
    run_seed(++seeds, inputs);
  }
  std::printf("%zu inputs of the corpus, and %u by chance\n", inputs.size(), seeds * kInputsOfSeed);
  return 0;
}
