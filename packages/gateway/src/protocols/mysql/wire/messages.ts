import { type Capabilities, capability, extended } from "./capabilities.ts";
import { FieldReader, FieldWriter, readText } from "./fields.ts";
import { broken } from "./packets.ts";

/** MySQL "Command Phase", and what MariaDB adds. */
export const command = {
  quit: 0x01,
  initDb: 0x02,
  query: 0x03,
  fieldList: 0x04,
  createDb: 0x05,
  dropDb: 0x06,
  refresh: 0x07,
  shutdown: 0x08,
  statistics: 0x09,
  processInfo: 0x0a,
  processKill: 0x0c,
  debug: 0x0d,
  ping: 0x0e,
  changeUser: 0x11,
  binlogDump: 0x12,
  tableDump: 0x13,
  registerReplica: 0x15,
  prepare: 0x16,
  execute: 0x17,
  sendLongData: 0x18,
  closeStatement: 0x19,
  resetStatement: 0x1a,
  setOption: 0x1b,
  fetch: 0x1c,
  binlogDumpGtid: 0x1e,
  resetConnection: 0x1f,
  executeBulk: 0xfa,
} as const;

const commandNames: ReadonlyMap<number, string> = new Map([
  [command.initDb, "INIT_DB"],
  [command.fieldList, "FIELD_LIST"],
  [command.createDb, "CREATE_DB"],
  [command.dropDb, "DROP_DB"],
  [command.refresh, "REFRESH"],
  [command.shutdown, "SHUTDOWN"],
  [command.statistics, "STATISTICS"],
  [command.processInfo, "PROCESS_INFO"],
  [command.processKill, "PROCESS_KILL"],
  [command.debug, "DEBUG"],
  [command.changeUser, "CHANGE_USER"],
  [command.binlogDump, "BINLOG_DUMP"],
  [command.tableDump, "TABLE_DUMP"],
  [command.registerReplica, "REGISTER_REPLICA"],
  [command.resetStatement, "STMT_RESET"],
  [command.setOption, "SET_OPTION"],
  [command.binlogDumpGtid, "BINLOG_DUMP_GTID"],
  [command.resetConnection, "RESET_CONNECTION"],
]);
export const commandName = (first: number): string =>
  commandNames.get(first) ?? `0x${first.toString(16).padStart(2, "0")}`;

/** Whether a client waits for an answer to this command. */
export function isAnswered(first: number): boolean {
  return first !== command.quit && first !== command.closeStatement && first !== command.sendLongData;
}

/** The first byte of what a server answers. */
export const answer = { ok: 0x00, moreData: 0x01, localFile: 0xfb, end: 0xfe, error: 0xff } as const;

export const status = {
  inTransaction: 0x0001,
  moreResults: 0x0008,
  cursorExists: 0x0040,
  lastRowSent: 0x0080,
} as const;

const op = "mysql.message";

export type Ok = { affectedRows: number; status: number; warnings: number; info: string };

/** `OK_Packet`, also where it stands for an EOF (first byte 0xFE). What sessions are told besides is passed over. */
export function decodeOk(payload: Uint8Array, { flags }: Capabilities): Ok {
  const reader = new FieldReader(payload, op);
  reader.u8();
  const affectedRows = reader.count();
  // The last insert id may be any 64 bits; it is not wanted.
  skipCount(reader);
  const statusFlags = reader.u16();
  const warnings = reader.u16();
  let info = "";
  if (reader.remaining > 0) {
    if (flags & capability.sessionTrack) info = readText(reader.counted());
    else info = readText(reader.rest());
  }
  return { affectedRows, status: statusFlags, warnings, info };
}

function skipCount(reader: FieldReader): void {
  if (reader.bytes[reader.at] === 0xfe) reader.take(9);
  else reader.count();
}

/** What closes a list of rows or definitions: `EOF_Packet`, or an OK with 0xFE in its place. */
export function decodeEnd(payload: Uint8Array, capabilities: Capabilities): Pick<Ok, "status" | "warnings"> {
  if (capabilities.flags & capability.deprecateEof) return decodeOk(payload, capabilities);
  const reader = new FieldReader(payload, op);
  reader.u8();
  const warnings = reader.u16();
  return { warnings, status: reader.u16() };
}

export type ServerError = { code: number; sqlState: string; message: string };

/** `ERR_Packet`. MariaDB reports progress by one whose code is 0xFFFF. */
export function decodeError(payload: Uint8Array): ServerError {
  const reader = new FieldReader(payload, op);
  reader.u8();
  const code = reader.u16();
  let sqlState = "";
  if (reader.bytes[reader.at] === 0x23) {
    reader.u8();
    sqlState = readText(reader.take(5));
  }
  return { code, sqlState, message: readText(reader.rest()) };
}
export const progressCode = 0xffff;

export function encodeError({ code, sqlState, message }: ServerError): Uint8Array {
  // Older clients keep 512 bytes of it.
  return new FieldWriter().u8(answer.error).u16(code).put(`#${sqlState}`).put(message).done();
}

/** The first message of a result that has rows: how many columns, and whether their definitions follow. */
export function decodeColumnCount(
  payload: Uint8Array,
  capabilities: Capabilities,
): { columns: number; definitions: boolean } {
  const reader = new FieldReader(payload, op);
  const columns = columnsOf(reader);
  // MySQL's documentation has the flag before the count, where it would be taken for an OK; its server sends it behind.
  const isTold =
    (capabilities.flags & capability.optionalMetadata) !== 0 ||
    (capabilities.extended & extended.cacheMetadata) !== 0;
  return { columns, definitions: !isTold || reader.remaining === 0 || reader.u8() !== 0 };
}

function columnsOf(reader: FieldReader): number {
  const columns = reader.count();
  if (columns === 0 || columns > 0xffff) throw broken(op, `a result of ${columns} columns`);
  return columns;
}

export type Prepared = { id: number; columns: number; parameters: number; definitions: boolean };

/** `COM_STMT_PREPARE_OK`. */
export function decodePrepared(payload: Uint8Array, { flags }: Capabilities): Prepared {
  const reader = new FieldReader(payload, op);
  reader.u8();
  const id = reader.u32();
  const columns = reader.u16();
  const parameters = reader.u16();
  reader.u8();
  if (reader.remaining >= 2) reader.u16();
  const told = flags & capability.optionalMetadata && reader.remaining > 0;
  return { id, columns, parameters, definitions: told ? reader.u8() !== 0 : true };
}

/** `COM_STMT_SEND_LONG_DATA`. */
export function decodeLongData(payload: Uint8Array): { id: number; parameter: number; data: Uint8Array } {
  const reader = new FieldReader(payload, op);
  reader.u8();
  return { id: reader.u32(), parameter: reader.u16(), data: reader.rest() };
}

/** `COM_STMT_FETCH`, `_CLOSE`, `_RESET` and `COM_PROCESS_KILL` begin with a number. */
export function decodeNumber(payload: Uint8Array): number {
  const reader = new FieldReader(payload, op);
  reader.u8();
  return reader.u32();
}
export function decodeFetch(payload: Uint8Array): { id: number; rows: number } {
  const reader = new FieldReader(payload, op);
  reader.u8();
  return { id: reader.u32(), rows: reader.u32() };
}
