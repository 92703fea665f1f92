import { GatehouseError } from "@gatehouse/kernel";
import type { AuditLog } from "../audit/mod.ts";
import type { Identity, Person } from "../identity/mod.ts";
import type { PasswordTarget, ResolveTarget } from "./resolve-target.ts";

/**
 * Who it is that sent this connection secret, and the target that they may enter with it. The sign-in is audited before
 * it takes effect. Rejects with `unauthenticated`, `invalid` or `not_found`.
 */
export async function signInBySecret(options: {
  identity: Pick<Identity, "personBySecret">;
  audit: Pick<AuditLog, "append">;
  resolve: ResolveTarget;
  /** What the secret may be for. */
  protocols: readonly string[];
  secret: string;
  /** As the client sent it: `<login>+<target>`. */
  user: string;
  remoteAddress: string;
  connectionId: string;
  /** What the client says it is, or "". */
  client: string;
}): Promise<{ person: Person; target: PasswordTarget }> {
  const { identity, resolve, protocols, secret } = options;
  const [protocol = ""] = protocols;
  const op = `${protocol}.sign_in`;
  const note = (user: string, error?: string) =>
    options.audit.append({
      event: "user.login",
      user,
      success: error === undefined,
      remoteAddress: options.remoteAddress,
      fields: {
        method: "connection_secret",
        proto: protocol,
        connection_id: options.connectionId,
        ...(options.client !== "" && { client: options.client }),
        ...(error !== undefined && { error }),
      },
    });
  const found = await identity.personBySecret(secret);
  if (!found) {
    await note("unknown", "the connection secret is expired or unknown");
    throw new GatehouseError({
      code: "unauthenticated",
      op,
      message: "the password is no connection secret that is good now",
      hint: "`gatehouse db login <target> --login <login>` gives a new one.",
    });
  }
  const { person, scope } = found;
  const { login, targetName } = parseUser(options.user, `${protocol}.user`);
  const target = await resolve({
    subject: person,
    targetName,
    login,
    remoteAddress: options.remoteAddress,
  });
  if (
    !protocols.includes(scope.protocol) ||
    (scope.login !== undefined && scope.login !== login) ||
    (scope.targetId !== undefined && scope.targetId !== target.id)
  ) {
    await note(person.name, "the connection secret is for something else");
    throw new GatehouseError({
      code: "unauthenticated",
      op,
      message: "this connection secret is for another login or target",
    });
  }
  await note(person.name);
  return { person, target };
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
