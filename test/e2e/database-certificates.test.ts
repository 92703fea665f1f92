/**
 * People who come to databases with a certificate that the gate signed for a key of theirs: stock clients and drivers, at
 * both gates, and what the gate says to each certificate that it does not take.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { connect as connectTcp } from "node:net";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { type TLSSocket, connect as connectTls } from "node:tls";
import { fileURLToPath } from "node:url";
import { type Client, createClient } from "@gatehouse/contracts/client";
import type { Target } from "@gatehouse/contracts/rest";
import { type ErrorCode, isGatehouseError, systemClock, systemRandom } from "@gatehouse/kernel";
import mariadbDriver from "mariadb";
import mysql2 from "mysql2/promise";
import pg from "pg";
import { Secret } from "../../packages/gateway/src/credentials/mod.ts";
import { openClientAuthority } from "../../packages/gateway/src/passage/mod.ts";
import { artifactFile } from "../../tools/parts.ts";
import { type Databases, certifyKey, startDatabases } from "../parts/databases.ts";
import { runJava } from "../parts/java.ts";
import { type Ran, run } from "../parts/openssh.ts";
import { awaitEvents, awaitStored, eventually, recordedStatements } from "../parts/sessions.ts";
import { openTerminal } from "../parts/terminal.ts";

const cli = fileURLToPath(new URL("../../packages/cli/bin/gatehouse", import.meta.url));
const psqlProgram = "/usr/lib/postgresql/15/bin/psql";

let databases: Databases;
type Database = "postgres" | "mariadb" | "second";
let targets: Record<Database, Target>;
let ann: string;

before(async () => {
  databases = await startDatabases({
    postgres: { listen: "127.0.0.1:0", authentication: "scram-sha-256" },
    client_certificates: { bind_address: true },
  });
  targets = {
    postgres: await databases.addTarget("postgres"),
    mariadb: await databases.addTarget("mariadb"),
    second: await databases.addTarget("postgres", { name: "second" }),
  };
  ann = (await databases.gateway.admin.people.create({ name: "ann", roles: ["user"] })).id;
  await signIn();
});
after(() => databases.close());

const env = () => ({ XDG_CONFIG_HOME: join(databases.gateway.dataDir, "profiles"), SSH_AUTH_SOCK: "" });
const gatehouse = (...words: string[]) => run(cli, words, { env: env() });

async function signIn(): Promise<void> {
  const { admin, web } = databases.gateway;
  const { url } = await admin.people.signInLink(ann);
  const ran = await run(cli, ["login", web], { input: `${url}\n`, env: env() });
  assert.equal(ran.code, 0, ran.stderr);
}

type Way = {
  protocol: string;
  host: string;
  port: number;
  user: string;
  /** The gate's, PEM. */
  certificate: string;
  serial: string;
  certificateFile: string;
  keyFile: string;
  uri: string;
};
const loginOf = (to: Database) => (to === "mariadb" ? "root" : "postgres");
/** A fresh certificate, as a program would ask the command for it. */
async function way(to: Database, ...words: string[]): Promise<Way> {
  const ran = await gatehouse("db", "login", to, "--login", loginOf(to), "--certificate", "--json", ...words);
  assert.equal(ran.code, 0, ran.stderr);
  return JSON.parse(ran.stdout.toString()) as Way;
}
/** The same without the command: its files lie beside the gateway's, each time the same ones. */
async function quickWay(to: Database, everyTarget = false): Promise<Way> {
  const { privateKey, certificate, entrance, serial } = await certifyKey(
    await annHerself(),
    targets[to].id,
    loginOf(to),
    { everyTarget },
  );
  const certificateFile = file(`${to}.crt`, certificate);
  const keyFile = file(`${to}.key`, privateKey.export({ type: "pkcs8", format: "pem" }));
  writeFileSync(`${keyFile.slice(0, -3)}pk8`, privateKey.export({ type: "pkcs8", format: "der" }));
  const files = {
    sslrootcert: file(`gate-${to}.pem`, entrance.certificate),
    sslcert: certificateFile,
    sslkey: keyFile,
  };
  const query = new URLSearchParams({ sslmode: "verify-full", ...files });
  const place = `${encodeURIComponent(entrance.user)}@${entrance.host}:${entrance.port}/postgres`;
  const uri = `postgresql://${place}?${String(query)}`;
  return { ...entrance, serial, certificateFile, keyFile, uri };
}
async function annHerself(): Promise<Client> {
  const { gateway } = databases;
  const kept = JSON.parse(pem(join(gateway.dataDir, "profiles/gatehouse/profiles.json"))) as {
    profiles: { token: string }[];
  };
  return createClient({ baseUrl: gateway.web, token: kept.profiles[0]?.token ?? "" });
}
const pem = (file: string) => readFileSync(file, "utf8");
const tls = ({ certificate, certificateFile, keyFile }: Way) => ({
  ca: certificate,
  cert: pem(certificateFile),
  key: pem(keyFile),
});
const psql = (uri: string, text: string) =>
  run(psqlProgram, ["-X", "-A", "-t", "-w", uri], { input: text, env: { HOME: databases.gateway.dataDir } });
function mariadb(
  { host, port, user, certificateFile, keyFile }: Way,
  text: string,
  ...args: readonly string[]
): Promise<Ran> {
  const ca = file("gate.pem", gateCertificate);
  const ssl = [`--ssl-ca=${ca}`, "--ssl-verify-server-cert"];
  const own = [`--ssl-cert=${certificateFile}`, `--ssl-key=${keyFile}`];
  const place = ["-h", host, "-P", String(port), "-u", user];
  return run("/usr/bin/mariadb", ["--no-defaults", "-N", "-B", ...place, ...ssl, ...own, ...args], {
    input: text,
  });
}
let gateCertificate = "";
function file(name: string, text: string): string {
  const path = join(databases.gateway.dataDir, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

const seen = new Set<string>();
async function lastSession() {
  const session = await awaitStored(databases.gateway, ({ id }) => !seen.has(id));
  seen.add(session.id);
  const all = await recordedStatements(databases.gateway, session);
  return { session, texts: all.map(({ text }) => text ?? "") };
}
/** What the audit log says of the sign-in of a session. */
async function signInOf(connectionId: string) {
  const events = await awaitEvents(databases.gateway, { event: "user.login", user: "ann" });
  return events.find(({ fields }) => fields["connection_id"] === connectionId);
}
/** What the audit log says of the next sign-in that fails, while `attempt` runs. */
async function refusalOf(attempt: () => Promise<unknown>): Promise<Record<string, unknown>> {
  const failed = async () =>
    (await databases.gateway.admin.audit.list({ event: "user.login", limit: 200 })).items.filter(
      ({ success }) => !success,
    );
  const before = new Set((await failed()).map(({ uid }) => uid));
  await attempt();
  const anew = (await failed()).filter(({ uid }) => !before.has(uid));
  assert.equal(anew.length, 1, JSON.stringify(anew));
  const [event] = anew;
  return { user: event?.user, ...event?.fields };
}

test("psql comes in by the URI alone, and the session says who it was and by which certificate", async () => {
  const opened = await way("postgres", "--database", "postgres");
  assert.equal(opened.user, "postgres+postgres");
  assert.ok(!/postgres:[^/]*@/.test(opened.uri.slice("postgresql://".length)), "no password stands in it");
  for (const name of [opened.certificateFile, opened.keyFile, opened.keyFile.replace(/key$/, "pk8")])
    assert.equal(statSync(name).mode & 0o777, 0o600, name);
  const ran = await psql(opened.uri, "select 'by certificate';");
  assert.equal(ran.stdout.toString(), "by certificate\n", ran.stderr);
  const { session, texts } = await lastSession();
  assert.deepEqual(
    [session.user.name, session.login, texts],
    ["ann", "postgres", ["select 'by certificate';"]],
  );
  const { fields, success } = (await signInOf(session.connectionId)) ?? assert.fail("no sign-in");
  assert.deepEqual(
    [success, fields["method"], fields["cert_serial"], fields["proto"]],
    [true, "client_certificate", opened.serial, "postgres"],
  );
  const made = (await awaitEvents(databases.gateway, { event: "cert.create" })).at(-1);
  assert.deepEqual(
    [made?.code, made?.user, made?.fields["usage"], made?.fields["server_hostname"], made?.fields["login"]],
    ["TC000I", "ann", "database", "postgres", "postgres"],
  );
  assert.equal(made?.fields["key_fingerprint"], fields["key_fingerprint"]);

  const authority = await gatehouse("ca", "database");
  const shown = execFileSync(
    "/usr/bin/openssl",
    [
      "verify",
      "-purpose",
      "sslclient",
      "-CAfile",
      file("ca.pem", authority.stdout.toString()),
      opened.certificateFile,
    ],
    { encoding: "utf8" },
  );
  assert.match(shown, /: OK\n$/);
  const listed = (
    JSON.parse((await gatehouse("certificates", "ls", "--json")).stdout.toString()) as {
      serial: string;
      kind: string;
      target: { name: string } | null;
      lastUsedAt: string | null;
    }[]
  ).find(({ serial }) => serial === opened.serial);
  assert.deepEqual([listed?.kind, listed?.target?.name], ["database", "postgres"]);
  assert.notEqual(listed?.lastUsedAt, null);
});

test("the stock client of MariaDB comes in by its options, with no password asked for", async () => {
  const opened = await quickWay("mariadb");
  gateCertificate = opened.certificate;
  const ran = await mariadb(opened, "select 'by certificate';");
  assert.equal(ran.stdout.toString(), "by certificate\n", ran.stderr);
  const { session, texts } = await lastSession();
  assert.deepEqual([session.user.name, session.login], ["ann", "root"]);
  assert.ok(texts.includes("select 'by certificate'"), texts.join(" | "));
  assert.equal((await signInOf(session.connectionId))?.fields["cert_serial"], opened.serial);
});

test("a client that begins with another plugin than the gate's is told of it, as by a server", async () => {
  const opened = await quickWay("mariadb");
  for (const plugin of ["mysql_native_password", "mysql_clear_password"]) {
    const said = `by ${plugin}`;
    const ran = await mariadb(opened, `select '${said}'`, `--default-auth=${plugin}`);
    assert.equal(ran.stdout.toString(), `${said}\n`, ran.stderr);
    const { texts } = await lastSession();
    assert.ok(texts.includes(`select '${said}'`), texts.join(" | "));
  }
});

test("db connect runs either client with a certificate, which is good for nothing when it has ended", async () => {
  const kept = await way("postgres", "--database", "postgres");
  for (const [target, login, words] of [
    ["postgres", "postgres", ["--database", "postgres", "--", "-X", "-A", "-t", "-c", "select 1 + 1"]],
    ["mariadb", "root", ["--", "-N", "-B", "-e", "select 1 + 1"]],
  ] as const) {
    const ran = await gatehouse("db", "connect", target, "--login", login, "--certificate", ...words);
    assert.deepEqual([ran.stdout.toString(), ran.stderr], ["2\n", ""]);
    const { session } = await lastSession();
    const { method, cert_serial: serial } = (await signInOf(session.connectionId))?.fields ?? {};
    assert.equal(method, "client_certificate");
    const revoked = (await awaitEvents(databases.gateway, { event: "cert.delete" })).at(-1);
    assert.equal(revoked?.fields["serial"], serial);
  }
  assert.deepEqual(
    readdirSync(dirname(dirname(kept.keyFile))).filter((name) => name.startsWith("~passing")),
    [],
  );
  // What `db login` gave stays as it is.
  assert.equal((await psql(kept.uri, "select 'kept';")).stdout.toString(), "kept\n");
  await lastSession();
});

test("Ctrl-C in db connect is the client's: what runs is stopped, and the client goes on", async (context) => {
  const terminal = openTerminal(
    [
      "/usr/bin/env",
      ...Object.entries(env()).map(([name, value]) => `${name}=${value}`),
      "PAGER=",
      cli,
      ..."db connect postgres --login postgres --database postgres -- -X".split(" "),
    ],
    join(databases.gateway.dataDir, "terminal-size"),
  );
  context.after(() => terminal.kill());
  await terminal.shows(/postgres=# /);
  terminal.type("select pg_sleep(600);\r");
  await eventually("the sleep", async () => {
    const sleeping = "select count(*) from pg_stat_activity where wait_event = 'PgSleep'";
    return (await databases.postgres.sql(sleeping)) === "1" || undefined;
  });
  terminal.type("\x03");
  await terminal.shows(/canceling statement due to user request/);
  // Longer than a command is given that was told to end.
  terminal.type("select pg_sleep(1), 6 * 7 as answer;\r");
  await terminal.shows(/42/);
  terminal.type("\\q\r");
  assert.equal(await terminal.exited, 0);
  await lastSession();
});

test("a certificate is good only from the address that asked for it", async () => {
  const toPostgres = await quickWay("postgres");
  const from = (localAddress: string, { host, port }: Way) => connectTcp({ host, port, localAddress });
  const inside = (localAddress: string) =>
    connectTls({
      socket: from(localAddress, toPostgres),
      ...tls(toPostgres),
      ALPNProtocols: ["postgresql"],
    });
  let said = await refusalOf(async () =>
    assert.match(
      await answered(inside("127.0.0.2"), toPostgres.user),
      /^E.*C28000.*may not be used from 127\.0\.0\.2/,
    ),
  );
  assert.deepEqual([said["user"], said["cert_serial"]], ["unknown", toPostgres.serial]);
  const good = inside("127.0.0.1");
  assert.ok((await answered(good, toPostgres.user)).startsWith(accepted));
  good.end(goodbye);
  await lastSession();

  const toMariadb = await quickWay("mariadb");
  const open = (localAddress: string) =>
    mysql2.createConnection({
      user: toMariadb.user,
      ssl: tls(toMariadb),
      stream: () => from(localAddress, toMariadb),
    });
  said = await refusalOf(() =>
    assert.rejects(open("127.0.0.2"), (error: Error) =>
      /may not be used from 127\.0\.0\.2/.test(error.message),
    ),
  );
  assert.deepEqual([said["user"], said["cert_serial"]], ["unknown", toMariadb.serial]);
  await (await open("127.0.0.1")).end();
  await lastSession();
});

test("drivers of Node come in, whatever they send as a password", async () => {
  const toPostgres = await quickWay("postgres");
  for (const password of [undefined, "whatever"]) {
    const { host, port, user } = toPostgres;
    const client = new pg.Client({ host, port, user, password, database: "postgres", ssl: tls(toPostgres) });
    await client.connect();
    assert.deepEqual((await client.query("select 1 as one")).rows, [{ one: 1 }]);
    await client.end();
    await lastSession();
  }
  const toMariadb = await quickWay("mariadb");
  for (const password of [undefined, "whatever"]) {
    const { host, port, user } = toMariadb;
    const options = { host, port, user, ...(password !== undefined && { password }), ssl: tls(toMariadb) };
    const client = await mysql2.createConnection(options);
    assert.deepEqual((await client.query("select 1 as one"))[0], [{ one: 1 }]);
    // The client is asked again, and its answer passed over again.
    await client.changeUser({ user, ...(password !== undefined && { password }), database: "shop" });
    assert.deepEqual((await client.query("select database() as name"))[0], [{ name: "shop" }]);
    await client.end();
    await lastSession();
    const other = await mariadbDriver.createConnection(options);
    assert.deepEqual([...(await other.query("select 1 as one"))], [{ one: 1 }]);
    await other.end();
    await lastSession();
  }
});

test("TLS that begins at once carries a certificate, and a connection that resumes its TLS session too", async () => {
  const opened = await quickWay("postgres");
  const sessions: Buffer[] = [];
  for (let round = 0; round < 2; round++) {
    const session = sessions.at(-1);
    const plain = connectTcp(opened.port, opened.host);
    const socket = connectTls({
      socket: plain,
      ...tls(opened),
      ALPNProtocols: ["postgresql"],
      ...(session && { session }),
    });
    socket.on("session", (kept) => sessions.push(kept));
    assert.ok((await answered(socket, opened.user)).startsWith(accepted));
    assert.equal(socket.isSessionReused(), round === 1);
    socket.end(goodbye);
    const { session: recorded } = await lastSession();
    assert.equal((await signInOf(recorded.connectionId))?.fields["cert_serial"], opened.serial);
  }
});

/** What PostgreSQL's gate answers to a startup message. */
async function answered(socket: TLSSocket, user: string): Promise<string> {
  const body = Buffer.from(`\0\x03\0\0user\0${user}\0database\0postgres\0\0`, "latin1");
  const head = Buffer.alloc(4);
  head.writeInt32BE(body.length + 4);
  await once(socket, "secureConnect");
  socket.write(Buffer.concat([head, body]));
  const [answer] = (await once(socket, "data")) as [Buffer];
  return answer.toString("latin1");
}
/** AuthenticationOk. */
const accepted = "R\0\0\0\b\0\0\0\0";
const goodbye = Buffer.from([0x58, 0, 0, 0, 4]);

const javaDrivers = { postgres: artifactFile("postgresql"), mariadb: artifactFile("mariadb-java-client") };
test(
  "drivers of Java come in with the key in their own formats",
  { skip: Object.values(javaDrivers).every(existsSync) ? false : "the drivers could not be had" },
  async () => {
    const toPostgres = await quickWay("postgres");
    const key = toPostgres.keyFile.replace(/key$/, "pk8");
    const gate = file("gate-postgres.pem", toPostgres.certificate);
    const place = `${toPostgres.host}:${toPostgres.port}`;
    const own = `sslcert=${toPostgres.certificateFile}&sslkey=${key}`;
    const toMariadb = await quickWay("mariadb");
    const store = join(databases.gateway.dataDir, "store.p12");
    execFileSync("/usr/bin/openssl", [
      "pkcs12",
      "-export",
      "-in",
      toMariadb.certificateFile,
      "-inkey",
      toMariadb.keyFile,
      "-out",
      store,
      "-passout",
      "pass:store",
    ]);
    const theirs = `keyStore=${store}&keyStorePassword=store&keyStoreType=PKCS12`;
    for (const [driver, url, user] of [
      [
        javaDrivers.postgres,
        `jdbc:postgresql://${place}/postgres?sslmode=verify-full&sslrootcert=${gate}&${own}`,
        toPostgres.user,
      ],
      [
        javaDrivers.mariadb,
        `jdbc:mariadb://${toMariadb.host}:${toMariadb.port}/shop?sslMode=verify-full&serverSslCert=${file("gate-mariadb.pem", toMariadb.certificate)}&${theirs}`,
        toMariadb.user,
      ],
    ] as const) {
      const ran = await runJava("Statements.java", [driver], [url, user], "\n");
      assert.equal(ran.code, 0, ran.stderr);
      assert.match(ran.stdout.toString(), /inserted 20[\s\S]*price/);
      const { session } = await lastSession();
      assert.equal((await signInOf(session.connectionId))?.fields["method"], "client_certificate");
    }
  },
);

test("a certificate for one login opens no other, and one for every target opens all that its person may open", async () => {
  const bound = await quickWay("postgres");
  const elsewhere = bound.uri.replace("postgres%2Bpostgres", "postgres%2Bsecond");
  assert.notEqual(elsewhere, bound.uri);
  let ran: Ran | undefined;
  const said = await refusalOf(async () => (ran = await psql(elsewhere, "select 1;")));
  assert.match(ran?.stderr ?? "", /this certificate is for another login or target/);
  assert.deepEqual([said["user"], said["cert_serial"]], ["ann", bound.serial]);

  const every = await quickWay("postgres", true);
  for (const [uri, answer] of [
    [every.uri, "1\n"],
    [every.uri.replace("postgres%2Bpostgres", "postgres%2Bsecond"), "1\n"],
  ] as const) {
    const inside = await psql(uri, "select 1;");
    assert.equal(inside.stdout.toString(), answer, inside.stderr);
    await lastSession();
  }
  const toMariadb = {
    ...(await quickWay("mariadb")),
    certificateFile: every.certificateFile,
    keyFile: every.keyFile,
  };
  assert.equal((await mariadb(toMariadb, "select 1;")).stdout.toString(), "1\n");
  await lastSession();
});

test("a certificate that is not good is refused at both gates, in the protocol's words, and that is noted", async () => {
  const toPostgres = await quickWay("postgres");
  const toMariadb = await quickWay("mariadb");
  gateCertificate = toMariadb.certificate;
  const authority = (key: string, nowMs?: () => number) =>
    openClientAuthority({
      keyring: { protocolKey: async (_name, make) => Secret.ofText(key === "" ? await make() : key) },
      clock: nowMs ? { nowMs } : systemClock,
      random: systemRandom,
    });
  const gates = pem(join(databases.gateway.dataDir, "keys", "database_person_ca"));
  const dayMs = 86_400_000;
  /** The same key and serial, signed again in another way. */
  const signed = async (
    by: Awaited<ReturnType<typeof authority>>,
    { keyFile, serial }: Way,
    expiresAtMs: number,
  ) => {
    const key = createPublicKey(createPrivateKey(pem(keyFile)));
    const spki = new Uint8Array(key.export({ type: "spki", format: "der" }));
    return by.certify({ spki, person: { name: "ann" }, serial, expiresAtMs });
  };
  const now = systemClock.nowMs();
  const cases: [string, (of: Way) => Promise<string>, RegExp][] = [
    [
      "expired",
      async (of) => signed(await authority(gates, () => now - 2 * dayMs), of, now - dayMs),
      /it expired at 20/,
    ],
    [
      "early",
      async (of) => signed(await authority(gates, () => now + dayMs), of, now + 2 * dayMs),
      /it is not valid before 20/,
    ],
    [
      "another CA",
      async (of) => signed(await authority(""), of, now + dayMs),
      /not of this gate's authority/,
    ],
    [
      "unknown",
      async (of) => signed(await authority(gates), { ...of, serial: "4711" }, now + dayMs),
      /it was revoked, or/,
    ],
  ];
  for (const [name, certificate, expected] of cases)
    for (const [protocol, of] of [
      ["postgres", toPostgres],
      ["mysql", toMariadb],
    ] as const) {
      const certificateFile = file("wrong.crt", await certificate(of));
      let ran: Ran | undefined;
      const said = await refusalOf(async () => {
        ran =
          protocol === "postgres"
            ? await psql(
                of.uri.replace(encodeURIComponent(of.certificateFile), encodeURIComponent(certificateFile)),
                "select 1;",
              )
            : await mariadb({ ...of, certificateFile }, "select 1;");
      });
      assert.match(ran?.stderr ?? "", expected, `${name} at ${protocol}`);
      if (protocol === "mysql") assert.match(ran?.stderr ?? "", /^ERROR 1045 \(28000\)/);
      assert.deepEqual(
        [said["method"], said["user"], said["proto"]],
        ["client_certificate", "unknown", protocol],
      );
      assert.match(String(said["error"]), expected);
      assert.equal(
        said["cert_serial"],
        name === "another CA" ? undefined : name === "unknown" ? "4711" : of.serial,
      );
    }
  // Nobody's key: OpenSSL itself ends it, before the gate has a word.
  const stolen = toPostgres.uri.replace(
    encodeURIComponent(toPostgres.keyFile),
    encodeURIComponent(toMariadb.keyFile),
  );
  assert.match((await psql(stolen, "select 1;")).stderr, /key values mismatch|does not match/);
});

test("without a certificate the secret is asked for, as ever", async () => {
  const { certificate, certificateFile, keyFile, uri, host, port, user } = await quickWay("postgres");
  const bare = uri.replace(/&sslcert=[^&]*&sslkey=[^&]*/, "");
  assert.notEqual(bare, uri);
  assert.match((await psql(bare, "select 1;")).stderr, /no password supplied/);
  const opened = await databases.person("sam");
  const { password } = await opened.targets.openConnection(targets.postgres.id, "postgres");
  const client = new pg.Client({
    host,
    port,
    user,
    password,
    database: "postgres",
    ssl: { ca: certificate },
  });
  await client.connect();
  await client.end();
  const { session } = await lastSession();
  assert.equal(session.user.name, "sam");
  // The certificate counts where there are both: it is who holds it that comes in.
  const ssl = { ca: certificate, cert: pem(certificateFile), key: pem(keyFile) };
  const both = new pg.Client({ host, port, user, password, database: "postgres", ssl });
  await both.connect();
  await both.end();
  assert.equal((await lastSession()).session.user.name, "ann");
});

test("by SCRAM the secret does not leave the client, and its channel is that of the gate's certificate", async () => {
  const kim = await databases.person("kim");
  const { host, port, user, password, certificate } = await kim.targets.openConnection(
    targets.postgres.id,
    "postgres",
  );
  const other = await databases.person("lou");
  await other.targets.openConnection(targets.postgres.id, "postgres");
  const place = `postgresql://${encodeURIComponent(user)}@${host}:${port}/postgres?sslmode=verify-full&sslrootcert=${file("gate-scram.pem", certificate)}`;
  const asked = (secret: string, more: string) =>
    run(psqlProgram, ["-X", "-A", "-t", "-w", `${place}${more}`], {
      input: "select 'proved';",
      env: { HOME: databases.gateway.dataDir, PGPASSWORD: secret },
    });
  for (const binding of ["require", "disable"]) {
    const ran = await asked(password, `&channel_binding=${binding}`);
    assert.equal(ran.stdout.toString(), "proved\n", ran.stderr);
    const { session } = await lastSession();
    assert.equal(session.user.name, "kim", "of all who have a secret, whose it is");
  }
  const said = await refusalOf(async () =>
    assert.match((await asked("guessed", "")).stderr, /no connection secret that is good now/),
  );
  assert.deepEqual([said["user"], said["method"]], ["unknown", "connection_secret"]);
});

test("who is locked, shut out or signed out does not come in, nor does a certificate that was revoked", async () => {
  const { admin } = databases.gateway;
  const opened = await quickWay("postgres");
  const tried = async () => (await psql(opened.uri, "select 1;")).stderr;
  const { lock } = await admin.locks.create({ on: "user", name: "ann", reason: "lost laptop" });
  let said = await refusalOf(async () => assert.match(await tried(), /locked out: lost laptop/));
  assert.deepEqual([said["user"], said["cert_serial"]], ["ann", opened.serial]);
  const refused = await gatehouse("db", "login", "postgres", "--login", "postgres", "--certificate");
  assert.match(refused.stderr, /locked out: lost laptop/, "and gets no new one");
  await admin.locks.remove(lock.id);
  assert.equal(await tried(), "");
  await lastSession();

  await admin.targets.update(targets.postgres.id, { access: { mfaWithinMinutes: 5 } });
  assert.match(await tried(), /second factor given within the last 5 minutes/);
  await admin.targets.update(targets.postgres.id, { access: {} });

  const revoked = await gatehouse("certificates", "revoke", opened.serial);
  assert.equal(revoked.code, 0, revoked.stderr);
  said = await refusalOf(async () => assert.match(await tried(), /FATAL: .*it was revoked, or its session/));
  assert.equal(said["cert_serial"], opened.serial);
  const event = (await awaitEvents(databases.gateway, { event: "cert.delete" })).at(-1);
  assert.deepEqual(
    [event?.code, event?.fields["owner"], event?.fields["serial"], event?.fields["server_hostname"]],
    ["GH1043W", "ann", opened.serial, "postgres"],
  );

  const carried = await way("postgres", "--database", "postgres");
  const copies = {
    certificateFile: file("carried.crt", pem(carried.certificateFile)),
    keyFile: file("carried.key", pem(carried.keyFile)),
  };
  const uri = carried.uri
    .replace(encodeURIComponent(carried.certificateFile), encodeURIComponent(copies.certificateFile))
    .replace(encodeURIComponent(carried.keyFile), encodeURIComponent(copies.keyFile));
  assert.equal((await psql(uri, "select 1;")).stderr, "");
  await lastSession();
  assert.equal((await gatehouse("logout")).code, 0);
  assert.equal(existsSync(carried.keyFile), false, "what was made here is gone");
  assert.match((await psql(uri, "select 1;")).stderr, /it was revoked, or its session/);
  await signIn();

  const last = await quickWay("postgres");
  await admin.people.update(ann, { disabled: true });
  assert.match((await psql(last.uri, "select 1;")).stderr, /its person's account has ended/);
  await admin.people.update(ann, { disabled: false });
  assert.match((await psql(last.uri, "select 1;")).stderr, /its person's account has ended/);
});

test("only a person gets one, who may open the target, and never for what is no public key", async () => {
  const { gateway } = databases;
  const tim = await databases.person("tim");
  const { token } = await gateway.admin.tokens.create(tim.id, { name: "ci", scopes: ["session.*"] });
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const good = publicKey.export({ type: "spki", format: "pem" });
  const ask = ({ certificates }: Pick<Client, "certificates">, key: string | Buffer, login = "postgres") =>
    certificates.createForDatabase(targets.postgres.id, login, { publicKey: key.toString() });
  const refuses = (code: ErrorCode) => (error: unknown) => isGatehouseError(error, code);
  for (const client of [createClient({ baseUrl: gateway.web, token }), gateway.admin])
    await assert.rejects(ask(client, good), refuses("denied"));
  await assert.rejects(ask(tim, good, "nobody"), refuses("denied"));
  await assert.rejects(ask(tim, privateKey.export({ type: "pkcs8", format: "pem" })), refuses("invalid"));
  assert.match((await ask(tim, good)).certificate, /^-----BEGIN CERTIFICATE-----/);
});
