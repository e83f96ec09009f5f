"use strict";
/* One analysis: choices in, pooled result and what it rests on out. */

const LdnAnalysis = (() => {
  const isNode = typeof module !== "undefined";
  const { choose } = isNode ? require("./selection.js") : LdnSelection;
  const { pool } = isNode ? require("./pooling.js") : LdnPooling;
  const { tTails } = isNode ? require("./distributions.js") : LdnDistributions;
  // Undefined numbers come from JSON as null.
  const number = (value) => (value === null ? NaN : value);

  /** Number of people behind effects; the two arms of a pair are the same people. */
  function peopleIn(effects) {
    const sizes = effects.map((e) => (e.n_1 || 0) + (e.is_paired ? 0 : e.n_2 || 0));
    return Math.trunc(sizes.reduce((sum, size) => sum + size, 0));
  }

  /** What two trials are read by under the plan's rule: data.json has it for every pair. */
  function withPrior(outcome, used, model) {
    const isOpen = model.ci_method === null && model.tau2_method !== "common";
    if (!isOpen || model.ci_method_two_trials !== "bayesian") return {};
    const places = used.map((effect) => outcome.effects.indexOf(effect));
    const found = (outcome.pairs || []).find((pair) => places.every((n) => pair.slice(0, 2).includes(n)));
    if (!found) return {};
    const [, , estimate, low, high] = found;
    return { estimate, ci_low: low, ci_high: high, se: NaN, p_value: NaN, ci_method: "bayesian" };
  }

  /** Pool; one trial keeps its own interval and the p of its own statistic. */
  function pooled(outcome, used, model) {
    const result = pool(used.map((e) => e.yi), used.map((e) => e.vi), model);
    if (used.length === 2) return { ...result, ...withPrior(outcome, used, model) };
    if (used.length !== 1) return result;
    const [{ ci_low, ci_high, df }] = used;
    const statistic = result.estimate / result.se;
    const p_value = df === null ? result.p_value : tTails(statistic, df);
    return { ...result, ci_low, ci_high, p_value };
  }

  /**
   * Select and pool. `options`: place of the chosen option of each node; `without`: trials out.
   * Returns outcome, measure, isRatio, trials (all, with why), used (effects in the pool),
   * result, people, against (what was compared with) and sign: +1 more is better, -1 less is,
   * NaN neither; signIsPrinted where no report says which drug was subtracted from which.
   */
  function analyse(data, indication, outcome, options, without) {
    const chosen = choose(data, outcome, options, without);
    const used = chosen.trials.filter(({ why }) => why === "").map(({ effect }) => effect);
    const named = [...new Set(used.map((e) => e.comparator))];
    return {
      indication,
      outcome,
      measure: chosen.measure,
      isRatio: data.words.ratios.includes(chosen.measure),
      trials: chosen.trials,
      used,
      level: chosen.model.level,
      result: pooled(outcome, used, chosen.model),
      people: peopleIn(used),
      against: named.length === 1 ? named[0] : indication.comparator_class,
      sign: number(outcome.benefit_sign),
      signIsPrinted: used.length > 0 && used.every((e) => e.sign_is_as_printed),
    };
  }

  /** The options of the protocol: the first of each node. */
  const protocolOptions = (data) => data.nodes.map(() => 0);

  /** The analysis that each option of one node would give, all else as chosen. */
  function alternatives(data, indication, outcome, options, without, node) {
    return data.nodes[node].options.map((option, place) => {
      const tried = options.map((chosen, other) => (other === node ? place : chosen));
      return analyse(data, indication, outcome, tried, without);
    });
  }

  /** What tells two analyses apart on the page. */
  function fingerprint({ result, measure }) {
    const numbers = [result.k, result.estimate, result.ci_low, result.ci_high];
    return [measure, ...numbers.map((value) => value.toFixed(9))].join(" ");
  }

  return { alternatives, analyse, fingerprint, protocolOptions };
})();

if (typeof module !== "undefined") module.exports = LdnAnalysis;
