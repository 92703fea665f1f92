import { GatehouseError } from "@gatehouse/kernel";

/**
 * Who and where, in the one field that every client has: `<login>+<target>`, the account on the target and its name here.
 * Names of targets have no `+`, so the last one parts them and a login may have its own.
 */
export function parseUser(user: string): { login: string; targetName: string } {
  const at = user.lastIndexOf("+");
  const login = user.slice(0, Math.max(at, 0));
  const targetName = user.slice(at + 1);
  if (at < 1 || login.length > 128 || !/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(targetName))
    throw new GatehouseError({
      code: "invalid",
      op: "postgres.user",
      message: "the user name does not say where to go",
      hint: "Write <login>+<target>, such as app+orders-db.",
    });
  return { login, targetName };
}

/** Whether a startup parameter `replication` asks for anything but an ordinary session (§55.4). */
export function asksReplication(value: string | undefined): boolean {
  return value !== undefined && !["", "0", "false", "off", "no"].includes(value.toLowerCase());
}
