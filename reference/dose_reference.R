# Reference values for tests/test_dose_*.py: Morris limits, binomial GLMs, Fieller and profile limits.
# Rscript reference/dose_reference.R OUTPUT.json   (base R and jsonlite; see reference/README.md)
#
# Data: the two arms of Benhamou 2003 (Anesthesiology 99:1383-1386), counts per concentration as read
# off its Figure 1 by the authors of R's cir (vignette BenHamou03). R's cir itself is not in Debian: its
# printed answers stand in tests/test_dose_isotonic.py.
library(jsonlite)

arms <- list(
  ropivacaine = list(dose = 7:12 / 100, responders = c(0, 3, 5, 8, 3, 1), n = c(3, 8, 13, 10, 4, 1)),
  levobupivacaine = list(dose = 5:11 / 100, responders = c(0, 2, 6, 5, 1, 2, 3), n = c(2, 8, 11, 6, 3, 5, 4))
)

# Morris 1988, eq. 4.3: the limit at dose b solves P(fewer responders, in dictionary order from b on) = tail.
morris_upper <- function(y, n, tail) {
  m <- length(y)
  upper <- function(theta, b) {
    g <- pbinom(y[m], n[m], theta)
    if (b < m) for (j in (m - 1):b) g <- pbinom(y[j] - 1, n[j], theta) + dbinom(y[j], n[j], theta) * g
    g - tail
  }
  sapply(1:m, function(b) if (all(y[b:m] == n[b:m])) 1 else uniroot(upper, c(0, 1), b = b, tol = 1e-15)$root)
}
morris_lower <- function(y, n, tail) {
  lower <- function(theta, b) {
    g <- pbinom(y[1] - 1, n[1], theta, lower.tail = FALSE)
    if (b > 1) for (j in 2:b) g <- pbinom(y[j], n[j], theta, lower.tail = FALSE) + dbinom(y[j], n[j], theta) * g
    g - tail
  }
  sapply(seq_along(y), function(b) if (all(y[1:b] == 0)) 0 else uniroot(lower, c(0, 1), b = b, tol = 1e-15)$root)
}

model <- function(arm, link, target, level) {
  counts <- cbind(arm$responders, arm$n - arm$responders)
  fit <- glm(counts ~ arm$dose, family = binomial(link), control = list(epsilon = 1e-15, maxit = 200))
  q <- if (link == "probit") qnorm(target) else qlogis(target)
  a <- coef(fit)[[1]]; b <- coef(fit)[[2]]; v <- vcov(fit)
  dose <- (q - a) / b
  z <- qnorm(1 - (1 - level) / 2)
  se <- sqrt(v[1, 1] + 2 * dose * v[1, 2] + dose^2 * v[2, 2]) / b
  A <- b^2 - z^2 * v[2, 2]; B <- 2 * ((a - q) * b - z^2 * v[1, 2]); C <- (a - q)^2 - z^2 * v[1, 1]
  fieller <- if (A > 0) (-B + c(-1, 1) * sqrt(B^2 - 4 * A * C)) / (2 * A) else c(NA, NA)
  cdf <- if (link == "probit") pnorm else plogis
  loglik <- function(eta) sum(arm$responders * cdf(eta, log.p = TRUE) + (arm$n - arm$responders) * cdf(-eta, log.p = TRUE))
  through <- function(d) optimize(function(s) loglik(q + exp(s) * (arm$dose - d)), c(-25, 12), maximum = TRUE, tol = 1e-12)$objective
  gap <- function(d) 2 * (loglik(a + b * arm$dose) - through(d)) - qchisq(level, 1)
  profile <- tryCatch(c(uniroot(gap, c(dose - 0.06, dose), tol = 1e-14)$root,
                        uniroot(gap, c(dose, dose + 0.5), tol = 1e-14)$root), error = function(e) c(NA, NA))
  list(link = link, target = target, level = level, intercept = a, slope = b,
       covariance = c(v[1, 1], v[1, 2], v[2, 2]), log_likelihood = loglik(a + b * arm$dose),
       estimate = dose, delta = dose + c(-1, 1) * z * se, fieller = fieller, profile = profile)
}

answers <- lapply(arms, function(arm) c(arm, list(
  morris = lapply(c(0.83, 0.90, 0.95), function(level) list(
    level = level,
    low = morris_lower(arm$responders, arm$n, (1 - level) / 2),
    high = morris_upper(arm$responders, arm$n, (1 - level) / 2))),
  models = unlist(lapply(c("probit", "logit"), function(link) lapply(c(0.5, 0.95), function(target)
    model(arm, link, target, 0.95))), recursive = FALSE))))
source <- list(call = "pbinom, dbinom, uniroot(tol = 1e-15); glm(binomial(link), epsilon = 1e-15); optimize",
               r = R.version.string, packages = paste("jsonlite", packageVersion("jsonlite")),
               data = "Benhamou 2003, Anesthesiology 99:1383-1386, Figure 1, as read by the vignette of R's cir 2.5")
write_json(list(source = source, arms = answers), commandArgs(trailingOnly = TRUE)[1],
           digits = NA, auto_unbox = TRUE, pretty = TRUE, na = "null")
