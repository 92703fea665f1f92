import type { Entrance } from "@gatehouse/contracts/rest";
import { GatehouseError } from "@gatehouse/kernel";
import { type Target as StoredTarget, type Targets, targetResource } from "../../directory/mod.ts";
import type { Identity } from "../../identity/mod.ts";
import type { ConnectionsDoor } from "../door.ts";
import { found, isoTime } from "./page.ts";

/** Where clients of databases of one protocol come in. */
export type GateEntrance = {
  address(): { host: string; port: number };
  /** PEM. */
  readonly certificate: string;
  readonly secretLifetimeMs: number;
};

export function createConnections(options: {
  targets: Pick<Targets, "byId">;
  identity: Pick<Identity, "createConnectionSecret">;
  /** By the protocol's name. */
  entrances: ReadonlyMap<string, GateEntrance>;
}): ConnectionsDoor {
  const { targets, identity, entrances } = options;
  return {
    async resourceOf(targetId, login) {
      const target = found(await targets.byId(targetId), "target", targetId);
      return targetResource(target, login);
    },
    async open(principal, targetId, login) {
      const target = found(await targets.byId(targetId), "target", targetId);
      const entrance = entranceOf(entrances, target);
      const { secret, expiresAtMs } = await identity.createConnectionSecret(principal.subject.id, {
        protocol: target.protocol,
        targetId: target.id,
        login,
        ttlMs: entrance.secretLifetimeMs,
        mfaAtMs: principal.subject.proof?.mfaAtMs,
      });
      return { ...wayTo(entrance, target, login), password: secret, expiresAt: isoTime(expiresAtMs) };
    },
  };
}

/** Throws `conflict` where the port for the target's protocol is not open. */
export function entranceOf(
  entrances: ReadonlyMap<string, GateEntrance>,
  { protocol }: Pick<StoredTarget, "protocol">,
): GateEntrance {
  const entrance = entrances.get(protocol);
  if (entrance) return entrance;
  throw new GatehouseError({
    code: "conflict",
    op: "connections.open",
    message: `this gate has no open port for database clients of ${protocol}`,
  });
}

/** What a client of this target is told. */
export function wayTo(
  entrance: GateEntrance,
  { protocol, name }: Pick<StoredTarget, "protocol" | "name">,
  login: string,
): Entrance {
  return { protocol, ...entrance.address(), user: `${login}+${name}`, certificate: entrance.certificate };
}
