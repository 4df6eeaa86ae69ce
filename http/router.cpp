// SPDX-License-Identifier: MIT
#include "http/router.hpp"

#include <algorithm>
#include <bitset>
#include <map>
#include <optional>
#include <stdexcept>

#include "http/url.hpp"

namespace stadion::http {
namespace {

/// Of a pattern; what a path has beyond them only a `{*name}` can match. Bounds the search's depth.
constexpr std::size_t kSegmentsMax = 64;
constexpr std::size_t kParametersMax = 16;

[[noreturn]] void refuse(std::string_view pattern, std::string_view why) {
  throw std::invalid_argument("route '" + std::string(pattern) + "': " + std::string(why));
}

using MethodSet = std::bitset<kMethodCount>;

bool is_parameter(std::string_view segment) noexcept {
  return segment.starts_with('{') && segment.ends_with('}');
}

/// The first segment of a path that begins with '/', and the path behind it.
struct SplitPath {
  std::string_view segment;
  std::string_view rest;

  explicit SplitPath(std::string_view path) noexcept {
    const std::size_t end = std::min(path.find('/', 1), path.size());
    segment = path.substr(1, end - 1);
    rest = path.substr(end);
  }
};

}  // namespace

/// A segment of the patterns that share the segments before it.
struct Router::Node {
  std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
  std::unique_ptr<Node> parameter;
  std::unique_ptr<Node> rest;
  std::string name;  ///< Of the parameter that this segment gives; empty for text.
  std::array<Handler, kMethodCount> handlers;
  MethodSet methods;  ///< Those that have a handler.

  const Handler* find(Method method) const noexcept {
    return methods[static_cast<std::size_t>(method)] ? &handlers[static_cast<std::size_t>(method)]
                                                     : nullptr;
  }
};

/// One walk down the tree, which goes back where a specific branch turns out not to match.
struct Router::Search {
  Search(Arena& request_arena, Method requested) noexcept
      : arena(request_arena), method(requested) {}

  Arena& arena;
  Method method;
  std::array<PathParameter, kParametersMax> parameters{};
  std::size_t parameter_count = 0;
  bool is_malformed = false;
  MethodSet other_methods;  ///< Of the patterns that match, when none has a handler for `method`.

  const Handler* find(const Node& node, std::string_view path, std::size_t depth = 0) {
    if (path.empty()) {
      return handler_of(node);
    }
    const SplitPath split(path);
    const std::optional<std::string_view> segment = percent_decode(split.segment, arena);
    if (!segment.has_value()) {
      is_malformed = true;
      return nullptr;
    }
    const Handler* handler = nullptr;
    if (const auto literal = node.literals.find(*segment);
        literal != node.literals.end() && depth < kSegmentsMax) {
      handler = find(*literal->second, split.rest, depth + 1);
    }
    if (handler == nullptr && node.parameter != nullptr && !segment->empty() &&
        depth < kSegmentsMax) {
      handler = find_with(*node.parameter, *segment, split.rest, depth + 1);
    }
    if (handler == nullptr && node.rest != nullptr) {
      handler = find_rest(*node.rest, path.substr(1), depth + 1);
    }
    return handler;
  }

  const Handler* find_rest(const Node& node, std::string_view encoded, std::size_t depth) {
    const std::optional<std::string_view> rest = percent_decode(encoded, arena);
    if (!rest.has_value()) {
      is_malformed = true;
      return nullptr;
    }
    return find_with(node, *rest, {}, depth);
  }

  const Handler* find_with(const Node& node, std::string_view value, std::string_view rest,
                           std::size_t depth) {
    parameters[parameter_count++] = {node.name, value};
    const Handler* handler = find(node, rest, depth);
    if (handler == nullptr) {
      --parameter_count;
    }
    return handler;
  }

  const Handler* handler_of(const Node& node) noexcept {
    const Handler* handler = node.find(method);
    if (handler == nullptr && method == Method::head) {
      handler = node.find(Method::get);
    }
    if (handler == nullptr) {
      other_methods |= node.methods;
    }
    return handler;
  }
};

Router::Router() : root_(std::make_unique<Node>()) {}

Router::~Router() = default;

void Router::add(Method method, std::string_view pattern, Handler handler) {
  if (!pattern.starts_with('/')) {
    refuse(pattern, "a pattern begins with '/'");
  }
  if (!handler) {
    refuse(pattern, "there is no handler");
  }
  Node* node = root_.get();
  std::size_t segments = 0;
  std::size_t parameters = 0;
  for (std::string_view path = pattern; !path.empty();) {
    const SplitPath split(path);
    parameters += is_parameter(split.segment) ? 1 : 0;
    if (++segments > kSegmentsMax || parameters > kParametersMax) {
      refuse(pattern, "a pattern has at most 64 segments, 16 of them parameters");
    }
    if (split.segment.starts_with("{*") && !split.rest.empty()) {
      refuse(pattern, "'{*name}' stands at the end");
    }
    node = &child_for(*node, split.segment, pattern);
    path = split.rest;
  }
  const auto index = static_cast<std::size_t>(method);
  if (node->methods[index]) {
    refuse(pattern, "there is a handler for " + std::string(to_string(method)) + " already");
  }
  node->handlers[index] = std::move(handler);
  node->methods.set(index);
  descriptions_.push_back(std::string(to_string(method)) + " " + std::string(pattern));
}

Router::Node& Router::child_for(Node& node, std::string_view segment, std::string_view pattern) {
  if (!is_parameter(segment)) {
    if (segment.find_first_of("{}") != std::string_view::npos) {
      refuse(pattern, "a parameter is a whole segment, '{name}' or '{*name}'");
    }
    auto& child = node.literals[std::string(segment)];
    if (child == nullptr) {
      child = std::make_unique<Node>();
    }
    return *child;
  }
  const bool is_rest = segment.starts_with("{*");
  const std::string_view name = segment.substr(is_rest ? 2 : 1, segment.size() - (is_rest ? 3 : 2));
  if (name.empty() || name.find_first_of("{}*") != std::string_view::npos) {
    refuse(pattern, "a parameter has a name");
  }
  auto& child = is_rest ? node.rest : node.parameter;
  if (child == nullptr) {
    child = std::make_unique<Node>();
    child->name = name;
  } else if (child->name != name) {
    refuse(pattern, "an earlier route calls the parameter '" + child->name + "'");
  }
  return *child;
}

namespace {

/// The value of Allow; what the server answers by itself is among them.
std::string_view list_of(MethodSet methods, Arena& arena) {
  methods.set(static_cast<std::size_t>(Method::options));
  if (methods[static_cast<std::size_t>(Method::get)]) {
    methods.set(static_cast<std::size_t>(Method::head));
  }
  constexpr std::size_t kListBytesMax = 80;
  char* const list = static_cast<char*>(arena.alloc(kListBytesMax, 1));
  char* end = list;
  for (std::size_t i = 0; i < kMethodCount; ++i) {
    if (methods[i]) {
      const std::string_view separator = end == list ? "" : ", ";
      const std::string_view name = to_string(static_cast<Method>(i));
      end = std::copy(separator.begin(), separator.end(), end);
      end = std::copy(name.begin(), name.end(), end);
    }
  }
  return {list, static_cast<std::size_t>(end - list)};
}

}  // namespace

void Router::route(Request& request, Response& response) const {
  if (request.raw_path() == "*") {
    response.status(Status::no_content);
    return;
  }
  Search search(request.arena(), request.method());
  const Handler* handler = search.find(*root_, request.raw_path());
  if (handler != nullptr) {
    const auto parameters = request.arena().make_array<PathParameter>(search.parameter_count);
    std::copy_n(search.parameters.begin(), search.parameter_count, parameters.begin());
    request.parameters_ = parameters;
    (*handler)(request, response);
  } else if (search.is_malformed || !percent_decode(request.raw_path(), request.arena())) {
    response.status(Status::bad_request).text("The path has a malformed escape.\n");
  } else if (search.other_methods.none()) {
    response.status(Status::not_found).text("There is nothing here.\n");
  } else {
    response.header("Allow", list_of(search.other_methods, request.arena()));
    if (request.method() == Method::options) {
      response.status(Status::no_content);
    } else {
      response.status(Status::method_not_allowed).text("This method is not allowed here.\n");
    }
  }
}

}  // namespace stadion::http
