import { GatehouseError } from "@gatehouse/kernel";

/** MySQL "Capabilities Flags", the lower 32 bits. */
export const capability = {
  longPassword: 1 << 0,
  foundRows: 1 << 1,
  longFlag: 1 << 2,
  connectWithDb: 1 << 3,
  noSchema: 1 << 4,
  compress: 1 << 5,
  odbc: 1 << 6,
  localFiles: 1 << 7,
  ignoreSpace: 1 << 8,
  protocol41: 1 << 9,
  interactive: 1 << 10,
  ssl: 1 << 11,
  ignoreSigpipe: 1 << 12,
  transactions: 1 << 13,
  reserved: 1 << 14,
  secureConnection: 1 << 15,
  multiStatements: 1 << 16,
  multiResults: 1 << 17,
  psMultiResults: 1 << 18,
  pluginAuth: 1 << 19,
  connectAttributes: 1 << 20,
  pluginAuthLenenc: 1 << 21,
  expiredPasswords: 1 << 22,
  sessionTrack: 1 << 23,
  deprecateEof: 1 << 24,
  optionalMetadata: 1 << 25,
  queryAttributes: 1 << 27,
} as const;

/** MariaDB's own, sent where MySQL has zeros, by a side whose `longPassword` bit is off. */
export const extended = {
  bulk: 1 << 2,
  extendedMetadata: 1 << 3,
  cacheMetadata: 1 << 4,
  bulkUnitResults: 1 << 5,
} as const;

export type Capabilities = { flags: number; extended: number };

/** What changes the form of messages: both legs of a session must agree on these. */
const forms =
  capability.transactions |
  capability.sessionTrack |
  capability.deprecateEof |
  capability.optionalMetadata |
  capability.queryAttributes |
  capability.multiResults |
  capability.psMultiResults;

/** In every greeting. No compression: what is compressed would have to be undone to be recorded, and TLS is there. */
const always =
  capability.foundRows |
  capability.longFlag |
  capability.connectWithDb |
  capability.noSchema |
  capability.odbc |
  capability.localFiles |
  capability.ignoreSpace |
  capability.protocol41 |
  capability.interactive |
  capability.ssl |
  capability.ignoreSigpipe |
  capability.transactions |
  capability.reserved |
  capability.secureConnection |
  capability.multiStatements |
  capability.multiResults |
  capability.psMultiResults |
  capability.pluginAuth |
  capability.connectAttributes |
  capability.pluginAuthLenenc |
  capability.expiredPasswords |
  capability.sessionTrack |
  capability.deprecateEof;

/**
 * What a server of that version offers, of what passes here. A greeting comes before the gate knows where the client wants
 * to go, so it can only offer what every target behind the port understands: the operator says which version that is.
 */
export function offered(version: string): Capabilities {
  const [, major = 0, minor = 0, patch = 0] =
    /^(?:5\.5\.5-)?(\d+)\.(\d+)\.(\d+)/.exec(version)?.map(Number) ?? [];
  const at = (...wanted: [number, number, number]) =>
    major * 1e6 + minor * 1e3 + patch >= wanted[0] * 1e6 + wanted[1] * 1e3 + wanted[2];
  if (isMariaDb(version))
    return {
      flags: always,
      extended:
        (at(10, 2, 0) ? extended.bulk : 0) |
        (at(10, 5, 2) ? extended.extendedMetadata : 0) |
        (at(10, 6, 0) ? extended.cacheMetadata : 0) |
        (at(11, 5, 1) ? extended.bulkUnitResults : 0),
    };
  return {
    flags:
      always |
      capability.longPassword |
      (at(8, 0, 3) ? capability.optionalMetadata : 0) |
      (at(8, 0, 23) ? capability.queryAttributes : 0),
    extended: 0,
  };
}

export function isMariaDb(version: string): boolean {
  return /mariadb/i.test(version);
}

/**
 * What the gate asks of a target for a client that agreed on `client`. Throws `unavailable` where the target cannot speak
 * as the client was promised.
 */
export function towardsTarget(options: {
  client: Capabilities;
  target: Capabilities;
  database: boolean;
  localFiles: boolean;
  targetName: string;
  op: string;
}): Capabilities {
  const { client, target, targetName, op } = options;
  const lacking = (client.flags & forms & ~target.flags) !== 0 || (client.extended & ~target.extended) !== 0;
  if (lacking)
    throw new GatehouseError({
      code: "unavailable",
      op,
      message: `${targetName} is older than the version that this gate announces`,
      hint: "An administrator can set mysql.server_version or mysql.mariadb.server_version to that of the oldest target.",
    });
  const own =
    capability.protocol41 |
    capability.ssl |
    capability.secureConnection |
    capability.reserved |
    capability.pluginAuth |
    capability.connectAttributes |
    capability.pluginAuthLenenc |
    (options.database ? capability.connectWithDb : 0);
  const dropped =
    capability.compress |
    capability.connectWithDb |
    capability.connectAttributes |
    capability.pluginAuthLenenc |
    (options.localFiles ? 0 : capability.localFiles);
  let flags = ((client.flags & ~dropped) | own) & (target.flags | capability.longPassword);
  // Off, it says that MariaDB's own flags follow.
  flags = client.extended === 0 ? flags | capability.longPassword : flags & ~capability.longPassword;
  return { flags: flags >>> 0, extended: client.extended };
}
