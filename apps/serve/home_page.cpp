// SPDX-License-Identifier: MIT
#include "apps/serve/home_page.hpp"

#include <string_view>

namespace stadion::serve {
namespace {

constexpr std::string_view kBeforeFigures = R"html(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Stadion</title>
<style>
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 3rem auto; padding: 0 1rem; }
h1 { margin-bottom: 0; }
p.lead { margin-top: .2rem; opacity: .8; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .35rem .5rem; border-bottom: 1px solid #8884; font-weight: normal; }
td.figure { text-align: right; font-variant-numeric: tabular-nums; }
code { font-family: ui-monospace, monospace; }
</style>
</head>
<body>
<h1>Stadion</h1>
<p class="lead">A C++20 HTTP server in which each request has one arena, and leaves nothing behind.</p>
<h2>Now</h2>
<table>
)html";

constexpr std::string_view kBetween = R"html(</table>
<h2>Routes</h2>
<table>
)html";

constexpr std::string_view kAfterRoutes = R"html(</table>
<script>
const show = new Intl.NumberFormat("en");
async function refresh() {
  const sums = {};
  for (const line of (await (await fetch("/metrics")).text()).split("\n")) {
    const sample = /^(stadion_\w+)(?:{.*})? (\S+)$/.exec(line);
    if (sample) sums[sample[1]] = (sums[sample[1]] || 0) + Number(sample[2]);
  }
  for (const cell of document.querySelectorAll("[data-metric]"))
    cell.textContent = show.format(Math.round(sums[cell.dataset.metric] || 0));
}
setInterval(() => refresh().catch(() => {}), 1000);
</script>
</body>
</html>
)html";

void add_figure(std::string& page, std::string_view label, std::string_view metric,
                std::uint64_t value) {
  page.append("<tr><th>")
      .append(label)
      .append("</th><td class=\"figure\" data-metric=\"")
      .append(metric);
  page.append("\">").append(std::to_string(value)).append("</td></tr>\n");
}

void add_route(std::string& page, std::string_view description) {
  const std::size_t space = description.find(' ');
  const std::string_view method = description.substr(0, space);
  const std::string_view pattern = description.substr(space + 1);
  page.append("<tr><td>").append(method).append("</td><td><code>");
  if (method == "GET" && pattern.find('{') == std::string_view::npos) {
    page.append("<a href=\"").append(pattern).append("\">").append(pattern).append("</a>");
  } else {
    page.append(pattern);
  }
  page.append("</code></td></tr>\n");
}

}  // namespace

std::string home_page(const http::Server& server) {
  const http::ServerStatistics now = server.statistics();
  std::string page(kBeforeFigures);
  add_figure(page, "Requests answered", "stadion_http_requests_total", now.responses());
  add_figure(page, "Open connections", "stadion_connections", now.connections.active);
  add_figure(page, "Live arenas", "stadion_arenas_live", now.arenas_live);
  add_figure(page, "Bytes in arenas", "stadion_arena_bytes", now.arena_bytes_live);
  add_figure(page, "Seconds up", "stadion_uptime_seconds",
             static_cast<std::uint64_t>(now.uptime_seconds));
  page.append(kBetween);
  for (const std::string& description : server.router().descriptions()) {
    add_route(page, description);
  }
  return page.append(kAfterRoutes);
}

}  // namespace stadion::serve
