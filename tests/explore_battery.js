"use strict";
/* node explore_battery.js < battery.json > answers.json: what the files of the explore page compute.
   A battery is a list of [name of a question, arguments ...]; the answers come in its order. */

const fs = require("fs");
const path = require("path");

const folder = path.join(__dirname, "..", "docs", "explore");
const load = (name) => require(path.join(folder, `${name}.js`));
const { analyse, fingerprint } = load("analysis");
const distributions = load("distributions");
const fragment = load("fragment");
const { pool } = load("pooling");
const { draw } = load("forest");
const sentence = load("sentence");
const wording = load("wording");

const { data, questions } = JSON.parse(fs.readFileSync(0, "utf8"));

function analysisOf(indication, construct, options, without, limits = {}) {
  const found = data.indications.find((one) => one.indication_id === indication);
  const outcome = found.outcomes.find((one) => one.construct === construct);
  return analyse(fragment.asked(data, { limits }), found, outcome, options, without);
}

const protocolOf = (indication, construct) =>
  analysisOf(indication, construct, data.nodes.map(() => 0), []);

const ASKED = {
  distribution: (name, ...given) => distributions[name](...given),
  pool: (yi, vi, model) => pool(yi, vi, model),
  word: (name, ...given) => wording[name](...given),
  analysis: (...choices) => analysisOf(...choices),
  sentences: (indication, construct, options, without) => {
    const analysis = analysisOf(indication, construct, options, without);
    const own = protocolOf(indication, construct);
    const isProtocol = options.every((place) => place === 0) && without.length === 0;
    return [
      ...sentence.answer(data, analysis),
      sentence.distance(data, analysis, own, isProtocol),
      sentence.departures(data, { options, without }, analysis),
      sentence.caption(data, analysis, new Set(["pooled", "shown"])),
      ...analysis.trials.map((trial) => sentence.trial(data, trial, analysis)),
    ];
  },
  // Letters are taken to be 7 pixels wide, 8 in bold.
  drawn: (indication, construct, options, without, width) => {
    const analysis = analysisOf(indication, construct, options, without);
    const own = protocolOf(indication, construct);
    const beside = fingerprint(analysis) === fingerprint(own) ? null : own;
    return draw(data, analysis, beside, width, (text, isBold) => text.length * (isBold ? 8 : 7));
  },
  fragment: (address) => {
    const view = fragment.read(data, address);
    const { indication, outcome, options, without, limits, unknown } = view;
    return {
      indication: indication.indication_id,
      outcome: outcome.construct,
      options,
      without,
      ...(Object.keys(limits).length ? { limits } : {}),
      unknown,
      written: fragment.written(data, view),
    };
  },
};

// JSON has no NaN and no infinity; undefined numbers become null.
fs.writeFileSync(1, JSON.stringify(questions.map(([name, ...given]) => ASKED[name](...given))));
