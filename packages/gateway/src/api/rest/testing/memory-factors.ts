import { GatehouseError } from "@gatehouse/kernel";
import type { RestDoors } from "../../door.ts";

const none = async (): Promise<never> => {
  throw new GatehouseError({ code: "unauthenticated", op: "memory", message: "nothing was begun here" });
};

/** Nobody has a second factor in the samples, nor can add one. */
export const memoryFactors: Pick<RestDoors, "factors" | "signIns"> & {
  identity: Omit<RestDoors["identity"], "signInByLink" | "signInByPassword" | "whoIs" | "signOut">;
} = {
  identity: {
    secondFactor: none,
    secondFactorByPasskey: none,
    passkeyOptions: async () => {
      throw new GatehouseError({ code: "conflict", op: "memory", message: "nobody has passkeys here" });
    },
    signInByPasskey: none,
    offerTotpTo: none,
    offerPasskeyTo: none,
    enrol: none,
    stepUp: none,
    stepUpByPasskey: none,
  },
  factors: {
    list: async () => ({ items: [], recoveryCodesLeft: 0, required: false }),
    offerTotp: none,
    offerPasskey: none,
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
