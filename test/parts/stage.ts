/** A whole gateway before a real sshd, with one person who may use it as `web-01`: what most tests of the whole begin with. */
import type { TargetCreate } from "@gatehouse/contracts/rest";
import {
  type Gateway,
  type GatewayOptions,
  type TestPerson,
  addPerson,
  addTarget,
  sshOptions,
  startGateway,
} from "./gateway.ts";
import { type Ran, type Sshd, type SshdOptions, run, startSshd } from "./openssh.ts";

export type Stage = {
  readonly gateway: Gateway;
  readonly sshd: Sshd;
  readonly person: TestPerson;
  readonly targetId: string;
  /** `login+target@host` */
  readonly address: string;
  /** `ssh` through the gate to its end. */
  ssh(args: readonly string[], options?: Parameters<typeof run>[2]): Promise<Ran>;
  close(): Promise<void>;
};

export async function startStage(
  options: { gateway?: GatewayOptions; sshd?: SshdOptions; target?: Partial<TargetCreate> } = {},
): Promise<Stage> {
  const gateway = await startGateway(options.gateway);
  let sshd: Sshd | undefined;
  try {
    sshd = await startSshd({ trustedUserCa: await gateway.admin.ca.sshUser(), ...options.sshd });
    const person = await addPerson(gateway, "ann");
    const target = await addTarget(gateway, sshd, options.target);
    return { ...parts(gateway, sshd, person), targetId: target.id };
  } catch (error) {
    await gateway.close();
    await sshd?.close();
    throw error;
  }
}

function parts(gateway: Gateway, sshd: Sshd, person: TestPerson): Omit<Stage, "targetId"> {
  const address = `${sshd.user}+web-01@127.0.0.1`;
  return {
    gateway,
    sshd,
    person,
    address,
    ssh: (args, options) => run("ssh", [...sshOptions(gateway, person), ...args], options),
    async close() {
      await gateway.close();
      await sshd.close();
    },
  };
}
