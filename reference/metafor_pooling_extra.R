# More reference values from R's metafor, for what metafor_reference.R leaves out: 90% intervals, meta-regression
# with every tau2 method and test, influence under Knapp-Hartung, trim-and-fill by REML, and 60 random small sets.
# Usage: Rscript metafor_pooling_extra.R OUT.json   (from the repository: tests/reference/metafor_pooling_extra.json)
suppressPackageStartupMessages({library(metafor); library(metadat); library(jsonlite)})
out <- commandArgs(trailingOnly = TRUE)[1]
if (is.na(out)) out <- "tests/reference/metafor_pooling_extra.json"
num <- function(x) as.numeric(x)
methods <- c("EE", "DL", "HE", "HS", "SJ", "ML", "REML", "EB", "PM")
tests <- c("z", "knha", "adhoc")
# metafor's defaults are too loose for an oracle (threshold 1e-5 is absolute).
tight <- function(m) if (m == "PM") list(tol = 1e-14, tau2.max = 1e6, maxiter = 10000) else
  list(maxiter = 100000, stepadj = 0.5, threshold = 1e-14)

regression <- function(name, yi, vi, X, intercept, wanted = methods) {
  fits <- list()
  for (m in wanted) for (t in tests) {
    if (m == "EE" && t != "z") next
    f <- rma(yi, vi, mods = X, intercept = intercept, method = m, test = t, control = tight(m))
    fits[[length(fits) + 1]] <- list(method = m, test = t, coef = num(f$beta), se = f$se, statistic = f$zval,
      p_value = f$pval, ci_low = f$ci.lb, ci_high = f$ci.ub, tau2 = f$tau2, qe = f$QE, qe_p_value = f$QEp,
      qm = f$QM, qm_p_value = f$QMp, r2 = if (is.null(f$R2)) NA else f$R2)
  }
  f <- rma(yi, vi, mods = X, intercept = intercept, method = "REML", control = tight("REML"))
  ci <- confint(f, control = list(tau2.max = 1e7, tol = 1e-10))$random
  list(name = name, yi = num(yi), vi = num(vi), X = as.matrix(X), intercept = intercept, fits = fits,
       tau2_low = ci["tau^2", "ci.lb"], tau2_high = ci["tau^2", "ci.ub"])
}
other_level <- function(name, yi, vi) {
  f <- rma(yi, vi, method = "REML", test = "knha", level = 90, control = tight("REML"))
  ci <- confint(f, level = 90, control = list(tau2.max = 1e7, tol = 1e-10))$random
  inf <- influence(f)$inf
  tf <- trimfill(rma(yi, vi, method = "DL"))
  list(name = name, yi = num(yi), vi = num(vi), level = 0.9,
       ci_low = f$ci.lb, ci_high = f$ci.ub, tau2_low = ci["tau^2", "ci.lb"], tau2_high = ci["tau^2", "ci.ub"],
       i2_low = ci["I^2(%)", "ci.lb"], i2_high = ci["I^2(%)", "ci.ub"], h2_low = ci["H^2", "ci.lb"], h2_high = ci["H^2", "ci.ub"],
       influence_knha = list(cooks_distance = num(inf$cook.d), rstudent = num(inf$rstudent), dffits = num(inf$dffits),
         cov_ratio = num(inf$cov.r), tau2_deleted = num(inf$tau2.del), q_deleted = num(inf$QE.del)),
       trim_fill = list(yi = num(tf$yi), vi = num(tf$vi), k0 = tf$k0))
}
small_set <- function(k) {
  vi <- 10^runif(k, -3, 0); yi <- rnorm(k, 0.2, sqrt(vi + sample(c(0, .05, .5), 1)))
  tau2 <- sapply(methods[-1], function(m) {
    f <- try(rma(yi, vi, method = m, control = tight(m)), silent = TRUE); if (inherits(f, "try-error")) NA else f$tau2 })
  list(yi = yi, vi = vi, tau2 = as.list(tau2))
}
b <- dat.bcg; eb <- escalc(measure = "RR", ai = tpos, bi = tneg, ci = cpos, di = cneg, data = b)
ra <- dat.raudenbush1985
set.seed(20261122)
ref <- list(
  source = list(script = "reference/metafor_pooling_extra.R", metafor = as.character(packageVersion("metafor")),
                metadat = as.character(packageVersion("metadat")), r = R.version.string),
  regressions = list(
    regression("bcg_latitude", eb$yi, eb$vi, cbind(ablat = b$ablat), TRUE),
    regression("bcg_latitude_year", eb$yi, eb$vi, cbind(ablat = b$ablat, year = b$year), TRUE),
    regression("bcg_no_intercept", eb$yi, eb$vi, cbind(one = 1, ablat = b$ablat), FALSE),
    regression("raudenbush_weeks", ra$yi, ra$vi, cbind(weeks = ra$weeks), TRUE)),
  other_level = list(other_level("bcg_log_rr", eb$yi, eb$vi), other_level("raudenbush_smd", ra$yi, ra$vi)),
  small_sets = lapply(rep(2:7, each = 10), small_set))
write_json(ref, out, digits = NA, auto_unbox = TRUE, null = "null", na = "null", pretty = FALSE)
