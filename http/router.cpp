// SPDX-License-Identifier: MIT
#include "http/router.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <span>
#include <stdexcept>

#include "http/route.hpp"
#include "http/url.hpp"

namespace stadion::http {
namespace {

/// An order of text in which most comparisons look at the size alone.
struct ShorterFirst {
  using is_transparent = void;
  bool operator()(std::string_view left, std::string_view right) const noexcept {
    return left.size() != right.size() ? left.size() < right.size() : left < right;
  }
};

/// Of a pattern; what a path has beyond them only a `{*name}` can match. Bounds the search's depth.
constexpr std::size_t kSegmentsMax = 64;
constexpr std::size_t kParametersMax = 16;

[[noreturn]] void refuse(std::string_view pattern, std::string_view why) {
  throw std::invalid_argument("route '" + std::string(pattern) + "': " + std::string(why));
}

bool is_parameter(std::string_view segment) noexcept {
  return segment.starts_with('{') && segment.ends_with('}');
}

std::string_view parameter_name(std::string_view segment) noexcept {
  const std::size_t begin = segment.starts_with("{*") ? 2 : 1;
  return segment.substr(begin, segment.size() - begin - 1);
}

void check_segment(std::string_view segment, std::string_view pattern) {
  if (!is_parameter(segment)) {
    if (segment.find_first_of("{}") != std::string_view::npos) {
      refuse(pattern, "a parameter is a whole segment, '{name}' or '{*name}'");
    }
    return;
  }
  const std::string_view name = parameter_name(segment);
  if (name.empty() || name.find_first_of("{}*") != std::string_view::npos) {
    refuse(pattern, "a parameter has a name");
  }
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

bool is_path_of(std::string_view path, std::string_view prefix) noexcept {
  return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

RouteOptions merged(RouteOptions options, const RouteOptions& outer) {
  const auto take = [](auto& option, const auto& from) {
    if (!option.has_value()) {
      option = from;
    }
  };
  take(options.body, outer.body);
  take(options.body_bytes_max, outer.body_bytes_max);
  take(options.request_memory_bytes_max, outer.request_memory_bytes_max);
  take(options.handler_max, outer.handler_max);
  return options;
}

}  // namespace

/// Routes with a prefix in common, and what is done around them.
struct RouteGroup {
  const RouteGroup* parent = nullptr;
  std::string prefix;
  RouteOptions options;
  std::vector<Middleware> middleware;
  MiddlewareChain chain;  ///< The parents' and its own.
};

/// A segment of the patterns that share the segments before it.
struct Router::Node {
  std::map<std::string, std::unique_ptr<Node>, ShorterFirst> literals;
  std::unique_ptr<Node> parameter;
  std::unique_ptr<Node> rest;
  std::string name;  ///< Of the parameter that this segment gives; empty for text.
  std::array<Route, kMethodCount> routes;
  MethodSet methods;  ///< Those that have a handler.

  /// Null where there is none for that method.
  const Route* find(Method method) const noexcept {
    const Route* route = own(method);
    return route == nullptr && method == Method::head ? own(Method::get) : route;
  }

 private:
  const Route* own(Method method) const noexcept {
    const auto index = static_cast<std::size_t>(method);
    return methods[index] ? &routes[index] : nullptr;
  }
};

/// One walk down the tree, which goes back where a specific branch turns out not to match.
struct Router::Search {
  Search(Arena& request_arena, Method requested, std::size_t max) noexcept
      : arena(request_arena), method(requested), parameters_max(max) {}

  Arena& arena;
  Method method;
  std::size_t parameters_max;
  std::span<PathParameter> parameters;  ///< In the arena; the first parameter_count of them.
  std::size_t parameter_count = 0;
  bool is_malformed = false;
  MethodSet other_methods;  ///< Of the patterns that match, when none has a route for `method`.

  const Route* find(const Node& node, std::string_view path, std::size_t depth = 0) {
    if (path.empty()) {
      return route_of(node);
    }
    const SplitPath split(path);
    const std::optional<std::string_view> segment = percent_decode(split.segment, arena);
    if (!segment.has_value()) {
      is_malformed = true;
      return nullptr;
    }
    const Route* route = nullptr;
    if (const auto literal = node.literals.find(*segment);
        literal != node.literals.end() && depth < kSegmentsMax) {
      route = find(*literal->second, split.rest, depth + 1);
    }
    if (route == nullptr && node.parameter != nullptr && !segment->empty() &&
        depth < kSegmentsMax) {
      route = find_with(*node.parameter, *segment, split.rest, depth + 1);
    }
    if (route == nullptr && node.rest != nullptr) {
      route = find_rest(*node.rest, path.substr(1), depth + 1);
    }
    return route;
  }

  const Route* find_rest(const Node& node, std::string_view encoded, std::size_t depth) {
    const std::optional<std::string_view> rest = percent_decode(encoded, arena);
    if (!rest.has_value()) {
      is_malformed = true;
      return nullptr;
    }
    return find_with(node, *rest, {}, depth);
  }

  const Route* find_with(const Node& node, std::string_view value, std::string_view rest,
                         std::size_t depth) {
    if (parameters.empty()) {
      parameters = arena.make_array<PathParameter>(parameters_max);
    }
    parameters[parameter_count++] = {node.name, value};
    const Route* route = find(node, rest, depth);
    if (route == nullptr) {
      --parameter_count;
    }
    return route;
  }

  const Route* route_of(const Node& node) noexcept {
    const Route* route = node.find(method);
    if (route == nullptr) {
      other_methods |= node.methods;
    }
    return route;
  }
};

Router::Router() : root_(std::make_unique<Node>()) {
  groups_.push_back(std::make_unique<RouteGroup>());
}

Router::~Router() = default;

void Router::add(RouteGroup& group, Method method, std::string_view pattern, Handler handler,
                 const RouteOptions& options) {
  const std::string whole = group.prefix + std::string(pattern);
  const std::size_t parameters = check_pattern(whole, handler);
  parameters_max_ = std::max(parameters_max_, parameters);  // Of what is refused below, too.
  Node* node = root_.get();
  for (std::string_view path = whole; !path.empty();) {
    const SplitPath split(path);
    node = &child_for(*node, split.segment, whole);
    path = split.rest;
  }
  const auto index = static_cast<std::size_t>(method);
  if (node->methods[index]) {
    refuse(whole, "there is a handler for " + std::string(to_string(method)) + " already");
  }
  // An escape in a pattern is text, in a path it is none: that is for the tree.
  if (parameters == 0 && whole.find('%') == std::string::npos && node->methods.none()) {
    literals_.add(whole, *node);
  }
  descriptions_.push_back(std::string(to_string(method)) + " " + whole);
  node->routes[index] = {.handler = std::move(handler),
                         .options = merged(options, group.options),
                         .chain = &group.chain};
  node->methods.set(index);
}

std::size_t Router::check_pattern(std::string_view pattern, const Handler& handler) {
  if (!pattern.starts_with('/')) {
    refuse(pattern, "a pattern begins with '/'");
  }
  if (handler.is_empty()) {
    refuse(pattern, "there is no handler");
  }
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
    check_segment(split.segment, pattern);
    path = split.rest;
  }
  return parameters;
}

Router::Node& Router::child_for(Node& node, std::string_view segment, std::string_view pattern) {
  if (!is_parameter(segment)) {
    auto& child = node.literals[std::string(segment)];
    if (child == nullptr) {
      child = std::make_unique<Node>();
    }
    return *child;
  }
  const std::string_view name = parameter_name(segment);
  auto& child = segment.starts_with("{*") ? node.rest : node.parameter;
  if (child == nullptr) {
    child = std::make_unique<Node>();
    child->name = name;
  } else if (child->name != name) {
    refuse(pattern, "an earlier route calls the parameter '" + child->name + "'");
  }
  return *child;
}

RouteGroup& Router::add_group(RouteGroup& parent, std::string_view prefix,
                              const RouteOptions& options) {
  if (!prefix.starts_with('/') || prefix.ends_with('/') ||
      prefix.find_first_of("{}%") != std::string_view::npos) {
    refuse(prefix, "a group's prefix begins with '/', does not end with it, and is literal text");
  }
  auto group = std::make_unique<RouteGroup>();
  group->parent = &parent;
  group->prefix = parent.prefix + std::string(prefix);
  group->options = merged(options, parent.options);
  group->chain = parent.chain;
  groups_.push_back(std::move(group));
  return *groups_.back();
}

void Router::use(RouteGroup& group, Middleware middleware) {
  group.middleware.push_back(std::move(middleware));
  for (const auto& each : groups_) {  // Parents come first.
    each->chain = each->parent == nullptr ? MiddlewareChain() : each->parent->chain;
    for (const Middleware& own : each->middleware) {
      each->chain.add(own);
    }
  }
}

const RouteGroup& Router::group_of(std::string_view path) const noexcept {
  const RouteGroup* found = groups_.front().get();
  for (const auto& group : groups_) {
    if (group->prefix.size() > found->prefix.size() && is_path_of(path, group->prefix)) {
      found = group.get();
    }
  }
  return *found;
}

RouteMatch Router::match(Request& request) const {
  if (request.raw_path() == "*") {
    return {.chain = &groups_.front()->chain, .status = Status::no_content};
  }
  // Text wins over parameters, so that no other pattern could answer instead.
  if (const Node* node = literals_.find(request.raw_path())) {
    if (const Route* route = node->find(request.method())) {
      return {.route = route, .chain = route->chain};
    }
  }
  Search search(request.arena(), request.method(), parameters_max_);
  if (const Route* route = search.find(*root_, request.raw_path())) {
    request.parameters_ = search.parameters.first(search.parameter_count);
    return {.route = route, .chain = route->chain};
  }
  RouteMatch match{.chain = &group_of(request.raw_path()).chain,
                   .status = Status::not_found,
                   .allowed = search.other_methods};
  if (search.is_malformed || !percent_decode(request.raw_path(), request.arena())) {
    match.status = Status::bad_request;
  } else if (search.other_methods.any()) {
    match.status =
        request.method() == Method::options ? Status::no_content : Status::method_not_allowed;
  }
  return match;
}

std::string_view allowed_methods(MethodSet methods, Arena& arena) {
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

Routes& Routes::route(Method method, std::string_view pattern, Handler handler,
                      const RouteOptions& options) {
  router_->add(*group_, method, pattern, std::move(handler), options);
  return *this;
}

Routes& Routes::use(Middleware middleware) {
  router_->use(*group_, std::move(middleware));
  return *this;
}

Routes Routes::group(std::string_view prefix, const RouteOptions& options) {
  return {*router_, router_->add_group(*group_, prefix, options)};
}

}  // namespace stadion::http
