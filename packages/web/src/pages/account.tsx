import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Factors } from "../account/factors.tsx";
import { Password } from "../account/password.tsx";
import { SignIns } from "../account/sign-ins.tsx";
import { StepUp } from "../account/step-up.tsx";
import { queries } from "../gateway.ts";
import { SkeletonRows } from "../ui/states.tsx";
import { PageHead, Part } from "./page-head.tsx";

/** How one signs in oneself, and where one is signed in. */
export function AccountPage() {
  const { data: me } = useQuery(queries.me);
  const factors = useQuery({ ...queries.factors(me?.id ?? ""), enabled: me !== undefined });
  if (!me) return <SkeletonRows />;
  return (
    <>
      <PageHead title="Your account" note={me.name}>
        <Link
          to="/people/$personId"
          params={{ personId: me.id }}
          className="font-medium text-accent underline-offset-2 hover:underline"
        >
          Keys, certificates and roles
        </Link>
      </PageHead>
      <div className="grid max-w-4xl grid-cols-[minmax(0,1fr)] px-4 pb-10">
        <Part title="Password" note="What you sign in with here and on the command line.">
          <Password personId={me.id} name={me.name} isOwn mayWrite />
        </Part>
        <Part title="Second factors" note="Asked for beside a password. A passkey alone is two in one.">
          <Factors personId={me.id} isOwn mayReset={false} />
        </Part>
        {(factors.data?.items.length ?? 0) > 0 && (
          <Part title="Second factor, now" note="Some targets open only to one given a short while ago.">
            <StepUp personId={me.id} />
          </Part>
        )}
        <Part title="Signed in" note="Browsers and command lines. Ending one ends its certificates.">
          <SignIns personId={me.id} mayWrite />
        </Part>
      </div>
    </>
  );
}
