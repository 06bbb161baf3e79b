#include "report/html.h"

#include <fmt/format.h>

#include "report/html_plots.h"
#include "report/page.h"
#include "report/summary.h"

namespace breakwater::storm {

namespace {

constexpr double quantiles[] = {0.5, 0.9, 0.95, 0.99, 0.999, 0.9999};

void write_verdict(std::string& out, const Results& results) {
  out += fmt::format(
      "<div class=\"verdict {}\">\n<p><strong>{}</strong></p>\n", results.is_valid() ? "valid" : "invalid",
      results.is_valid() ? "valid: these figures may be believed" : "INVALID: these figures say nothing");
  for (const std::string& doubt : results.doubts) out += fmt::format("<p>{}</p>\n", escaped(doubt));
  out += "</div>\n";
}

void write_count(std::string& out, std::string_view value, std::string_view what) {
  out += fmt::format("<li><b>{}</b> {}</li>", value, what);
}

void write_counts(std::string& out, const Report& report, const OperationCounts& counts) {
  out += "<ul class=\"counts\">";
  write_count(out, fmt::format("{}", counts.ended), "ended");
  write_count(out, fmt::format("{:.2f}/s", operations_per_second(report, counts)), "went well");
  write_count(out, fmt::format("{}", counts.failed()),
              fmt::format("failed ({:.3f} %)", failed_share(counts) * 100));
  if (counts.vanished > 0) write_count(out, fmt::format("{}", counts.vanished), "vanished, as told");
  if (counts_http(report.facts)) {
    write_count(out, bytes_text(counts.bytes_received), "received");
    write_count(out, bytes_text(counts.bytes_sent), "sent");
    write_count(out, fmt::format("{}", counts.requests), "requests");
    write_count(out, fmt::format("{}", counts.connections), "connections");
  } else {
    write_count(out, "not measured", "bytes, requests and connections, which are git's own");
  }
  if (counts.packs > 0)
    write_count(out, fmt::format("{}", counts.packs),
                fmt::format("packs checked, {} unpacked by git", counts.deep_checks));
  if (counts.stalls > 0) write_count(out, fmt::format("{}", counts.stalls), "times not a byte for a second");
  out += "</ul>\n";
}

void write_latencies(std::string& out, std::string_view what, const Latencies& latencies) {
  if (latencies.count() == 0) return;
  out += fmt::format("<tr><th scope=\"row\">{}</th>", what);
  for (const double quantile : quantiles)
    out += fmt::format("<td>{}</td>", time_text(latencies.us_at(quantile)));
  out += fmt::format("<td>{}</td></tr>\n", time_text(latencies.max_us()));
}

void write_operation(std::string& out, const Report& report, size_t i) {
  const OperationCounts& counts = report.results.operations[i];
  out += fmt::format("<section class=\"card\">\n<h3>{}</h3>\n", escaped(report.operations[i]));
  write_counts(out, report, counts);
  if (counts.latency.count() > 0) {
    out += fmt::format(
        "<table>\n<thead><tr><th scope=\"col\">of what went well</th><th scope=\"col\">p50</th>"
        "<th scope=\"col\">p90</th><th scope=\"col\">p95</th><th scope=\"col\">p99</th>"
        "<th scope=\"col\">p99.9</th><th scope=\"col\">p99.99</th><th scope=\"col\">max</th></tr>"
        "</thead>\n<tbody>\n");
    write_latencies(out, "latency", counts.latency);
    for (uint8_t each = 0; each < phases; ++each)
      write_latencies(out, name(static_cast<Phase>(each)), counts.phase[each]);
    out += "</tbody>\n</table>\n";
  }
  out += "</section>\n";
}

void write_failures(std::string& out, const Results& results) {
  out += "<h2>Failures</h2>\n";
  if (results.all.failed() == 0) {
    out += "<p>None.</p>\n";
    return;
  }
  out += fmt::format(
      "<div class=\"card\"><table>\n<thead><tr><th scope=\"col\">class</th><th scope=\"col\">count</th>"
      "<th scope=\"col\">of all</th><th scope=\"col\" class=\"text\">what it is</th>"
      "<th scope=\"col\" class=\"text\">the first</th></tr></thead>\n<tbody>\n");
  for (uint8_t each = 1; each < failures; ++each) {
    const uint64_t count = results.all.by_failure[each];
    if (count == 0) continue;
    const auto failure = static_cast<Failure>(each);
    const double share = 100 * static_cast<double>(count) / static_cast<double>(results.all.ended);
    out += fmt::format(
        "<tr><th scope=\"row\">{}</th><td>{}</td><td>{:.3f} %</td><td class=\"text\">{}</td>"
        "<td class=\"text\">{}</td></tr>\n",
        name(failure), count, share, explain(failure), escaped(results.words[each]));
  }
  out += "</tbody>\n</table></div>\n";
}

void write_fact(std::string& out, std::string_view what, std::string_view value) {
  out += fmt::format("<tr><th scope=\"row\">{}</th><td class=\"text\">{}</td></tr>\n", what, escaped(value));
}

void write_facts(std::string& out, const Report& report) {
  const RunFacts& facts = report.facts;
  const Effort& effort = report.results.effort;
  out += "<h2>The run</h2>\n<div class=\"card\"><table>\n<tbody>\n";
  write_fact(out, "target", facts.target);
  write_fact(out, facts.repositories > 1 ? "repositories" : "repository",
             facts.repositories > 1 ? fmt::format("{} and {} more", facts.repository, facts.repositories - 1)
                                    : facts.repository);
  write_fact(out, "begun", facts.started_at);
  write_fact(out, "plan",
             fmt::format("{} loop, {} runners, {} operations planned in {:g} s, {:g} s of them warm-up",
                         facts.is_open ? "open" : "closed", facts.runners, facts.operations_planned,
                         facts.length_seconds, facts.warm_up_seconds));
  write_fact(out, "scenario", fmt::format("{}, {}", facts.scenario, facts.scenario_hash));
  write_fact(out, "seed", fmt::format("{}", facts.seed));
  write_fact(out, "program",
             fmt::format("{}, {} driver, {} thread{}", facts.program, facts.driver, facts.cores,
                         facts.cores == 1 ? "" : "s"));
  write_fact(out, "git", facts.git.empty() ? "none" : facts.git);
  write_fact(out, "kernel", facts.kernel);
  write_fact(out, "CPU", fmt::format("{} x {}", facts.cpus, facts.cpu));
  write_fact(
      out, "generator",
      fmt::format("late by {} at p99, {:.2f} CPU s in {:.1f} s", time_text(report.results.lag.us_at(0.99)),
                  effort.cpu_seconds, effort.elapsed_seconds));
  write_fact(out, "fairness between runners",
             counts_http(facts)
                 ? fmt::format("{:.3f} (Jain's index; 1: all had the same rate)", report.results.fairness)
                 : "not measured");
  out += "</tbody>\n</table></div>\n";
}

}  // namespace

std::string html_report(const Report& report) {
  const std::string title = fmt::format("{} at {}", report.facts.scenario, report.facts.target);
  std::string body;
  body += fmt::format("<h1>{}</h1>\n<p class=\"quiet\">{} · {} · {}</p>\n", escaped(title),
                      escaped(report.facts.repository), escaped(report.facts.started_at),
                      escaped(report.facts.program));
  write_verdict(body, report.results);
  write_counts(body, report, report.results.all);
  body += plots_html(report);
  body += "<h2>Operations</h2>\n";
  for (size_t i = 0; i < report.operations.size(); ++i) write_operation(body, report, i);
  write_failures(body, report.results);
  write_facts(body, report);
  return page(title, body);
}

}  // namespace breakwater::storm
