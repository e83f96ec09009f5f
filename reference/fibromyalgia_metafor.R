# R metafor's answer on the very effects behind our fibromyalgia pools, for
# tests/evidence/test_pools.py. Usage, at the root of the checkout:
#   Rscript reference/fibromyalgia_metafor.R tests/reference/fibromyalgia_metafor.json
# Reads data/derived: pooled.csv says which effects each analysis pooled, effects.csv what they are.
suppressPackageStartupMessages({library(metafor); library(jsonlite)})
out <- commandArgs(trailingOnly = TRUE)[1]
effects <- read.csv("data/derived/effects.csv", na.strings = "NA", stringsAsFactors = FALSE)
pooled <- read.csv("data/derived/pooled.csv", na.strings = "NA", stringsAsFactors = FALSE)
rows <- pooled[pooled$indication_id == "fibromyalgia" & pooled$k > 1, ]
# The same effects under another tau2 or interval are one question for metafor.
rows <- rows[!duplicated(rows[, c("construct", "effects")]), ]
fit <- function(yi, vi, test) {
  # metafor's own tolerance is too loose for an oracle.
  f <- rma(yi, vi, method = "REML", test = test,
           control = list(maxiter = 100000, stepadj = 0.5, threshold = 1e-14))
  list(test = test, estimate = as.numeric(f$beta), se = f$se, p_value = f$pval, ci_low = f$ci.lb,
       ci_high = f$ci.ub, tau2 = f$tau2, q = f$QE, q_pvalue = f$QEp)
}
pools <- lapply(seq_len(nrow(rows)), function(i) {
  ids <- strsplit(rows$effects[i], " ")[[1]]
  used <- effects[match(ids, effects$effect_id), ]
  list(analysis = rows$analysis[i], construct = rows$construct[i], effects = ids,
       yi = used$yi, vi = used$vi,
       fits = lapply(c("z", "knha", "adhoc"), function(test) fit(used$yi, used$vi, test)))
})
source <- list(script = "reference/fibromyalgia_metafor.R", metafor = as.character(packageVersion("metafor")),
               r = R.version.string,
               call = "rma(yi, vi, method = 'REML', test = c('z', 'knha', 'adhoc')), threshold 1e-14")
write(toJSON(list(source = source, pools = pools), digits = NA, auto_unbox = TRUE, pretty = 1), out)
