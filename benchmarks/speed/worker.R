# Fit sets of trials with metafor and time itself; the same requests and answers as worker.py.
#   Rscript worker.R CONTENDER      metafor: rma(); metafor_all: rma(), predict() and confint()

suppressPackageStartupMessages({
  library(jsonlite)
  library(metafor)
})

contender <- commandArgs(trailingOnly = TRUE)[1]

reply <- function(answer) {
  cat(toJSON(answer, auto_unbox = TRUE, digits = NA, na = "null"), "\n", sep = "")
  flush(stdout())
}

cpu <- function() sum(proc.time()[1:2])

fit <- function(yi, vi) {
  result <- rma(yi, vi, method = "REML", test = "knha")
  if (contender == "metafor_all") {
    predict(result)
    confint(result)
  }
  c(result$beta, result$se, result$ci.lb, result$ci.ub, result$tau2, result$QE)
}

tried <- function(yi, vi) tryCatch(fit(yi, vi), error = function(e) rep(NA_real_, 6))

reply(list(
  version = as.character(packageVersion("metafor")),
  language = sub(" .*", "", sub("R version ", "", R.version.string))
))

sets <- list()
input <- file("stdin", "r")
while (length(line <- readLines(input, n = 1)) > 0) {
  request <- fromJSON(line)
  name <- request$name
  if (request$do == "keep") {
    sets[[name]] <- list(yi = as.matrix(request$yi), vi = as.matrix(request$vi))
    reply(list(kept = nrow(sets[[name]]$yi)))
    next
  }
  yi <- sets[[name]]$yi
  vi <- sets[[name]]$vi
  rows <- seq_len(nrow(yi))
  if (request$do == "answers") {
    table <- suppressWarnings(t(vapply(rows, function(i) tried(yi[i, ], vi[i, ]), numeric(6))))
    reply(list(answers = table))
  } else {
    fits <- 0
    start <- cpu()
    repeat {
      suppressWarnings(for (i in rows) tried(yi[i, ], vi[i, ]))
      fits <- fits + length(rows)
      used <- cpu() - start
      if (used >= request$budget) break
    }
    reply(list(seconds_per_fit = used / fits))
  }
}
