import type { ComponentChildren } from 'preact';
import type { AlertKind, CaseState, Severity } from '../api/types';
import { domain } from '../texts/domain';
import { useTexts } from '../texts/dictionary';

export type Tone = 'critical' | 'warning' | 'info' | 'good' | 'plain';

export function Badge({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  return <span class={`badge badge-${tone}`}>{children}</span>;
}

export function severityTone(severity: Severity): Tone {
  switch (severity) {
    case 'CRITICAL':
      return 'critical';
    case 'WARNING':
      return 'warning';
    case 'INFO':
      return 'info';
  }
}

export function SeverityBadge({ severity }: { severity: Severity }) {
  return <Badge tone={severityTone(severity)}>{useTexts(domain).severity[severity]}</Badge>;
}

/* Neutral tones: a founded signal is no alarm, an unfounded one no success. */
const caseTones: Record<CaseState, Tone> = { NEW: 'plain', IN_RESEARCH: 'info', FOUNDED: 'warning', UNFOUNDED: 'good' };

/* With a count: how many cases stand so. */
export function CaseBadge({ state, count }: { state: CaseState; count?: string }) {
  const text = useTexts(domain).caseState[state];
  return <Badge tone={caseTones[state]}>{count === undefined ? text : `${text} ${count}`}</Badge>;
}

export function useAlertKind(): (kind: AlertKind) => string {
  const t = useTexts(domain);
  return (kind) => t.alertKind[kind];
}
