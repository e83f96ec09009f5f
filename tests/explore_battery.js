"use strict";
/* node explore_battery.js < battery.json > answers.json: what the explore page computes. */

const fs = require("fs");
const path = require("path");

const folder = path.join(__dirname, "..", "docs", "explore");
const load = (name) => require(path.join(folder, name));
const pooling = load("pooling.js");
const selection = load("selection.js");
const distributions = load("distributions.js");

const battery = JSON.parse(fs.readFileSync(0, "utf8"));
// JSON has no NaN and no infinity; undefined numbers become null.
const answers = {
  pools: (battery.pools || []).map(({ yi, vi, model }) => pooling.pool(yi, vi, model)),
  distributions: (battery.distributions || []).map(([name, ...given]) =>
    distributions[name](...given),
  ),
  selections: (battery.selections || []).map(({ indication, construct, options, without }) => {
    const { data } = battery;
    const found = data.indications.find((one) => one.indication_id === indication);
    const outcome = found.outcomes.find((one) => one.construct === construct);
    const chosen = selection.choose(data, outcome, options, without);
    const used = chosen.trials.filter(({ why }) => why === "").map(({ effect }) => effect);
    const numbers = [used.map(({ yi }) => yi), used.map(({ vi }) => vi)];
    return { effects: used.map((one) => one.effect_id), ...pooling.pool(...numbers, chosen.model) };
  }),
};
fs.writeFileSync(1, JSON.stringify(answers));
