# Sign tests, combined p-values and albatross contours from R. Usage: Rscript swim_metap.R OUT.json
# Packages: metap, jsonlite (Debian: r-cran-metap r-cran-jsonlite) and base R's stats.
suppressPackageStartupMessages({library(metap); library(jsonlite)})
out <- commandArgs(trailingOnly = TRUE)[1]
quiet <- function(expr) suppressMessages(suppressWarnings(expr))

# Every vote of up to 12 studies, and some larger ones; both intervals at two levels.
votes <- expand.grid(n_for = 0:12, n_against = 0:12)
votes <- rbind(votes[(votes$n_for + votes$n_against) %in% 1:12, ],
  data.frame(n_for = c(81, 0, 60, 999), n_against = c(182, 40, 45, 1)))
exact <- function(level) t(mapply(function(a, b) { t <- binom.test(a, a + b, 0.5, conf.level = level)
  w <- prop.test(a, a + b, conf.level = level, correct = FALSE)
  c(t$p.value, t$conf.int, w$conf.int) }, votes$n_for, votes$n_against))
signs <- lapply(c(0.95, 0.9), function(level) { m <- quiet(exact(level))
  list(level = level, p_value = m[, 1], exact_low = m[, 2], exact_high = m[, 3], wilson_low = m[, 4], wilson_high = m[, 5]) })

# The published examples that come with metap, with and without weights.
data(dat.metap)
sets <- list(beckerp = list(p = dat.metap$beckerp), teachexpect = list(p = dat.metap$teachexpect), edgington = list(p = dat.metap$edgington),
  rosenthal = list(p = dat.metap$rosenthal$p, weights = dat.metap$rosenthal$df), cholest = list(p = dat.metap$cholest$p, weights = sqrt(dat.metap$cholest$ntreat + dat.metap$cholest$ncontrol)),
  validity = list(p = dat.metap$validity$p, weights = sqrt(dat.metap$validity$n)), naep = list(p = with(dat.metap$naep, p[p > 0])), mourning = list(p = dat.metap$mourning$p),
  zhang = list(p = dat.metap$zhang$p, weights = sqrt(dat.metap$zhang$n)), tiny = list(p = c(1e-12, 1e-30, 0.3, 0.999999)), opposite = list(p = c(1e-4, 1e-4, 0.9999, 0.9999)))
# p as it stands in the JSON (15 digits), so that both sides compute from the same number; metap drops a p of 0.
combined <- lapply(names(sets), function(name) { p <- as.numeric(sprintf("%.15g", sets[[name]]$p)); w <- sets[[name]]$weights
  if (is.null(w)) w <- rep(1, length(p))
  f <- quiet(sumlog(p)); s <- quiet(sumz(p)); sw <- quiet(sumz(p, weights = w)); v <- quiet(votep(p))
  list(name = name, p = p, weights = w, chisq = f$chisq, df = f$df, fisher = f$p, z = as.numeric(s$z), stouffer = as.numeric(s$p),
    z_weighted = as.numeric(sw$z), stouffer_weighted = as.numeric(sw$p), votes_for = v$pos, votes_against = v$neg, vote_p_greater = v$p) })

# The contour functions of metap's albatros(), which draws and does not return them.
body <- as.list(body(metap:::docontours)); inner <- new.env(parent = asNamespace("metap"))
for (line in body) if (is.call(line) && identical(line[[1]], as.name("<-")) && as.character(line[[2]]) %in% c("smd2n", "or2n")) eval(line, inner)
grid <- expand.grid(p = c(1e-8, 0.001, 0.025, 0.2, 0.45), effect = c(0.05, 0.2, 0.5, 0.8, 2.5))
contours <- c(as.list(grid), list(smd = with(grid, inner$smd2n(p, effect)), or = with(grid, inner$or2n(p, exp(effect)))))

source <- list(made_by = "reference/swim_metap.R", r = R.version.string, metap = as.character(packageVersion("metap")), calls = c(
  "binom.test(x, n, 0.5), its conf.int; prop.test(x, n, correct=FALSE)$conf.int",
  "sumlog(p); sumz(p); sumz(p, weights); votep(p) on dat.metap and two made sets",
  "smd2n and or2n inside metap:::docontours, effect of or2n given as exp(effect)"))
write_json(list(source = source, votes = c(as.list(votes), list(tests = signs)), combined = combined, contours = contours), out,
  digits = NA, auto_unbox = TRUE, null = "null", na = "null")
