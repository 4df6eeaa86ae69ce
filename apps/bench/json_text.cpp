// SPDX-License-Identifier: MIT
#include "apps/bench/json_text.hpp"

#include <array>
#include <cstdio>

namespace stadion::bench {
namespace {

std::string list(const std::vector<std::string>& parts, const char* open, const char* close) {
  std::string text = open;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    text += (i == 0 ? "" : ", ") + parts[i];
  }
  return text + close;
}

}  // namespace

std::string json_quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
    }
    out += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  }
  return out + "\"";
}

std::string json_number(std::optional<double> value) {
  if (!value) {
    return "null";
  }
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.6g", *value);
  return text.data();
}

std::string json_member(std::string_view name, const std::string& value) {
  return json_quoted(name) + ": " + value;
}

std::string json_object(const std::vector<std::string>& members) { return list(members, "{", "}"); }

std::string json_array(const std::vector<std::string>& values) { return list(values, "[", "]"); }

std::string json_strings(const std::vector<std::string>& texts) {
  std::vector<std::string> parts;
  parts.reserve(texts.size());
  for (const std::string& text : texts) {
    parts.push_back(json_quoted(text));
  }
  return json_array(parts);
}

}  // namespace stadion::bench
