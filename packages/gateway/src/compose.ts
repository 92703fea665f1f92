import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Clock, GatehouseError, type Random } from "@gatehouse/kernel";
import {
  type KeyWrapper,
  type SessionFacts,
  ageOpener,
  ageWrapper,
  publicKeyPem,
  storeSource,
} from "@gatehouse/recording";
import { createPipeline, objectPrefix } from "@gatehouse/recording/pipeline";
import { type Question, decide as decideAt, sessionScope } from "./access/mod.ts";
import {
  createAccounts,
  createAuditReader,
  createCertificates,
  createCommandSignInDoor,
  createConnections,
  createCredentialsDoor,
  createExplain,
  createFactors,
  createHealth,
  createModeration,
  createLocks,
  createPeople,
  createRequestsDoor,
  createRoles,
  createSessionCatalogue,
  createSignIns,
  createTargets,
  createTeams,
  createTokens,
  restIdentity,
} from "./api/application/mod.ts";
import type { RestDoors } from "./api/door.ts";
import { grpcEntrance, startGrpc } from "./api/grpc/mod.ts";
import { startRest } from "./api/rest/mod.ts";
import { openAuditLog } from "./audit/mod.ts";
import { composeCustody, composeIdentity } from "./composition/mod.ts";
import { type Config, formatAddress } from "./config/mod.ts";
import { createRekey, credentialsIn, openKeyring } from "./credentials/mod.ts";
import { retentionPolicy } from "./custody/mod.ts";
import { openDirectory } from "./directory/mod.ts";
import { createCommandSignIn } from "./identity/mod.ts";
import { createKeyServiceWatch } from "./kms/mod.ts";
import { createLockKeeper } from "./locks/mod.ts";
import { databasePeople, openClientAuthority } from "./passage/mod.ts";
import { createPlayback, createSearching } from "./playback/mod.ts";
import { openMysql } from "./protocols/mysql/mod.ts";
import { openPostgres } from "./protocols/postgres/mod.ts";
import { openSsh } from "./protocols/ssh/mod.ts";
import { type configSections, openKms, openStore } from "./registry/mod.ts";
import { createExpiry, createRequests } from "./requests/mod.ts";
import { createLastingRights, createModerators, createSessions } from "./sessions/mod.ts";
import type { Log } from "./telemetry/mod.ts";

export type Gatehouse = {
  /** Where it can be reached, as bound. */
  web: string;
  ssh: { host: string; port: number };
  /** Of the SSH host key, to compare with what `ssh` asks about. */
  hostKeyFingerprint: string;
  /** The link of the first administrator; only at the first start of an empty directory. */
  firstSignIn: { url: string; expiresAtMs: number } | undefined;
  /** Public keys found on this machine that now open the demo target, by fingerprint. */
  demo: { target: string; keys: readonly string[] } | undefined;
  /** Sessions that a crash had left open, closed at this start. */
  interrupted: number;
  /** Ends every session with the reason, ships what can be shipped, and closes. */
  stop(reason: string): Promise<void>;
};

/** The only place that constructs things. Rejects, with nothing left listening, when any of them cannot start. */
export async function compose(options: {
  config: Config<typeof configSections>;
  clock: Clock;
  random: Random;
  log: Log;
  version: string;
  pagesFolder: string | undefined;
  /** Public key lines of whoever runs the tour. */
  demoKeys: readonly string[];
}): Promise<Gatehouse> {
  const { config, clock, random, log, version } = options;
  const decide = (question: Question) =>
    decideAt({ ...question, context: { ...question.context, nowMs: clock.nowMs() } });
  const closing: (() => Promise<void>)[] = [];
  /** What was opened is closed in the opposite order, whether the start succeeded or not. */
  const close = async () => {
    for (const step of closing.splice(0).reverse())
      await step().catch((error: unknown) => log.error("closing failed", { error }));
  };
  try {
    const keyring = await openKeyring({ folder: join(config.data_dir, "keys"), random });
    const { url, connections } = config.database;
    const directory = await openDirectory({
      ...(url === undefined
        ? { path: join(config.data_dir, "gatehouse.db") }
        : { url, connectionsMax: connections }),
      clock,
      random,
      sessionIdleMs: config.web.session_idle.ms,
    });
    closing.push(() => directory.close());
    const audit = openAuditLog({
      trustedKeys: [keyring.manifestSigner.publicKey],
      rows: directory.auditRows,
      probe: () => directory.probe(),
      clock,
      random,
      log,
    });
    const credentials = credentialsIn({
      sealed: directory.sealedCredentials,
      keys: keyring.credentialKeys,
      clock,
      random,
    });
    const { accounts, beginSession, holders, identity, oidc, secondFactors, secondStep } =
      await composeIdentity({
        config,
        keyring,
        directory,
        audit,
        clock,
        random,
        rightsChanged: () => rightsChanged(),
      });

    const { store, kind, location, refusal } = await openStore(config.store, {
      dataDir: config.data_dir,
      clock,
      random,
      mustEnforce: config.mode === "production",
    });
    const recipientsOf = (names: readonly string[]) =>
      names.map((name) => (name === "gateway" ? keyring.recordingRecipient : name));
    const { recipients: named, input_recipients: namedForInput } = config.recording;
    const watchedKeys = createKeyServiceWatch({ clock, log });
    closing.push(() => watchedKeys.stop());
    const kms = await openKms(config.kms, { clock, env: process.env, watch: watchedKeys });
    const recipients = recipientsOf(named.length > 0 || kms.wrappers.main.length > 0 ? named : ["gateway"]);
    const opensRecordings = recipients.includes(keyring.recordingRecipient) || kms.wrappers.main.length > 0;
    const wrappersOf = (names: readonly string[], services: readonly KeyWrapper[]) => [
      ...(names.length > 0 ? [ageWrapper(names)] : []),
      ...services,
    ];
    const wrappers = wrappersOf(recipients, kms.wrappers.main);
    const inputWrappers = wrappersOf(recipientsOf(namedForInput), kms.wrappers.input);
    const recordingWrappers = { main: wrappers, input: inputWrappers.length > 0 ? inputWrappers : wrappers };
    const pipeline = createPipeline({
      directory: join(config.data_dir, "recording"),
      store,
      clock,
      random,
      signer: keyring.manifestSigner,
      recipients: recordingWrappers,
      limits: {
        journalCapacityBytes: config.recording.journal.capacity.bytes,
        sessionReserveBytes: config.recording.journal.reserve.bytes,
        segmentBytes: config.recording.segment.size.bytes,
        segmentAgeMs: config.recording.segment.age.ms,
        commitDelayMs: config.recording.commit.delay.ms,
        groupBytesMax: config.recording.commit.size.bytes,
        outageToleranceMs: config.recording.outage_tolerance.ms,
        retentionMs: config.recording.retention.ms,
        sessionMsMax: config.sessions.max_duration.ms,
      },
      log,
    });
    const sessions = createSessions({
      pipeline,
      rows: directory.sessions,
      audit,
      limits: {
        idleTimeoutMs: config.sessions.idle_timeout.ms,
        maxDurationMs: config.sessions.max_duration.ms,
        endingGraceMs: config.sessions.ending_grace.ms,
        requestWaitMs: config.moderation.request_wait.ms,
      },
      moderation: {
        notify: config.moderation.notify,
        pauseLimitMs: config.moderation.pause_limit.ms,
        pauseEnds: config.moderation.pause_end,
        warningGraceMs: config.moderation.warning_grace.ms,
      },
      clock,
      random,
      gatewayId: config.gateway_id,
      retentionMsOf: retentionPolicy({
        defaultMs: config.recording.retention.ms,
        rules: config.recording.retention_rules,
        targets: directory.targets,
      }),
      // The embedded database is nobody else's, also where this gateway was called otherwise before.
      sharesRows: url !== undefined,
      log,
    });
    closing.push(() => pipeline.stop({ deadlineMs: 10_000 }));
    // Before anybody can connect: what the last process left is closed and noted.
    const interrupted = await sessions.recover();
    if (config.mode === "production") {
      // Waits for the first probe. A store that does not answer yet only means that no session is admitted yet.
      await pipeline.admissible().catch(() => {});
      const refused = refusal();
      if (refused) throw refused;
    }
    await audit.append({
      event: "gateway.start",
      user: "system",
      success: true,
      fields: {
        gateway_id: config.gateway_id,
        version,
        mode: config.mode,
        interrupted_sessions: interrupted,
      },
    });

    const { postgres: postgresPort, mysql: mysqlPort } = config;
    const opensDatabases = [postgresPort, mysqlPort, mysqlPort.mariadb].some(({ listen }) => listen);
    // Made only where somebody can come with what it signs.
    const authority = opensDatabases ? await openClientAuthority({ keyring, clock, random }) : undefined;
    const people = authority && databasePeople({ identity, holders, authority, audit });
    const rooms = { keyring, directory, credentials, identity, sessions, audit, decide, clock, random, log };
    const ssh = await openSsh({
      config: config.ssh,
      holders,
      execLimitBytes: config.recording.exec_limit.bytes,
      ...rooms,
    });
    closing.push(() => ssh.stop());
    const postgres = await openPostgres({
      config: config.postgres,
      people,
      ...rooms,
    });
    closing.push(() => postgres.stop());
    const mysql = await openMysql({
      config: config.mysql,
      people,
      ...rooms,
    });
    closing.push(() => mysql.stop());
    closing.push(() => sessions.stop());

    const reading = {
      sourceOf: (facts: SessionFacts) => storeSource(store, `${objectPrefix(facts)}/`),
      openers: [ageOpener([keyring.recordingIdentity.text()]), ...kms.openers],
      trustedKeys: [keyring.manifestSigner.publicKey],
    };
    const custody = await composeCustody({
      config,
      keyring,
      directory,
      store,
      reading,
      opensRecordings,
      wrappers: recordingWrappers,
      audit,
      sessions,
      clock,
      random,
      log,
      onClose: (step) => closing.push(step),
    });
    const rights = createLastingRights({
      sessions: directory.sessions,
      resourceOf: (session) => directory.resources.ofSession(session),
      decide,
      clock,
      log,
    });
    const playback = createPlayback({
      ...reading,
      rights,
      sessions: directory.sessions,
      resources: directory.resources,
      auditRows: directory.auditRows,
      signer: keyring.manifestSigner,
      decide,
      audit,
      indexes: custody.indexes,
      clock,
      version,
    });
    const moderators = createModerators({
      live: sessions.live,
      sessions: directory.sessions,
      resourceOf: (session) => directory.resources.ofSession(session),
      decide,
      audit,
      rights,
    });
    const expiry = createExpiry({
      requests: directory.accessRequests,
      live: sessions.live,
      audit,
      clock,
      log,
    });
    closing.push(() => expiry.stop());
    const keeper = createLockKeeper({
      ...directory,
      live: sessions.live,
      shared: url !== undefined,
      clock,
      log,
    });
    closing.push(() => keeper.stop());
    const requests = createRequests({
      ...directory,
      requests: directory.accessRequests,
      decide,
      audit,
      clock,
      changed: () => {
        expiry.look();
        rights.changed();
      },
    });
    const entrances = new Map([
      ...(postgres.entrance ? ([["postgres", postgres.entrance]] as const) : []),
      ...mysql.entrances,
    ]);
    const rightsChanged = () => rights.changed();
    let publicUrl = config.web.public_url;
    const grpcTls = await grpcEntrance({ config: config.grpc, keyring, clock, random });
    const access: RestDoors["access"] = {
      decide: ({ subject, remoteAddress }, action, resource) =>
        decide({ subject, action, resource, context: { remoteAddress } }),
      sessionScope: ({ subject, remoteAddress }) =>
        sessionScope(subject, { remoteAddress, nowMs: clock.nowMs() }),
    };
    const doors: RestDoors = {
      identity: restIdentity(identity, accounts, secondStep),
      accounts: createAccounts({ ...directory, accounts, audit }),
      factors: createFactors({ ...directory, secondFactors, secondStep }),
      signIns: createSignIns({ ...directory, audit }),
      access,
      sessions: createSessionCatalogue({
        entries: directory.sessions,
        resources: directory.resources,
        history: audit,
      }),
      moderation: createModeration(moderators),
      playback,
      searching: createSearching({
        ...reading,
        ...directory,
        filters: directory.searchFilters,
        indexes: custody.indexes,
        searchKeys: custody.keysOfSearch,
        decide,
        audit,
        clock,
        random,
        log,
      }),
      custody: custody.door,
      people: createPeople({
        ...directory,
        rightsChanged,
        identity,
        audit,
        parsePublicKey: ssh.parsePublicKey,
        publicUrl: () => publicUrl ?? "",
      }),
      teams: createTeams({ teams: directory.teams, audit, rightsChanged }),
      roles: createRoles({ ...directory, audit, rightsChanged }),
      locks: createLocks({ ...directory, keeper, audit, clock, rightsChanged }),
      requests: createRequestsDoor(requests),
      tokens: createTokens({ ...directory, identity, audit }),
      certificates: createCertificates({
        ...directory,
        holders,
        audit,
        ssh: { parsePublicKey: ssh.parsePublicKey, certify: ssh.certifyPerson },
        database: authority && { ...authority, bindsAddress: config.client_certificates.bind_address },
        entrances,
      }),
      oidc,
      commandSignIn: createCommandSignInDoor({
        commandSignIn: createCommandSignIn({ ...directory, begin: beginSession, audit, clock, random }),
        publicUrl: () => publicUrl ?? "",
      }),
      explain: createExplain({ ...directory, identity, decide }),
      targets: createTargets({
        targets: directory.targets,
        roles: directory.roles,
        credentials,
        protocols: [ssh.administration, postgres.administration, ...mysql.administrations],
        audit,
        clock,
      }),
      credentials: createCredentialsDoor({
        rekey: createRekey({
          keyring,
          envelopes: directory.sealedEnvelopes,
          shared: url !== undefined,
          random,
        }),
        audit,
      }),
      connections: createConnections({ targets: directory.targets, identity, entrances }),
      audit: createAuditReader({ history: audit, audit, access, signer: keyring.manifestSigner, clock }),
      health: createHealth({
        gateway: { id: config.gateway_id, version },
        store: { kind, location },
        pipeline,
        keys: {
          status: () => watchedKeys.status(),
          fault: () => watchedKeys.fault({ main: recipients.length > 0, input: namedForInput.length > 0 }),
        },
        audit,
        sessions,
        entries: directory.sessions,
        clock,
      }),
      authorities: {
        ...ssh.authorities,
        recordings: () => Promise.resolve(publicKeyPem(keyring.manifestSigner.publicKey)),
        database: () => Promise.resolve(authority?.certificate),
        grpc: () => Promise.resolve(grpcTls?.tls.certificate),
      },
    };
    const rest = await startRest({
      doors,
      gateway: { id: config.gateway_id, version },
      web: config.web.listen,
      adminSocketPath: join(config.data_dir, "admin.sock"),
      ...(publicUrl !== undefined && { publicUrl }),
      ...(options.pagesFolder !== undefined && { pagesFolder: options.pagesFolder }),
      clock,
      random,
    });
    closing.push(() => rest.close());
    publicUrl ??= rest.url;

    const first = await identity.firstAdministrator();
    const demo = await ssh.demo(config.demo.enabled ? { owner: "admin", keys: options.demoKeys } : undefined);
    if (demo) closing.push(() => demo.stop());
    const bound = await ssh.listen();
    const postgresBound = await postgres.listen();
    const mysqlBound = await mysql.listen();
    const grpc = grpcTls && (await startGrpc({ doors, ...grpcTls, log }));
    if (grpc) closing.push(() => grpc.close());
    // For programs on this machine that want to know where the ports are.
    writeFileSync(
      join(config.data_dir, "addresses.json"),
      JSON.stringify({
        pid: process.pid,
        web: rest.url,
        ssh: formatAddress(bound),
        ...(postgresBound && { postgres: formatAddress(postgresBound) }),
        ...(grpc && { grpc: formatAddress(grpc.address) }),
        ...(mysqlBound.mysql && { mysql: formatAddress(mysqlBound.mysql) }),
        ...(mysqlBound.mariadb && { mariadb: formatAddress(mysqlBound.mariadb) }),
      }),
      { mode: 0o600 },
    );
    watchedKeys.start();
    await custody.start();
    return {
      web: publicUrl.replace(/\/$/, ""),
      ssh: bound,
      hostKeyFingerprint: ssh.hostKeyFingerprint,
      firstSignIn: first && {
        url: `${publicUrl.replace(/\/$/, "")}/sign-in#token=${first.token}`,
        expiresAtMs: first.expiresAtMs,
      },
      demo: demo && { target: demo.target, keys: demo.keys },
      interrupted,
      async stop(reason) {
        await audit
          .append({
            event: "gateway.stop",
            user: "system",
            success: true,
            fields: { gateway_id: config.gateway_id, reason },
          })
          .catch((error: unknown) => log.error("the stop could not be audited", { error }));
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error instanceof GatehouseError
      ? error
      : new GatehouseError({
          code: "internal",
          op: "gateway.start",
          message: "the gateway could not start",
          cause: error,
        });
  }
}
