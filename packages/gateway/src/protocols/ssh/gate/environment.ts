/** Whether a list of variables' names, each of which may end in `*`, has this one. */
export function envAllowed(allowed: readonly string[], name: string): boolean {
  return allowed.some((entry) =>
    entry.endsWith("*") ? name.startsWith(entry.slice(0, -1)) : entry === name,
  );
}
