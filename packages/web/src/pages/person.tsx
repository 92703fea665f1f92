import type { Person, PersonUpdate } from "@gatehouse/contracts/rest";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, getRouteApi } from "@tanstack/react-router";
import { Link2, UserRoundCheck, UserRoundX } from "lucide-react";
import { useState } from "react";
import { Factors } from "../account/factors.tsx";
import { Password } from "../account/password.tsx";
import { SignIns } from "../account/sign-ins.tsx";
import { gateway, queries } from "../gateway.ts";
import { LockButton } from "../locks/lock-form.tsx";
import { StandingLocks } from "../locks/standing.tsx";
import { RoleChoice } from "../people/roles.tsx";
import { Certificates } from "../people/certificates.tsx";
import { SshKeys } from "../people/ssh-keys.tsx";
import { Tokens } from "../tokens/tokens.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Badge, Button, Command, Time } from "../ui/elements.tsx";
import { InlineProblem, Problem, SkeletonRows, StaleNote } from "../ui/states.tsx";
import { PageHead, Part } from "./page-head.tsx";

const route = getRouteApi("/shell/people/$personId");

/** A person as administrators and they themselves see it: one's own page is where one's keys are. */
export function PersonPage() {
  const { personId } = route.useParams();
  const me = useQuery(queries.me);
  const query = useQuery(queries.person(personId));
  if (query.isError && !query.data)
    return <Problem error={query.error} onRetry={() => void query.refetch()} />;
  if (!query.data || !me.data) return <SkeletonRows />;
  const person = query.data;
  const isOwn = me.data.id === person.id;
  const mayWrite = me.data.may.includes("person.write");
  const mayLock = me.data.may.includes("lock.write");
  return (
    <>
      <StaleNote query={query} />
      <PageHead
        title={person.displayName ?? person.name}
        note={
          <>
            {person.displayName !== null && person.name} {isOwn && "(you)"}{" "}
            {person.disabled && <Badge tone="attention">shut out</Badge>}
          </>
        }
      >
        <Link
          to="/sessions"
          search={{ user: person.name }}
          className="font-medium text-accent underline-offset-2 hover:underline"
        >
          {isOwn ? "Your sessions" : "Their sessions"}
        </Link>
        {isOwn && (
          <Link to="/account" className="font-medium text-accent underline-offset-2 hover:underline">
            Your account
          </Link>
        )}
        {mayWrite && <SignInLink person={person} />}
        {mayWrite && !isOwn && <ShutOut person={person} />}
        {mayLock && !isOwn && <LockButton on="user" name={person.name} />}
      </PageHead>
      {me.data.may.includes("lock.read") && <StandingLocks on="user" name={person.name} mayLift={mayLock} />}
      <div className="grid max-w-4xl grid-cols-[minmax(0,1fr)] px-4 pb-10">
        <Part title="Password" note="What they sign in with here and on the command line.">
          <Password personId={person.id} name={person.name} isOwn={isOwn} mayWrite={mayWrite || isOwn} />
        </Part>
        {!isOwn && (
          <Part title="Second factors" note="What they are asked for beside a password.">
            <Factors personId={person.id} isOwn={false} mayReset={mayWrite} />
          </Part>
        )}
        {!isOwn && (
          <Part title="Signed in" note="Browsers and command lines. Ending one ends its certificates.">
            <SignIns personId={person.id} mayWrite={mayWrite} />
          </Part>
        )}
        <Part
          title="SSH keys"
          note="What the gate knows them by. The private half never leaves their machine."
        >
          <SshKeys personId={person.id} mayWrite={mayWrite || isOwn} />
        </Part>
        <Part
          title="Certificates"
          note="Short-lived, for keys that the command line made for ssh or a database. Each ends with its sign-in."
        >
          <Certificates personId={person.id} mayWrite={mayWrite || isOwn} />
        </Part>
        <Part title="API tokens" note="What programs sign in with, as them, for what each names.">
          <Tokens personId={person.id} isOwn={isOwn} mayWrite={mayWrite || isOwn} />
        </Part>
        <Part title="Roles" note="What they may see and do here.">
          <Roles key={person.roles.join()} person={person} mayWrite={mayWrite} />
        </Part>
        <p className="pt-4 text-xs text-faint">
          Added <Time iso={person.createdAt} />
          {person.lastSeenAt && (
            <>
              , last seen <Time iso={person.lastSeenAt} />
            </>
          )}
        </p>
      </div>
    </>
  );
}

function useChange(person: Person) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (change: PersonUpdate) => gateway.people.update(person.id, change),
    onSuccess: async (changed) => {
      client.setQueryData(queries.person(person.id).queryKey, changed);
      await client.invalidateQueries({ queryKey: ["people"] });
    },
  });
}

function Roles({ person, mayWrite }: { person: Person; mayWrite: boolean }) {
  const [roles, setRoles] = useState(person.roles);
  const change = useChange(person);
  const isSame = roles.length === person.roles.length && roles.every((role) => person.roles.includes(role));
  return (
    <div className="grid gap-3">
      <RoleChoice roles={roles} isDisabled={!mayWrite} onChange={setRoles} />
      {change.isError && <InlineProblem error={change.error} />}
      {mayWrite && (
        <Button
          className="justify-self-end"
          disabled={isSame || change.isPending}
          onClick={() => change.mutate({ roles })}
        >
          Save
        </Button>
      )}
    </div>
  );
}

function ShutOut({ person }: { person: Person }) {
  const change = useChange(person);
  return (
    <>
      {change.isError && <InlineProblem error={change.error} />}
      <Button
        tone={person.disabled ? "plain" : "danger"}
        disabled={change.isPending}
        onClick={() => change.mutate({ disabled: !person.disabled })}
      >
        {person.disabled ? (
          <>
            <UserRoundCheck size={15} aria-hidden /> Let in again
          </>
        ) : (
          <>
            <UserRoundX size={15} aria-hidden /> Shut out
          </>
        )}
      </Button>
    </>
  );
}

function SignInLink({ person }: { person: Person }) {
  const link = useMutation({ mutationFn: () => gateway.people.signInLink(person.id) });
  return (
    <>
      <Button disabled={link.isPending} onClick={() => link.mutate()}>
        <Link2 size={15} aria-hidden /> One-time link
      </Button>
      <Dialog
        title={`A link for ${person.name}`}
        isOpen={link.data !== undefined || link.isError}
        onClose={() => link.reset()}
      >
        {link.isError && <InlineProblem error={link.error} />}
        {link.data && (
          <div className="grid gap-3">
            <p className="text-soft">
              Whoever opens it first is signed in as {person.name}. It works once, until{" "}
              <Time iso={link.data.expiresAt} />, and is not shown again.
            </p>
            <Command text={link.data.url} />
          </div>
        )}
      </Dialog>
    </>
  );
}
