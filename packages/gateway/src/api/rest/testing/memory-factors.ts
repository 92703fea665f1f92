import { GatehouseError } from "@gatehouse/kernel";
import type { RestDoors } from "../../door.ts";

const none = async (): Promise<never> => {
  throw new GatehouseError({ code: "unauthenticated", op: "memory", message: "nothing was begun here" });
};

/** Nobody has a second factor in the samples, nor can add one. */
export const memoryFactors: Pick<RestDoors, "factors" | "signIns"> & {
  identity: Pick<RestDoors["identity"], "secondFactor" | "offerTotpTo" | "enrol" | "stepUp">;
} = {
  identity: { secondFactor: none, offerTotpTo: none, enrol: none, stepUp: none },
  factors: {
    list: async () => ({ items: [], recoveryCodesLeft: 0, required: false }),
    offerTotp: none,
    add: none,
    rename: none,
    renewRecoveryCodes: none,
    remove: none,
    reset: none,
  },
  signIns: {
    list: async () => ({ items: [] }),
    end: none,
    endOthers: async () => ({ ended: 0 }),
  },
};
