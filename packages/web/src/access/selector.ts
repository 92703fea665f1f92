import type { LabelSelector, Statement } from "@gatehouse/contracts/rest";
import { actionWords } from "./actions.ts";

/** One label a line, as people write it: `tier=db, cache`. */
export function selectorText(selector: LabelSelector): string {
  return Object.entries(selector)
    .map(([label, values]) => `${label}=${values.join(", ")}`)
    .join("\n");
}

/** Throws, in words, for a line that is none. */
export function parseSelector(text: string): LabelSelector {
  const lines = text.split(/[\n;]/).map((line) => line.trim());
  return Object.fromEntries(
    lines.filter(Boolean).map((line) => {
      const [label = "", ...rest] = line.split("=");
      const values = rest
        .join("=")
        .split(",")
        .map((value) => value.trim())
        .filter(Boolean);
      if (label.trim() === "" || values.length === 0)
        throw new Error(`“${line}” is no label with its values, such as tier=db`);
      return [label.trim(), values];
    }),
  );
}

/** A statement as a sentence that goes on after `may`. */
export function statementWords({ actions, targets, logins }: Statement): string {
  const what = actions.map(actionWords).join("; ");
  const where =
    targets === undefined
      ? ""
      : Object.keys(targets).join() === "*"
        ? ", on every target"
        : `, on targets with ${selectorText(targets).replaceAll("\n", " and ")}`;
  const as =
    logins === undefined ? "" : logins.includes("*") ? ", as any login" : `, as ${logins.join(", ")}`;
  return `${what}${where}${as}`;
}
