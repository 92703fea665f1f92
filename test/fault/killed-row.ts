import type { Statement } from "@gatehouse/recording";

/** The client and its number of a row that an insert put into `killed`, from its values or its text. */
export function killedRow({ text, values }: Statement): string {
  const [, client, n] = /values \(\d+, (\d+), (\d+)\)/.exec(text) ?? [];
  if (n !== undefined) return `${client} ${n}`;
  return values
    .slice(1)
    .map((value) => value.text)
    .join(" ");
}
