import type { Enrolled, Me, SecondStep } from "@gatehouse/contracts/rest";
import { useState } from "react";
import { AddFactor } from "../account/add-factor.tsx";
import { RecoveryCodes } from "../account/recovery-codes.tsx";
import { gateway } from "../gateway.ts";
import { Button } from "../ui/elements.tsx";

/** For whoever must have a second factor and has none: it comes before everything else. */
export function Enrolment({ step, onEnter }: { step: SecondStep; onEnter: (me: Me) => Promise<void> }) {
  const [done, setDone] = useState<Enrolled>();
  const { ticket } = step;
  if (done)
    return (
      <div className="grid gap-3">
        <RecoveryCodes codes={done.recoveryCodes ?? []} />
        <Button tone="primary" onClick={() => void onEnter(done.me)}>
          Go on
        </Button>
      </div>
    );
  return (
    <div className="grid gap-3">
      <h2 className="text-base">Add a second factor</h2>
      <p className="text-soft">
        It is required here, and you have none yet. You will be asked for it whenever you sign in.
      </p>
      <AddFactor
        offerTotp={() => gateway.auth.offerTotp({ ticket })}
        offerPasskey={() => gateway.auth.offerPasskey({ ticket })}
        add={async (added) => setDone(await gateway.auth.enrol(added))}
      />
    </div>
  );
}
