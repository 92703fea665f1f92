import { type FieldReader, readUtf8 } from "./fields.ts";
import { broken } from "./packets.ts";

/** MySQL `enum_field_types`. */
const names: Readonly<Record<number, string>> = {
  0x00: "decimal",
  0x01: "tinyint",
  0x02: "smallint",
  0x03: "int",
  0x04: "float",
  0x05: "double",
  0x06: "null",
  0x07: "timestamp",
  0x08: "bigint",
  0x09: "mediumint",
  0x0a: "date",
  0x0b: "time",
  0x0c: "datetime",
  0x0d: "year",
  0x0e: "date",
  0x0f: "varchar",
  0x10: "bit",
  0x11: "timestamp",
  0x12: "datetime",
  0x13: "time",
  0xf5: "json",
  0xf6: "decimal",
  0xf7: "enum",
  0xf8: "set",
  0xf9: "tinyblob",
  0xfa: "mediumblob",
  0xfb: "longblob",
  0xfc: "blob",
  0xfd: "varchar",
  0xfe: "char",
  0xff: "geometry",
};

const op = "mysql.value";
export const unsignedFlag = 0x8000;
export const nullType = 0x06;

/** `type` as it stands in a message: the number of the type, and whether it is unsigned. */
export function typeName(type: number): string {
  const name = names[type & 0xff] ?? String(type & 0xff);
  return type & unsignedFlag && /int/.test(name) ? `${name} unsigned` : name;
}

/** A value in the words that a server would use, or the bytes of what is no text. */
export type ReadValue = { text: string } | { bytes: Uint8Array };

/** MySQL "Binary Protocol Value". Throws `protocol` for a type that does not exist, for then nothing behind it can be read. */
export function readBinaryValue(reader: FieldReader, type: number): ReadValue {
  const unsigned = (type & unsignedFlag) !== 0;
  switch (type & 0xff) {
    case 0x01: {
      const at = view(reader.take(1));
      return text(unsigned ? at.getUint8(0) : at.getInt8(0));
    }
    case 0x02:
    case 0x0d: {
      const at = view(reader.take(2));
      return text(unsigned ? at.getUint16(0, true) : at.getInt16(0, true));
    }
    case 0x03:
    case 0x09: {
      const at = view(reader.take(4));
      return text(unsigned ? at.getUint32(0, true) : at.getInt32(0, true));
    }
    case 0x08: {
      const at = view(reader.take(8));
      return text(unsigned ? at.getBigUint64(0, true) : at.getBigInt64(0, true));
    }
    case 0x04: {
      const value = view(reader.take(4)).getFloat32(0, true);
      return text(Number.isFinite(value) ? Number(value.toPrecision(7)) : value);
    }
    case 0x05:
      return text(view(reader.take(8)).getFloat64(0, true));
    case 0x06:
      return text("NULL");
    case 0x07:
    case 0x0a:
    case 0x0c:
    case 0x0e:
    case 0x11:
    case 0x12:
      return moment(reader.take(reader.u8()));
    case 0x0b:
    case 0x13:
      return duration(reader.take(reader.u8()));
    default: {
      if (names[type & 0xff] === undefined) throw broken(op, `no type has the number ${type & 0xff}`);
      return readString(reader.counted());
    }
  }
}

export function readString(bytes: Uint8Array): ReadValue {
  const value = readUtf8(bytes);
  return value === undefined || value.includes("\0") ? { bytes } : { text: value };
}

const text = (value: string | number | bigint): ReadValue => ({ text: String(value) });

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

const digits = (value: number, count: number) => String(value).padStart(count, "0");

/** 0, 4, 7 or 11 bytes: nothing, the day, the time, its microseconds. */
function moment(bytes: Uint8Array): ReadValue {
  const at = view(bytes);
  if (bytes.length === 0) return { text: "0000-00-00 00:00:00" };
  if (bytes.length !== 4 && bytes.length !== 7 && bytes.length !== 11) return { bytes };
  const day = `${digits(at.getUint16(0, true), 4)}-${digits(at.getUint8(2), 2)}-${digits(at.getUint8(3), 2)}`;
  if (bytes.length === 4) return { text: day };
  return { text: `${day} ${clock(at, 4)}${fraction(bytes, 7)}` };
}

/** 0, 8 or 12 bytes: nothing, sign, days and time, its microseconds. */
function duration(bytes: Uint8Array): ReadValue {
  const at = view(bytes);
  if (bytes.length === 0) return { text: "00:00:00" };
  if (bytes.length !== 8 && bytes.length !== 12) return { bytes };
  const hours = at.getUint32(1, true) * 24 + at.getUint8(5);
  const sign = at.getUint8(0) === 0 ? "" : "-";
  return {
    text: `${sign}${digits(hours, 2)}:${digits(at.getUint8(6), 2)}:${digits(at.getUint8(7), 2)}${fraction(bytes, 8)}`,
  };
}

function clock(at: DataView, offset: number): string {
  return [0, 1, 2].map((i) => digits(at.getUint8(offset + i), 2)).join(":");
}

function fraction(bytes: Uint8Array, offset: number): string {
  return bytes.length > offset ? `.${digits(view(bytes).getUint32(offset, true), 6)}` : "";
}
