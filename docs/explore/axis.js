"use strict";
/* What part of an axis is shown, and which values are printed along it, as in
   src/ldn_meta/display/figures/scales.py. */

const LdnAxis = (() => {
  const isNode = typeof module !== "undefined";
  const { fixed } = isNode ? require("./wording.js") : LdnWording;
  // An interval that reaches further than this many typical half-widths beyond all estimates is cut
  // with an arrow: otherwise one tiny trial would press all others into a line.
  const REACH = 2.5;
  const PADDING = 0.04;
  const MOST_TICKS = 7;
  const LABEL_GAP = 10;

  const isComplete = (span) =>
    [span.estimate, span.low, span.high].every((value) => Number.isFinite(value));

  function median(numbers) {
    const sorted = [...numbers].sort((a, b) => a - b);
    const half = sorted.length / 2;
    return (sorted[Math.ceil(half) - 1] + sorted[Math.floor(half)]) / 2;
  }

  /** The shown range on the scale of analysis; 0, no effect, and every needed estimate inside. */
  function limits(needed, wished) {
    const known = needed.map(({ estimate }) => estimate).filter(Number.isFinite);
    const inside = [0, ...known];
    const complete = [...needed, ...wished].filter(isComplete);
    const [least, most] = [Math.min(...inside), Math.max(...inside)];
    const halves = complete.map(({ low, high }) => (high - low) / 2);
    const reach = halves.length
      ? Math.max(REACH * median(halves), (most - least) / 2)
      : (most - least) / 2 || 1;
    const ends = [...inside, ...complete.flatMap(({ low, high }) => [low, high])];
    let low = Math.max(Math.min(...ends), least - reach);
    let high = Math.min(Math.max(...ends), most + reach);
    if (low === high) [low, high] = [low - 1, high + 1];
    const pad = PADDING * (high - low);
    return [low - pad, high + pad];
  }

  /** Whether labels centred on places between 0 and 1 stay apart. */
  function fits(ticks, width, measure) {
    if (ticks.length > MOST_TICKS) return false;
    const ends = ticks.map(({ place, label }) => [place * width, measure(label) / 2]);
    return ends.every(
      ([x, half], i) => i === 0 || x - ends[i - 1][0] >= half + ends[i - 1][1] + LABEL_GAP,
    );
  }

  const range = (first, last) =>
    Array.from({ length: Math.max(last - first + 1, 0) }, (_, i) => first + i);

  /** Ladders of values from coarse to fine, with how each is written. */
  function* linearLadders(low, high) {
    const exponent = Math.floor(Math.log10(high - low)) + 1;
    for (let power = exponent; power > exponent - 4; power -= 1) {
      for (const digit of [5, 2, 1]) {
        const step = Number(`${digit}e${power}`);
        const places = range(Math.ceil(low / step - 1e-9), Math.floor(high / step + 1e-9));
        const write = (value) => fixed(value, Math.max(0, -power));
        yield places.map((n) => ({ value: n * step, label: write(n * step) }));
      }
    }
  }

  function* ratioLadders(low, high) {
    const decades = range(Math.floor(low / Math.LN10), Math.ceil(high / Math.LN10));
    const sets = [20, 10, 5, 4, 3, 2, 1].map((every) =>
      decades.filter((n) => n % every === 0).map((n) => Number(`1e${n}`)),
    );
    for (const digits of [[1, 2, 5], [1, 1.5, 2, 3, 5, 7]]) {
      sets.push(decades.flatMap((n) => digits.map((digit) => Number(`${digit}e${n}`))));
    }
    if (high - low < Math.log(4)) {
      for (const step of [0.5, 0.2, 0.1, 0.05, 0.02, 0.01]) {
        const last = Math.ceil(Math.exp(high) / step);
        sets.push(range(1, last).map((n) => Number((n * step).toFixed(12))));
      }
    }
    for (const set of sets) {
      yield set
        .filter((ratio) => Math.log(ratio) >= low && Math.log(ratio) <= high)
        .map((ratio) => ({ value: Math.log(ratio), label: String(ratio) }));
    }
  }

  /** Round values whose labels do not touch on `width` pixels, most of them that fit. */
  function ticks([low, high], isRatio, width, measure) {
    let best = [];
    for (const ladder of (isRatio ? ratioLadders : linearLadders)(low, high)) {
      const placed = ladder.map((one) => ({ ...one, place: (one.value - low) / (high - low) }));
      const isBetter = placed.length > best.length || best.length === 0;
      if (isBetter && fits(placed, width, measure)) best = placed;
    }
    return best;
  }

  return { isComplete, limits, ticks };
})();

if (typeof module !== "undefined") module.exports = LdnAxis;
