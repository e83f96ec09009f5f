# Dependent effects, and effect sizes of crossover and pre-post-control trials, from R.
# Usage: Rscript dependent_reference.R OUT.json
# Packages: metafor, metadat, clubSandwich, jsonlite (Debian: r-cran-...). SMCRP is not in metafor 3.8: its
# formula (metafor 4, R/escalc.r) stands here with metafor's own correction; Gleser and Olkin's covariances too.
suppressPackageStartupMessages({library(metafor); library(metadat); library(clubSandwich); library(jsonlite)})
out <- commandArgs(trailingOnly = TRUE)[1]
J <- metafor:::.cmicalc
pair <- function(e) list(yi = as.numeric(e$yi), vi = as.numeric(e$vi))

design <- function(name, data, code, answer) { r <- as.list(data); r$name <- name
  r$effect_sizes <- list(lapply(answer, function(x) ifelse(is.finite(x), x, NA))); names(r$effect_sizes) <- code; r }
smcrp <- function(name, data) design(name, data, "SMCRP", with(data, { d <- (mean_1 - mean_2) / sqrt((sd_1^2 + sd_2^2) / 2)
  yi <- suppressWarnings(J(2 * (n - 1) / (1 + correlation^2))) * d; list(yi = yi, vi = 2 * (1 - correlation) / n + yi^2 * (1 + correlation^2) / (4 * n)) }))
glass <- function(name, data) design(name, data, "SMD1", with(data, pair(suppressWarnings(escalc("SMD1", m1i = mean_1, sd1i = sd_1, n1i = n_1, m2i = mean_2, sd2i = sd_2, n2i = n_2)))))
ppc <- function(name, data) design(name, data, "PPC", with(data, { e <- function(m, s, n, r) pair(suppressWarnings(escalc("SMCR", m1i = m, m2i = rep(0, length(m)), sd1i = s, ni = n, ri = r)))
  a <- e(change_1, sd_1, n_1, correlation_1); b <- e(change_2, sd_2, n_2, correlation_2); list(yi = a$yi - b$yi, vi = a$vi + b$vi) }))
# Morris 2008, five studies, as on metafor-project.org/doku.php/analyses:morris2008.
morris <- data.frame(change_1 = c(38.5, 26.8, 0.7, 75.9, 36.0) - c(30.6, 23.5, 0.5, 53.4, 35.6), sd_1 = c(15.0, 3.1, 0.1, 14.5, 4.7), n_1 = c(20, 50, 9, 10, 14), correlation_1 = c(0.47, 0.64, 0.77, 0.89, 0.44),
  change_2 = c(19.7, 25.3, 0.6, 60.7, 33.4) - c(23.1, 24.9, 0.6, 55.7, 34.8), sd_2 = c(13.8, 4.1, 0.2, 17.3, 3.1), n_2 = c(20, 42, 9, 11, 14), correlation_2 = c(0.47, 0.64, 0.77, 0.89, 0.44))
designs <- list(
  smcrp("crossover", data.frame(mean_1 = c(7, 26, 4.1), sd_1 = c(2.38, sqrt(30), 2), mean_2 = c(6.5, 22, 5.2), sd_2 = c(2.21, sqrt(20), 2.4), n = c(10, 60, 27), correlation = c(0.68, 0.7, -0.2))),
  smcrp("edge cases, crossover", expand.grid(mean_1 = c(5.1, 62), sd_1 = c(0, 2), mean_2 = c(5.1, 4.2), sd_2 = c(0, 2, 3.3), n = c(1, 2, 3, 27), correlation = c(-1, -0.3, 0, 0.6, 1))),
  glass("two groups", data.frame(mean_1 = c(55, 27), sd_1 = c(47, 7), n_1 = c(155, 31), mean_2 = c(75, 29), sd_2 = c(64, 4), n_2 = c(156, 32))),
  glass("edge cases, two groups", expand.grid(mean_1 = c(-5, 0, 5), sd_1 = c(0, 2), n_1 = c(1, 2, 30), mean_2 = c(-4, 5), sd_2 = c(0, 3), n_2 = c(1, 2, 3, 12))),
  ppc("morris2008", morris),
  ppc("edge cases, before and after", expand.grid(change_1 = c(0, -3), sd_1 = c(0, 2), n_1 = c(1, 3, 20), correlation_1 = c(-1, 0.5, 1), change_2 = 1, sd_2 = c(0, 1.5), n_2 = c(2, 12), correlation_2 = c(0, 0.9))))
tables <- list(ai = c(4, 0, 30), n1i = c(123, 10, 40), ci = c(11, 3, 20), n2i = c(139, 12, 40))
means <- list(m1i = c(55, 27), sd1i = c(47, 7), n1i = c(155, 31), m2i = c(75, 29), sd2i = c(64, 4), n2i = c(156, 32))
odds <- list(log_or = pair(do.call(escalc, c("OR", tables))), logistic = pair(do.call(escalc, c("OR2DL", tables))), normal = pair(do.call(escalc, c("OR2DN", tables))))
# metafor converts d without its correction.
smds <- list(smd = { e <- do.call(escalc, c("SMD", means)); d <- as.numeric(e$yi) / J(with(means, n1i + n2i - 2)); list(yi = d, vi = with(means, 1 / n1i + 1 / n2i + d^2 / (2 * (n1i + n2i)))) },
  logistic = pair(do.call(escalc, c("D2ORL", means))), normal = pair(do.call(escalc, c("D2ORN", means))))

# Covariance blocks.
g <- data.frame(study = c("a", "a", "a", "a", "b", "c", "c"), outcome = c("x", "y", "x", "y", "x", "x", "y"), time = c(1, 1, 3, 3, 1, 1, 2.5), vi = c(.04, .09, .05, .02, .1, .03, .07))
blocks <- list(study = g$study, outcome = g$outcome, time = g$time, vi = g$vi,
  rho = vcalc(vi, cluster = study, obs = seq_along(vi), rho = 0.6, data = g),
  outcomes_times = vcalc(vi, cluster = study, obs = outcome, time1 = time, rho = 0.6, phi = 0.8, data = g),
  times = vcalc(vi, cluster = study, time1 = time, phi = 0.8, data = transform(g, time = c(1, 2, 3, 4.5, 1, 1, 2.5))), times_at = c(1, 2, 3, 4.5, 1, 1, 2.5))

# Shared comparison groups: Gleser and Olkin 2009, table 19.1 (as on metafor-project.org, analyses:gleser2009).
go <- data.frame(trial = c(1, 1, 2, 3, 3, 3), events_1 = c(100, 150, 15, 40, 80, 50), n_1 = c(4000, 4000, 400, 1000, 1000, 1000), events_2 = c(40, 40, 10, 150, 150, 150), n_2 = c(1000, 1000, 200, 2000, 2000, 2000))
shared <- list(data = as.list(go))
term <- list(RR = with(go, 1 / events_2 - 1 / n_2), OR = with(go, 1 / events_2 + 1 / (n_2 - events_2)), RD = with(go, events_2 / n_2 * (1 - events_2 / n_2) / n_2))
for (m in names(term)) { e <- escalc(m, ai = events_1, n1i = n_1, ci = events_2, n2i = n_2, data = go)
  V <- outer(go$trial, go$trial, "==") * term[[m]]; diag(V) <- e$vi
  f <- rma.mv(as.numeric(e$yi), V, method = "FE")
  shared[[m]] <- c(pair(e), list(V = V, fixed = as.numeric(f$beta), fixed_se = f$se)) }
shared$split <- { s <- transform(go, k = ave(trial, trial, FUN = length)); pair(escalc("OR", ai = events_1, n1i = n_1, ci = events_2 / k, n2i = n_2 / k, data = s)) }
arms <- data.frame(trial = c(1, 1, 1, 2, 3, 3), mean_1 = c(7.87, 4.35, 9.32, 8.08, 7.44, 5.34), sd_1 = c(4.25, 4.65, 3.88, 4.2, 4.4, 5.1), n_1 = c(25, 22, 25, 40, 26, 38), mean_2 = c(0.6, 0.6, 0.6, 0.5, 0.54, 0.54), sd_2 = c(5.0, 5.0, 5.0, 4.4, 4.2, 4.2), n_2 = c(25, 25, 25, 36, 20, 20))
smd <- do.call(rbind, lapply(split(arms, arms$trial), function(x) { df <- sum(x$n_1 - 1) + x$n_2[1] - 1; N <- sum(x$n_1) + x$n_2[1]
  s <- sqrt((sum((x$n_1 - 1) * x$sd_1^2) + (x$n_2[1] - 1) * x$sd_2[1]^2) / df); y <- J(df) * (x$mean_1 - x$mean_2) / s
  data.frame(trial = x$trial, yi = y, vi = 1 / x$n_1 + 1 / x$n_2 + y^2 / (2 * N), n_2 = x$n_2, N = N) }))
V <- outer(smd$trial, smd$trial, "==") * (1 / smd$n_2 + outer(smd$yi, smd$yi) / (2 * smd$N)); diag(V) <- smd$vi
e <- escalc("MD", m1i = mean_1, sd1i = sd_1, n1i = n_1, m2i = mean_2, sd2i = sd_2, n2i = n_2, data = arms)
M <- outer(arms$trial, arms$trial, "==") * with(arms, sd_2^2 / n_2); diag(M) <- e$vi
shared$means <- list(data = as.list(arms), SMD = list(yi = smd$yi, V = V), MD = list(yi = as.numeric(e$yi), V = M))

# Three levels with CR2. rma.mv's default stops early, and its optimisers fail when asked for more than they
# can: the best likelihood of several is taken.
controls <- list(list(optimizer = "nlminb", rel.tol = 1e-10), list(optimizer = "nlminb", rel.tol = 1e-12), list(optimizer = "BFGS", reltol = 1e-15, maxit = 10000), list(optimizer = "Nelder-Mead", reltol = 1e-15, maxit = 10000))
fit <- function(name, yi, V, cluster) { k <- length(yi); effect <- seq_len(k)
  all <- lapply(controls, function(control) try(rma.mv(yi, V, random = ~ 1 | cluster/effect, test = "t", dfs = "contain", control = control), silent = TRUE))
  all <- Filter(function(f) !inherits(f, "try-error"), all)
  f <- all[[which.max(sapply(all, function(f) as.numeric(logLik(f))))]]
  r <- coef_test(f, vcov = "CR2", cluster = factor(cluster)); ci <- conf_int(f, vcov = "CR2", cluster = factor(cluster))
  list(name = name, yi = as.numeric(yi), V = if (is.matrix(V)) V else diag(V), cluster = as.character(cluster), estimate = as.numeric(f$beta), se_model = f$se, df_model = f$ddf[[1]],
    ci_low_model = f$ci.lb, ci_high_model = f$ci.ub, tau2_between = f$sigma2[1], tau2_within = f$sigma2[2], q = f$QE, q_pvalue = f$QEp,
    se = r$SE, df = r$df, p_value = r$p_Satt, ci_low = ci$CI_L, ci_high = ci$CI_U, weight = as.numeric(weights(f, type = "rowsum"))) }
set.seed(20)
made <- lapply(1:12, function(i) { J_ <- sample(3:9, 1); n <- sample(1:5, J_, TRUE); n[1] <- 2; cl <- rep(seq_len(J_), n); v <- runif(length(cl), .01, .3)
  y <- .3 + rnorm(J_, 0, .4)[cl] + rnorm(length(cl), 0, .2) + rnorm(length(cl), 0, sqrt(v))
  y <- round(y, 6); v <- round(v, 6); V <- vcalc(v, cluster = cl, obs = seq_along(cl), rho = c(0, .5, .8)[i %% 3 + 1]); fit(paste0("made_", i), y, V, cl) })
kon <- dat.konstantopoulos2011; ber <- dat.berkey1998; ish <- dat.ishak2007; ass <- dat.assink2016
Vb <- bldiag(lapply(split(ber[c("v1i", "v2i")], ber$trial), as.matrix))
longish <- reshape(ish, direction = "long", idvar = "study", v.names = c("yi", "vi"), varying = list(c(2, 4, 6, 8), c(3, 5, 7, 9))); longish <- longish[order(longish$study.id <- match(longish$study, ish$study), longish$time), ]; longish <- longish[!is.na(longish$yi), ]
Vi <- vcalc(vi, cluster = study, time1 = time, phi = 0.97, data = longish)
fits <- c(list(fit("konstantopoulos2011", kon$yi, kon$vi, kon$district), fit("berkey1998", ber$yi, Vb, ber$trial), fit("ishak2007", longish$yi, Vi, longish$study), fit("assink2016", ass$yi, vcalc(vi, cluster = study, obs = esid, rho = 0.6, data = ass), ass$study)), made)

source <- list(script = "reference/dependent_reference.R", r = R.version.string, metafor = as.character(packageVersion("metafor")), clubSandwich = as.character(packageVersion("clubSandwich")), metadat = as.character(packageVersion("metadat")),
  call = "escalc SMCR, SMD1, OR, OR2DL, OR2DN, D2ORL, D2ORN; vcalc; rma.mv(random = ~ 1 | cluster/effect, test = 't', dfs = 'contain'); coef_test, conf_int with CR2")
write(toJSON(list(source = source, designs = designs, odds = odds, smds = smds, blocks = blocks, shared = shared, fits = fits), digits = NA, auto_unbox = TRUE, na = "null"), out)
