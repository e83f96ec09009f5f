"use strict";
/* The mean effect over trials: src/ldn_meta/stats/pool.py for one set of trials. */

const LdnPooling = (() => {
  const isNode = typeof module !== "undefined";
  const distributions = isNode ? require("./distributions.js") : LdnDistributions;
  const spread = isNode ? require("./tau2.js") : LdnTau2;
  const { chi2Quantile, chi2Tail, normalQuantile, normalTails, tQuantile, tTails } = distributions;
  const { arrange, estimate, total, whereQIs } = spread;

  /** The interval method for k trials: named, or the protocol's by their number. */
  function intervalMethod(model, k) {
    if (model.ci_method !== null) return model.ci_method;
    // No spread between trials is allowed for, so none can widen the interval.
    if (model.tau2_method === "common") return "wald";
    if (k < model.two_trials) return "wald";
    if (k > model.two_trials) return model.ci_method_more_trials;
    const two = model.ci_method_two_trials;
    return two === "bayesian" ? model.ci_method_without_prior : two;
  }

  /** Q, I2 and the Q-profile interval of tau2; all NaN with fewer than two trials. */
  function heterogeneity(trials, level) {
    const { count, df, q, scale } = trials;
    if (count < 2) {
      return { q: NaN, q_pvalue: NaN, i2_pct: NaN, tau2_ci_low: NaN, tau2_ci_high: NaN };
    }
    return {
      q,
      q_pvalue: chi2Tail(q, df),
      i2_pct: q > 0 ? 100 * Math.max(1 - df / q, 0) : 0,
      tau2_ci_low: whereQIs(trials, chi2Quantile((1 - level) / 2, df)) * scale,
      tau2_ci_high: whereQIs(trials, chi2Quantile((1 + level) / 2, df)) * scale,
    };
  }

  /**
   * Pool effects `yi` with variances `vi` (arrays of k numbers).
   * `model`: tau2_method, ci_method (null: by the number of trials), ci_method_two_trials,
   * ci_method_without_prior, ci_method_more_trials, two_trials, pi_method, level. What is undefined is NaN. The prediction interval
   * needs three trials, all that is about spread two.
   */
  function pool(yi, vi, model) {
    const trials = arrange(yi, vi);
    const { y, v, count, df, scale, root, centre } = trials;
    const ciMethod = intervalMethod(model, count);
    const isRandom = model.tau2_method !== "common";
    const { tau2, several } = estimate(trials, model.tau2_method);
    const w = v.map((value) => 1 / (value + tau2));
    const precision = count ? total(w) : NaN;
    const mean = total(y.map((value, i) => w[i] * value)) / precision;
    const scatter = total(y.map((value, i) => w[i] * (value - mean) ** 2)) / df;
    const usesT = ciMethod !== "wald" && count > 1;
    let factor = 1;
    if (usesT) {
      // Identical effects have no scatter to rescale by.
      const scaled = scatter > 0 ? scatter : NaN;
      factor = ciMethod === "knapp-hartung-floored" ? Math.max(scatter, 1) : scaled;
    }
    const variance = factor / precision;
    const middle = centre + mean * root;
    const se = Math.sqrt(variance) * root;
    const statistic = middle / se;
    const half = (usesT ? tQuantile(model.level, df) : normalQuantile(model.level)) * se;
    const dfNew = model.pi_method === "k-1" ? count - 1 : count - 2;
    const reach =
      isRandom && count > 2
        ? tQuantile(model.level, dfNew) * Math.sqrt(tau2 + variance) * root
        : NaN;
    return {
      k: count,
      tau2_method: model.tau2_method,
      ci_method: ciMethod,
      estimate: middle,
      se,
      p_value: usesT ? tTails(statistic, df) : normalTails(statistic),
      ci_low: middle - half,
      ci_high: middle + half,
      tau2: count > 1 ? tau2 * scale : NaN,
      several,
      ...heterogeneity(trials, model.level),
      pi_low: middle - reach,
      pi_high: middle + reach,
      weight_pct: vi.map((value) => 100 / precision / (value / scale + tau2)),
    };
  }

  return { pool };
})();

if (typeof module !== "undefined") module.exports = LdnPooling;
