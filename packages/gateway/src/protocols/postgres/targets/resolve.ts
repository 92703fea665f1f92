import { GatehouseError } from "@gatehouse/kernel";
import type { Decision, Question, Subject } from "../../../access/mod.ts";
import { admitted } from "../../admitted.ts";
import type { Credentials } from "../../../credentials/mod.ts";
import { type SessionAccess, type Targets, targetResource } from "../../../directory/mod.ts";
import type { TargetPlace } from "../sign-in/target.ts";
import { postgresTrust } from "./trust.ts";

export type PostgresTarget = TargetPlace & {
  id: string;
  login: string;
  /** Why this person may open it. */
  access: SessionAccess;
  /** The gate's password on the target, opened only when a connection is made. */
  password(): Promise<string>;
};

/** A target as one person may use it, or `not_found`, whether it is not there or not theirs. */
export type ResolveTarget = (wanted: {
  subject: Subject;
  targetName: string;
  login: string;
  remoteAddress: string;
}) => Promise<PostgresTarget>;

export function postgresTargetsOf(options: {
  targets: Pick<Targets, "byName">;
  credentials: Pick<Credentials, "withSecret">;
  decide(question: Question): Decision;
}): ResolveTarget {
  return async ({ subject, targetName, login, remoteAddress }) => {
    const target = await options.targets.byName(targetName);
    const chosen = target?.logins.find((entry) => entry.login === login);
    const unknown = new GatehouseError({
      code: "not_found",
      op: "postgres.target",
      message: `there is no database ${targetName} that you may open as ${login}`,
      hint: "The user name is <login>+<target>; the web pages list the targets that are open to you.",
    });
    if (target?.protocol !== "postgres" || !chosen) throw unknown;
    const decision = options.decide({
      subject,
      action: "session.open",
      resource: targetResource(target, login),
      context: { remoteAddress },
    });
    const access = admitted(decision, target, unknown);
    const { credentialId } = chosen;
    return {
      id: target.id,
      name: target.name,
      host: target.host,
      port: target.port,
      login,
      access,
      trust: postgresTrust(target.hostTrust),
      async password() {
        if (credentialId === undefined)
          throw new GatehouseError({
            code: "denied",
            op: "postgres.credential",
            message: `the gate has no password for ${login} at ${target.name}`,
            hint: `An administrator sets it: gatehouse targets credential ${target.name} ${login} --password`,
          });
        return options.credentials.withSecret(credentialId, (secret) => secret.text());
      },
    };
  };
}
