/* One signal: what was seen, the facts side by side, and the case. */
import { useEffect, useId, useState } from 'preact/hooks';
import { addToDiary, anomaly as askSignal, decision as askDecision, setCase } from '../api/calls';
import { asProblem, type Problem } from '../api/client';
import type { AnomalyDetail, AnomalyKind, Case, CaseState, Decision } from '../api/types';
import { AssigneeField, NoteField } from '../components/alert_actions';
import { Badge, CaseBadge } from '../components/badge';
import { DecisionLink } from '../components/decision_link';
import { Diary } from '../components/diary';
import { Dialog } from '../components/dialog';
import { EvidenceView } from '../components/evidence';
import { Await, ProblemNote } from '../components/states';
import { showToast } from '../components/toast';
import { useFormat } from '../format';
import { subscribeLive } from '../live';
import { useLoad } from '../load';
import { mayActOnSignals, useSession } from '../session';
import { domain } from '../texts/domain';
import { signalsTexts } from '../texts/signals';
import { useTexts } from '../texts/dictionary';

const STATES: readonly CaseState[] = ['NEW', 'IN_RESEARCH', 'FOUNDED', 'UNFOUNDED'];
/* Signals about what the decision allows are compared with the decision. */
const BY_DECISION: readonly AnomalyKind[] = ['OUTSIDE_DECISION', 'WRONG_PROVIDER'];

async function loadVersions(signal: AnomalyDetail, stop: AbortSignal): Promise<Decision[]> {
  if (!BY_DECISION.includes(signal.kind)) {
    return [];
  }
  return (await askDecision(signal.municipality, signal.decision, signal.client, stop)).versions;
}

/* Sends something, and keeps what went wrong for the form. */
function useSending(): { busy: boolean; problem: Problem | null; send: (what: () => Promise<void>) => void } {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const send = (what: () => Promise<void>) => {
    setBusy(true);
    setProblem(null);
    what()
      .catch((error: unknown) => setProblem(asProblem(error)))
      .finally(() => setBusy(false));
  };
  return { busy, problem, send };
}

/* What somebody else did to the case while it was being worked on here. */
function Meanwhile({ other }: { other: Case | null }) {
  const t = useTexts(signalsTexts);
  const words = useTexts(domain);
  const f = useFormat();
  return (
    <div role="status">
      {other !== null && other.changed_by !== null && other.changed_at !== null && (
        <p class="note note-warning">
          {t.meanwhile(other.changed_by, f.instant(other.changed_at), words.caseState[other.state], other.assignee)}
        </p>
      )}
    </div>
  );
}

/*
 * The fields follow the case when somebody else changes it, but for those that were filled in here. What was filled in is
 * not sent before the reader has been told of such a change.
 */
function CaseForm({
  signal,
  changed,
  reload,
}: {
  signal: AnomalyDetail;
  changed: (next: Case) => void;
  reload: () => void;
}) {
  const t = useTexts(signalsTexts);
  const words = useTexts(domain);
  const name = useId();
  // The case as it was when the fields were filled from it.
  const [base, setBase] = useState(signal.case);
  const [state, setState] = useState(base.state);
  const [assignee, setAssignee] = useState(base.assignee ?? '');
  const [note, setNote] = useState('');
  const [other, setOther] = useState<Case | null>(null);
  const { busy, problem, send } = useSending();
  const untouched = { state: base.state, assignee: base.assignee ?? '', note: '' };
  /* Fields that still hold what `was` says take over the case; the reader may have gone on typing meanwhile. */
  const follow = (next: Case, was: typeof untouched) => {
    setBase(next);
    setState((now) => (now === was.state ? next.state : now));
    setAssignee((now) => (now === was.assignee ? (next.assignee ?? '') : now));
    setNote((now) => (now === was.note ? '' : now));
  };
  useEffect(() => {
    if (signal.case.changed_at !== base.changed_at) {
      const isTouched = state !== untouched.state || assignee !== untouched.assignee || note.trim() !== '';
      follow(signal.case, untouched);
      setOther(isTouched ? signal.case : null);
    }
  }, [signal.case.changed_at]);
  const submit = (event: Event) => {
    event.preventDefault();
    send(async () => {
      const { case: now } = await askSignal(signal.anomaly_id, new AbortController().signal);
      if (now.changed_at !== base.changed_at) {
        follow(now, untouched);
        setOther(now);
        reload();
        return;
      }
      const who = assignee.trim();
      const next = await setCase(signal.anomaly_id, state, who === '' ? null : who, note.trim());
      follow(next, { state, assignee, note });
      setOther(null);
      changed(next);
      showToast(t.caseSaved);
    });
  };
  return (
    <form class="form" onSubmit={submit}>
      <fieldset class="choice case-states">
        <legend class="label">{t.state}</legend>
        {STATES.map((one) => (
          <label key={one}>
            <input type="radio" name={name} checked={state === one} onChange={() => setState(one)} />
            {words.caseState[one]}
          </label>
        ))}
      </fieldset>
      <AssigneeField label={t.assignee} value={assignee} change={setAssignee} />
      <NoteField label={t.note} value={note} change={setNote} />
      <Meanwhile other={other} />
      {problem !== null && <ProblemNote problem={problem} />}
      <div class="form-end">
        <button type="submit" class="button button-main" disabled={busy}>
          {t.caseSave}
        </button>
      </div>
    </form>
  );
}

function DiaryForm({ signal, changed }: { signal: AnomalyDetail; changed: () => void }) {
  const t = useTexts(signalsTexts);
  const [note, setNote] = useState('');
  const { busy, problem, send } = useSending();
  const submit = (event: Event) => {
    event.preventDefault();
    send(async () => {
      await addToDiary(signal.anomaly_id, note.trim());
      setNote('');
      showToast(t.diaryAdded);
      changed();
    });
  };
  return (
    <form class="form" onSubmit={submit}>
      <NoteField label={t.diaryNote} value={note} change={setNote} required />
      <p class="hint">{t.diaryHint}</p>
      {problem !== null && <ProblemNote problem={problem} />}
      <div class="form-end">
        <button type="submit" class="button" disabled={busy || note.trim() === ''}>
          {t.diaryAdd}
        </button>
      </div>
    </form>
  );
}

function CaseSection({
  signal,
  changed,
  reload,
}: {
  signal: AnomalyDetail;
  changed: (next: Case) => void;
  reload: () => void;
}) {
  const t = useTexts(signalsTexts);
  const f = useFormat();
  const session = useSession();
  const { changed_by: by, changed_at: at } = signal.case;
  const acts = mayActOnSignals(session);
  return (
    <div class="pair">
      <section class="case">
        <h3>{t.caseTitle}</h3>
        {by !== null && at !== null && <p class="hint">{t.changedBy(by, f.instant(at))}</p>}
        {acts ? <CaseForm signal={signal} changed={changed} reload={reload} /> : <p class="muted">{t.readOnly}</p>}
      </section>
      <section class="case">
        <h3>{t.diary}</h3>
        <Diary actions={signal.diary} />
        {acts && <DiaryForm signal={signal} changed={reload} />}
      </section>
    </div>
  );
}

function Facts({ signal, versions }: { signal: AnomalyDetail; versions: Decision[] }) {
  const t = useTexts(signalsTexts);
  const words = useTexts(domain);
  const f = useFormat();
  return (
    <>
      <div class="detail-head">
        <CaseBadge state={signal.case.state} />
        {signal.case.assignee !== null && <span>{t.with(signal.case.assignee)}</span>}
        {signal.status === 'RESOLVED' && <Badge tone="plain">{t.gone}</Badge>}
        <span class="muted">
          {words.provider} {signal.provider} ·{' '}
          <DecisionLink of={signal} />{' '}
          · {signal.client}
        </span>
      </div>
      {signal.status === 'RESOLVED' && <p class="hint">{t.goneHint}</p>}
      <dl class="reading">
        <dt>{t.whatLabel}</dt>
        <dd>{t.what[signal.kind]}</dd>
        <dt>{t.mayLabel}</dt>
        <dd>{t.may[signal.kind]}.</dd>
      </dl>
      <p class="note note-plain">{words.provesNothing}</p>
      <section>
        <h3>{t.evidence}</h3>
        <EvidenceView signal={signal} evidence={signal.evidence} versions={versions} />
      </section>
      <details>
        <summary>{t.history}</summary>
        <ul class="workflow">
          {signal.revisions.map((revision) => (
            <li key={revision.revision}>
              {f.instant(revision.observed_at)}: {revision.status === 'OPEN' ? t.seen : t.gone}
            </li>
          ))}
        </ul>
      </details>
    </>
  );
}

/* `changed` gets the case as it is afterwards. */
export function SignalDetailDialog({
  id,
  close,
  changed,
}: {
  id: string;
  close: () => void;
  changed: (next: Case) => void;
}) {
  const t = useTexts(signalsTexts);
  const words = useTexts(domain);
  const loaded = useLoad(id, async (stop) => {
    const signal = await askSignal(id, stop);
    return { signal, versions: await loadVersions(signal, stop).catch(() => []) };
  });
  const { reload } = loaded;
  useEffect(
    () => subscribeLive({ anomaly: (signal) => signal.anomaly_id === id && reload(), gap: reload }),
    [id, reload],
  );
  return (
    <Dialog title={loaded.data === null ? t.details : words.anomalyKind[loaded.data.signal.kind]} close={close} wide>
      <Await of={loaded}>
        {({ signal, versions }) => (
          <div class="stack">
            <Facts signal={signal} versions={versions} />
            <CaseSection
              signal={signal}
              reload={reload}
              changed={(next) => {
                changed(next);
                reload();
              }}
            />
          </div>
        )}
      </Await>
    </Dialog>
  );
}
