/** What the drivers' tests see otherwise through the gate, each with the reason why that is right. */

export type Difference = { readonly suite: string; readonly test: string; readonly why: string };

export const knownDifferences: readonly Difference[] = [];
