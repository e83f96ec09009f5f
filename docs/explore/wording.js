"use strict";
/* Numbers and small words as readers see them; results are rounded here and nowhere else. */

const LdnWording = (() => {
  const MINUS = "\u2212";

  /** Whether rounding to so many digits is a tie: the number ends in a 5 that is exactly there. */
  function isTie(size, digits) {
    if (size > 1e15) return false;
    const decimals = size.toFixed(Math.min(digits + 40, 100)).split(".")[1];
    return /^50*$/.test(decimals.slice(digits));
  }

  /** Write a number with a fixed number of digits, ties to even as Python does. */
  function fixed(value, digits = 2) {
    if (!Number.isFinite(value)) return "not defined";
    const size = Math.abs(value);
    let text = size.toFixed(digits);
    if (isTie(size, digits) && Number(text.slice(-1)) % 2 === 1) {
      text = (size - 0.5 * 10 ** -digits).toFixed(digits);
    }
    return value < 0 && Number(text) !== 0 ? MINUS + text : text;
  }

  function interval(low, high, digits = 2) {
    if (!(Number.isFinite(low) && Number.isFinite(high))) return "not defined";
    return `${fixed(low, digits)} to ${fixed(high, digits)}`;
  }

  /** Values as displayed: exponentials for ratios, themselves otherwise. */
  const shown = (value, isRatio) => (isRatio ? Math.exp(value) : value);

  /** A ratio; 0.00 would say that it can be nought, which none can. */
  function ratio(value) {
    return value > 0 && value < 0.005 ? `${Number(value.toPrecision(2))}` : fixed(value);
  }

  /** "0.03 (-0.78 to 0.84)", ratios taken from the log. */
  function effect(estimate, low, high, isRatio) {
    if (!Number.isFinite(estimate)) return "not estimable";
    const write = isRatio ? ratio : fixed;
    const [middle, ...ends] = [estimate, low, high].map((value) => write(shown(value, isRatio)));
    const known = Number.isFinite(low) && Number.isFinite(high);
    return `${middle} (${known ? ends.join(" to ") : "not defined"})`;
  }

  /** Give the numbers in a text their true minus signs; "0-10" keeps its own. */
  const minus = (text) => text.replace(/(^|[^0-9A-Za-z])-(?=\.?[0-9])/g, `$1${MINUS}`);

  const capitalised = (text) => text.slice(0, 1).toUpperCase() + text.slice(1);

  /** "one trial", "two trials", "14 trials". */
  function count(words, number, noun) {
    return `${words.counts[number] || number} ${noun}${number === 1 ? "" : "s"}`;
  }

  const people = (number) => (number ? `${number} people` : "number of people not reported");

  function pValue(p) {
    if (!Number.isFinite(p)) return "p not defined";
    return p < 0.001 ? "p < 0.001" : `p = ${fixed(p, 3)}`;
  }

  /** A variance, which may be tiny or huge, in about three significant digits. */
  function variance(value) {
    if (value === 0 || !Number.isFinite(value) || value >= 100) return fixed(value, 0);
    if (value < 0.0005) return "below 0.001";
    return fixed(value, value >= 1 ? 2 : 3);
  }

  return { capitalised, count, effect, fixed, interval, minus, pValue, people, ratio, shown, variance };
})();

if (typeof module !== "undefined") module.exports = LdnWording;
