"use strict";
/* The choices as the fragment of an address, so that a view can be sent to somebody:
   #headache/pain_intensity/time=nearest-to-26-weeks/without=ames2001 */

const LdnFragment = (() => {
  const WITHOUT = "without";

  const slug = (name) =>
    name
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "-")
      .replace(/^-|-$/g, "");

  /** Indications that have something to explore. */
  const explorable = (data) => data.indications.filter(({ outcomes }) => outcomes.length > 0);

  /** The outcome of the condition's own question, else its first. */
  function mainOutcome(indication) {
    const { outcomes, main_construct: main } = indication;
    return outcomes.find(({ construct }) => construct === main) || outcomes[0];
  }

  /** Write only what departs from the protocol. */
  function written(data, view) {
    const changed = data.nodes
      .map((node, i) => [node, view.options[i]])
      .filter(([, place]) => place !== 0)
      .map(([node, place]) => `${slug(node.name)}=${slug(node.options[place].name)}`);
    const out = view.without.length ? [`${WITHOUT}=${[...view.without].sort().join(",")}`] : [];
    const { indication, outcome } = view;
    return `#${[indication.indication_id, outcome.construct, ...changed, ...out].join("/")}`;
  }

  /** Read a fragment; `unknown` lists the parts that mean nothing here and were left aside. */
  function read(data, fragment) {
    const parts = fragment.replace(/^#/, "").split("/").filter(Boolean);
    const unknown = [];
    const [name, construct] = parts.filter((part) => !part.includes("="));
    const known = explorable(data);
    const indication = known.find((one) => one.indication_id === name) || known[0];
    if (name && indication.indication_id !== name) unknown.push(name);
    const own = indication.outcomes.find((one) => one.construct === construct);
    const outcome = own || mainOutcome(indication);
    if (construct && !own) unknown.push(construct);
    const options = data.nodes.map(() => 0);
    let without = [];
    for (const part of parts.filter((one) => one.includes("="))) {
      const [key, value] = part.split("=", 2);
      const place = data.nodes.findIndex((node) => slug(node.name) === key);
      const option =
        place < 0 ? -1 : data.nodes[place].options.findIndex((one) => slug(one.name) === value);
      if (option >= 0) options[place] = option;
      else if (key === WITHOUT) {
        const trials = outcome.effects.map((effect) => effect.trial_id);
        const asked = value.split(",");
        without = asked.filter((trial) => trials.includes(trial));
        unknown.push(...asked.filter((trial) => !trials.includes(trial)));
      } else unknown.push(part);
    }
    return { indication, outcome, options, without, unknown };
  }

  return { explorable, mainOutcome, read, written };
})();

if (typeof module !== "undefined") module.exports = LdnFragment;
