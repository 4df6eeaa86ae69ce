// SPDX-License-Identifier: MIT
#include "apps/bench/arena/versions.hpp"

#include <gnu/libc-version.h>

#include "apps/bench/arena/allocators.hpp"

#ifdef STADION_BENCH_APR
#include <apr-1.0/apr_version.h>
#endif

namespace stadion::bench {
namespace {

void add_loaded(const std::string& name, const LoadedHeap& heap, Facts& facts) {
  if (heap.is_loaded()) {
    facts.versions.push_back(name + " " + heap.version);
  } else {
    facts.skipped.push_back(name + ": " + heap.version);
  }
}

void add_linked(Facts& facts) {
  [[maybe_unused]] const char* missing = ": was not there when this program was configured";
#ifdef STADION_BENCH_PROTOBUF
  facts.versions.push_back("protobuf " +
                           google::protobuf::internal::VersionString(GOOGLE_PROTOBUF_VERSION));
#else
  facts.skipped.push_back(std::string("protobuf") + missing);
#endif
#ifdef STADION_BENCH_APR
  facts.versions.push_back(std::string("apr ") + apr_version_string());
#else
  facts.skipped.push_back(std::string("apr") + missing);
#endif
#ifdef STADION_BENCH_TALLOC
  facts.versions.push_back("talloc " + std::to_string(talloc_version_major()) + "." +
                           std::to_string(talloc_version_minor()));
#else
  facts.skipped.push_back(std::string("talloc") + missing);
#endif
}

}  // namespace

Facts gather_facts() {
  Facts facts = facts_of_this_run();
  facts.versions.push_back(std::string("malloc glibc ") + gnu_get_libc_version());
  add_loaded("mimalloc", mimalloc_heap, facts);
  add_loaded("jemalloc", jemalloc_heap, facts);
#ifdef _GLIBCXX_RELEASE
  facts.versions.push_back("pmr libstdc++ " + std::to_string(_GLIBCXX_RELEASE));
#endif
  add_linked(facts);
  facts.versions.emplace_back("Google Benchmark " STADION_BENCH_BENCHMARK_VERSION);
  return facts;
}

}  // namespace stadion::bench
