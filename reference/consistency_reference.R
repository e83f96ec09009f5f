# p-values of test statistics, for tests/test_consistency_tests.py; base R only.
# The statistics are the examples of statcheck's own tests (github.com/MicheleNuijten/statcheck,
# tests/testthat: test-compute-pvalues.R, test-decisionerror.R, test-error.R).
# Rscript reference/consistency_reference.R tests/reference/consistency_reference.json

library(jsonlite)

of_r <- function(r, df) 2 * pt(-abs(r * sqrt(df / (1 - r^2))), df)
cases <- list(
  list(name = "t", statistic = 2.20, df = 28, p = 2 * pt(-2.20, 28)),
  list(name = "t", statistic = 1.20, df = 28, p = 2 * pt(-1.20, 28)),
  list(name = "t", statistic = 1.02, df = 48, p = 2 * pt(-1.02, 48)),
  list(name = "F", statistic = 2.20, df = 2, df_2 = 28, p = pf(2.20, 2, 28, lower.tail = FALSE)),
  list(name = "F", statistic = 22.20, df = 2, df_2 = 28, p = pf(22.20, 2, 28, lower.tail = FALSE)),
  list(name = "F", statistic = 7.7, df = 1, df_2 = 101, p = pf(7.7, 1, 101, lower.tail = FALSE)),
  list(name = "r", statistic = 0.22, df = 28, p = of_r(0.22, 28)),
  list(name = "r", statistic = 0.52, df = 28, p = of_r(0.52, 28)),
  list(name = "z", statistic = 2.20, p = 2 * pnorm(-2.20)),
  list(name = "z", statistic = 1.20, p = 2 * pnorm(-1.20)),
  list(name = "chi2", statistic = 22.20, df = 28, p = pchisq(22.20, 28, lower.tail = FALSE)),
  list(name = "chi2", statistic = 52.20, df = 28, p = pchisq(52.20, 28, lower.tail = FALSE)),
  list(name = "chi2", statistic = 2.20, df = 28, p = pchisq(2.20, 28, lower.tail = FALSE))
)
# p of an estimate from its 95% interval: 2 P(T < -|estimate| 2 q / width).
of_interval <- function(estimate, low, high, df) {
  q <- if (is.infinite(df)) qnorm(0.975) else qt(0.975, df)
  statistic <- -abs(estimate) * 2 * q / (high - low)
  2 * if (is.infinite(df)) pnorm(statistic) else pt(statistic, df)
}
intervals <- list(
  list(what = "Hegde 2025, all", p = of_interval(-0.11, -0.96, 0.74, Inf)),
  list(what = "FINAL", p = of_interval(-0.34, -0.95, 0.27, Inf)),
  list(what = "INNOVA", p = of_interval(0.49, -0.32, 1.31, Inf)),
  list(what = "Srinivasan", p = of_interval(1.6, -0.9, 4.2, Inf)),
  list(what = "Irwin, t", p = of_interval(-0.66, -1.21, -0.10, 30))
)
source <- list(
  call = "base R: pt, pf, pchisq, pnorm, qt",
  examples = "statcheck (MicheleNuijten/statcheck), tests/testthat",
  r = R.version.string
)
answer <- list(source = source, statistics = cases, intervals = intervals)
write_json(answer, commandArgs(TRUE)[1], digits = NA, auto_unbox = TRUE, pretty = 1)
