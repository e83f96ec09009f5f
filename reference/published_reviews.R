# Data of published reviews, as metadat has them: only the columns that the printed results need.
# What is printed, and where, stands in tests/stats/test_published_reviews.py.
#   Rscript reference/published_reviews.R tests/reference/published_reviews.json

suppressPackageStartupMessages({
  library(jsonlite)
  library(metadat)
})

output <- commandArgs(trailingOnly = TRUE)[1]
if (is.na(output)) output <- "tests/reference/published_reviews.json"

columns <- function(data, ...) {
  wanted <- c(...)
  found <- as.list(data[, wanted])
  names(found) <- if (is.null(names(wanted))) wanted else names(wanted)
  lapply(found, as.numeric)
}

counts <- c(events_1 = "ai", n_1 = "n1i", events_2 = "ci", n_2 = "n2i")
arms <- c(
  mean_1 = "m1i", sd_1 = "sd1i", n_1 = "n1i", mean_2 = "m2i", sd_2 = "sd2i", n_2 = "n2i"
)
bcg <- transform(dat.colditz1994, n1i = tpos + tneg, n2i = cpos + cneg)
yusuf <- dat.yusuf1985[dat.yusuf1985$table == "6", ]
linde <- dat.linde2005[c(7:10, 13:25), ]

reviews <- list(
  colditz1994 = columns(bcg, c(
    events_1 = "tpos", n_1 = "n1i", events_2 = "cpos", n_2 = "n2i", latitude = "ablat"
  )),
  lee2004 = columns(dat.lee2004, counts),
  yusuf1985 = columns(yusuf, counts),
  collins1985a = columns(dat.collins1985a, c(
    events_1 = "b.xci", n_1 = "nci", events_2 = "b.xti", n_2 = "nti"
  )),
  collins1985b = columns(dat.collins1985b, c(
    events_1 = "pre.xti", n_1 = "pre.nti", events_2 = "pre.xci", n_2 = "pre.nci"
  )),
  linde2005 = columns(linde, c(
    counts, dosage = "dosage", duration = "duration", baseline = "baseline"
  )),
  hine1989 = columns(dat.hine1989, counts),
  normand1999 = columns(dat.normand1999, arms),
  raudenbush1985 = columns(dat.raudenbush1985, c(yi = "yi", vi = "vi", weeks = "weeks")),
  nielweise2007 = columns(dat.nielweise2007, counts),
  nielweise2008 = columns(dat.nielweise2008, c(
    events_1 = "x1i", time_1 = "t1i", events_2 = "x2i", time_2 = "t2i"
  )),
  damico2009 = columns(dat.damico2009, c(
    events_1 = "xt", n_1 = "nt", events_2 = "xc", n_2 = "nc"
  )),
  pignon2000 = columns(dat.pignon2000, c(observed_minus_expected = "OmE", variance = "V")),
  baskerville2012 = columns(dat.baskerville2012, c(smd = "smd", se = "se")),
  molloy2014 = columns(dat.molloy2014, c(correlation = "ri", n = "ni"))
)

version <- paste("metadat", packageVersion("metadat"))
write_json(
  list(source = version, reviews = reviews), output,
  auto_unbox = TRUE, digits = NA, na = "null", pretty = FALSE
)
