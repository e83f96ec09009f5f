# Subgroups, predictions of meta-regressions and Baujat coordinates from R's metafor.
# Usage: Rscript reference/subgroups_reference.R   (from the repository: tests/reference/subgroups_reference.json)
suppressPackageStartupMessages({library(metafor); library(metadat); library(jsonlite)})
out <- commandArgs(trailingOnly = TRUE)[1]
if (is.na(out)) out <- "tests/reference/subgroups_reference.json"
num <- function(x) as.numeric(x)
methods <- c("EE", "DL", "REML", "PM")
tests <- c("z", "knha", "adhoc")
# metafor's defaults are too loose for an oracle (threshold 1e-5 is absolute).
tight <- function(m) if (m == "PM") list(tol = 1e-14, tau2.max = 1e6, maxiter = 10000) else
  list(maxiter = 100000, stepadj = 0.5, threshold = 1e-14)
numbers <- function(f) list(estimate = num(f$beta), se = f$se, statistic = f$zval, p_value = f$pval, ci_low = f$ci.lb,
  ci_high = f$ci.ub, tau2 = f$tau2)
both <- function(name, yi, vi, by) {
  by <- as.character(by); groups <- unique(by); fits <- list()
  for (m in methods) for (t in tests) {
    if (m == "EE" && t != "z") next
    sub <- lapply(groups, function(g) rma(yi[by == g], vi[by == g], method = m, test = t, control = tight(m)))
    est <- sapply(sub, function(f) num(f$beta)); se <- sapply(sub, function(f) f$se)
    between <- rma(est, sei = se, mods = ~ factor(groups), method = "FE")
    fac <- factor(by, levels = groups)
    common <- rma(yi, vi, mods = ~ fac, method = m, test = t, control = tight(m))
    means <- rma(yi, vi, mods = ~ fac - 1, method = m, test = t, control = tight(m))
    fits[[length(fits) + 1]] <- list(method = m, test = t,
      separate = list(groups = lapply(sub, numbers), q = between$QM, df = between$m, p_value = between$QMp),
      common = list(groups = numbers(means), q = common$QM, df = common$m, p_value = common$QMp,
        pi_low = if (t == "z" || m == "EE") NULL else num(predict(means, newmods = diag(length(groups)))$pi.lb),
        pi_high = if (t == "z" || m == "EE") NULL else num(predict(means, newmods = diag(length(groups)))$pi.ub)))
  }
  list(name = name, yi = num(yi), vi = num(vi), by = by, fits = fits)
}
predicted <- function(name, yi, vi, X, new) {
  fits <- list()
  for (m in methods) for (t in tests) for (level in c(95, 90)) {
    if (m == "EE" && t != "z") next
    p <- predict(rma(yi, vi, mods = X, method = m, test = t, level = level, control = tight(m)), newmods = new)
    random <- m != "EE" && t != "z"
    fits[[length(fits) + 1]] <- list(method = m, test = t, level = level / 100, estimate = p$pred, se = p$se,
      ci_low = p$ci.lb, ci_high = p$ci.ub, pi_low = if (random) p$pi.lb else NULL, pi_high = if (random) p$pi.ub else NULL)
  }
  list(name = name, yi = num(yi), vi = num(vi), X = as.matrix(X), new = as.matrix(new), fits = fits)
}
moved <- function(name, yi, vi) {
  pdf(NULL); fits <- lapply(c("EE", "DL", "REML"), function(m) {
    b <- baujat(rma(yi, vi, method = m, control = tight(m))); list(method = m, x = b$x, y = b$y) }); dev.off()
  list(name = name, yi = num(yi), vi = num(vi), fits = fits)
}
bcg <- escalc(measure = "RR", ai = tpos, bi = tneg, ci = cpos, di = cneg, data = dat.bcg)
ra <- dat.raudenbush1985; ra$when <- ifelse(ra$weeks > 0, "contact", "none")
li <- escalc(measure = "OR", ai = ai, n1i = n1i, ci = ci, n2i = n2i, data = dat.li2007)
li$when <- ifelse(li$year < 1995, "early", "late")
ref <- list(
  source = list(script = "reference/subgroups_reference.R", metafor = as.character(packageVersion("metafor")),
                metadat = as.character(packageVersion("metadat")), r = R.version.string),
  subgroups = list(both("bcg_allocation", bcg$yi, bcg$vi, bcg$alloc), both("raudenbush_contact", ra$yi, ra$vi, ra$when),
                   both("li_year", li$yi, li$vi, li$when)),
  predictions = list(
    predicted("bcg_latitude", bcg$yi, bcg$vi, cbind(ablat = bcg$ablat), matrix(c(0, 20, 33.46, 60), ncol = 1)),
    predicted("bcg_latitude_year", bcg$yi, bcg$vi, cbind(ablat = bcg$ablat, year = bcg$year), rbind(c(20, 1950), c(40, 1970)))),
  baujat = list(moved("bcg", bcg$yi, bcg$vi), moved("raudenbush", ra$yi, ra$vi), moved("li", li$yi, li$vi)))
write_json(ref, out, digits = NA, auto_unbox = TRUE, null = "null", na = "null", pretty = FALSE)
