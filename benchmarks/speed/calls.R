# Time calls given as text; the same JSON in and out as calls.py.
suppressPackageStartupMessages({
  library(jsonlite)
  library(metafor)
})

input <- file("stdin")
request <- fromJSON(paste(readLines(input, warn = FALSE), collapse = "\n"))
close(input)
invisible(list2env(request$data, globalenv()))
cpu <- function() sum(proc.time()[1:2])
answer <- list()
for (what in names(request$calls)) {
  call <- eval(parse(text = sprintf("function() %s", request$calls[[what]])))
  answer[[what]] <- tryCatch(suppressWarnings({
    value <- as.numeric(call())[1]
    start <- cpu()
    times <- 0
    repeat {
      call()
      times <- times + 1
      used <- cpu() - start
      if (used >= request$budget) break
    }
    list(seconds = used / times, value = value)
  }), error = function(e) {
    message(what, ": ", conditionMessage(e))
    NULL
  })
}
cat(toJSON(
  list(version = as.character(packageVersion("metafor")), calls = answer),
  auto_unbox = TRUE, digits = NA
))
