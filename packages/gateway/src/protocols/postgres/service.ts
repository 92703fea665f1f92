import { type Clock, GatehouseError, type Random } from "@gatehouse/kernel";
import type { Decision, Question } from "../../access/mod.ts";
import type { AuditLog } from "../../audit/mod.ts";
import { formatAddress } from "../../config/mod.ts";
import type { Credentials, Keyring } from "../../credentials/mod.ts";
import type { Targets } from "../../directory/mod.ts";
import type { Identity } from "../../identity/mod.ts";
import type { Sessions } from "../../sessions/mod.ts";
import type { TargetAdministration } from "../door.ts";
import type { PostgresConfig } from "./config.ts";
import { PostgresGate, type PostgresGateOptions } from "./gate/gate.ts";
import { type GateCertificate, makeCertificate, readCertificate } from "./sign-in/certificate.ts";
import { shownCertificate } from "./sign-in/target.ts";
import { postgresTargets } from "./targets/administration.ts";
import { postgresTargetsOf } from "./targets/resolve.ts";

export type PostgresService = {
  /** Undefined where the configuration opens no port. */
  listen(): Promise<{ host: string; port: number } | undefined>;
  stop(): Promise<void>;
  readonly administration: TargetAdministration;
  /** How a client gets in. Undefined where no port is open. */
  readonly entrance: PostgresEntrance | undefined;
};

export type PostgresEntrance = {
  /** Once it listens. */
  address(): { host: string; port: number };
  /** PEM: what a client trusts. */
  readonly certificate: string;
  readonly secretLifetimeMs: number;
};

/** PostgreSQL with its certificate, its targets and its gate; not listening yet. */
export async function openPostgres(options: {
  config: PostgresConfig;
  keyring: Pick<Keyring, "protocolKey" | "givenKey">;
  directory: { targets: Pick<Targets, "byName"> };
  credentials: Pick<Credentials, "withSecret">;
  identity: Pick<Identity, "personBySecret">;
  sessions: Sessions;
  audit: Pick<AuditLog, "append">;
  decide(question: Question): Decision;
  clock: Clock;
  random: Random;
  log: PostgresGateOptions["log"];
}): Promise<PostgresService> {
  const { config, clock, random } = options;
  const administration = postgresTargets({
    scan: (host, port) => shownCertificate(host, port, clock, config.dial_timeout.ms),
  });
  const { listen } = config;
  if (!listen)
    return {
      listen: () => Promise.resolve(undefined),
      stop: () => Promise.resolve(),
      administration,
      entrance: undefined,
    };

  const certificate = await certificateOf(options, listen.host);
  const gate = new PostgresGate({
    listen,
    certificate,
    identity: options.identity,
    resolve: postgresTargetsOf({
      targets: options.directory.targets,
      credentials: options.credentials,
      decide: options.decide,
    }),
    sessions: options.sessions,
    audit: options.audit,
    limits: {
      connectionsMax: config.max_connections,
      unauthenticatedMax: config.max_unauthenticated,
      signInTimeoutMs: config.sign_in_timeout.ms,
      dialTimeoutMs: config.dial_timeout.ms,
      statementBytesMax: config.statement_limit.bytes,
    },
    clock,
    random,
    log: options.log,
  });
  let bound = listen;
  return {
    async listen() {
      bound = await gate.listen();
      return bound;
    },
    stop: () => gate.stop(),
    administration,
    entrance: {
      address: () => config.public_address ?? bound,
      certificate: certificate.certificate,
      secretLifetimeMs: config.secret_lifetime.ms,
    },
  };
}

async function certificateOf(
  { config, keyring, clock, random }: Parameters<typeof openPostgres>[0],
  listenHost: string,
): Promise<GateCertificate> {
  const hosts = [
    ...new Set([config.public_address?.host ?? listenHost, listenHost, "localhost", "127.0.0.1"]),
  ];
  const pem =
    config.certificate === undefined
      ? await keyring.protocolKey("postgres_certificate", () => makeCertificate({ hosts, clock, random }))
      : await keyring.givenKey(config.certificate);
  try {
    return readCertificate(pem.text());
  } catch (cause) {
    throw new GatehouseError({
      code: "invalid",
      op: "postgres.certificate",
      message: `the certificate for ${formatAddress(config.listen ?? { host: listenHost, port: 0 })} cannot be used`,
      hint: "The file needs the certificate and the key that belongs to it, both in PEM.",
      cause,
    });
  }
}
