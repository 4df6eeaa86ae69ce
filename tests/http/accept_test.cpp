// SPDX-License-Identifier: MIT
#include "http/accept.hpp"

#include <doctest/doctest.h>

#include <string_view>

namespace stadion::http {
namespace {

TEST_CASE("accept: what is named has its weight, 1 without one [RFC 9110 §12.4.2]") {
  CHECK(quality_of("gzip", "gzip") == 1000);
  CHECK(quality_of("br, gzip;q=0.8", "gzip") == 800);
  CHECK(quality_of("br,gzip ; Q=0.85 , zstd", "gzip") == 850);
  CHECK(quality_of("gzip;q=0.001", "gzip") == 1);
  CHECK(quality_of("gzip;q=1.000", "gzip") == 1000);
  CHECK(quality_of("gzip;q=0", "gzip") == 0);
  CHECK(quality_of("gzip;q=0.000", "gzip") == 0);
  CHECK(quality_of("gzip;q=1.", "gzip") == 1000);
  CHECK(quality_of("GZip", "gzip") == 1000);
  CHECK(quality_of("gzip;q=0.1, gzip;q=0.9", "gzip") == 100);
}

TEST_CASE("accept: what is not named has the weight of the star, or none [RFC 9110 §12.5.3]") {
  CHECK(quality_of("gzip", "br") == 0);
  CHECK(quality_of("", "br") == 0);
  CHECK(quality_of("*", "br") == 1000);
  CHECK(quality_of("gzip, *;q=0.3", "br") == 300);
  CHECK(quality_of("*;q=0.3, gzip", "gzip") == 1000);
  CHECK(quality_of("*, gzip;q=0", "gzip") == 0);
  CHECK(quality_of("gzipped, xgzip", "gzip") == 0);
}

TEST_CASE("accept: no coding at all is acceptable unless it is excluded [RFC 9110 §12.5.3]") {
  CHECK(quality_of("", "identity") == 1);
  CHECK(quality_of("gzip", "identity") == 1);
  CHECK(quality_of("gzip, identity;q=0.5", "identity") == 500);
  CHECK(quality_of("identity;q=0", "identity") == 0);
  CHECK(quality_of("*;q=0", "identity") == 0);
  CHECK(quality_of("*;q=0, identity", "identity") == 1000);
  CHECK(quality_of("*", "identity") == 1000);
}

TEST_CASE("accept: an element with a malformed weight is passed over") {
  for (const std::string_view value :
       {"gzip;q", "gzip;q=", "gzip;q=2", "gzip;q=1.001", "gzip;q=0.1234", "gzip;q=.5", "gzip;q=-1",
        "gzip;q=0,5", "gzip;q=x", "gzip;q=0.x", "gzip;q= 0.5", "gzip;q =0.5", "gzip;q=00.5",
        "gzip;level=1", "gzip;q=0.5;x=1", "gzip;", "gzip;q=0..1", "gzip;q=10"}) {
    CAPTURE(value);
    const bool is_two_elements = value == "gzip;q=0,5";
    CHECK(quality_of(value, "gzip") == 0);
    CHECK((is_two_elements || quality_of(value, "identity") == 1));
  }
  CHECK(quality_of("gzip;q=x, *;q=0.2", "gzip") == 200);
  CHECK(quality_of("gzip;q=x, gzip;q=0.2", "gzip") == 200);
}

TEST_CASE("accept: several lines are one list, and without the field all is acceptable") {
  Arena arena;
  Fields fields(arena);
  fields.add("Accept", "text/html");
  CHECK(accepted_quality(fields, "Accept-Encoding", "gzip") == 1000);
  fields.add("Accept-Encoding", "*;q=0.1, br");
  fields.add("accept-encoding", "gzip;q=0.5");
  CHECK(accepted_quality(fields, "Accept-Encoding", "gzip") == 500);
  CHECK(accepted_quality(fields, "Accept-Encoding", "br") == 1000);
  CHECK(accepted_quality(fields, "Accept-Encoding", "zstd") == 100);
}

}  // namespace
}  // namespace stadion::http
