"use strict";
/* Normal, t and chi-squared distributions in full double precision, for whole degrees of freedom.
   Everything is a regularised incomplete gamma or beta function at half-integers. */

const LdnDistributions = (() => {
  const EPSILON = 2 ** -52;
  const TINY = 1e-300;
  const MOST_TERMS = 10000;

  /** log Gamma(n / 2) for a whole n > 0, from Gamma(1/2) and Gamma(1) upwards. */
  function logGammaHalf(n) {
    let sum = n % 2 === 1 ? 0.5 * Math.log(Math.PI) : 0;
    for (let twice = n % 2 === 1 ? 1 : 2; twice < n; twice += 2) sum += Math.log(twice / 2);
    return sum;
  }

  /** Evaluate a continued fraction b0 + a1 / (b1 + a2 / (b2 + ...)) by Lentz's method. */
  function continuedFraction(start, term) {
    let value = start === 0 ? TINY : start;
    let c = value;
    let d = 0;
    for (let n = 1; n < MOST_TERMS; n += 1) {
      const [a, b] = term(n);
      d = b + a * d;
      c = b + a / c;
      d = 1 / (d === 0 ? TINY : d);
      c = c === 0 ? TINY : c;
      value *= c * d;
      if (Math.abs(c * d - 1) < EPSILON) break;
    }
    return value;
  }

  /** Chance that a chi-squared variable on n degrees of freedom exceeds x. */
  function chi2Tail(x, n) {
    if (!(x >= 0)) return NaN;
    if (x === 0) return 1;
    const a = n / 2;
    const half = x / 2;
    const front = Math.exp(a * Math.log(half) - half - logGammaHalf(n));
    if (half < a + 1) {
      let term = 1 / a;
      let sum = term;
      for (let k = 1; k < MOST_TERMS && term > sum * EPSILON * 0.1; k += 1) {
        term *= half / (a + k);
        sum += term;
      }
      return 1 - front * sum;
    }
    return front / continuedFraction(half + 1 - a, (k) => [k * (a - k), half + 2 * k + 1 - a]);
  }

  /** Chance that a normal variable is further from 0 than z, on either side. */
  function normalTails(z) {
    return Number.isNaN(z) ? NaN : chi2Tail(z * z, 1);
  }

  /** Regularised incomplete beta function I_x(p / 2, q / 2); y is 1 - x, given for its digits. */
  function incompleteBeta(x, y, p, q) {
    if (x <= 0) return 0;
    if (y <= 0) return 1;
    const a = p / 2;
    const b = q / 2;
    if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(y, x, q, p);
    const logBeta = logGammaHalf(p) + logGammaHalf(q) - logGammaHalf(p + q);
    const front = Math.exp(a * Math.log(x) + b * Math.log(y) - logBeta) / a;
    const term = (n) => {
      const m = Math.floor(n / 2);
      if (n % 2 === 0) return [(m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m)), 1];
      return [(-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1)), 1];
    };
    return front / continuedFraction(1, term);
  }

  /** Chance that a t variable on n degrees of freedom is further from 0 than t, on either side. */
  function tTails(t, n) {
    if (Number.isNaN(t)) return NaN;
    const size = Math.abs(t);
    if (size === Infinity) return 0;
    // Squares of what is very large would leave the range of doubles.
    const ratio = size / Math.sqrt(n);
    const x = ratio > 1 ? 1 / ratio / ratio / (1 + 1 / ratio / ratio) : 1 / (1 + ratio * ratio);
    const y = ratio > 1 ? 1 / (1 + 1 / ratio / ratio) : (ratio * ratio) / (1 + ratio * ratio);
    return incompleteBeta(x, y, n, 1);
  }

  /** Climb to where a tail that falls and is convex reaches a level: Newton never overshoots. */
  function climb(tail, density, level, start) {
    let at = start;
    for (let n = 0; n < MOST_TERMS; n += 1) {
      const step = (tail(at) - level) / (2 * density(at));
      if (!(step > at * EPSILON)) return at + step;
      at += step;
    }
    return NaN;
  }

  /** The z that a normal variable exceeds, on either side, with chance 1 - level. */
  function normalQuantile(level) {
    const density = (z) => Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI);
    return climb(normalTails, density, 1 - level, 0);
  }

  /** The same for t on n degrees of freedom; its tails are heavier, so the climb starts at z. */
  function tQuantile(level, n) {
    if (!(n >= 1)) return NaN;
    const logFront = logGammaHalf(n + 1) - logGammaHalf(n) - 0.5 * Math.log(n * Math.PI);
    const density = (t) => Math.exp(logFront - 0.5 * (n + 1) * Math.log1p((t * t) / n));
    return climb((t) => tTails(t, n), density, 1 - level, normalQuantile(level));
  }

  /** The x that a chi-squared variable on n degrees of freedom exceeds with a given chance. */
  function chi2Quantile(chance, n) {
    if (!(n >= 1)) return NaN;
    let low = 0;
    let high = n;
    while (chi2Tail(high, n) > chance) high *= 2;
    for (let middle = high / 2; middle > low && middle < high; middle = low + (high - low) / 2) {
      if (chi2Tail(middle, n) > chance) low = middle;
      else high = middle;
    }
    return high;
  }

  return { chi2Quantile, chi2Tail, normalQuantile, normalTails, tQuantile, tTails };
})();

if (typeof module !== "undefined") module.exports = LdnDistributions;
