/* A decision by its municipality and number, which leads to it. */
import { href } from '../router';

export interface DecisionKey {
  municipality: string;
  decision: string;
  client: string;
}

export const decisionHref = ({ municipality, decision, client }: DecisionKey) =>
  href(['decisions', municipality, decision], { client });

/* Numbers have hyphens, at which they are not to be cut; those that nobody would read as a whole may be. */
const WHOLE_MAX = 24;

export function DecisionLink({ of }: { of: DecisionKey }) {
  return (
    <a class={of.decision.length > WHOLE_MAX ? 'break' : 'nowrap'} href={decisionHref(of)}>
      {of.municipality} · {of.decision}
    </a>
  );
}
