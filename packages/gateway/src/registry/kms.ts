import type { Clock } from "@gatehouse/kernel";
import type { KeyOpener, KeyWrapper } from "@gatehouse/recording";
import type { z } from "zod";
import { section } from "../config/mod.ts";
import {
  type KeyService,
  type KeyServiceWatch,
  awsKeysSchema,
  azureKeysSchema,
  gcpKeysSchema,
  kmsOpener,
  kmsWrapper,
  openAwsKeys,
  openAzureKeys,
  openGcpKeys,
  openVaultKeys,
  vaultKeysSchema,
} from "../kms/mod.ts";

/** The `kms` section: each key service brings its own. */
export const kmsSection = section(
  { aws: awsKeysSchema, gcp: gcpKeysSchema, azure: azureKeysSchema, vault: vaultKeysSchema },
  "Key services that wrap the keys of recordings, beside age recipients or instead of them.",
);
export type KmsConfig = z.output<typeof kmsSection>;

export type OpenedKms = {
  wrappers: { main: KeyWrapper[]; input: KeyWrapper[] };
  openers: KeyOpener[];
};

/** Opens those whose section names a key; the others' SDKs are not loaded. */
export async function openKms(
  config: KmsConfig,
  { clock, env, watch }: { clock: Clock; env: NodeJS.ProcessEnv; watch?: KeyServiceWatch },
): Promise<OpenedKms> {
  const opened: OpenedKms = { wrappers: { main: [], input: [] }, openers: [] };
  const add = async (
    { key, input_key: inputKey }: { key?: string | undefined; input_key?: string | undefined },
    open: () => KeyService | Promise<KeyService>,
  ) => {
    if (key === undefined && inputKey === undefined) return;
    const service = await open();
    const { provider } = service;
    const wrapperOf = (name: string, lane: "main" | "input") => {
      const wrapper = kmsWrapper(service, name, { clock });
      return watch?.watched({ provider, key: name, lane }, wrapper) ?? wrapper;
    };
    if (key !== undefined) opened.wrappers.main.push(wrapperOf(key, "main"));
    if (inputKey !== undefined) opened.wrappers.input.push(wrapperOf(inputKey, "input"));
    opened.openers.push(kmsOpener(service, { clock }));
  };
  await add(config.aws, () => openAwsKeys(config.aws));
  await add(config.gcp, () => openGcpKeys(config.gcp));
  await add(config.azure, () => openAzureKeys(config.azure));
  await add(config.vault, () => openVaultKeys(config.vault, env));
  return opened;
}
