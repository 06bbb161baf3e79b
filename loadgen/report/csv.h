// The series as CSV (RFC 4180), for spreadsheets: a line of names, then one for each second and operation (or
// for as many seconds as a row has). The seconds' latencies are at most 3.2 % too high
// (measure/compact_latencies.h). Pure.
#pragma once

#include <string>

#include "report/report.h"

namespace breakwater::storm {

std::string csv_report(const Report& report);

}  // namespace breakwater::storm
