import { fits } from "../access/mod.ts";
import type { RetentionRule } from "../config/mod.ts";
import type { Targets } from "../directory/mod.ts";

/** For how long the recording of a session on this target is kept: the longest of the rules that fit, else the default. */
export function retentionPolicy({
  defaultMs,
  rules,
  targets,
}: {
  defaultMs: number;
  rules: readonly RetentionRule[];
  targets: Pick<Targets, "byId">;
}): (target: { id: string; name: string }) => Promise<number> {
  const asksLabels = rules.some(({ labels }) => labels !== undefined);
  return async ({ id, name }) => {
    // Every session pays for this: nothing is looked up where no rule needs it.
    const labels = asksLabels ? ((await targets.byId(id))?.labels ?? {}) : {};
    const keeps = rules.filter(
      (rule) =>
        (rule.targets === undefined || rule.targets.includes(name)) &&
        (rule.labels === undefined || fits(rule.labels, labels)),
    );
    return keeps.length === 0 ? defaultMs : Math.max(...keeps.map(({ keep }) => keep.ms));
  };
}
