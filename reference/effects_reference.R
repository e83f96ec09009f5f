# Edge cases of effect sizes and count pools, from R. Usage: Rscript effects_reference.R OUT.json
# Packages: metafor, metadat, lme4, jsonlite (Debian: r-cran-metafor r-cran-metadat r-cran-lme4
# r-cran-jsonlite). What R leaves undefined is null.
suppressPackageStartupMessages({library(metafor); library(metadat); library(lme4); library(jsonlite)})
out <- commandArgs(trailingOnly = TRUE)[1]
quiet <- function(expr) suppressMessages(suppressWarnings(expr))
pair <- function(e) list(yi = as.numeric(e$yi), vi = as.numeric(e$vi))
sizes <- function(measures, ...) { r <- list()
  for (m in measures) r[[m]] <- pair(quiet(escalc(measure = m, ...))); r }

# Every table with 0, 1, some or all events in arms of 1, 10 and 25 people.
tables <- local({ arms <- unique(do.call(rbind, lapply(c(1, 10, 25), function(n) cbind(x = unique(c(0, 1, floor(n / 3), n)), n = n))))
  g <- expand.grid(i = seq_len(nrow(arms)), j = seq_len(nrow(arms)))
  data.frame(events_1 = arms[g$i, "x"], n_1 = arms[g$i, "n"], events_2 = arms[g$j, "x"], n_2 = arms[g$j, "n"]) })
two_by_two <- c(as.list(tables), list(effect_sizes = with(tables,
  sizes(c("RR", "OR", "RD", "AS", "PETO"), ai = events_1, n1i = n_1, ci = events_2, n2i = n_2))))

# SD 0 in one or both groups, n of 1 and 2, equal, opposite, negative and zero means, big scales.
groups <- local({ g <- expand.grid(mean_1 = c(-5, 0, 5, 1e6), sd_1 = c(0, 2), n_1 = c(1, 2, 30), mean_2 = c(-4, 0, 5), sd_2 = c(0, 3), n_2 = c(1, 12))
  as.data.frame(g) })
means <- c(as.list(groups), list(effect_sizes = with(groups,
  sizes(c("MD", "SMD", "ROM"), m1i = mean_1, sd1i = sd_1, n1i = n_1, m2i = mean_2, sd2i = sd_2, n2i = n_2))))

twice <- expand.grid(mean_1 = c(5.1, 62), sd_1 = c(0, 2), mean_2 = c(5.1, 4.2), sd_2 = c(0, 2, 3.3), n = c(1, 2, 3, 27), correlation = c(-1, -0.3, 0, 0.6, 1))
paired <- c(as.list(twice), list(effect_sizes = with(twice, c(
  sizes(c("MC", "SMCC"), m1i = mean_1, sd1i = sd_1, m2i = mean_2, sd2i = sd_2, ni = n, ri = correlation),
  sizes("SMCR", m1i = mean_1, sd1i = sd_1, m2i = mean_2, ni = n, ri = correlation)))))

exposure <- expand.grid(events_1 = c(0, 1, 30), time_1 = c(0.5, 413), events_2 = c(0, 2, 19), time_2 = c(1, 398))
rates <- c(as.list(exposure), list(effect_sizes = with(exposure, sizes("IRR", x1i = events_1, t1i = time_1, x2i = events_2, t2i = time_2))))

one <- data.frame(events = c(0, 1, 0, 10, 3, 9, 0, 100, 37, 1, 999), n = c(1, 1, 10, 10, 10, 10, 100, 100, 100, 1000, 1000))
proportions <- c(as.list(one), list(effect_sizes = with(one, sizes(c("PR", "PLO", "PAS", "PFT"), xi = events, ni = n))))

quads <- expand.grid(both = c(0, 3, 20), only_1 = c(0, 1, 10), only_2 = c(0, 5), neither = c(0, 20))
quads <- quads[rowSums(quads) > 0, ]
matched <- c(as.list(quads), list(effect_sizes = with(quads,
  sizes(c("MPRD", "MPRR", "MPOR", "MPORC", "MPPETO"), ai = both, bi = only_1, ci = only_2, di = neither, add = 1/2, to = "only0"))))

angles <- expand.grid(value = c(0.05, 0.2, 0.4, 0.7853981633974483, 1.1, 1.4, 1.55), n = c(1, 5, 20, 1000))
freeman_tukey <- c(as.list(angles), list(proportion = with(angles, transf.ipft(value, n)), arcsine = with(angles, transf.iarcsin(value)),
  logit = with(angles, transf.ilogit(value))))

pools <- list(
  no_events = list(c(0, 0), c(20, 30), c(0, 0), c(25, 30)), all_events = list(c(20, 30), c(20, 30), c(25, 30), c(25, 30)),
  none_in_group_1 = list(c(0, 0), c(20, 30), c(3, 2), c(25, 30)), none_in_group_2 = list(c(3, 2), c(20, 30), c(0, 0), c(25, 30)),
  all_in_group_1 = list(c(20, 30), c(20, 30), c(3, 2), c(25, 30)), one_trial = list(3, 20, 5, 25), one_trial_zero = list(0, 20, 5, 25),
  double_zero_and_all = list(c(0, 3, 20), c(20, 20, 20), c(0, 5, 25), c(25, 25, 25)),
  mixed = list(c(0, 1, 4, 0, 7), c(30, 12, 40, 15, 50), c(0, 3, 2, 2, 9), c(31, 11, 44, 14, 52)),
  common_events = list(c(15, 33, 60), c(40, 60, 100), c(22, 35, 71), c(41, 59, 98)),
  unbalanced = list(c(1, 9), c(5, 300), c(40, 1), c(400, 10)),
  nielweise2007 = with(dat.nielweise2007, list(ai, n1i, ci, n2i)), yusuf1985 = with(subset(dat.yusuf1985, table == "6"), list(ai, n1i, ci, n2i)))
pooled <- lapply(names(pools), function(name) { p <- pools[[name]]; r <- list()
  told <- function(f) if (inherits(f, "try-error")) NULL else list(estimate = as.numeric(f$beta), se = f$se, statistic = f$zval, p_value = f$pval,
    ci_low = f$ci.lb, ci_high = f$ci.ub, q = f$QE, q_pvalue = f$QEp, i2 = f$I2, k = f$k, k_informative = f$k.yi)
  for (m in c("RR", "OR", "RD")) r[[m]] <- told(try(quiet(rma.mh(measure = m, ai = p[[1]], n1i = p[[2]], ci = p[[3]], n2i = p[[4]], level = 90,
    add = c(1/2, 0), to = c("only0", "none"))), silent = TRUE))
  r$PETO <- told(try(quiet(rma.peto(ai = p[[1]], n1i = p[[2]], ci = p[[3]], n2i = p[[4]], level = 90, add = c(1/2, 0), to = c("only0", "none"))), silent = TRUE))
  list(name = name, events_1 = I(p[[1]]), n_1 = I(p[[2]]), events_2 = I(p[[3]]), n_2 = I(p[[4]]), level = 0.9, pools = r) })

# lme4 at tight tolerances: the fit that rma.glmm(measure="PLO") calls with loose ones.
counts <- list(pritz1997 = with(dat.pritz1997, list(xi, ni)), no_spread = list(c(3, 3, 4), c(10, 10, 12)), rare = list(c(0, 1, 0, 4), c(20, 30, 10, 45)),
  wide = list(c(1, 12, 40, 3, 70), c(30, 25, 90, 44, 75)), two = list(c(5, 30), c(40, 60)), big = list(c(120, 900, 40, 700), c(1000, 3000, 500, 4000)))
glmm <- lapply(names(counts), function(name) { x <- counts[[name]][[1]]; n <- counts[[name]][[2]]; id <- factor(seq_along(x))
  g <- quiet(glmer(cbind(x, n - x) ~ 1 + (1 | id), family = binomial, nAGQ = 7,
    control = glmerControl(optimizer = "bobyqa", optCtrl = list(rhobeg = 0.02, rhoend = 1e-12, maxfun = 1e6), tolPwrss = 1e-10)))
  d <- quiet(rma.glmm(measure = "PLO", xi = x, ni = n))
  list(name = name, events = x, n = n, estimate = as.numeric(fixef(g)), se = sqrt(quiet(vcov(g))[1]), tau2 = as.numeric(getME(g, "theta"))^2,
    metafor_default = list(estimate = as.numeric(d$beta), se = d$se, tau2 = d$tau2), lr_statistic = d$QE.LRT, lr_pvalue = d$QEp.LRT) })

source <- list(made_by = "reference/effects_reference.R", r = R.version.string, metafor = as.character(packageVersion("metafor")),
  metadat = as.character(packageVersion("metadat")), lme4 = as.character(packageVersion("lme4")), calls = c(
  "escalc(measure, add=1/2, to='only0') for 2x2 and matched tables; escalc(measure) defaults otherwise",
  "rma.mh / rma.peto(add=c(1/2,0), to=c('only0','none'), level=90)",
  "glmer(cbind(x, n-x) ~ 1 + (1|id), binomial, nAGQ=7), bobyqa rhoend 1e-12; rma.glmm(measure='PLO') defaults beside it",
  "transf.ipft, transf.iarcsin, transf.ilogit"))
write_json(list(source = source, two_by_two = two_by_two, means = means, paired = paired, rates = rates, proportions = proportions,
  matched = matched, back_transforms = freeman_tukey, pools = pooled, glmm = glmm), out, digits = NA, auto_unbox = TRUE, null = "null", na = "null")
