import { GatehouseError } from "@gatehouse/kernel";
import { type Targets, targetResource } from "../../directory/mod.ts";
import type { Identity } from "../../identity/mod.ts";
import type { ConnectionsDoor } from "../door.ts";
import { found, isoTime } from "./page.ts";

/** Where clients of one protocol come in with a password. */
export type Entrance = {
  address(): { host: string; port: number };
  /** PEM. */
  readonly certificate: string;
  readonly secretLifetimeMs: number;
};

export function createConnections(options: {
  targets: Pick<Targets, "byId">;
  identity: Pick<Identity, "createConnectionSecret">;
  /** By the protocol's name. */
  entrances: ReadonlyMap<string, Entrance>;
}): ConnectionsDoor {
  const { targets, identity, entrances } = options;
  return {
    async resourceOf(targetId, login) {
      const target = found(await targets.byId(targetId), "target", targetId);
      return targetResource(target, login);
    },
    async open(principal, targetId, login) {
      const target = found(await targets.byId(targetId), "target", targetId);
      const entrance = entrances.get(target.protocol);
      if (!entrance)
        throw new GatehouseError({
          code: "conflict",
          op: "connections.open",
          message: `this gate has no open port where ${target.protocol} is entered with a connection secret`,
        });
      const { secret, expiresAtMs } = await identity.createConnectionSecret(principal.subject.id, {
        protocol: target.protocol,
        targetId: target.id,
        login,
        ttlMs: entrance.secretLifetimeMs,
        mfaAtMs: principal.subject.proof?.mfaAtMs,
      });
      return {
        protocol: target.protocol,
        ...entrance.address(),
        user: `${login}+${target.name}`,
        password: secret,
        expiresAt: isoTime(expiresAtMs),
        certificate: entrance.certificate,
      };
    },
  };
}
