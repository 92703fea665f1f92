import { isGatehouseError } from "@gatehouse/kernel";
import type { QueryValue } from "@gatehouse/recording";
import type { KeptRows } from "../../../passage/mod.ts";
import { type Capabilities, extended } from "../wire/capabilities.ts";
import { FieldReader, readText } from "../wire/fields.ts";
import { type ReadValue, readBinaryValue, readString, typeName, unsignedFlag } from "../wire/values.ts";
import { recordedParameters } from "./recorded-parameters.ts";

/** What a `Column Definition` says of a column; `type` with `unsignedFlag`. */
export type Column = { name: string; type: number };

const op = "mysql.row";
/** A row beyond this is not kept, nor are those behind it. */
const rowBytesMax = 1024 * 1024;
const nameCharsMax = 1024;
const nullText = 0xfb;

/** Takes the rows that a policy keeps out of what passes. */
export class RowKeeper {
  readonly #kept: KeptRows;
  readonly #capabilities: Capabilities;

  constructor(kept: KeptRows, capabilities: Capabilities) {
    this.#kept = kept;
    this.#capabilities = capabilities;
  }

  /** Whether the row that begins is to be looked at whole. */
  wants(bytes: number, ...of: Parameters<KeptRows["wants"]>): boolean {
    if (!this.#kept.wants(...of)) return false;
    if (bytes <= rowBytesMax) return true;
    this.#kept.enough();
    return false;
  }

  /** `ColumnDefinition41`; undefined where it is none, and the rows are then not kept. */
  column(payload: Uint8Array): Column | undefined {
    return understood(() => {
      const reader = new FieldReader(payload, op);
      // Catalogue, schema, table and the table's own name.
      for (let i = 0; i < 4; i++) reader.counted();
      const name = readText(reader.counted());
      reader.counted();
      if (this.#capabilities.extended & extended.extendedMetadata) reader.counted();
      // The length of what follows, the character set and the width.
      reader.take(7);
      const type = reader.u8();
      const isUnsigned = (reader.u16() & 0x20) !== 0;
      return { name, type: isUnsigned ? type | unsignedFlag : type };
    });
  }

  row(payload: Uint8Array, columns: readonly Column[], isBinary: boolean): void {
    const values = understood(() => (isBinary ? binaryRow(payload, columns) : textRow(payload, columns)));
    if (!values) return this.#kept.enough();
    this.#kept.add(
      values,
      columns.map(({ name, type }) => ({
        name: name.slice(0, nameCharsMax).toWellFormed(),
        type: typeName(type),
      })),
    );
  }
}

function textRow(payload: Uint8Array, columns: readonly Column[]): QueryValue[] {
  const reader = new FieldReader(payload, op);
  return recorded(columns, () => {
    if (payload[reader.at] !== nullText) return readString(reader.counted());
    reader.u8();
    return undefined;
  });
}

/** MySQL "Binary Protocol Resultset Row": a zero, a bit for each NULL, shifted by two, and the values. */
function binaryRow(payload: Uint8Array, columns: readonly Column[]): QueryValue[] {
  const reader = new FieldReader(payload, op);
  reader.u8();
  const nulls = reader.take((columns.length + 9) >> 3);
  return recorded(columns, ({ type }, i) =>
    ((nulls[(i + 2) >> 3] ?? 0) >> ((i + 2) & 7)) & 1 ? undefined : readBinaryValue(reader, type),
  );
}

function recorded(
  columns: readonly Column[],
  read: (column: Column, i: number) => ReadValue | undefined,
): QueryValue[] {
  const row = columns.map((column, i) => {
    const value = read(column, i);
    return { type: column.type, name: "", ...(value && { value }) };
  });
  // What the columns are is told once.
  return recordedParameters(row, undefined).map(({ type: _type, ...value }) => value);
}

function understood<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isGatehouseError(error)) return undefined;
    throw error;
  }
}
