import { type ByteReader, GatehouseError } from "@gatehouse/kernel";

/** An unsigned 64-bit field that must fit JavaScript's integers: sequences and microseconds never need more. */
export function safeU64(reader: ByteReader, op: string): number {
  const value = reader.u64();
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw corrupt(op, "a number above 2^53-1");
  return Number(value);
}

export function corrupt(op: string, message: string, cause?: unknown): GatehouseError {
  return new GatehouseError({ code: "corrupt", op, message, cause });
}
