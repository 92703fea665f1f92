/** Who may do what, proved at one whole gateway: every route and method, the rights of the specification, and no secret told. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { startAccessStage } from "../parts/access-stage.ts";
import { freePort } from "../parts/free-port.ts";
import { startKeyServiceContract } from "../parts/key-service-contract.ts";
import { checkTheWholeMatrix } from "./access-proof/matrix.ts";
import { given, lookForSecrets, startUnwillingProvider } from "./access-proof/secrets.ts";
import { checkWhoSeesWhat } from "./access-proof/viewing.ts";
import { walkEveryRouteAndMethod } from "./access-proof/walk.ts";

// Every kind of secret that an operator gives a gateway, each with a value that can be found again.
const dataDir = mkdtempSync(join(tmpdir(), "gatehouse-"));
after(() => rmSync(dataDir, { recursive: true, force: true }));
mkdirSync(join(dataDir, "keys"), { mode: 0o700 });
writeFileSync(join(dataDir, "keys", "oidc_client_secret"), `${given.clientSecret}\n`, { mode: 0o600 });
const keyService = await startKeyServiceContract();
after(() => keyService.close());
const provider = await startUnwillingProvider(await freePort());
after(() => provider.close());

const stage = await startAccessStage({
  dataDir,
  config: {
    recording: { journal: { capacity: "16 MiB" }, recipients: ["gateway"] },
    kms: { vault: { key: "recordings", address: keyService.endpoint } },
    oidc: { issuer: provider.issuer, client_secret: "oidc_client_secret", create: "anybody" },
    postgres: { listen: "127.0.0.1:0" },
  },
  env: { VAULT_TOKEN: given.keyServiceToken, AWS_SECRET_ACCESS_KEY: given.storeKey },
});
after(() => stage.close());

await walkEveryRouteAndMethod(stage);
checkTheWholeMatrix(stage);
checkWhoSeesWhat(stage);
// Last, when all of this has left what it leaves.
lookForSecrets(stage);
