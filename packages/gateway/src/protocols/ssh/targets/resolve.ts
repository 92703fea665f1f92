import { GatehouseError } from "@gatehouse/kernel";
import type { Decision, Question } from "../../../access/mod.ts";
import { admitted } from "../../../passage/mod.ts";
import type { Credentials } from "../../../credentials/mod.ts";
import { type Target, type TargetLogin, type Targets as StoredTargets } from "../../../directory/mod.ts";
import type { Identity } from "../../../identity/mod.ts";
import type { TargetCredential, Targets } from "../gate/door.ts";
import { keySigner, parsePrivateKey } from "../keys/mod.ts";
import { sshHostTrust, sshPolicy } from "./policy.ts";

/** The SSH targets of the directory, each as one person may use it. */
export function sshTargetsOf(options: {
  targets: Pick<StoredTargets, "byName">;
  identity: Pick<Identity, "personById">;
  credentials: Pick<Credentials, "withSecret">;
  decide(question: Question): Decision;
  /** Where a target names no variables of its own. */
  env: readonly string[];
  execLimitBytes: number;
}): Targets {
  return {
    async resolve({ person, login, targetName, remoteAddress }) {
      const found = await options.identity.personById(person.id);
      const subject = found && { ...found, proof: { mfaAtMs: person.mfaAtMs } };
      const target = await options.targets.byName(targetName);
      const chosen = target?.protocol === "ssh" ? loginOf(target, login) : undefined;
      if (!subject || !target || !chosen) throw notFound(targetName, login);
      const access = admitted({
        subject,
        target,
        login: chosen.login,
        remoteAddress,
        decide: options.decide,
        unknown: notFound(targetName, login),
      });
      const { env, ...permits } = sshPolicy(target.policy);
      return {
        id: target.id,
        name: target.name,
        host: target.host,
        port: target.port,
        login: chosen.login,
        access,
        hostTrust: sshHostTrust(target.hostTrust),
        credential: credentialOf(chosen, options.credentials),
        policy: { ...permits, env: env ?? options.env, execLimitBytes: options.execLimitBytes },
      };
    },
  };
}

function loginOf(target: Target, wanted: string | undefined): TargetLogin | undefined {
  if (wanted !== undefined) return target.logins.find((entry) => entry.login === wanted);
  return target.logins.length === 1 ? target.logins[0] : undefined;
}

function credentialOf(login: TargetLogin, credentials: Pick<Credentials, "withSecret">): TargetCredential {
  const { kind, credentialId } = login;
  if (kind === "user_ca" || credentialId === undefined) return { type: "userCa" };
  if (kind === "password")
    return { type: "password", open: () => credentials.withSecret(credentialId, (secret) => secret.text()) };
  return {
    type: "key",
    open: () => credentials.withSecret(credentialId, (secret) => keySigner(parsePrivateKey(secret.text()))),
  };
}

/** One message for what is not there and what is not theirs: existence does not leak. */
function notFound(targetName: string, login: string | undefined): GatehouseError {
  return new GatehouseError({
    code: "not_found",
    op: "ssh.target",
    message: `there is no target ${targetName} that you may open${login === undefined ? "" : ` as ${login}`}`,
    hint: "The web pages list the targets that are open to you.",
  });
}
