import type { ComponentChildren } from 'preact';
import type { AlertKind, Severity } from '../api/types';
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

export function useAlertKind(): (kind: AlertKind) => string {
  const t = useTexts(domain);
  return (kind) => t.alertKind[kind];
}
