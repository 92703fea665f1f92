/** A suite's outcomes past the gate and through it, held against each other. */
import type { Difference } from "./known-differences.ts";
import type { Outcome } from "./suite.ts";

export type Comparison = {
  readonly suite: string;
  readonly direct: Count;
  readonly gated: Count;
  /** They fail past the gate too, and so say nothing about it. */
  readonly failedBoth: readonly string[];
  /** They pass past the gate, and not through it, for a reason that is known. */
  readonly known: readonly (Outcome & { why: string })[];
  /** They pass past the gate, and not through it, and nobody has said why. */
  readonly unexplained: readonly Outcome[];
  /** They pass through the gate, and fail past it. */
  readonly passedGatedOnly: readonly string[];
  /** Reasons for what is no difference any more. */
  readonly outdated: readonly Difference[];
};
type Count = { readonly passed: number; readonly failed: number };

export function compare(
  suite: string,
  direct: readonly Outcome[],
  gated: readonly Outcome[],
  differences: readonly Difference[],
): Comparison {
  const through = new Map(gated.map((outcome) => [outcome.name, outcome]));
  const reasons = new Map(differences.filter((one) => one.suite === suite).map((one) => [one.test, one]));
  const different = direct
    .filter(({ passed }) => passed)
    .map(({ name }) => through.get(name) ?? { name, passed: false, said: "it did not run" })
    .filter(({ passed }) => !passed);
  const names = new Set(different.map(({ name }) => name));
  return {
    suite,
    direct: count(direct),
    gated: count(gated),
    failedBoth: direct
      .filter(({ name, passed }) => !passed && through.get(name)?.passed !== true)
      .map(({ name }) => name),
    known: different.flatMap((outcome) => {
      const why = reasons.get(outcome.name)?.why;
      return why === undefined ? [] : [{ ...outcome, why }];
    }),
    unexplained: different.filter(({ name }) => !reasons.has(name)),
    passedGatedOnly: direct
      .filter(({ name, passed }) => !passed && through.get(name)?.passed === true)
      .map(({ name }) => name),
    outdated: [...reasons.values()].filter(({ test }) => !names.has(test)),
  };
}

function count(outcomes: readonly Outcome[]): Count {
  const passed = outcomes.filter((outcome) => outcome.passed).length;
  return { passed, failed: outcomes.length - passed };
}
