import { GatehouseError } from "@gatehouse/kernel";
import type { ObjectStore, StoreProbe } from "@gatehouse/recording/pipeline";

/** What to say of a store that does not itself keep recordings as they are; undefined of one that does. */
export function unenforced(probe: StoreProbe): string | undefined {
  const open = [
    ...(probe.overwrite === "backend" ? [] : ["overwriting"]),
    ...(probe.deletion === "backend" ? [] : ["removing"]),
  ];
  return open.length === 0
    ? undefined
    : `the store itself does not refuse ${open.join(" and ")} recordings before their retention ends`;
}

/**
 * The same store, whose probe fails while it does not enforce immutability itself: no session is admitted then, also when
 * that is found out only after the start. `refusal` is what the last probe found, for the start.
 */
export function requireImmutability(store: ObjectStore): {
  store: ObjectStore;
  refusal(): GatehouseError | undefined;
} {
  let refusal: GatehouseError | undefined;
  const strict: ObjectStore = {
    create: (key, bytes, options) => store.create(key, bytes, options),
    read: (key, range) => store.read(key, range),
    stat: (key) => store.stat(key),
    list: (prefix, options) => store.list(prefix, options),
    remove: (key) => store.remove(key),
    retention: (key) => store.retention(key),
    hold: (key, held) => store.hold(key, held),
    clockAheadMs: () => store.clockAheadMs(),
    async probe() {
      const probe = await store.probe();
      const message = unenforced(probe);
      refusal =
        message === undefined
          ? undefined
          : new GatehouseError({
              code: "unavailable",
              op: "store.probe",
              message,
              hint: "See `gatehouse store check`. To rely on Gatehouse alone, say `store.accept_unenforced_immutability: true`.",
            });
      if (refusal) throw refusal;
      return probe;
    },
  };
  return { store: strict, refusal: () => refusal };
}
