# SE of tau2, log-likelihoods, back-transformed predictions and Peto, Mantel-Haenszel and GLMM on the scale of readers.
# Usage: Rscript reference/labels_reference.R   (from the repository: tests/reference/labels_reference.json)
suppressPackageStartupMessages({library(metafor); library(metadat); library(jsonlite)})
out <- commandArgs(trailingOnly = TRUE)[1]
if (is.na(out)) out <- "tests/reference/labels_reference.json"
num <- function(x) as.numeric(x)
tight <- function(m) if (m %in% c("PM", "EB")) list(tol = 1e-14, tau2.max = 1e6, maxiter = 100000, stepadj = 0.5, threshold = 1e-14) else
  list(maxiter = 100000, stepadj = 0.5, threshold = 1e-14)
spread <- function(name, yi, vi) {
  fits <- lapply(c("EE", "DL", "HE", "HS", "SJ", "ML", "REML", "EB", "PM"), function(m) {
    f <- rma(yi, vi, method = m, control = tight(m))
    list(method = m, tau2 = f$tau2, se_tau2 = f$se.tau2, log_likelihood = num(logLik(f))) })
  list(name = name, yi = num(yi), vi = num(vi), fits = fits)
}
known <- function(p) list(estimate = num(p$pred), ci_low = num(p$ci.lb), ci_high = num(p$ci.ub),
  pi_low = num(p$pi.lb), pi_high = num(p$pi.ub))
read_as <- function(measure, yi, vi, transf, targs = NULL) {
  f <- rma(yi, vi, method = "DL", test = "knha")
  list(measure = measure, yi = num(yi), vi = num(vi), n = if (is.null(targs)) NULL else 1 / mean(1 / targs$ni),
    numbers = known(if (is.null(targs)) predict(f, transf = transf) else predict(f, transf = transf, targs = targs)))
}
bcg <- escalc(measure = "RR", ai = tpos, bi = tneg, ci = cpos, di = cneg, data = dat.bcg)
smd <- escalc(measure = "SMD", m1i = m1i, sd1i = sd1i, n1i = n1i, m2i = m2i, sd2i = sd2i, n2i = n2i, data = dat.normand1999)
pr <- dat.debruin2009; x <- dat.pritz1997
plo <- escalc(measure = "PLO", xi = xi, ni = ni, data = x); pas <- escalc(measure = "PAS", xi = xi, ni = ni, data = x)
pft <- escalc(measure = "PFT", xi = xi, ni = ni, data = x); zc <- escalc(measure = "ZCOR", ri = ri, ni = ni, data = dat.mcdaniel1994[1:20, ])
mh <- rma.mh(measure = "RR", ai = tpos, bi = tneg, ci = cpos, di = cneg, data = dat.bcg)
pe <- rma.peto(ai = tpos, bi = tneg, ci = cpos, di = cneg, data = dat.bcg)
gl <- rma.glmm(measure = "PLO", xi = xi, ni = ni, data = x)
ref <- list(
  source = list(script = "reference/labels_reference.R", metafor = as.character(packageVersion("metafor")),
                metadat = as.character(packageVersion("metadat")), r = R.version.string),
  spread = list(spread("bcg", bcg$yi, bcg$vi), spread("normand", smd$yi, smd$vi), spread("pritz", plo$yi, plo$vi)),
  read_as = list(read_as("RR", bcg$yi, bcg$vi, exp), read_as("PLO", plo$yi, plo$vi, transf.ilogit),
    read_as("PAS", pas$yi, pas$vi, transf.iarcsin), read_as("ZCOR", zc$yi, zc$vi, transf.ztor),
    read_as("PFT", pft$yi, pft$vi, transf.ipft.hm, list(ni = x$ni))),
  counts = list(events_1 = dat.bcg$tpos, n_1 = dat.bcg$tpos + dat.bcg$tneg, events_2 = dat.bcg$cpos, n_2 = dat.bcg$cpos + dat.bcg$cneg,
    mh = known(predict(mh, transf = exp)), peto = known(predict(pe, transf = exp))),
  glmm = list(events = x$xi, n = x$ni, log_scale = known(predict(gl)), share = known(predict(gl, transf = transf.ilogit))))
write_json(ref, out, digits = NA, auto_unbox = TRUE)
