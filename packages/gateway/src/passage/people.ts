import type { X509Certificate } from "node:crypto";
import { GatehouseError, isGatehouseError } from "@gatehouse/kernel";
import type { AuditLog } from "../audit/mod.ts";
import type { CertificateHolders, Identity, Person } from "../identity/mod.ts";
import { type ClientAuthority, refused } from "./client-authority.ts";
import type { PasswordTarget, ResolveTarget } from "./resolve-target.ts";

/** Somebody at a port for clients of databases. */
export type SignInAttempt = {
  resolve: ResolveTarget;
  /** What may be entered so; the first names the engine in errors. */
  protocols: readonly string[];
  /** What the client showed: its certificate where it has one, which nothing else then stands in for. */
  shown: { certificate: X509Certificate } | { secret: string } | { proves(storedKey: Uint8Array): boolean };
  /** As the client sent it: `<login>+<target>`. */
  user: string;
  remoteAddress: string;
  connectionId: string;
  /** What the client says it is, or "". */
  client: string;
};

/** Who they are that come with a connection secret or a certificate, and which target they may enter with it. */
export type DatabasePeople = {
  /** PEM: whose certificates clients are asked for. */
  readonly authority: string;
  /** The sign-in is audited before it takes effect. Rejects with `unauthenticated`, `invalid`, `denied` or `not_found`. */
  signIn(attempt: SignInAttempt): Promise<{
    person: Person;
    target: PasswordTarget;
    /** By which the gate proves to a client that has a secret that it knows it too. */
    serverKey?: Uint8Array;
  }>;
};

/** What was shown, understood. `scope`: what it is good for; what is absent is not limited. */
type Known = {
  person: Person;
  scope: { protocol?: string; targetId?: string; login?: string };
  serverKey?: Uint8Array;
  /** For people. */
  named: string;
};

type How = {
  method: "connection_secret" | "client_certificate";
  cert_serial?: string;
  key_fingerprint?: string;
};

export function databasePeople(options: {
  identity: Pick<Identity, "personBySecret" | "personByProof">;
  holders: Pick<CertificateHolders, "bySerial" | "used">;
  authority: Pick<ClientAuthority, "certificate" | "recognize">;
  audit: Pick<AuditLog, "append">;
}): DatabasePeople {
  const { identity, holders, authority } = options;

  async function bySecret(
    shown: Exclude<SignInAttempt["shown"], { certificate: unknown }>,
    { protocol, login, op }: { protocol: string; login: string; op: string },
  ): Promise<Known> {
    const found =
      "secret" in shown
        ? await identity.personBySecret(shown.secret)
        : await identity.personByProof({ protocol, login }, shown.proves);
    if (found) return { ...found, named: "this connection secret" };
    throw new GatehouseError({
      code: "unauthenticated",
      op,
      message: "the password is no connection secret that is good now",
      hint: "`gatehouse db login <target> --login <login>` gives a new one.",
    });
  }

  /** TLS has proved already that the client holds the key. `how` gets what is known of it, also where it is refused. */
  async function byCertificate(
    certificate: X509Certificate,
    remoteAddress: string,
    how: How,
  ): Promise<Known> {
    const { serial, fingerprint, refusal } = authority.recognize(certificate);
    how.cert_serial = serial;
    how.key_fingerprint = fingerprint;
    if (refusal) throw refusal;
    const holder = await holders.bySerial("database", serial);
    if (holder?.fingerprint !== fingerprint)
      throw refused("it was revoked, or its session or its person's account has ended");
    const { sourceAddress, ...scope } = holder.scope;
    if (sourceAddress !== undefined && sourceAddress !== remoteAddress)
      throw refused(`it may not be used from ${remoteAddress}`);
    return { person: holder.person, scope, named: "this certificate" };
  }

  return {
    authority: authority.certificate,
    async signIn({ resolve, protocols, shown, user, remoteAddress, connectionId, client }) {
      const [protocol = ""] = protocols;
      const op = `${protocol}.sign_in`;
      const how: How = { method: "certificate" in shown ? "client_certificate" : "connection_secret" };
      const note = (name: string, error?: string) =>
        options.audit.append({
          event: "user.login",
          user: name,
          success: error === undefined,
          remoteAddress,
          fields: {
            ...how,
            proto: protocol,
            connection_id: connectionId,
            ...(client !== "" && { client }),
            ...(error !== undefined && { error }),
          },
        });
      let name = "unknown";
      try {
        const { login, targetName } = parseUser(user, `${protocol}.user`);
        const { person, scope, named, serverKey } = await ("certificate" in shown
          ? byCertificate(shown.certificate, remoteAddress, how)
          : bySecret(shown, { protocol, login, op }));
        name = person.name;
        const target = await resolve({ subject: person, targetName, login, remoteAddress });
        if (
          (scope.protocol !== undefined && !protocols.includes(scope.protocol)) ||
          (scope.login !== undefined && scope.login !== login) ||
          (scope.targetId !== undefined && scope.targetId !== target.id)
        )
          throw new GatehouseError({
            code: "unauthenticated",
            op,
            message: `${named} is for another login or target`,
          });
        await note(name);
        // When it was used last is told to people; nobody waits for it to be written down.
        if (how.cert_serial !== undefined) void holders.used(how.cert_serial).catch(() => {});
        return { person, target, ...(serverKey && { serverKey }) };
      } catch (error) {
        if (isRefusal(error)) await note(name, error.message);
        throw error;
      }
    },
  };
}

/** What somebody is told who does not come in; anything else went wrong here. */
function isRefusal(error: unknown): error is GatehouseError {
  return (
    isGatehouseError(error) && ["unauthenticated", "denied", "not_found", "invalid"].includes(error.code)
  );
}

/**
 * Who and where, in the one field that every client has: `<login>+<target>`, the account on the target and its name here.
 * Names of targets have no `+`, so the last one parts them and a login may have its own.
 */
function parseUser(user: string, op: string): { login: string; targetName: string } {
  const at = user.lastIndexOf("+");
  const login = user.slice(0, Math.max(at, 0));
  const targetName = user.slice(at + 1);
  if (at < 1 || login.length > 128 || !/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(targetName))
    throw new GatehouseError({
      code: "invalid",
      op,
      message: "the user name does not say where to go",
      hint: "Write <login>+<target>, such as app+orders-db.",
    });
  return { login, targetName };
}
