import type { LabelSelector } from "@gatehouse/contracts/rest";

/** Whether labels have what the selector names. An empty selector fits nothing: what nobody chose is not chosen. */
export function fits(selector: LabelSelector, labels: Readonly<Record<string, string>>): boolean {
  const demands = Object.entries(selector);
  return demands.length > 0 && demands.every(([name, values]) => fitsOne(name, values, labels));
}

function fitsOne(name: string, values: readonly string[], labels: Readonly<Record<string, string>>): boolean {
  if (name === "*") return values.includes("*");
  // A label that is called like a property of every object is still only a label.
  if (!Object.hasOwn(labels, name)) return false;
  return values.includes("*") || values.includes(labels[name] as string);
}
