import { terminalColors } from "../terminal-colors.ts";

/**
 * The 256 colours of a film. A terminal has two more, and a film needs one that is no colour: white is there twice, and two greys are
 * each next to one of the cube that nobody can tell them from.
 */
const replaced = { 231: 15, 241: 59, 245: 102 } as const;
export const unchanged = 231;
export const ground = 241;
export const ink = 245;
/** Around a terminal that is smaller than the film. */
export const outside = 16;

/** Each as 0xrrggbb. */
export const filmColors: readonly number[] = terminalColors.palette.map((color, i) =>
  i === ground || i === unchanged ? terminalColors.ground : i === ink ? terminalColors.ink : color,
);

/** The film's number for one of the 256 of a terminal. */
export function filmColor(index: number): number {
  return index in replaced ? replaced[index as keyof typeof replaced] : index;
}

const nearestKept = 65_536;

/** Finds the nearest of the film's colours. What was looked for is remembered: a picture has few colours, many times. */
export class NearestColors {
  readonly #known = new Map<number, number>();

  /** Of 0xrrggbb. */
  of(color: number): number {
    const known = this.#known.get(color);
    if (known !== undefined) return known;
    if (this.#known.size >= nearestKept) this.#known.clear();
    const found = nearest(color);
    this.#known.set(color, found);
    return found;
  }

  /** Of a colour over another one, `share` of 1 being the one alone. */
  mixed(over: number, under: number, share: number): number {
    const [one, other] = [filmColors[over] ?? 0, filmColors[under] ?? 0];
    const part = (shift: number) =>
      Math.round(share * ((one >> shift) & 255) + (1 - share) * ((other >> shift) & 255)) << shift;
    return this.of(part(16) | part(8) | part(0));
  }
}

/** By the distance in red, green and blue, green counting most, as it does for the eye. */
function nearest(color: number): number {
  let [best, distance] = [0, Infinity];
  for (const [i, one] of filmColors.entries()) {
    if (i === unchanged) continue;
    const part = (shift: number) => (((one >> shift) & 255) - ((color >> shift) & 255)) ** 2;
    const far = 3 * part(16) + 6 * part(8) + part(0);
    if (far < distance) [best, distance] = [i, far];
  }
  return best;
}
