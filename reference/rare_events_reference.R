# Two-arm tables with few events: metafor's conditional model (rma.glmm, CM.EL) with its own
# integration, the same likelihood maximised here without metafor, and the tests of Harbord 2006
# and Peters 2006 as weighted regressions by lm().
# Usage: Rscript reference/rare_events_reference.R   (from the repository: tests/reference/rare_events_reference.json)
suppressPackageStartupMessages({library(metafor); library(metadat); library(BiasedUrn); library(jsonlite)})
harbord <- function(a, n1, c, n2) {
  a <- as.numeric(a); n1 <- as.numeric(n1); c <- as.numeric(c); n2 <- as.numeric(n2)
  N <- n1 + n2; E <- (a + c) * n1 / N; V <- n1 * n2 * (a + c) * (N - a - c) / (N^2 * (N - 1))
  use <- V > 0; z <- ((a - E) / sqrt(V))[use]; r <- sqrt(V)[use]
  # Harbord's own form: Z / sqrt(V) on sqrt(V); its intercept is the bias.
  fit <- summary(lm(z ~ r))
  list(bias = fit$coefficients[1, 1], t = fit$coefficients[1, 3], p_value = fit$coefficients[1, 4], df = fit$df[2])
}
peters <- function(a, n1, c, n2) {
  use <- a + c > 0 & a + c < n1 + n2
  a <- a[use]; n1 <- n1[use]; c <- c[use]; n2 <- n2[use]
  e <- escalc(measure = "OR", ai = a, n1i = n1, ci = c, n2i = n2, add = 1/2, to = "only0")
  w <- 1 / (1 / (a + c) + 1 / (n1 + n2 - a - c))
  fit <- summary(lm(as.numeric(e$yi) ~ I(1 / (n1 + n2)), weights = w))
  list(slope = fit$coefficients[2, 1], t = fit$coefficients[2, 3], p_value = fit$coefficients[2, 4], df = fit$df[2])
}
mass <- function(x, m, n1, n2, theta) {
  j <- max(0, m - n2):min(n1, m)
  l <- lchoose(n1, j) + lchoose(n2, m - j) + j * theta
  exp(l[j == x] - max(l)) / sum(exp(l - max(l)))
}
loglik <- function(mu, tau, t) sum(mapply(function(a, n1, c, n2) {
  if (tau < 1e-7) return(log(mass(a, a + c, n1, n2, mu)))
  f <- function(u) sapply(u, function(u) mass(a, a + c, n1, n2, mu + tau * u)) * dnorm(u)
  log(integrate(f, -12, 12, rel.tol = 1e-11, subdivisions = 2000)$value)
}, t$a, t$n1, t$c, t$n2))
own <- function(t) {
  best <- NULL
  for (start in c(0.05, 0.4, 1.2)) {
    o <- optim(c(0, start), function(p) -loglik(p[1], abs(p[2]), t), method = "Nelder-Mead",
      control = list(reltol = 1e-14, maxit = 4000))
    if (is.null(best) || o$value < best$value) best <- o
  }
  zero <- optimize(function(m) -loglik(m, 0, t), c(-8, 8), tol = 1e-10)
  if (zero$objective <= best$value + 1e-9) list(estimate = zero$minimum, tau2 = 0, log_likelihood = -zero$objective)
  else list(estimate = best$par[1], tau2 = best$par[2]^2, log_likelihood = -best$value)
}
theirs <- function(t) tryCatch({
  f <- suppressWarnings(rma.glmm(measure = "OR", ai = t$a, n1i = t$n1, ci = t$c, n2i = t$n2, model = "CM.EL",
    control = list(dnchgprec = 1e-12)))
  list(estimate = as.numeric(f$beta), se = f$se, tau2 = f$tau2, log_likelihood = as.numeric(logLik(f)),
    lr_statistic = f$QE.LRT, lr_df = f$QE.df)
}, error = function(e) list(failed = conditionMessage(e)))
d <- function(a, n1, c, n2) list(a = a, n1 = n1, c = c, n2 = n2)
sets <- list(
  zero_cells = d(c(0, 2, 1, 0, 3), c(40, 55, 30, 25, 80), c(2, 5, 0, 1, 7), c(41, 50, 31, 25, 78)),
  double_zero = d(c(0, 1, 3, 0), c(20, 30, 60, 15), c(0, 4, 2, 1), c(20, 31, 58, 16)),
  spread = d(c(1, 8, 0, 12, 2, 6), c(50, 60, 40, 70, 45, 66), c(9, 2, 5, 3, 4, 6), c(52, 58, 42, 70, 44, 64)),
  nielweise = with(dat.nielweise2007, d(ai, n1i, ci, n2i)),
  two = d(c(1, 2), c(20, 31), c(4, 3), c(21, 30)),
  collins = with(dat.collins1985b, d(pre.xti, pre.nti, pre.xci, pre.nci)),
  egger = with(dat.egger2001, d(ai, n1i, ci, n2i)))
found <- lapply(sets, function(t) c(list(events_1 = t$a, n_1 = t$n1, events_2 = t$c, n_2 = t$n2),
  list(harbord = if (length(t$a) > 2) harbord(t$a, t$n1, t$c, t$n2), peters = if (length(t$a) > 2) peters(t$a, t$n1, t$c, t$n2)),
  if (max(t$a + t$c) < 120) list(metafor = theirs(t), own = own(t))))
cat(toJSON(list(metafor = as.character(packageVersion("metafor")), sets = found), digits = 12, auto_unbox = TRUE, pretty = TRUE, null = "null"), "\n")
