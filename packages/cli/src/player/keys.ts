/** What a person may ask of the player. */
export type Key =
  | { act: "pause" }
  | { act: "seek"; byS: number }
  | { act: "step"; by: 1 | -1 }
  | { act: "start" }
  | { act: "end" }
  | { act: "faster" }
  | { act: "slower" }
  | { act: "suspend" }
  | { act: "quit" };

const bindings: readonly (readonly [string, Key])[] = [
  [" ", { act: "pause" }],
  ["k", { act: "pause" }],
  ["\u001b[C", { act: "seek", byS: 5 }],
  ["\u001b[D", { act: "seek", byS: -5 }],
  // Application cursor mode sends SS3 instead of CSI.
  ["\u001bOC", { act: "seek", byS: 5 }],
  ["\u001bOD", { act: "seek", byS: -5 }],
  ["l", { act: "seek", byS: 5 }],
  ["h", { act: "seek", byS: -5 }],
  ["\u001b[1;2C", { act: "seek", byS: 30 }],
  ["\u001b[1;2D", { act: "seek", byS: -30 }],
  ["]", { act: "seek", byS: 30 }],
  ["[", { act: "seek", byS: -30 }],
  [".", { act: "step", by: 1 }],
  [",", { act: "step", by: -1 }],
  ["\u001b[H", { act: "start" }],
  ["\u001b[1~", { act: "start" }],
  ["0", { act: "start" }],
  ["\u001b[F", { act: "end" }],
  ["\u001b[4~", { act: "end" }],
  ["G", { act: "end" }],
  ["+", { act: "faster" }],
  ["=", { act: "faster" }],
  ["-", { act: "slower" }],
  ["\u001a", { act: "suspend" }],
  ["q", { act: "quit" }],
  ["\u0003", { act: "quit" }],
  ["\u0004", { act: "quit" }],
];

/**
 * Keys out of what a terminal in raw mode sends. A sequence may come in pieces, so its beginning is kept for the next call;
 * what means nothing is passed over.
 */
export function createKeyReader(): (text: string) => Key[] {
  let held = "";
  return (text) => {
    held += text;
    const keys: Key[] = [];
    while (held !== "") {
      const found = bindings.find(([sequence]) => held.startsWith(sequence));
      if (found) {
        keys.push(found[1]);
        held = held.slice(found[0].length);
        continue;
      }
      // The beginning of a sequence, ours or a foreign one, waits for its rest.
      if (bindings.some(([sequence]) => sequence.startsWith(held))) break;
      // eslint-disable-next-line no-control-regex
      if (/^\u001b(?:O|\[[0-?]{0,16}[ -/]{0,4})?$/.test(held)) break;
      // ECMA-48 §5.4: a control sequence ends with a byte from 4/0 to 7/14.
      // eslint-disable-next-line no-control-regex
      const foreign = /^\u001b(?:\[[0-?]*[ -/]*[@-~]|O.)/.exec(held);
      held = held.slice(foreign ? foreign[0].length : 1);
    }
    return keys;
  };
}
