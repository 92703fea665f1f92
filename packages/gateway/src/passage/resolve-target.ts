import type { StatementPolicy } from "@gatehouse/contracts/rest";
import { GatehouseError } from "@gatehouse/kernel";
import type { Decision, Question, Subject } from "../access/mod.ts";
import type { Credentials } from "../credentials/mod.ts";
import type { JsonObject, SessionAccess, Targets } from "../directory/mod.ts";
import { admitted } from "./admitted.ts";
import { certificateTrust } from "./certificate-trust.ts";
import type { TargetPlace } from "./dial-tls.ts";
import { type TargetProof, openProof } from "./target-proof.ts";

export type PasswordTarget = TargetPlace & {
  id: string;
  protocol: string;
  login: string;
  /** Why this person may open it. */
  access: SessionAccess;
  /** What is permitted there, in the protocol's own words. */
  policy: JsonObject;
  /** Which statements may pass; undefined: all. */
  statements: StatementPolicy | undefined;
  /** What the gate signs in to the target with, opened only when a connection is made. */
  proof(): Promise<TargetProof>;
};

/** A target as one person may use it, or `not_found`, whether it is not there or not theirs. */
export type ResolveTarget = (wanted: {
  subject: Subject;
  targetName: string;
  login: string;
  remoteAddress: string;
}) => Promise<PasswordTarget>;

export function passwordTargetsOf(options: {
  /** The first names the engine in errors. */
  protocols: readonly string[];
  targets: Pick<Targets, "byName">;
  credentials: Pick<Credentials, "withSecret">;
  decide(question: Question): Decision;
}): ResolveTarget {
  const [engine = ""] = options.protocols;
  return async ({ subject, targetName, login, remoteAddress }) => {
    const target = await options.targets.byName(targetName);
    const chosen = target?.logins.find((entry) => entry.login === login);
    const unknown = new GatehouseError({
      code: "not_found",
      op: `${engine}.target`,
      message: `there is no database ${targetName} that you may open as ${login}`,
      hint: "The user name is <login>+<target>; the web pages list the targets that are open to you.",
    });
    if (!target || !options.protocols.includes(target.protocol) || !chosen) throw unknown;
    const { decide } = options;
    const access = admitted({ subject, target, login, remoteAddress, decide, unknown });
    const { credentialId } = chosen;
    return {
      id: target.id,
      protocol: target.protocol,
      name: target.name,
      host: target.host,
      port: target.port,
      login,
      access,
      policy: target.policy,
      statements: target.access.statements,
      trust: certificateTrust(target.hostTrust),
      async proof() {
        if (credentialId === undefined)
          throw new GatehouseError({
            code: "denied",
            op: `${engine}.credential`,
            message: `the gate has nothing to sign in with as ${login} at ${target.name}`,
            hint: `An administrator sets it: gatehouse targets credential ${target.name} ${login} --password`,
          });
        return options.credentials.withSecret(credentialId, (secret, { kind }) =>
          openProof(kind, secret.text()),
        );
      },
    };
  };
}
