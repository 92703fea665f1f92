import { type Capabilities, capability } from "./capabilities.ts";
import { FieldReader, readText } from "./fields.ts";
import { broken } from "./packets.ts";
import { type ReadValue, nullType, readBinaryValue } from "./values.ts";

const op = "mysql.parameters";

/** `value` is left out for NULL, and for what came by COM_STMT_SEND_LONG_DATA. `name` stands for query attributes. */
export type Parameter = {
  type: number;
  name: string;
  value?: ReadValue;
  /** MariaDB's indicators, where no value is given. */
  indicator?: "default" | "ignore";
};

/** Parameter n has this type when none is sent along. */
export type ParameterTypes = readonly { type: number; name: string }[];

/** `COM_QUERY`: the attributes, where the two sides agreed on them, and the text. */
export function decodeQuery(
  payload: Uint8Array,
  { flags }: Capabilities,
): { attributes: Parameter[]; text: Uint8Array } {
  const reader = new FieldReader(payload, op);
  reader.u8();
  let attributes: Parameter[] = [];
  if (flags & capability.queryAttributes) {
    const count = counted(reader.count(), reader);
    reader.count();
    if (count > 0) {
      const nulls = reader.take((count + 7) >> 3);
      if (reader.u8() !== 1) throw broken(op, "query attributes without their types");
      attributes = values(reader, nulls, types(reader, count, true), () => false);
    }
  }
  return { attributes, text: reader.rest() };
}

export type Execution = {
  id: number;
  cursor: boolean;
  parameters: Parameter[];
  /** To be remembered for the next execution. */
  types: ParameterTypes | undefined;
};

export const lastPrepared = 0xffff_ffff;
export const statementIdOf = (payload: Uint8Array): number => {
  const reader = new FieldReader(payload, op);
  reader.u8();
  return reader.u32();
};

/** `COM_STMT_EXECUTE`. Throws `protocol` where nobody knows how many parameters there are. */
export function decodeExecute(
  payload: Uint8Array,
  capabilities: Capabilities,
  prepared: Parameters<typeof readExecution>[2],
): Execution {
  return readExecution(payload, capabilities, prepared);
}

function readExecution(
  payload: Uint8Array,
  { flags }: Capabilities,
  prepared: {
    parameters: number | undefined;
    types: ParameterTypes | undefined;
    isLong(parameter: number): boolean;
  },
): Execution & { end: number } {
  const reader = new FieldReader(payload, op);
  reader.u8();
  const id = reader.u32();
  const executeFlags = reader.u8();
  reader.u32();
  const named = (flags & capability.queryAttributes) !== 0;
  const execution = {
    id,
    cursor: (executeFlags & 0x07) !== 0,
    parameters: [] as Parameter[],
    types: prepared.types,
    end: reader.at,
  };
  const own = prepared.parameters;
  if (own === undefined) throw broken(op, "parameters that nobody has counted");
  // PARAMETER_COUNT_AVAILABLE: attributes stand behind the statement's own parameters.
  const count = named && executeFlags & 0x08 ? counted(reader.count(), reader) : own;
  if (count === 0) return execution;
  const nulls = reader.take((count + 7) >> 3);
  const given = reader.u8() === 1 ? types(reader, count, named) : undefined;
  const used = given ?? prepared.types;
  if (used === undefined || used.length < count) throw broken(op, "parameters whose types were never sent");
  execution.types = used.slice(0, own);
  execution.parameters = values(reader, nulls, used.slice(0, count), prepared.isLong);
  execution.end = reader.at;
  return execution;
}

/** MariaDB's `COM_STMT_BULK_EXECUTE`: rows of parameters, one behind the other. */
export function decodeBulk(
  payload: Uint8Array,
  prepared: { parameters: number | undefined; types: ParameterTypes | undefined },
  rowsMax: number,
): { id: number; rows: Parameter[]; more: boolean; types: ParameterTypes | undefined } {
  const reader = new FieldReader(payload, op);
  reader.u8();
  const id = reader.u32();
  const flags = reader.u16();
  const count = prepared.parameters;
  if (count === undefined || count === 0) throw broken(op, "parameters that nobody has counted");
  const used = flags & 128 ? types(reader, count, false) : prepared.types;
  if (used === undefined || used.length < count) throw broken(op, "parameters whose types were never sent");
  const rows: Parameter[] = [];
  while (reader.remaining > 0 && rows.length + count <= rowsMax)
    for (const { type } of used) {
      const indicator = reader.u8();
      if (indicator === 0) rows.push({ type, name: "", value: readBinaryValue(reader, type) });
      else if (indicator === 1) rows.push({ type, name: "" });
      else if (indicator === 2 || indicator === 3)
        rows.push({ type, name: "", indicator: indicator === 2 ? "default" : "ignore" });
      else throw broken(op, `no indicator has the number ${indicator}`);
    }
  return { id, rows, more: reader.remaining > 0, types: used };
}

/** A count may not claim more than its bytes can hold, before a list is made of it. */
function counted(count: number, reader: FieldReader): number {
  if (count > 0xffff || count > reader.remaining * 8)
    throw broken(op, `${count} parameters do not fit in it`);
  return count;
}

function types(reader: FieldReader, count: number, named: boolean): { type: number; name: string }[] {
  if (count * (named ? 3 : 2) > reader.remaining) throw broken(op, `${count} types do not fit in it`);
  const given: { type: number; name: string }[] = [];
  while (given.length < count)
    given.push({ type: reader.u16(), name: named ? readText(reader.counted()) : "" });
  return given;
}

function values(
  reader: FieldReader,
  nulls: Uint8Array,
  used: ParameterTypes,
  isLong: (parameter: number) => boolean,
): Parameter[] {
  return used.map(({ type, name }, i) => {
    const isNull = (((nulls[i >> 3] as number) >> (i & 7)) & 1) === 1 || (type & 0xff) === nullType;
    if (isNull || isLong(i)) return { type, name };
    return { type, name, value: readBinaryValue(reader, type) };
  });
}

/**
 * How many parameters an execution has whose PREPARE is not answered yet (MariaDB's clients do not wait): the number with
 * which it can be read to its very end. Undefined where there is none.
 */
export function inferredParameters(
  payload: Uint8Array,
  capabilities: Capabilities,
  known: ParameterTypes | undefined,
): number | undefined {
  const bulk = payload[0] === 0xfa;
  // Behind the command, the number and what else comes first.
  const fixed = bulk ? 7 : 10;
  if (payload.length === fixed && !bulk) return 0;
  for (let count = 1; fixed + count * 2 <= payload.length && count <= 0xffff; count++) {
    if (!bulk && known === undefined && payload[fixed + ((count + 7) >> 3)] !== 1) continue;
    try {
      if (bulk) {
        const flags = (payload[5] as number) | ((payload[6] as number) << 8);
        if ((flags & 128) === 0) return known?.length;
        const { more, rows } = decodeBulk(payload, { parameters: count, types: undefined }, 0xffff);
        if (rows.length > 0 && (!more || rows.length > 0xffff - count)) return count;
      } else {
        const { parameters, end } = readExecution(payload, capabilities, {
          parameters: count,
          types: known,
          isLong: () => false,
        });
        if (parameters.length > 0 && end === payload.length) return count;
      }
    } catch {
      // Not so many.
    }
  }
  return undefined;
}
