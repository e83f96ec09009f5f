"use strict";
/* The variance of true effects between trials, as in src/ldn_meta/stats (tau2.py and arrays.py), for one set of trials. The same proofs hold: the climb on 1 / Q
   never overshoots, and the search of the likelihood cannot miss a maximum. */

const LdnTau2 = (() => {
  const MAX_ITERATIONS = 200;
  const STEP_TOLERANCE = 1e-6;
  const CLOSED = 1e-9;
  const NARROWEST = 1e-7;
  const GRID_RATIO = 1.16;
  const ROUNDING = 1e-12;
  const SMALLEST = 2 ** -1022;

  const total = (numbers) => numbers.reduce((sum, value) => sum + value, 0);

  /** Lay trials out: most precise first, effects from its effect, variances by a power of 4. */
  function arrange(yi, vi) {
    const order = yi.map((y, place) => place);
    order.sort((i, j) => vi[i] - vi[j] || yi[i] - yi[j]);
    const count = order.length;
    const centre = count ? yi[order[0]] : 0;
    const root = count ? 2 ** Math.floor(Math.floor(Math.log2(vi[order[0]])) / 2) : 1;
    const scale = root * root;
    const y = order.map((i) => (yi[i] - centre) / root);
    const v = order.map((i) => vi[i] / scale);
    const mean = total(y) / Math.max(count, 1);
    const squares = y.map((value) => (value - mean) ** 2);
    const df = Math.max(count - 1, 1);
    const [q, qSlope] = count ? generalisedQ(y, v, 0) : [0, 0];
    return { y, v, count, df, centre, scale, root, squares, spread: total(squares), q, qSlope };
  }

  /** Q(t) = sum w (y - mu)^2 with w = 1 / (v + t), and minus its derivative. */
  function generalisedQ(y, v, t) {
    const w = v.map((value) => 1 / (value + t));
    const mu = total(y.map((value, i) => w[i] * value)) / total(w);
    const z = y.map((value, i) => w[i] * (value - mu));
    return [total(z.map((value, i) => value * (y[i] - mu))), total(z.map((value) => value * value))];
  }

  const newtonStep = (q, slope, target) =>
    (q / Math.max(slope, SMALLEST)) * (Math.max(q - target, 0) / target);

  /** Solve Q(t) = target for t >= 0; 0 where Q(0) does not exceed the target. */
  function whereQIs(trials, target) {
    const { y, v, squares, spread, q, qSlope } = trials;
    if (!(target > 0)) return NaN;
    const share = squares.map((value) => value / Math.max(spread, SMALLEST));
    const c = total(v.map((value, i) => value * share[i])) * (1 + ROUNDING);
    const asymptote = (spread * (1 - ROUNDING)) / target - c;
    let t = Math.max(asymptote, newtonStep(q, qSlope, target) * (1 - ROUNDING));
    for (let n = 0; n < MAX_ITERATIONS; n += 1) {
      const step = newtonStep(...generalisedQ(y, v, t), target);
      t += step;
      if (step <= STEP_TOLERANCE * (t + v[0])) return t;
    }
    throw new Error("the generalised Q was not solved; look for a variance in a wrong unit");
  }

  /** tr(P) = sum w - sum w^2 / sum w, and minus tr(P^2), with nothing that cancels. */
  function traceOfP(w) {
    const sum = total(w);
    const others = w.slice(1).map((value) => value / sum);
    const p = w[0] / sum;
    const rest = total(others);
    const restSquares = total(others.map((value) => value * value));
    const light = total(
      others.map((value) => value * value * (1 + p * p + restSquares - 2 * value)),
    );
    const heavy = p * p * (rest * rest + restSquares);
    return [sum * (rest * (1 + p) - restSquares), -(light + heavy) * sum * sum];
  }

  /** The two halves of twice the score, n - d, and their slopes, at t. */
  function score(trials, t, restricted) {
    const { y, v } = trials;
    const w = v.map((value) => 1 / (value + t));
    const sum = total(w);
    const mu = total(y.map((value, i) => w[i] * value)) / sum;
    const z = y.map((value, i) => w[i] * (value - mu));
    const shift = total(z.map((value, i) => w[i] * value)) / sum;
    const nSlope = -2 * total(z.map((value, i) => w[i] * (value - shift) ** 2));
    const [d, dSlope] = restricted ? traceOfP(w) : [sum, -total(w.map((value) => value * value))];
    return { t, n: total(z.map((value) => value * value)), d, nSlope, dSlope };
  }

  function deviance(trials, t, restricted) {
    const { y, v } = trials;
    const logs = total(v.map((value) => Math.log(value + t)));
    const [q] = generalisedQ(y, v, t);
    return logs + q + (restricted ? Math.log(total(v.map((value) => 1 / (value + t)))) : 0);
  }

  /** "one" maximum on an interval, "none", or "unclear": nothing is proven yet. */
  function classify(left, right) {
    const crossing = right.n <= left.d && left.n >= right.d;
    if (!crossing) return "none";
    const falling = right.nSlope < left.dSlope;
    const rising = left.nSlope > right.dSlope;
    if (!falling && !rising) return "unclear";
    return falling && left.n > left.d && right.n <= right.d ? "one" : "none";
  }

  /** Whether n - d may be 0 on an interval: convex functions lie between chord and tangent. */
  function isUndecided(left, right) {
    const width = right.t - left.t;
    const [scoreLeft, scoreRight] = [left.n - left.d, right.n - right.d];
    const highest = Math.min(
      Math.max(scoreLeft, right.n - (left.d + left.dSlope * width)),
      Math.max(left.n - (right.d - right.dSlope * width), scoreRight),
    );
    const lowest = Math.max(
      Math.min(scoreLeft, left.n + left.nSlope * width - right.d),
      Math.min(right.n - right.nSlope * width - left.d, scoreRight),
    );
    return highest >= 0 && lowest <= 0;
  }

  /** Newton on d / n - 1, nearly linear in t, inside a shrinking bracket. */
  function refine(trials, left, right, restricted) {
    let [low, high] = [left.t, right.t];
    let t = 0.5 * (low + high);
    for (let n = 0; n < MAX_ITERATIONS; n += 1) {
      const at = score(trials, t, restricted);
      const excess = (at.d - at.n) / at.n;
      const slope = (at.dSlope - at.d * (at.nSlope / at.n)) / at.n;
      if (excess < 0) low = t;
      else high = t;
      let after = t - excess / slope;
      const isInside = after >= low && after <= high;
      if (!isInside) after = 0.5 * (low + high);
      const step = Math.abs(after - t);
      t = after;
      const settled = STEP_TOLERANCE * (t + trials.v[0]);
      if ((isInside && step <= settled) || high - low <= CLOSED * settled) return t;
    }
    throw new Error("the likelihood was not solved; look for a variance in a wrong unit");
  }

  /** Every place of a maximum inside: a grid whose intervals are halved until all is proven. */
  function maximaInside(trials, ceiling, restricted) {
    const floor = trials.v[0];
    const found = [];
    const open = [];
    let left = score(trials, 0, restricted);
    for (let x = 1; x * floor < ceiling; ) {
      x *= GRID_RATIO;
      const right = score(trials, floor * x - floor, restricted);
      open.push([left, right]);
      left = right;
    }
    while (open.length) {
      const [a, b] = open.pop();
      const kind = classify(a, b);
      if (kind === "one") found.push(refine(trials, a, b, restricted));
      if (kind !== "unclear" || !isUndecided(a, b)) continue;
      const [xa, xb] = [a.t + floor, b.t + floor];
      if (xb - xa <= NARROWEST * xa) {
        // Two roots this close differ by less than anybody can see.
        if (a.n > a.d && b.n <= b.d) found.push(refine(trials, a, b, restricted));
        continue;
      }
      const middle = score(trials, Math.sqrt(xa) * Math.sqrt(xb) - floor, restricted);
      open.push([a, middle], [middle, b]);
    }
    return found;
  }

  /** tau2 >= 0 at the global maximum of the (restricted) likelihood. */
  function globalMaximum(trials, restricted) {
    const { v, count, df, spread } = trials;
    if (count < 2) return { tau2: 0, several: false };
    const meanSquare = spread / (restricted ? df : count);
    const span = v[count - 1] - v[0];
    const ceiling =
      0.5 * (meanSquare + Math.sqrt(meanSquare) * Math.sqrt(meanSquare + 4 * span));
    const maxima = maximaInside(trials, ceiling, restricted);
    const atZero = score(trials, 0, restricted);
    // Beyond the ceiling the likelihood falls: with no grid at all, it falls from 0.
    if (!(atZero.n > atZero.d) || ceiling <= v[0]) maxima.push(0);
    maxima.sort((a, b) => a - b);
    const height = maxima.map((t) => deviance(trials, t, restricted));
    const best = height.indexOf(Math.min(...height));
    return { tau2: maxima[best], several: maxima.length > 1 };
  }

  /** Estimate tau2 in the units of `trials`; the table of methods is that of tau2_estimate. */
  function estimate(trials, method) {
    const { y, v, count, df, q, spread } = trials;
    if (method === "ml" || method === "reml") return globalMaximum(trials, method === "reml");
    if (count < 2 || method === "common") return { tau2: 0, several: false };
    const w = v.map((value) => 1 / value);
    const start = spread / count;
    const formulas = {
      dl: () => (q - df) / Math.max(traceOfP(w)[0], SMALLEST),
      hs: () => (q - count) / total(w),
      he: () => spread / df - total(v) / count,
      sj: () => (start * generalisedQ(y, v, start)[0]) / df,
      pm: () => whereQIs(trials, df),
      eb: () => whereQIs(trials, df),
    };
    if (!(method in formulas)) throw new Error(`tau2 method ${method} is not known`);
    return { tau2: Math.max(formulas[method](), 0), several: false };
  }

  return { arrange, estimate, total, whereQIs };
})();

if (typeof module !== "undefined") module.exports = LdnTau2;
