import type { WrappedKeys } from "./wrapped-keys.ts";

/** Who holds a key, and to what: `age1… (output and input)`, `aws: arn:… (output)`. */
export function recipientNames(keys: WrappedKeys): string[] {
  const names = (wraps: WrappedKeys["main"]) =>
    new Set(
      wraps.flatMap((wrap) => (wrap.type === "age" ? wrap.recipients : [`${wrap.provider}: ${wrap.key}`])),
    );
  const output = names(keys.main);
  const input = names(keys.input);
  return [...output.union(input)].map((name) => {
    if (output.has(name) && input.has(name)) return `${name} (output and input)`;
    return output.has(name) ? `${name} (output)` : `${name} (input)`;
  });
}
