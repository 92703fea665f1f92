import { ByteReader, isGatehouseError } from "@gatehouse/kernel";
import type { QueryValue } from "@gatehouse/recording";
import type { Counted, KeptRows } from "../../../passage/mod.ts";
import type { Piece } from "../wire/splitter.ts";
import { typeName } from "../wire/values.ts";
import { recordedValue } from "./recorded-value.ts";

/** What a RowDescription says of a column. */
export type Column = { name: string; oid: number; format: number };

/** A row beyond this is not kept, nor are those behind it. */
const rowBytesMax = 1024 * 1024;
const nameCharsMax = 1024;

/** Takes the rows that a policy keeps out of the pieces in which they pass. */
export class RowKeeper {
  readonly #kept: KeptRows;
  #pieces: Uint8Array[] | undefined;

  constructor(kept: KeptRows) {
    this.#kept = kept;
  }

  /** `formats` are those that were bound (§55.7, Bind); a simple statement has none, and its columns say. */
  row(
    { first, last, body, bodyBytes }: Piece,
    { statement, result, counted }: { statement: number; result: number; counted: Counted | undefined },
    columns: readonly Column[] | undefined,
    formats: readonly number[] | undefined,
  ): void {
    if (first) {
      this.#pieces = undefined;
      if (!this.#kept.wants(statement, result, counted)) return;
      if (bodyBytes > rowBytesMax) return this.#kept.enough();
      this.#pieces = [];
    }
    if (!this.#pieces) return;
    this.#pieces.push(body);
    if (!last) return;
    const whole = this.#pieces.length === 1 ? body : Buffer.concat(this.#pieces);
    this.#pieces = undefined;
    const row = understood(() => valuesOf(whole, columns, formats));
    if (!row) return this.#kept.enough();
    this.#kept.add(
      row,
      columns?.map(({ name, oid }) => ({
        name: name.slice(0, nameCharsMax).toWellFormed(),
        type: typeName(oid) ?? String(oid),
      })),
    );
  }
}

function valuesOf(
  body: Uint8Array,
  columns: readonly Column[] | undefined,
  formats: readonly number[] | undefined,
): QueryValue[] {
  const reader = new ByteReader(body, "postgres.row");
  return Array.from({ length: reader.u16() }, (_, i) => {
    const length = reader.u32();
    const bytes = length === 0xffff_ffff ? undefined : reader.take(length);
    const bound = formats && (formats.length === 1 ? formats[0] : (formats[i] ?? 0));
    return recordedValue(bytes, bound ?? columns?.[i]?.format ?? 0, columns?.[i]?.oid ?? 0);
  });
}

function understood<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isGatehouseError(error)) return undefined;
    throw error;
  }
}
