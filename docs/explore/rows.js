"use strict";
/* Which rows the forest plot has, from the top down, with every text it prints and says. */

const LdnRows = (() => {
  const isNode = typeof module !== "undefined";
  const wording = isNode ? require("./wording.js") : LdnWording;
  const sentence = isNode ? require("./sentence.js") : LdnSentence;
  const { capitalised, count, effect, fixed, interval, minus, shown } = wording;

  /** Words for the left and the right of no effect. */
  function sides({ sign, signIsPrinted, indication }) {
    if (signIsPrinted) return ["negative as printed", "positive as printed"];
    const { comparator_class: comparator, treatment } = indication;
    if (Number.isNaN(sign)) return [`lower with ${treatment}`, `higher with ${treatment}`];
    const found = [`favours ${treatment}`, `favours ${comparator}`];
    return sign < 0 ? found : found.reverse();
  }

  function ownSpan({ yi, ci_low: low, ci_high: high }) {
    return { estimate: yi, low, high };
  }

  function pooledSpan({ estimate, ci_low: low, ci_high: high }) {
    return { estimate, low, high };
  }

  function cellsOf(one, isCount) {
    const n = (size) => (size === null ? "NR" : String(size));
    const data = [one.arm_1_data, one.arm_2_data].map((text) => minus(text || "NR"));
    const week = one.week === null ? "NR" : String(one.week);
    if (isCount) return [week, ...data];
    return [week, data[0], n(one.n_1), data[1], n(one.n_2)];
  }

  /** Every row from the top down, with its texts; what is not drawn is left out. */
  function rows(data, analysis, own) {
    const { result, isRatio, level, trials } = analysis;
    const write = ({ estimate, low, high }) => effect(estimate, low, high, isRatio);
    const found = [];
    const add = (kind, label, span, more) =>
      found.push({ kind, label, span, effect: span ? write(span) : "", cells: [], ...more });
    let place = 0;
    for (const { effect: one, why } of trials) {
      if (why !== "") continue;
      const weight = result.k > 1 ? result.weight_pct[place] : NaN;
      const cells = cellsOf(one, isRatio);
      add("trial", one.study_label, ownSpan(one), { cells, weight });
      place += 1;
    }
    if (result.k === 0) add("remark", "No trial: nothing is estimated.", null);
    if (result.k === 1) add("remark", "One trial, nothing pooled.", null);
    if (result.k > 1) {
      const isCommon = result.tau2_method === "common";
      const random = result.ci_method === "bayesian" ? "Pooled, Bayesian" : "Pooled, random effects";
      const label = isCommon ? "Pooled, common effect" : random;
      add("pooled", label, pooledSpan(result), { weight: 100 });
      if (Number.isFinite(result.pi_low)) {
        const span = { estimate: result.estimate, low: result.pi_low, high: result.pi_high };
        const text = interval(shown(span.low, isRatio), shown(span.high, isRatio));
        const name = `${sentence.percent(level)} prediction interval`;
        add("prediction", name, span, { effect: `(${text})` });
      }
    }
    if (own !== null && own.result.k > 0 && own.measure === analysis.measure) {
      add("heading", "For comparison", null);
      const kind = own.result.k > 1 ? "summary" : "shown";
      const label = `Plan's answer (${count(data.words, own.result.k, "trial")})`;
      add(kind, label, pooledSpan(own.result));
    }
    const hollow = trials.filter(({ why }) => why !== "");
    if (hollow.length) add("heading", "Shown, not pooled", null);
    for (const { effect: one, why } of hollow) {
      const cells = cellsOf(one, isRatio);
      add("shown", one.study_label, ownSpan(one), { cells, note: why });
    }
    return found;
  }

  /** Heads of the columns that `cellsOf` fills. */
  function headers(analysis) {
    const { comparator_class: comparator, treatment } = analysis.indication;
    const other = capitalised(comparator);
    return analysis.isRatio ? ["Week", treatment, other] : ["Week", treatment, "n", other, "n"];
  }

  /** The plot in words, for people who cannot see it. */
  function described(all, analysis) {
    const [below, above] = sides(analysis);
    const middle = analysis.isRatio ? 1 : 0;
    const told = all.map((row) => {
      if (!row.span) return row.kind === "heading" ? `${row.label}:` : row.label;
      const weight = Number.isFinite(row.weight) && row.kind === "trial" ? `, weight ${fixed(row.weight, 1)}%` : "";
      return `${row.label} ${row.effect}${weight}${row.note ? `, ${row.note}` : ""}.`;
    });
    return `Values below ${middle}: ${below}; values above ${middle}: ${above}. ${told.join(" ")}`;
  }

  return { described, headers, rows, sides };
})();

if (typeof module !== "undefined") module.exports = LdnRows;
