import type { Clock, Random } from "@gatehouse/kernel";
import type { Decision, Question } from "../../access/mod.ts";
import type { Credentials, Keyring } from "../../credentials/mod.ts";
import type { Targets } from "../../directory/mod.ts";
import {
  type DatabasePeople,
  certificateTargets,
  gateCertificate,
  passwordTargetsOf,
  shownCertificate,
} from "../../passage/mod.ts";
import type { Sessions } from "../../sessions/mod.ts";
import type { TargetAdministration } from "../door.ts";
import type { MysqlConfig } from "./config.ts";
import { MysqlGate, type MysqlGateOptions } from "./gate/gate.ts";
import { proveSignIn } from "./sign-in/prove.ts";
import { dial } from "./sign-in/target.ts";
import { mysqlPolicy } from "./targets/policy.ts";

/** Two names for targets, because their clients want to know which of the two greets them. */
const protocols = ["mysql", "mariadb"] as const;
type Protocol = (typeof protocols)[number];

export type MysqlService = {
  /** Where it listens, by the protocol that greets there; empty where the configuration opens no port. */
  listen(): Promise<Partial<Record<Protocol, { host: string; port: number }>>>;
  stop(): Promise<void>;
  readonly administrations: readonly TargetAdministration[];
  /** How clients of targets of each protocol get in. */
  readonly entrances: ReadonlyMap<Protocol, MysqlEntrance>;
};

export type MysqlEntrance = {
  /** Once it listens. */
  address(): { host: string; port: number };
  /** PEM: what a client trusts. */
  readonly certificate: string;
  readonly secretLifetimeMs: number;
};

/** MySQL and MariaDB with their certificate, their targets and their gates; not listening yet. */
export async function openMysql(options: {
  config: MysqlConfig;
  keyring: Pick<Keyring, "protocolKey" | "givenKey">;
  directory: { targets: Pick<Targets, "byName"> };
  credentials: Pick<Credentials, "withSecret">;
  /** Undefined where no port for databases is open. */
  people: DatabasePeople | undefined;
  sessions: Sessions;
  decide(question: Question): Decision;
  clock: Clock;
  random: Random;
  log: MysqlGateOptions["log"];
}): Promise<MysqlService> {
  const { config, people, clock, random } = options;
  const administrations = protocols.map((protocol): TargetAdministration => ({
    ...certificateTargets({
      protocol,
      scan: (host, port) => shownCertificate(host, port, dial(clock, config.dial_timeout.ms)),
    }),
    readsStatements: true,
    prove: (signIn) => proveSignIn(signIn, { clock, timeoutMs: config.dial_timeout.ms }),
    permitsOf: (policy) => mysqlPolicy(policy),
    policyWith: (policy, { localFiles }) => ({
      ...policy,
      ...(localFiles !== undefined && { localFiles }),
    }),
  }));
  const gates = new Map<Protocol, { gate: MysqlGate; bound: { host: string; port: number } }>();
  const entrances = new Map<Protocol, MysqlEntrance>();
  const connections: MysqlGateOptions["connections"] = new Map();
  const resolve = passwordTargetsOf({
    protocols,
    targets: options.directory.targets,
    credentials: options.credentials,
    decide: options.decide,
  });
  const ports = { mysql: config, mariadb: config.mariadb };
  for (const protocol of protocols) {
    const { listen, public_address, server_version } = ports[protocol];
    if (!listen || !people) continue;
    const certificate = await gateCertificate({
      name: "mysql_certificate",
      given: config.certificate,
      listen,
      publicHost: public_address?.host ?? config.public_address?.host,
      keyring: options.keyring,
      clock,
      random,
    });
    const gate = new MysqlGate({
      ...options,
      people,
      listen,
      serverVersion: server_version,
      certificate,
      resolve,
      connections,
      limits: {
        connectionsMax: config.max_connections,
        unauthenticatedMax: config.max_unauthenticated,
        signInTimeoutMs: config.sign_in_timeout.ms,
        dialTimeoutMs: config.dial_timeout.ms,
        statementBytesMax: config.statement_limit.bytes,
      },
    });
    const open = { gate, bound: listen };
    gates.set(protocol, open);
    entrances.set(protocol, {
      address: () => public_address ?? open.bound,
      certificate: certificate.certificate,
      secretLifetimeMs: config.secret_lifetime.ms,
    });
  }
  // One port serves targets of both kinds where there is only one.
  const only = entrances.get("mysql") ?? entrances.get("mariadb");
  if (only) for (const protocol of protocols) if (!entrances.has(protocol)) entrances.set(protocol, only);
  return {
    async listen() {
      const bound: Partial<Record<Protocol, { host: string; port: number }>> = {};
      for (const [protocol, open] of gates) bound[protocol] = open.bound = await open.gate.listen();
      return bound;
    },
    async stop() {
      await Promise.all([...gates.values()].map(({ gate }) => gate.stop()));
    },
    administrations,
    entrances,
  };
}
