import { ByteReader, concatBytes, fromUtf8, utf8 } from "@gatehouse/kernel";

/** The terminal at a moment: what would bring an empty one of this size to the same state. */
export type Keyframe = {
  /** Of the last frame that the state holds. */
  timeUs: number;
  /** The first frame that it does not hold. */
  seq: number;
  cols: number;
  rows: number;
  state: string;
};

export function encodeKeyframe({ cols, rows, state }: Pick<Keyframe, "cols" | "rows" | "state">): Uint8Array {
  const size = new Uint8Array(4);
  const view = new DataView(size.buffer);
  view.setUint16(0, cols);
  view.setUint16(2, rows);
  return concatBytes([size, utf8(state)]);
}

export function decodeKeyframe(bytes: Uint8Array): Pick<Keyframe, "cols" | "rows" | "state"> {
  const reader = new ByteReader(bytes, "index.keyframe");
  const cols = reader.u16();
  const rows = reader.u16();
  return { cols, rows, state: fromUtf8(reader.take(reader.remaining)) };
}
