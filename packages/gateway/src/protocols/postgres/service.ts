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
import type { PostgresConfig } from "./config.ts";
import { PostgresGate, type PostgresGateOptions } from "./gate/gate.ts";
import { proveSignIn } from "./sign-in/prove.ts";
import { dial } from "./sign-in/target.ts";
import { postgresPolicy } from "./targets/policy.ts";

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
  /** Undefined where no port for databases is open. */
  people: DatabasePeople | undefined;
  sessions: Sessions;
  decide(question: Question): Decision;
  clock: Clock;
  random: Random;
  log: PostgresGateOptions["log"];
}): Promise<PostgresService> {
  const { config, clock, random } = options;
  const administration: TargetAdministration = {
    ...certificateTargets({
      protocol: "postgres",
      scan: (host, port) => shownCertificate(host, port, dial(clock, config.dial_timeout.ms)),
    }),
    readsStatements: true,
    prove: (signIn) => proveSignIn(signIn, { clock, random, timeoutMs: config.dial_timeout.ms }),
    permitsOf: (policy) => postgresPolicy(policy),
    policyWith: (policy, { replication }) => ({
      ...policy,
      ...(replication !== undefined && { replication }),
    }),
  };
  const { listen } = config;
  const { people } = options;
  if (!listen || !people)
    return {
      listen: () => Promise.resolve(undefined),
      stop: () => Promise.resolve(),
      administration,
      entrance: undefined,
    };

  const certificate = await gateCertificate({
    name: "postgres_certificate",
    given: config.certificate,
    listen,
    publicHost: config.public_address?.host,
    keyring: options.keyring,
    clock,
    random,
  });
  const gate = new PostgresGate({
    listen,
    certificate,
    people,
    authentication: config.authentication,
    resolve: passwordTargetsOf({
      protocols: ["postgres"],
      targets: options.directory.targets,
      credentials: options.credentials,
      decide: options.decide,
    }),
    sessions: options.sessions,
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
