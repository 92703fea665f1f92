import { ByteReader, ByteWriter } from "@gatehouse/kernel";

/** A small picture of a screen: one byte a cell, red, green and blue in 3, 3 and 2 bits, rows from the top. */
export type Picture = { timeUs: number; cols: number; rows: number; cells: Uint8Array };

export const pictureMax = { cols: 48, rows: 16 } as const;
export const picturesPerBlock = 64;

export function encodePictures(pictures: readonly Picture[]): Uint8Array {
  const writer = new ByteWriter(4096);
  for (const { timeUs, cols, rows, cells } of pictures) {
    writer.varint(timeUs);
    writer.u8(cols);
    writer.u8(rows);
    writer.put(cells);
  }
  return writer.done();
}

export function decodePictures(bytes: Uint8Array): Picture[] {
  const reader = new ByteReader(bytes, "index.pictures");
  const pictures: Picture[] = [];
  while (reader.remaining > 0) {
    const timeUs = reader.varint();
    const cols = reader.u8();
    const rows = reader.u8();
    pictures.push({ timeUs, cols, rows, cells: reader.take(cols * rows) });
  }
  return pictures;
}
