# Bootstrap prediction intervals of Nagashima, Noma and Furukawa 2019, without ldn_meta's way to
# them: P(Q <= q) by Ruben's series over the eigenvalues (Farebrother 1984, Appl Stat 33:332, AS
# 204, as R's pimeta), the mean over tau2 as a sum over 2,000 steps of its distribution, the sum
# of normal and t by integrate(); beside it 100,000 draws. Run from the top of the repository:
#   Rscript reference/prediction_reference.R > tests/reference/prediction_reference.json
library(jsonlite)

below <- function(q, lambda, terms = 3000) {
  beta <- min(lambda)
  gamma <- 1 - beta / lambda
  n <- length(lambda)
  a <- numeric(terms); g <- numeric(terms)
  a[1] <- prod(sqrt(beta / lambda))
  sum <- a[1] * pchisq(q / beta, n)
  for (m in 1:(terms - 1)) {
    g[m] <- sum(gamma^m)
    a[m + 1] <- sum(rev(g[1:m]) * a[1:m]) / (2 * m)
    sum <- sum + a[m + 1] * pchisq(q / beta, n + 2 * m)
    if (1 - sum(a[1:(m + 1)]) < 1e-12) break
  }
  sum
}
limits <- function(y, v, level = 0.95) {
  k <- length(y); w <- 1 / v
  A <- diag(w) - outer(w, w) / sum(w)
  q <- drop(t(y) %*% A %*% y)
  H <- function(tau2) {
    z <- diag(sqrt(v + tau2))
    1 - below(q, head(eigen(z %*% A %*% z, symmetric = TRUE)$values, k - 1))
  }
  grid <- c(0, exp(seq(log(min(v)) - 16, log(max(v) * max(1, q)) + 22, length.out = 2000)))
  h <- sapply(grid, H)
  mass <- c(h[1], diff(h)); at <- c(0, sqrt(grid[-1] * c(grid[2], head(grid[-1], -1))))
  at[2] <- grid[2] / 2
  seen <- mass > 1e-10; mass <- mass[seen]; at <- at[seen]
  part <- lapply(at, function(tau2) {
    w <- 1 / (v + tau2); m <- sum(w * y) / sum(w)
    c(m, sqrt(sum(w * (y - m)^2) / (k - 1) / sum(w)))
  })
  sum_below <- function(x, tau2, m, s) {
    if (tau2 == 0) return(pt((x - m) / s, k - 1))
    tau <- sqrt(tau2)
    if (tau < s) {
      f <- function(u) pt((x - m - tau * u) / s, k - 1) * dnorm(u)
      return(integrate(f, -9, 9, rel.tol = 1e-8, subdivisions = 500)$value)
    }
    # Over the quantiles of t, which has long tails; smooth, since tau is the larger.
    f <- function(p) pnorm((x - m - s * qt(p, k - 1)) / tau)
    integrate(f, 0, 1, rel.tol = 1e-7, subdivisions = 1000, stop.on.error = FALSE)$value
  }
  G <- function(x) sum(mass * mapply(function(t, p) sum_below(x, t, p[1], p[2]), at, part)) / sum(mass)
  wide <- diff(range(y)) + 3 * sqrt(max(v))
  ends <- sapply(c(0.5 - level / 2, 0.5 + level / 2), function(p)
    uniroot(function(x) G(x) - p, mean(y) + c(-9, 9) * wide, tol = 1e-6, extendInt = "upX")$root)
  set.seed(20190601)
  draws <- 100000
  tau2 <- approx(h, grid, runif(draws), yleft = 0, yright = max(grid), ties = "ordered")$y
  W <- 1 / outer(tau2, v, "+"); m <- drop(W %*% y) / rowSums(W)
  s2 <- rowSums(W * (matrix(y, draws, k, byrow = TRUE) - m)^2) / (k - 1) / rowSums(W)
  drawn <- m + rnorm(draws) * sqrt(tau2) - rt(draws, k - 1) * sqrt(s2)
  list(yi = y, vi = v, level = level, low = ends[1], high = ends[2],
       drawn = unname(quantile(drawn, c(0.5 - level / 2, 0.5 + level / 2))),
       h_at = c(0, 0.05, 0.5), h = sapply(c(0, 0.05, 0.5), H))
}
sets <- list(
  three = list(c(0.10, 0.45, -0.20), c(0.04, 0.09, 0.06)),
  five = list(c(-0.32, 0.11, 0.52, 0.05, 0.91), c(0.050, 0.031, 0.122, 0.080, 0.049)),
  one_large = list(c(0.15, 0.30, -0.10, 0.42, 0.05), c(0.0625, 0.0625, 0.00625, 0.0625, 0.0625)))
found <- lapply(sets, function(s) limits(s[[1]], s[[2]]))
found$five_90 <- limits(sets$five[[1]], sets$five[[2]], level = 0.9)
cat(toJSON(list(r = R.version.string, sets = found), digits = 12, auto_unbox = TRUE, pretty = TRUE), "\n")
