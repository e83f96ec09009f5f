"use strict";
/* The forest plot as SVG markup: rows, digits and words as in the printed figure. No document is
   touched, so that a test can read what is drawn. */

const LdnForest = (() => {
  const isNode = typeof module !== "undefined";
  const axis = isNode ? require("./axis.js") : LdnAxis;
  const { capitalised, fixed, minus } = isNode ? require("./wording.js") : LdnWording;
  const { percent } = isNode ? require("./sentence.js") : LdnSentence;
  const { described, headers, rows, sides } = isNode ? require("./rows.js") : LdnRows;

  const INK = "#111111";
  const SOFT = "#555555";
  const RULE = "#9a9a9a";
  const TREATMENT = "#0072b2";
  const POOLED = "#123b63";
  const PREDICTION = "#b5482a";
  const GAP = 14;
  // Narrower pages write the texts above the intervals.
  const IN_COLUMNS = 600;
  // Arm data are left out where they would leave less than this to the intervals.
  const LEAST_PLOT = 230;
  const MIDDLE = 'text-anchor="middle"';
  const END = 'text-anchor="end"';
  const BOLD = 'font-weight="bold"';
  const SMALL = `font-size="12" fill="${SOFT}"`;

  const escape = (words) => String(words).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
  // One decimal is a tenth of a pixel.
  const px = (value) => String(Number(value.toFixed(1)));
  const text = (x, y, words, more = "") =>
    words === "" ? "" : `<text x="${px(x)}" y="${px(y)}" ${more}>${escape(words)}</text>`;
  const line = (x1, y1, x2, y2, more) =>
    `<line x1="${px(x1)}" y1="${px(y1)}" x2="${px(x2)}" y2="${px(y2)}" ${more}/>`;
  const box = (x, y, width, height, more) =>
    `<rect x="${px(x)}" y="${px(y)}" width="${px(width)}" height="${px(height)}" ${more}/>`;
  const shape = (points, more) =>
    `<polygon points="${points.map((point) => point.map(px).join(",")).join(" ")}" ${more}/>`;

  const isStrong = ({ kind }) => kind === "pooled" || kind === "heading";

  /** Where the columns are on a page of this width. */
  function columns(width, all, heads, effectHead, measure) {
    if (width < IN_COLUMNS) {
      return { isWide: false, cells: [], plot: [8, width - 8], effect: width, weight: width };
    }
    const widest = (head, texts) =>
      Math.max(measure(head, true), ...texts.map(([words, strong]) => measure(words, strong)));
    const texts = (of) => all.filter(({ span }) => span).map((row) => [of(row), isStrong(row)]);
    const effect = width - measure("Weight", true) - GAP;
    const right = effect - widest(effectHead, texts((row) => row.effect)) - GAP;
    let left = widest("Trial", texts((row) => row.label)) + GAP;
    const wide = heads.map((head, i) => widest(head, texts((row) => row.cells[i] || "")));
    const arms = wide.reduce((sum, one) => sum + one + GAP, 0);
    const cells = [];
    if (right - left - arms >= LEAST_PLOT) {
      for (const one of wide) {
        cells.push(left + one / 2);
        left += one + GAP;
      }
    }
    return { isWide: true, cells, plot: [left, right], effect, weight: width };
  }

  /** Arrows where an interval leaves the axis. */
  function arrows(span, y, x, [left, right]) {
    const arrow = (end, way) =>
      shape([[end, y], [end - 7 * way, y - 4], [end - 7 * way, y + 4]], 'class="goes-on"');
    return [
      ...(x(span.low) < left ? [arrow(left, -1)] : []),
      ...(x(span.high) > right ? [arrow(right, 1)] : []),
    ];
  }

  /** Square or hollow square with its interval, and arrows where that is cut. */
  function square(row, y, x, [left, right], heaviest) {
    const { span, kind } = row;
    const at = (value) => Math.min(Math.max(x(value), left), right);
    const half = kind === "shown" ? 4 : Math.max(2.5, 8 * Math.sqrt((row.weight || 100) / heaviest));
    const fill =
      kind === "shown"
        ? `fill="#ffffff" stroke="${INK}"`
        : `fill="${TREATMENT}" fill-opacity="0.6" stroke="${TREATMENT}"`;
    const parts = [];
    if (axis.isComplete(span)) {
      const stroke = `stroke="${INK}" stroke-width="1.3" class="interval"`;
      parts.push(line(at(span.low), y, at(span.high), y, stroke));
      parts.push(...arrows(span, y, x, [left, right]));
    }
    const middle = at(span.estimate);
    parts.push(box(middle - half, y - half, 2 * half, 2 * half, `${fill} class="${kind}"`));
    return parts.join("");
  }

  /** What is drawn for a row. */
  function mark(row, y, x, plot, heaviest) {
    const { span, kind } = row;
    if (!span || !Number.isFinite(span.estimate)) return "";
    if (kind === "trial" || kind === "shown") return square(row, y, x, plot, heaviest);
    if (!axis.isComplete(span)) return "";
    const [left, right] = plot;
    const at = (value) => Math.min(Math.max(x(value), left), right);
    const [low, middle, high] = [at(span.low), at(span.estimate), at(span.high)];
    const onward = arrows(span, y, x, plot).join("");
    if (kind === "prediction") {
      return box(low, y - 2.5, high - low, 5, `fill="${PREDICTION}" class="prediction"`) + onward;
    }
    const fill = kind === "pooled" ? POOLED : "#ffffff";
    const look = `fill="${fill}" stroke="${POOLED}" stroke-width="1.3" class="${kind}"`;
    return shape([[low, y], [middle, y - 7], [high, y], [middle, y + 7]], look) + onward;
  }

  /** Heads of the columns above a rule; returns markup and where the rows begin. */
  function drawHead(place, heads, effectHead) {
    if (!place.isWide) return { parts: [], y: 0 };
    const parts = [
      text(0, 16, "Trial", BOLD),
      ...place.cells.map((at, i) => text(at, 16, heads[i], `${BOLD} ${MIDDLE}`)),
      text(place.effect, 16, effectHead, `${BOLD} ${END}`),
      text(place.weight, 16, "Weight", `${BOLD} ${END}`),
      line(0, 24, place.weight, 24, `stroke="${RULE}"`),
    ];
    return { parts, y: 24 };
  }

  /** One row from `top` down; returns markup and where the next begins. */
  function drawRow(row, top, place, draw, measure) {
    const style = isStrong(row) ? BOLD : row.kind === "remark" ? `fill="${SOFT}"` : "";
    const parts = isStrong(row) ? [line(0, top + 2, place.weight, top + 2, `stroke="${RULE}"`)] : [];
    const y = top + 20;
    parts.push(text(0, y, row.label, style));
    if (!row.span) return { parts, y: y + 4 };
    const weight = Number.isFinite(row.weight) ? `${fixed(row.weight, 1)}%` : "";
    const printed = (at) => text(place.effect, at, row.effect, `${style} ${END}`);
    if (place.isWide) {
      parts.push(printed(y));
      place.cells.forEach((at, i) => {
        parts.push(text(at, y, row.cells[i] || "", `${style} ${MIDDLE}`));
      });
      parts.push(text(place.weight, y, weight, `${style} ${END}`), draw(row, y - 4.5));
      if (!row.note) return { parts, y: y + 4 };
      return { parts: [...parts, text(14, y + 15, row.note, SMALL)], y: y + 20 };
    }
    const below = row.note || (weight && `weight ${weight}`);
    parts.push(text(0, y + 15, below, SMALL));
    const wide = measure(row.label, isStrong(row)) + GAP + measure(row.effect, isStrong(row));
    const isShort = wide <= place.effect;
    parts.push(printed(isShort ? y : y + 15));
    const middle = y + (below || !isShort ? 27 : 14);
    return { parts: [...parts, draw(row, middle)], y: middle + 8 };
  }

  /** The axis with its ticks, the words for both sides, and what is measured. */
  function drawAxis(analysis, x, shownRange, plot, y, width, title, measure) {
    const [left, right] = plot;
    const small = (words) => measure(words, false) * (12 / 13);
    const ticks = axis.ticks(shownRange, analysis.isRatio, right - left, small);
    const parts = [line(left, y, right, y, `stroke="${INK}" class="axis"`)];
    for (const { value, label } of ticks) {
      parts.push(line(x(value), y, x(value), y + 5, `stroke="${INK}"`));
      parts.push(text(x(value), y + 17, label, `font-size="12" ${MIDDLE} class="tick"`));
    }
    const [below, above] = sides(analysis);
    const [first, second] = [`\u2190 ${below}`, `${above} \u2192`];
    const [before, behind] = [measure(first, false) + 6, measure(second, false) + 6];
    // Beside no effect, but inside the page.
    const split = Math.max(Math.min(Math.max(x(0), before), width - behind), 0);
    parts.push(text(split - 6, y + 35, first, `${END} class="direction"`));
    parts.push(text(split + 6, y + 35, second, 'class="direction"'));
    const half = measure(title, false) / 2;
    const centre = Math.max(Math.min((left + right) / 2, width - half), half);
    parts.push(text(centre, y + 53, title, MIDDLE));
    return parts;
  }

  /**
   * Draw the plot `width` pixels wide. `own`: the protocol's analysis for comparison, or null.
   * `measure`: (text, whether bold) -> its width in pixels, in letters of 13 pixels.
   */
  function draw(data, analysis, own, width, measure) {
    const { isRatio, indication, outcome, result } = analysis;
    const all = rows(data, analysis, own);
    const heads = headers(analysis);
    const isPrior = analysis.result.ci_method === "bayesian";
    const effectHead = `Effect (${percent(analysis.level)} ${isPrior ? "interval" : "CI"})`;
    const place = columns(width, all, heads, effectHead, measure);
    const spans = (...kinds) => all.filter((row) => kinds.includes(row.kind)).map(({ span }) => span);
    const shownRange = axis.limits(
      spans("trial", "pooled", "summary"),
      spans("prediction", "shown"),
    );
    const [low, high] = shownRange;
    const [left, right] = place.plot;
    const x = (value) => left + ((value - low) / (high - low)) * (right - left);
    const weights = all.filter(({ kind }) => kind === "trial").map((row) => row.weight || 100);
    const drawMark = (row, y) => mark(row, y, x, place.plot, Math.max(...weights));
    let { parts, y } = drawHead(place, heads, effectHead);
    const top = y;
    for (const row of all) {
      const drawn = drawRow(row, y, place, drawMark, measure);
      parts = parts.concat(drawn.parts);
      y = drawn.y;
    }
    y += 8;
    const behind = [line(x(0), top, x(0), y, `stroke="${INK}" stroke-width="1.2" class="no-effect"`)];
    if (result.k > 1) {
      const at = x(result.estimate);
      behind.push(line(at, top, at, y, `stroke="${POOLED}" stroke-dasharray="2 2"`));
    }
    const name = capitalised(data.words.measures[analysis.measure]);
    const title = isRatio ? `${name} (log axis)` : `${name}, ${minus(outcome.unit)}`;
    parts = parts.concat(drawAxis(analysis, x, shownRange, place.plot, y, width, title, measure));
    const height = Math.ceil(y + 62);
    return [
      '<svg xmlns="http://www.w3.org/2000/svg" role="img"',
      ' aria-labelledby="forest-title forest-desc"',
      ` width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`,
      ` font-size="13" fill="${INK}">`,
      `<title id="forest-title">${escape(`Forest plot: ${outcome.label} in ${indication.label}`)}</title>`,
      `<desc id="forest-desc">${escape(described(all, analysis))}</desc>`,
      ...behind,
      ...parts,
      "</svg>",
    ].join("");
  }

  return { draw };
})();

if (typeof module !== "undefined") module.exports = LdnForest;
