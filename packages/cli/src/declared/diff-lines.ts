import type { Change } from "./plan.ts";

export type Paint = {
  added(text: string): string;
  removed(text: string): string;
  bold(text: string): string;
};

/** What a change does, for people: `+` is new, `-` goes, `~` becomes another. */
export function diffLines({ action, kind, name, differences, secrets }: Change, paint: Paint): string[] {
  const head = action === "create" ? paint.added(`+ ${kind} ${name}`) : paint.bold(`~ ${kind} ${name}`);
  return [
    head,
    ...differences.flatMap(({ path, before, after }) => {
      if (before === undefined)
        return isNothing(after) ? [] : [`    ${paint.added(`+ ${path}: ${said(after)}`)}`];
      if (after === undefined) return [`    ${paint.removed(`- ${path}: ${said(before)}`)}`];
      if (isNames(before) && isNames(after)) {
        const gone = before
          .filter((one) => !after.includes(one))
          .map((one) => paint.removed(`-${said(one)}`));
        const come = after.filter((one) => !before.includes(one)).map((one) => paint.added(`+${said(one)}`));
        return [`    ~ ${path}: ${[...gone, ...come].join(" ") || `in another order: ${said(after)}`}`];
      }
      return [`    ~ ${path}: ${paint.removed(said(before))} -> ${paint.added(said(after))}`];
    }),
    ...secrets.map((what) => `    ${paint.added(`+ ${what}`)}`),
  ];
}

const isNames = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((one) => typeof one === "string");

function said(value: unknown): string {
  if (typeof value === "string" && /^[^\s"'{}[\]]+$/.test(value)) return value;
  return JSON.stringify(value);
}

function isNothing(value: unknown): boolean {
  return value === "" || (typeof value === "object" && value !== null && Object.keys(value).length === 0);
}
