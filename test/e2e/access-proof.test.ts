/** Who may do what, proved at one whole gateway: every route and method, and the rights that the specification gives. */
import { after } from "node:test";
import { startAccessStage } from "../parts/access-stage.ts";
import { checkTheWholeMatrix } from "./access-proof/matrix.ts";
import { walkEveryRouteAndMethod } from "./access-proof/walk.ts";

const stage = await startAccessStage();
after(() => stage.close());

await walkEveryRouteAndMethod(stage);
checkTheWholeMatrix(stage);
