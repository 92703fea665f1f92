/** Where random bytes come from; injected, so a test can replay what it saw. */
export type Random = { bytes(length: number): Uint8Array };

export const systemRandom: Random = {
  bytes(length) {
    const out = new Uint8Array(length);
    // getRandomValues refuses more than 65,536 bytes a call.
    for (let at = 0; at < length; at += 65_536) crypto.getRandomValues(out.subarray(at, at + 65_536));
    return out;
  },
};

/** Deterministic bytes for tests (mulberry32). Never for keys. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
  return { bytes: (length) => Uint8Array.from({ length }, () => next() & 0xff) };
}
