#include "report/student.h"

#include <cmath>
#include <numbers>

namespace breakwater::storm {

namespace {

// Halves the interval in which it lies until doubles can't tell its ends apart.
double normal_quantile(double tail) {
  double low = 0, high = 40;
  for (int i = 0; i < 64; ++i) {
    const double middle = (low + high) / 2;
    const double beyond = std::erfc(middle / std::numbers::sqrt2) / 2;
    (beyond > tail ? low : high) = middle;
  }
  return low;
}

}  // namespace

double student_quantile(double tail, uint32_t freedom) {
  // Abramowitz and Stegun, 26.7.5.
  const double z = normal_quantile(tail), n = freedom;
  const double z2 = z * z;
  const double first = z * (z2 + 1) / 4;
  const double second = z * ((5 * z2 + 16) * z2 + 3) / 96;
  const double third = z * (((3 * z2 + 19) * z2 + 17) * z2 - 15) / 384;
  const double fourth = z * ((((79 * z2 + 776) * z2 + 1482) * z2 - 1920) * z2 - 945) / 92160;
  return z + first / n + second / (n * n) + third / (n * n * n) + fourth / (n * n * n * n);
}

}  // namespace breakwater::storm
