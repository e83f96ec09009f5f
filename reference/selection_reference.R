# Pools of seven made-up trials under every choice that somebody can make of them, by metafor:
#   Rscript reference/selection_reference.R > tests/reference/selection_reference.json
# The trials stand here once; tests/evidence/test_selection.py writes them as raw tables.
suppressPackageStartupMessages({library(metafor); library(jsonlite)})

trials <- data.frame(
  id = c("ames2001", "berg2003", "cole2005", "dahl2007", "ekman2009", "falk2011", "gray2013"),
  design = c(rep("parallel", 5), "crossover", "parallel"),
  blinding = c(rep("double-blind", 6), "single-blind"),
  bias = c("low", "some concerns", "high", "low", "some concerns", "low", "high"),
  dose = c(1.5, 3, 4.5, 4.5, 6, 4.5, 3),
  what = c("end", "end", "end", "change", "change", "end", "end"),
  m1 = c(4.8, 5.1, 3.9, -1.9, -2.2, 4.6, 4.4), sd1 = c(2.1, 2.0, 1.9, 1.8, 2.1, 2.2, 2.0),
  n1 = c(40, 35, 60, 50, 45, 30, 30),
  m2 = c(5.6, 5.0, 5.2, -1.0, -1.2, 5.4, 5.1), sd2 = c(2.3, 2.2, 2.0, 1.7, 2.0, 2.1, 2.1),
  n2 = c(42, 33, 58, 48, 44, 30, 31),
  # SD at the start, of the two trials that print changes.
  start = c(NA, NA, NA, 1.6, 1.9, NA, NA)
)
late <- data.frame(m1 = 4.2, sd1 = 2.0, n1 = 38, m2 = 5.7, sd2 = 2.4, n2 = 40)  # ames2001, week 26
done <- data.frame(m1 = 5.3, sd1 = 1.9, n1 = 30, m2 = 4.7, sd2 = 2.1, n2 = 28)  # berg2003, per protocol
counts <- data.frame(id = c("ames2001", "berg2003", "cole2005"), ai = c(12, 9, 25),
                     n1 = c(40, 35, 60), ci = c(8, 10, 15), n2 = c(42, 33, 58))

differences <- function(d, r = 0.6) {
  v <- d$sd1^2 / d$n1 + d$sd2^2 / d$n2
  same <- d$design == "crossover"
  v[same] <- (v - 2 * r * d$sd1 * d$sd2 / d$n1)[same]
  data.frame(id = d$id, yi = d$m1 - d$m2, vi = v)
}
J <- function(m) exp(lgamma(m / 2) - 0.5 * log(m / 2) - lgamma((m - 1) / 2))
standardised <- function(d, r = 0.6) {
  g <- escalc("SMD", m1i = m1, sd1i = sd1, n1i = n1, m2i = m2, sd2i = sd2, n2i = n2, data = d)
  raw <- differences(d, r)
  out <- data.frame(id = d$id, yi = as.numeric(g$yi), vi = as.numeric(g$vi))
  for (i in seq_len(nrow(d))) {
    if (!is.na(d$start[i])) {         # a change, in standard deviations at the start
      n <- d$n1[i] + d$n2[i]
      out$yi[i] <- J(n - 2) * raw$yi[i] / d$start[i]
      out$vi[i] <- raw$vi[i] / d$start[i]^2 + out$yi[i]^2 / (2 * n)
    }
    if (d$design[i] == "crossover") { # Cousineau 2020, as metafor 4: SMCRP
      s <- sqrt((d$sd1[i]^2 + d$sd2[i]^2) / 2)
      m <- 2 * (d$n1[i] - 1) / (1 + r^2)
      out$yi[i] <- J(m) * raw$yi[i] / s
      out$vi[i] <- 2 * (1 - r) / d$n1[i] + out$yi[i]^2 * (1 + r^2) / (4 * d$n1[i])
    }
  }
  out
}
pooled <- function(e, method = "REML", test = "adhoc", level = 95) {
  tight <- if (method == "REML") list(threshold = 1e-12, maxiter = 10000) else list()
  fit <- rma(yi, vi, data = e, method = method, test = test, level = level, control = tight)
  list(k = fit$k, trials = e$id, yi = e$yi, vi = e$vi, estimate = as.numeric(fit$beta),
       ci_low = fit$ci.lb, ci_high = fit$ci.ub, tau2 = fit$tau2)
}
blind <- trials[trials$blinding == "double-blind", ]
md <- differences(blind)
only <- function(ids, e = md) e[e$id %in% ids, ]
with_row <- function(id, row) {
  d <- blind
  d[d$id == id, names(row)] <- row
  differences(d)
}
events <- function(measure) {
  e <- escalc(measure, ai = ai, n1i = n1, ci = ci, n2i = n2, data = counts)
  pooled(data.frame(id = e$id, yi = as.numeric(e$yi), vi = as.numeric(e$vi)))
}
ends <- blind[blind$what == "end" & blind$design == "parallel", ]
rom <- escalc("ROM", m1i = m1, sd1i = sd1, n1i = n1, m2i = m2, sd2i = sd2, n2i = n2, data = ends)
all <- differences(trials)
dose <- setNames(trials$dose, trials$id)[md$id]
slope <- rma(md$yi, md$vi, mods = ~dose, method = "REML", test = "knha",
             control = list(threshold = 1e-12, maxiter = 10000))
# Each subgroup a pool of its own; the test is Q of their estimates.
apart <- function(by) {
  names <- unique(by)
  fits <- lapply(names, function(n) rma(yi, vi, data = md[by == n, ], method = "REML", test = "adhoc",
    control = list(threshold = 1e-12, maxiter = 10000)))
  est <- sapply(fits, function(f) as.numeric(f$beta)); se <- sapply(fits, function(f) f$se)
  between <- rma(est, sei = se, method = "FE")
  list(names = names, k = sapply(fits, function(f) f$k), estimate = est, q = between$QE,
       p = between$QEp)
}
found <- list(
  plan = pooled(md),
  dl_knha = pooled(md, "DL", "knha"),
  common = pooled(md, "EE", "z"),
  without = pooled(only(setdiff(md$id, "cole2005"))),
  trials = pooled(only(c("ames2001", "berg2003", "falk2011"))),
  parallel = pooled(only(blind$id[blind$design == "parallel"])),
  any_blinding = pooled(all),
  not_high = pooled(only(blind$id[blind$bias != "high"])),
  low = pooled(only(blind$id[blind$bias == "low"])),
  ends = pooled(only(blind$id[blind$what == "end"])),
  dose = pooled(only(blind$id[blind$dose >= 3 & blind$dose <= 5])),
  week_26 = pooled(with_row("ames2001", late)),
  per_protocol = pooled(with_row("berg2003", done)),
  correlation = pooled(differences(blind, 0.3)),
  smd = pooled(standardised(blind)),
  rom = pooled(data.frame(id = rom$id, yi = as.numeric(rom$yi), vi = as.numeric(rom$vi))),
  rr = events("RR"), or = events("OR"), rd = events("RD"),
  story = pooled(standardised(blind)[blind$what == "change" & blind$bias != "high", ])
)
cat(toJSON(list(trials = trials, late = late, done = done, counts = counts, pools = found,
  apart = list(dose = apart(paste(dose, "mg")), risk_of_bias = apart(blind$bias), design = apart(blind$design)),
  slope = list(estimate = as.numeric(slope$beta), ci_low = slope$ci.lb, ci_high = slope$ci.ub)),
  digits = NA, auto_unbox = TRUE, pretty = TRUE, na = "null"), "\n")
