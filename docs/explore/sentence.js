"use strict";
/* The sentences of the page, computed from the analysis and never typed: a branch for every state. */

const LdnSentence = (() => {
  const isNode = typeof module !== "undefined";
  const wording = isNode ? require("./wording.js") : LdnWording;
  const { capitalised, count, effect, fixed, interval, people, shown } = wording;
  // Estimates nearer than this are one: they come from the same effects by another way.
  const SAME = 1e-9;

  const percent = (level) => `${Number((100 * level).toPrecision(6))}%`;

  /** "95% credible interval" where a prior decides, else "95% CI". */
  const named = ({ result, level }) =>
    `${percent(level)} ${result.ci_method === "bayesian" ? "credible interval" : "CI"}`;

  /** "0.03 points (0-10), 95% CI -0.78 to 0.84". */
  function size(analysis) {
    const { result, isRatio, outcome } = analysis;
    const unit = isRatio ? "" : ` ${outcome.unit}`;
    const told = effect(result.estimate, result.ci_low, result.ci_high, isRatio);
    return told.replace(" (", `${unit}, ${named(analysis)} `).slice(0, -1);
  }

  /** What the interval says of no difference. */
  function crossing({ result, sign, signIsPrinted, indication }) {
    const { ci_low: low, ci_high: high } = result;
    if (!(Number.isFinite(low) && Number.isFinite(high))) return "the interval is not defined";
    if (low <= 0 && high >= 0) return "the interval includes no difference";
    if (signIsPrinted || Number.isNaN(sign)) return "the interval excludes no difference";
    const side = low > 0 === sign > 0 ? indication.treatment : "the comparator";
    return `the interval lies on the side of ${side}`;
  }

  function method(words, { result, outcome }) {
    if (result.ci_method === "bayesian") return outcome.read_by;
    return `${words.tau2_methods[result.tau2_method]}, ${words.ci_methods[result.ci_method]}`;
  }

  /** What a positive number means. */
  function reading({ used, sign, signIsPrinted, isRatio, against, indication }) {
    if (signIsPrinted) {
      const names = used.map((e) => e.study_label).join(", ");
      return `The sign is the printed one; what could be read of ${names} does not say which drug it favours.`;
    }
    if (Number.isNaN(sign)) return "";
    if (isRatio) return `Below 1 favours ${sign < 0 ? indication.drug : against}.`;
    return `${sign < 0 ? "Negative" : "Positive"} numbers favour ${indication.drug}.`;
  }

  function spread({ result, isRatio }) {
    if (result.k < 2 || result.tau2_method === "common") return "";
    if (result.ci_method === "bayesian") {
      return "What other intervals and other priors would give stands on the robustness page.";
    }
    const parts = [];
    if (result.several) parts.push("The likelihood of the spread has more than one maximum.");
    if (Number.isFinite(result.pi_low)) {
      const [low, high] = [result.pi_low, result.pi_high].map((end) => fixed(shown(end, isRatio)));
      parts.push(`The true effect in a new trial is expected between ${low} and ${high}.`);
    }
    if (result.k === 2 && result.ci_method === "wald") {
      parts.push("With two trials this interval takes the spread between them as known.");
    }
    return parts.join(" ");
  }

  /** The answer under the choices made (none, one trial, or more), and how to read it. */
  function answer(data, analysis) {
    const { words } = data;
    const { result, outcome, indication, used, against } = analysis;
    const { drug } = indication;
    if (result.k === 0) {
      return [
        `Under these choices no trial of ${drug} against ${against} gives ${outcome.label} in numbers that may be used: nothing is estimated.`,
        "",
      ];
    }
    const who = people(analysis.people);
    const what = `${words.measures[analysis.measure]} in ${outcome.label}`;
    const first =
      result.k === 1
        ? `Only one trial: ${used[0].study_label} (${who}) compared ${drug} with ${against}. The ${what} is ${size(analysis)}; ${crossing(analysis)}. Nothing is pooled.`
        : `${capitalised(count(words, result.k, "trial"))} (${who}) compared ${drug} with ${against}. The pooled ${what} is ${size(analysis)} (${method(words, analysis)}); ${crossing(analysis)}.`;
    return [first, [reading(analysis), spread(analysis)].filter(Boolean).join(" ")];
  }

  /** Which way a difference of estimates goes, in words. */
  function towards({ sign, signIsPrinted, indication }, own, difference) {
    if (signIsPrinted || own.signIsPrinted || Number.isNaN(sign)) {
      return difference > 0 ? "up" : "down";
    }
    return difference > 0 === sign > 0
      ? `towards ${indication.drug}`
      : `towards ${indication.comparator_class}`;
  }

  /** How far the estimate is from the protocol's own. */
  function distance(data, analysis, own, isProtocol) {
    if (isProtocol) return "These are the choices of the analysis plan.";
    if (own.result.k === 0) return "Under the choices of the analysis plan nothing is estimated.";
    const name = own.isRatio ? `a ${data.words.measures[own.measure]} of ` : "";
    const told = `The plan's answer is ${name}${size(own)}`;
    if (analysis.result.k === 0) return `${told}.`;
    if (analysis.measure !== own.measure) {
      return `${told}: another measure, so no distance is given.`;
    }
    const verdict = crossing(own).replace("the interval", "its interval");
    const turned = crossing(analysis) === crossing(own) ? "" : `; ${verdict}`;
    const difference = analysis.result.estimate - own.result.estimate;
    const here = analysis.result.ci_high - analysis.result.ci_low;
    const times = fixed(here / (own.result.ci_high - own.result.ci_low));
    const width = Number.isNaN(Number(times))
      ? "one of the intervals is not defined"
      : `the interval is ${times === fixed(1) ? "as wide" : `${times} times as wide`}`;
    if (Math.abs(difference) < SAME) {
      return `${told}${turned}. The estimate here is the same; ${width}.`;
    }
    const way = towards(analysis, own, difference);
    const far = analysis.isRatio
      ? `multiply it by ${fixed(Math.exp(difference))}`
      : `move it by ${fixed(Math.abs(difference))} ${analysis.outcome.unit}`;
    return `${told}${turned}. The choices made here ${far}, ${way}; ${width}.`;
  }

  /** What departs from the protocol, choice by choice. */
  function departures(data, view, analysis) {
    const changed = data.nodes
      .filter((node, i) => view.options[i] !== 0)
      .map((node) => `${node.name}: ${node.options[view.options[data.nodes.indexOf(node)]].name}`);
    const labels = analysis.trials
      .filter(({ trial_id: id }) => view.without.includes(id))
      .map((trial) => trial.effect.study_label);
    for (const [name, value] of Object.entries(view.limits || {})) {
      changed.push(`${name.replaceAll("_", " ")}: ${[value].flat().join(", ")}`);
    }
    if (labels.length) changed.push(`without ${labels.join(", ")}`);
    return changed.length ? `Changed: ${changed.join("; ")}.` : "";
  }

  /** Q, I2 and tau2, as far as they are defined. */
  function heterogeneity({ result }) {
    if (result.k < 2) return "";
    const isCommon = result.tau2_method === "common";
    const limits = `${wording.variance(result.tau2_ci_low)} to ${wording.variance(result.tau2_ci_high)}`;
    const tau2 = isCommon
      ? "\u03c4\u00b2 = 0 by assumption"
      : `\u03c4\u00b2 = ${wording.variance(result.tau2)} (${limits})`;
    const test = `${result.k - 1} df, ${wording.pValue(result.q_pvalue)}`;
    return `Heterogeneity: Q = ${fixed(result.q)} (${test}), I\u00b2 = ${fixed(result.i2_pct, 0)}%, ${tau2}.`;
  }

  /** The question whose other answer lets a trial in, in words; "" if none does. */
  function remedy(data, choices) {
    const decides = ({ changes }) => choices.some((choice) => choice in changes);
    const node = data.nodes.find(({ options }) => options.some(decides));
    return node ? `; see "${node.name}"` : "";
  }

  /** One line about a trial: what it brings, or why it brings nothing. */
  function trial(data, { effect: e, why, choices }, { isRatio }) {
    const numbers = effect(e.yi, e.ci_low, e.ci_high, isRatio);
    const week = e.week === null ? "week not reported" : `week ${e.week}`;
    const people = e.analysis_set === "not stated" ? "people analysed not stated" : e.analysis_set;
    const kind = ["events", "not stated"].includes(e.estimand) ? "" : `${e.estimand}, `;
    const about = `${numbers}, ${kind}${week}, ${people}, from ${e.read_from}`;
    return why === "" ? about : `Not in: ${why}${remedy(data, choices)}. It would be ${about}.`;
  }

  const MARKS = {
    pooled: "area of a square: weight; diamond: pooled effect with its interval",
    summary: "open diamond: the plan's answer",
    prediction: "bar: where the true effect of a new trial is expected",
    shown: "open square: not pooled",
  };

  /** Model, heterogeneity and the kinds of marks that the plot has. */
  function caption(data, analysis, kinds) {
    const { result, level } = analysis;
    const { tau2_methods: spreads, ci_methods: intervals } = data.words;
    const model =
      result.tau2_method === "common"
        ? "Common-effect model"
        : `Random-effects model; \u03c4\u00b2 by ${spreads[result.tau2_method]}`;
    const how =
      result.ci_method === "bayesian"
        ? `Random-effects model; diamond: median and ${named(analysis)}, ${analysis.outcome.read_by}.`
        : `${model}; ${percent(level)} CI: ${intervals[result.ci_method]}.`;
    const marks = Object.keys(MARKS).filter((kind) => kinds.has(kind));
    const key = capitalised(marks.map((kind) => MARKS[kind]).join("; "));
    return [result.k > 1 ? how : "", heterogeneity(analysis), key && `${key}.`]
      .filter(Boolean)
      .join(" ");
  }

  return { answer, caption, crossing, departures, distance, percent, trial };
})();

if (typeof module !== "undefined") module.exports = LdnSentence;
