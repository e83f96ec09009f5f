# Double-zero tables dropped, I2 from tau2, and a regression of more trials than are decomposed.
# Usage: Rscript reference/inputs_reference.R [tests/reference/inputs_reference.json]
suppressMessages({library(metafor); library(jsonlite)})
out <- commandArgs(TRUE); out <- if (length(out)) out[1] else "tests/reference/inputs_reference.json"
tight <- list(threshold = 1e-12, maxiter = 10000, tol = 1e-12)

x1 <- c(0, 1, 2, 0, 10, 10); n1 <- c(10, 10, 10, 12, 10, 10)
x2 <- c(0, 2, 3, 3, 30, 25); n2 <- c(1000, 10, 10, 14, 30, 30)
tables <- lapply(c("RR", "OR", "RD", "AS", "PETO"), function(m) {
  e <- escalc(m, ai = x1, n1i = n1, ci = x2, n2i = n2, drop00 = TRUE)
  list(code = m, yi = as.numeric(e$yi), vi = as.numeric(e$vi)) })
rate <- escalc("IRR", x1i = x1, t1i = n1, x2i = x2, t2i = n2, drop00 = TRUE)
tables <- c(tables, list(list(code = "IRR", yi = as.numeric(rate$yi), vi = as.numeric(rate$vi))))

# The ten tables of https://github.com/guido-s/meta/issues/69
ten <- data.frame(n1 = c(33, 18, 119, 17, 32, 19, 55, 59, 120, 77), n2 = c(33, 20, 127, 23, 56, 21, 31, 59, 26, 63),
  x1 = c(17, 7, 51, 14, 17, 5, 7, 36, 73, 35), x2 = c(16, 5, 37, 6, 16, 13, 3, 31, 14, 22))
fit <- rma(measure = "OR", ai = x1, n1i = n1, ci = x2, n2i = n2, data = ten, method = "REML", control = list(threshold = 1e-12, maxiter = 10000, stepadj = 0.5))
qbased <- 100 * max(0, (fit$QE - (fit$k - 1)) / fit$QE)

k <- 301; i <- seq_len(k)
vi <- 0.02 + 0.3 * (((i * 37) %% 101) / 101)^2; x <- ((i * 17) %% 53) / 53
yi <- 0.2 + 0.4 * x + sqrt(vi + 0.06) * qnorm(((i * 89) %% k + 0.5) / k)
long <- lapply(c("EE", "DL", "HE", "HS", "SJ", "ML", "REML", "EB", "PM"), function(m) {
  f <- rma(yi, vi, mods = ~ x, method = m, test = "knha", control = tight)
  one <- list(method = m, coef = as.numeric(f$beta), se = f$se, tau2 = f$tau2, qe = f$QE, qm = f$QM)
  if (m == "REML") { ci <- confint(f, control = list(tau2.max = 10, tol = 1e-12))$random
    one$tau2_low <- ci["tau^2", "ci.lb"]; one$tau2_high <- ci["tau^2", "ci.ub"] }
  one })
egger <- regtest(rma(yi, vi, method = "REML"), model = "lm")
write_json(list(source = list(made_by = "reference/inputs_reference.R", r = R.version.string, metafor = as.character(packageVersion("metafor"))),
  events_1 = x1, n_1 = n1, events_2 = x2, n_2 = n2, tables = tables,
  ten = list(events_1 = ten$x1, n_1 = ten$n1, events_2 = ten$x2, n_2 = ten$n2, tau2 = fit$tau2, i2_tau2 = fit$I2, i2_q = qbased),
  long = list(yi = yi, vi = vi, x = x, fits = long, egger = list(statistic = egger$zval, p_value = egger$pval))),
  out, digits = NA, auto_unbox = TRUE, null = "null", na = "null")
