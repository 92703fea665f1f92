import { ByteReader, toHex } from "@gatehouse/kernel";

/** `pg_type.dat`: OIDs of the types whose binary form is read here. They are the same in every database. */
const names: Readonly<Record<number, string>> = {
  16: "bool",
  17: "bytea",
  18: "char",
  19: "name",
  20: "int8",
  21: "int2",
  23: "int4",
  25: "text",
  26: "oid",
  114: "json",
  142: "xml",
  700: "float4",
  701: "float8",
  1042: "bpchar",
  1043: "varchar",
  1082: "date",
  1083: "time",
  1114: "timestamp",
  1184: "timestamptz",
  1700: "numeric",
  2950: "uuid",
  3802: "jsonb",
};

export function typeName(oid: number): string | undefined {
  return names[oid];
}

const op = "postgres.value";
const decoder = new TextDecoder("utf-8", { fatal: true });
/** 2000-01-01 UTC, PostgreSQL's epoch, in microseconds since 1970. */
const epochUs = 946_684_800_000_000n;
const infinite = new Set([0x7fff_ffff_ffff_ffffn, -0x8000_0000_0000_0000n]);

/**
 * A value as text: what was sent as text, or the binary form of a common type in the words that the server would use.
 * Undefined where the form is not known or does not fit; the caller shows the bytes in hex then.
 */
export function readValue(bytes: Uint8Array, format: number, oid: number): string | undefined {
  try {
    return format === 0 ? decoder.decode(bytes) : binary(bytes, oid);
  } catch {
    return undefined;
  }
}

function binary(bytes: Uint8Array, oid: number): string | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const only = (length: number) => {
    if (bytes.length !== length) throw new RangeError("another length");
  };
  switch (names[oid]) {
    case "bool":
      only(1);
      return bytes[0] === 0 ? "f" : "t";
    case "int2":
      only(2);
      return String(view.getInt16(0));
    case "int4":
      only(4);
      return String(view.getInt32(0));
    case "oid":
      only(4);
      return String(view.getUint32(0));
    case "int8":
      only(8);
      return String(view.getBigInt64(0));
    case "float4":
      only(4);
      return shortFloat(view.getFloat32(0));
    case "float8":
      only(8);
      return String(view.getFloat64(0));
    case "text":
    case "varchar":
    case "bpchar":
    case "name":
    case "json":
    case "xml":
    case "char":
      return decoder.decode(bytes);
    case "jsonb":
      // One byte of version before the text (jsonb_recv).
      return bytes[0] === 1 ? decoder.decode(bytes.subarray(1)) : undefined;
    case "bytea":
      return `\\x${toHex(bytes)}`;
    case "uuid": {
      only(16);
      const hex = toHex(bytes);
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
    }
    case "date": {
      only(4);
      const days = view.getInt32(0);
      return new Date(Number(epochUs / 1000n) + days * 86_400_000).toISOString().slice(0, 10);
    }
    case "time":
      only(8);
      return clockTime(view.getBigInt64(0));
    case "timestamp":
    case "timestamptz": {
      only(8);
      const us = view.getBigInt64(0);
      if (infinite.has(us)) return us > 0n ? "infinity" : "-infinity";
      const day = us >= 0n ? us / 86_400_000_000n : (us - 86_399_999_999n) / 86_400_000_000n;
      const date = new Date(Number(epochUs / 1000n + day * 86_400_000n)).toISOString().slice(0, 10);
      const zone = names[oid] === "timestamptz" ? "+00" : "";
      return `${date} ${clockTime(us - day * 86_400_000_000n)}${zone}`;
    }
    case "numeric":
      return numeric(new ByteReader(bytes, op));
    default:
      return undefined;
  }
}

/** The shortest text that is this float4 again. */
function shortFloat(value: number): string {
  for (let digits = 1; digits <= 9; digits++) {
    const shorter = Number(value.toPrecision(digits));
    if (Math.fround(shorter) === value) return String(shorter);
  }
  return String(value);
}

function clockTime(us: bigint): string {
  const two = (value: bigint) => value.toString().padStart(2, "0");
  const seconds = us / 1_000_000n;
  const whole = `${two(seconds / 3600n)}:${two((seconds / 60n) % 60n)}:${two(seconds % 60n)}`;
  const rest = us % 1_000_000n;
  return rest === 0n ? whole : `${whole}.${rest.toString().padStart(6, "0").replace(/0+$/, "")}`;
}

/** numeric_recv: digits of base 10,000, `weight` says where the point is, `scale` how many decimals are shown. */
function numeric(reader: ByteReader): string | undefined {
  const count = reader.u16();
  const weight = (reader.u16() << 16) >> 16;
  const sign = reader.u16();
  const scale = reader.u16();
  if (sign === 0xc000) return "NaN";
  if (sign === 0xd000) return "Infinity";
  if (sign === 0xf000) return "-Infinity";
  if (reader.remaining !== count * 2 || weight > 0x2000 || scale > 0x3fff) return undefined;
  const digits = Array.from({ length: count }, () => reader.u16());
  const at = (place: number) => String(digits[weight - place] ?? 0).padStart(4, "0");
  let whole = "";
  for (let place = weight; place >= 0; place--) whole += at(place);
  let decimals = "";
  for (let place = -1; decimals.length < scale; place--) decimals += at(place);
  const shown = whole.replace(/^0+(?=\d)/, "") || "0";
  return `${sign === 0x4000 ? "-" : ""}${shown}${scale > 0 ? `.${decimals.slice(0, scale)}` : ""}`;
}
