/* What people do about an alert: assign, acknowledge, snooze, and report that its evaluation was held. */
import type { ComponentChildren } from 'preact';
import { useId, useState } from 'preact/hooks';
import { acknowledgeAlert, assignAlert, reportEvaluation, snoozeAlert } from '../api/calls';
import { asProblem, type Problem } from '../api/client';
import type { Alert, AlertWorkflow, Outcome } from '../api/types';
import { useDimensions } from '../dimensions';
import { expectNothing, expectResolved, isExpected, useExpected } from '../evaluations';
import { addDays, useFormat } from '../format';
import { mayActOnAlerts, useSession } from '../session';
import { alertActionTexts } from '../texts/alert_actions';
import { common } from '../texts/common';
import { domain } from '../texts/domain';
import { useTexts } from '../texts/dictionary';
import { Dialog } from './dialog';
import { ProblemNote, useProblemText } from './states';
import { showToast } from './toast';

const OUTCOMES: readonly Outcome[] = ['CONTINUE', 'ADJUST', 'DOWNSCALE', 'END'];
const NOTE_MAX = 4000;
const NAME_MAX = 100;

/* A form in a dialog: sends, shows what went wrong, and closes when it went well; `send` gives false to stay open. */
export function ActionForm({
  title,
  submit,
  send,
  close,
  children,
}: {
  title: string;
  submit: string;
  send: () => Promise<boolean | void>;
  close: () => void;
  children: ComponentChildren;
}) {
  const shared = useTexts(common);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const onSubmit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      if ((await send()) === false) {
        setBusy(false);
      } else {
        close();
      }
    } catch (error) {
      setProblem(asProblem(error));
      setBusy(false);
    }
  };
  return (
    <Dialog title={title} close={close}>
      <form class="form" onSubmit={(event) => void onSubmit(event)}>
        {children}
        {problem !== null && <ProblemNote problem={problem} />}
        <div class="form-end">
          <button type="button" class="button" onClick={close}>
            {shared.cancel}
          </button>
          <button type="submit" class="button button-main" disabled={busy}>
            {submit}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

export function NoteField({
  label,
  value,
  change,
  required,
}: {
  label: string;
  value: string;
  change: (text: string) => void;
  required?: boolean;
}) {
  const id = useId();
  return (
    <div>
      <label class="label" for={id}>
        {label}
      </label>
      <textarea
        id={id}
        class="field"
        maxLength={NOTE_MAX}
        required={required ?? false}
        value={value}
        onInput={(event) => change(event.currentTarget.value)}
      />
    </div>
  );
}

interface FormProps {
  alert: Alert;
  close: () => void;
  changed: (workflow: AlertWorkflow) => void;
}

export function AssigneeField({
  label,
  value,
  change,
}: {
  label: string;
  value: string;
  change: (name: string) => void;
}) {
  const t = useTexts(alertActionTexts);
  const session = useSession();
  const assignees = useDimensions()?.assignees ?? [];
  const id = useId();
  return (
    <div>
      <label class="label" for={id}>
        {label}
      </label>
      <input
        id={id}
        class="field"
        list={`${id}-names`}
        autocomplete="off"
        maxLength={NAME_MAX}
        value={value}
        aria-describedby={`${id}-hint`}
        onInput={(event) => change(event.currentTarget.value)}
      />
      <datalist id={`${id}-names`}>
        {assignees.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      <p id={`${id}-hint`} class="hint">
        {t.assignHint}
      </p>
      <button type="button" class="button button-small" onClick={() => change(session.name)}>
        {t.toMe}
      </button>
    </div>
  );
}

function AssignForm({ alert, close, changed }: FormProps) {
  const t = useTexts(alertActionTexts);
  const [name, setName] = useState(alert.workflow.assignee ?? '');
  const send = async () => {
    const assignee = name.trim() === '' ? null : name.trim();
    changed(await assignAlert(alert.alert_id, assignee));
    showToast(assignee === null ? t.unassigned : t.assigned(assignee));
  };
  return (
    <ActionForm title={t.assignTitle} submit={t.assign} send={send} close={close}>
      <AssigneeField label={t.assignee} value={name} change={setName} />
    </ActionForm>
  );
}

function AcknowledgeForm({ alert, close, changed }: FormProps) {
  const t = useTexts(alertActionTexts);
  const [note, setNote] = useState('');
  const send = async () => {
    changed(await acknowledgeAlert(alert.alert_id, note.trim()));
    showToast(t.acknowledged);
  };
  return (
    <ActionForm title={t.acknowledgeTitle} submit={t.acknowledge} send={send} close={close}>
      <p class="hint">{t.acknowledgeHint}</p>
      <NoteField label={t.noteOptional} value={note} change={setNote} />
    </ActionForm>
  );
}

function SnoozeForm({ alert, close, changed }: FormProps) {
  const t = useTexts(alertActionTexts);
  const f = useFormat();
  const { today } = useSession();
  const id = useId();
  const [until, setUntil] = useState(alert.workflow.snoozed_until ?? addDays(today, 7));
  const [note, setNote] = useState('');
  const send = async () => {
    changed(await snoozeAlert(alert.alert_id, until, note.trim()));
    showToast(t.snoozed(f.date(until)));
  };
  return (
    <ActionForm title={t.snoozeTitle} submit={t.snooze} send={send} close={close}>
      <p class="hint">{t.snoozeHint}</p>
      <div>
        <label class="label" for={id}>
          {t.snoozeUntil}
        </label>
        <input
          id={id}
          class="field"
          type="date"
          required
          min={addDays(today, 1)}
          value={until}
          onChange={(event) => setUntil(event.currentTarget.value)}
        />
      </div>
      <div class="button-row">
        {[1, 2, 4].map((weeks) => (
          <button
            key={weeks}
            type="button"
            class="button button-small"
            onClick={() => setUntil(addDays(today, 7 * weeks))}
          >
            {t.inWeeks(weeks)}
          </button>
        ))}
      </div>
      <NoteField label={t.noteOptional} value={note} change={setNote} />
    </ActionForm>
  );
}

function EvaluationForm({ alert, close, changed }: FormProps) {
  const t = useTexts(alertActionTexts);
  const words = useTexts(domain);
  const { today } = useSession();
  const id = useId();
  const [heldOn, setHeldOn] = useState(today);
  const [outcome, setOutcome] = useState<Outcome>('CONTINUE');
  const [note, setNote] = useState('');
  const send = async () => {
    const id = alert.alert_id;
    expectResolved(id);
    const { closes } = await reportEvaluation(id, heldOn, outcome, note.trim()).catch((error: unknown) => {
      expectNothing(id);
      throw error;
    });
    changed({ ...alert.workflow, evaluation_reported_at: new Date().toISOString() });
    if (!closes) {
      expectNothing(id);
      showToast(t.evaluatedElsewhere);
    } else if (isExpected(id)) {
      showToast(t.evaluated);
    }
  };
  return (
    <ActionForm title={t.evaluateTitle} submit={t.evaluate} send={send} close={close}>
      <p class="hint">{t.evaluateHint}</p>
      <div>
        <label class="label" for={id}>
          {t.heldOn}
        </label>
        <input
          id={id}
          class="field"
          type="date"
          required
          max={today}
          value={heldOn}
          onChange={(event) => setHeldOn(event.currentTarget.value)}
        />
      </div>
      <fieldset class="choice">
        <legend class="label">{t.outcome}</legend>
        {OUTCOMES.map((one) => (
          <label key={one}>
            <input type="radio" name={`${id}-outcome`} checked={outcome === one} onChange={() => setOutcome(one)} />
            {words.outcome[one]}
          </label>
        ))}
      </fieldset>
      <NoteField label={t.noteOptional} value={note} change={setNote} />
    </ActionForm>
  );
}

export type AlertAction = 'evaluate' | 'assign' | 'acknowledge' | 'snooze' | 'snoozeEnd';

/* What can be done about the alert as it stands, what is likeliest first. */
export function alertActions(alert: Alert): AlertAction[] {
  const snooze: AlertAction = alert.workflow.state === 'SNOOZED' ? 'snoozeEnd' : 'snooze';
  const actions: AlertAction[] = ['assign', 'acknowledge', snooze];
  return alert.kind === 'EVALUATION_DUE' && alert.status === 'OPEN' ? ['evaluate', ...actions] : actions;
}

/* Ends the snooze at once; it asks nothing. */
export function useEndSnooze(): (alert: Alert, changed: (workflow: AlertWorkflow) => void) => void {
  const t = useTexts(alertActionTexts);
  const problemText = useProblemText();
  return (alert, changed) => {
    snoozeAlert(alert.alert_id, null, '').then(
      (workflow) => {
        changed(workflow);
        showToast(t.unsnoozed);
      },
      (error: unknown) =>
        showToast(problemText(asProblem(error)), 'critical'),
    );
  };
}

export function AlertForm({ action, ...props }: FormProps & { action: Exclude<AlertAction, 'snoozeEnd'> }) {
  switch (action) {
    case 'evaluate':
      return <EvaluationForm {...props} />;
    case 'assign':
      return <AssignForm {...props} />;
    case 'acknowledge':
      return <AcknowledgeForm {...props} />;
    case 'snooze':
      return <SnoozeForm {...props} />;
  }
}

/* `changed` gets the workflow as it is afterwards. Nothing is drawn for roles that may not act. */
export function AlertActions({ alert, changed }: { alert: Alert; changed: (workflow: AlertWorkflow) => void }) {
  const t = useTexts(alertActionTexts);
  const session = useSession();
  const endSnooze = useEndSnooze();
  const [form, setForm] = useState<Exclude<AlertAction, 'snoozeEnd'> | null>(null);
  if (!mayActOnAlerts(session)) {
    return null;
  }
  return (
    <div class="button-row" role="group" aria-label={t.actions}>
      {alertActions(alert).map((action) => (
        <button
          key={action}
          type="button"
          class={action === 'evaluate' ? 'button button-small button-main' : 'button button-small'}
          onClick={() => (action === 'snoozeEnd' ? endSnooze(alert, changed) : setForm(action))}
        >
          {t[action]}
        </button>
      ))}
      {form !== null && <AlertForm action={form} alert={alert} changed={changed} close={() => setForm(null)} />}
    </div>
  );
}

/* What was done so far, in short lines. */
export function WorkflowLines({ workflow }: { workflow: AlertWorkflow }) {
  const t = useTexts(alertActionTexts);
  const f = useFormat();
  const lines: string[] = [];
  if (workflow.assignee !== null) {
    lines.push(t.assignedTo(workflow.assignee));
  }
  if (workflow.state === 'SNOOZED' && workflow.snoozed_until !== null) {
    lines.push(t.snoozedUntil(f.date(workflow.snoozed_until)));
  }
  if (workflow.state === 'ACKNOWLEDGED' && workflow.acknowledged_by !== null && workflow.acknowledged_at !== null) {
    lines.push(t.by(workflow.acknowledged_by, f.instant(workflow.acknowledged_at)));
  }
  if (workflow.evaluation_reported_at !== null) {
    lines.push(t.reportedAt(f.instant(workflow.evaluation_reported_at)));
  }
  if (workflow.note !== null && workflow.note !== '') {
    lines.push(`“${workflow.note}”`);
  }
  if (lines.length === 0) {
    return null;
  }
  return (
    <ul class="workflow">
      {lines.map((line) => (
        <li key={line}>{line}</li>
      ))}
    </ul>
  );
}

/* An evaluation was reported here, and the processor has not resolved the alert yet. */
export function EvaluationProgress({ alert }: { alert: Alert }) {
  const t = useTexts(alertActionTexts);
  const expected = useExpected(alert.alert_id);
  if (!expected || alert.status !== 'OPEN') {
    return null;
  }
  return (
    <p class="processing" role="status">
      <span class="spinner" aria-hidden="true" />
      {t.processing}
    </p>
  );
}
