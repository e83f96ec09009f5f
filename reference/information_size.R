# People an adequately powered trial needs, from R. Usage: Rscript information_size.R OUT.json
# Risks: power.prop.test (stats). Means: the exact power of the two-sided z test, solved by uniroot;
# the power in the wrong tail is left out, as textbooks and power.prop.test (strict = FALSE) do.
suppressPackageStartupMessages(library(jsonlite))
out <- commandArgs(trailingOnly = TRUE)[1]
risks <- expand.grid(risk_1 = c(0.02, 0.1, 0.2, 0.5, 0.79), ratio = c(0.5, 0.75, 0.9), alpha = c(0.05, 0.01), power = c(0.8, 0.9))
risks$risk_2 <- risks$risk_1 * risks$ratio
risks$per_arm <- mapply(function(a, b, s, p)
  power.prop.test(p1 = a, p2 = b, sig.level = s, power = p, tol = 1e-12)$n, risks$risk_1, risks$risk_2, risks$alpha, risks$power)
means <- expand.grid(difference = c(0.2, 1, 3), sd = c(1, 1.96, 10), alpha = c(0.05, 0.01), power = c(0.8, 0.9))
power_z <- function(n, d, sd, a) pnorm(d / (sd * sqrt(2 / n)) - qnorm(1 - a / 2))
means$per_arm <- mapply(function(d, sd, a, p)
  uniroot(function(n) power_z(n, d, sd, a) - p, c(1e-3, 1e7), tol = 1e-9)$root, means$difference, means$sd, means$alpha, means$power)
write_json(list(source = list(call = "power.prop.test(p1, p2, sig.level, power); uniroot of the power of the z test",
  script = "reference/information_size.R", R = R.version.string, jsonlite = as.character(packageVersion("jsonlite"))),
  risks = as.list(risks), means = as.list(means)), out, digits = NA, auto_unbox = TRUE)
