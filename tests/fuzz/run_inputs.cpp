// SPDX-License-Identifier: MIT
// Runs a fuzz target without libFuzzer, for the suite: on the files that are named, or are in a folder
// that is named, and on random inputs. Each is announced, so that the last line names the one that
// failed.
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
constexpr std::size_t kRandomBytesMax = 1024;

void run_file(const std::filesystem::path& path) {
  std::fprintf(stderr, "input %s\n", path.c_str());
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> text{std::istreambuf_iterator<char>(file), {}};
  const std::vector<std::uint8_t> bytes(text.begin(), text.end());
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
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
  std::vector<std::uint8_t> bytes(random() % kRandomBytesMax);
  for (std::uint8_t& byte : bytes) {
    byte = static_cast<std::uint8_t>(random());
  }
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
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
