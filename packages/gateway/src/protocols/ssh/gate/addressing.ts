import { GatehouseError } from "@gatehouse/kernel";

/** Whom a client's user name asks for. */
export type Address =
  /** `root+web-01`: that account on that target. */
  | { kind: "account"; login: string; targetName: string }
  /**
   * `web-01`, or a person's own name, or anything: no account was named. It is a target if one has that name and
   * a login of its own, and otherwise only good for jumping through.
   */
  | { kind: "bare"; name: string };

/** A user name longer than this is nobody's: Linux allows 32 bytes, LDAP and Windows more. */
const userNameCharsMax = 256;

/** DNS letters only, so a target's name can be an SSH host name too, and never contains the separator. */
export function isTargetName(text: string): boolean {
  return text.length <= 253 && /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/.test(text);
}

/**
 * Takes an SSH user name apart. The last `+` separates login and target, because a login may contain one and
 * a target's name cannot: `svc+backup+web-01` is the account `svc+backup` on `web-01`.
 */
export function parseUserName(userName: string): Address {
  const invalid = (message: string) =>
    new GatehouseError({
      code: "invalid",
      op: "ssh.address",
      message,
      hint: "Connect as <login>+<target>, for example root+web-01.",
    });
  // Control characters would reach logs and other people's screens.
  // eslint-disable-next-line no-control-regex
  if (userName.length > userNameCharsMax || /[\u0000-\u001f\u007f-\u009f]/.test(userName))
    throw invalid("the user name is too long or has control characters");
  const at = userName.lastIndexOf("+");
  if (at < 0) return { kind: "bare", name: userName };
  const login = userName.slice(0, at);
  // OpenSSH lower-cases host names but leaves user names as typed; a target is the same one either way.
  const targetName = userName.slice(at + 1).toLowerCase();
  if (login === "") throw invalid("there is no login before the +");
  if (!isTargetName(targetName)) throw invalid(`"${targetName}" is not a target's name`);
  return { kind: "account", login, targetName };
}

/** The user name that `parseUserName` takes apart into these two. */
export function formatUserName(login: string, targetName: string): string {
  return `${login}+${targetName}`;
}
