/* Webhooks: where events are sent, whether they arrive, and what was sent. */
import { useState } from 'preact/hooks';
import {
  changeWebhook,
  createWebhook,
  deleteWebhook,
  deliveries,
  pauseWebhook,
  replayDelivery,
  replayWebhook,
  resumeWebhook,
  rotateWebhookSecret,
  takeWebhook,
  testWebhook,
  webhooks,
} from '../api/calls';
import { asProblem } from '../api/client';
import type { Delivery, DeliveryState, Webhook, WebhookFilter, WebhookState } from '../api/types';
import { ActionForm } from '../components/alert_actions';
import { Badge, type Tone } from '../components/badge';
import { Dialog } from '../components/dialog';
import { Checks, Choice, InputField } from '../components/form';
import { Menu, type MenuItem } from '../components/menu';
import { PagedEnd, usePaged } from '../components/paged';
import { SecretDialog } from '../components/secret';
import { Await, Empty, Loading, useProblemText } from '../components/states';
import { Table, type Column } from '../components/table';
import { showToast } from '../components/toast';
import { useFormat } from '../format';
import { useLoad } from '../load';
import { administrationTexts } from '../texts/administration';
import { domain } from '../texts/domain';
import { useTexts } from '../texts/dictionary';

const NAME_MAX = 100;
const URL_MAX = 2000;
const OVERLAP_MAX = 168;

const webhookTones: Record<WebhookState, Tone> = {
  ACTIVE: 'good',
  PAUSED: 'plain',
  DISABLED: 'warning',
  STOPPED: 'warning',
};
const deliveryTones: Record<DeliveryState, Tone> = {
  NEW: 'plain',
  WAITING: 'plain',
  READY: 'info',
  DELIVERED: 'good',
  FAILED: 'critical',
  CANCELLED: 'plain',
};

/* What is shown of a secret that was just made. */
type Made = (name: string, secret: string) => void;

interface FormProps {
  close: () => void;
  done: () => void;
}

/* ---- forms ---- */

type Topics = '' | 'alerts' | 'anomalies';
type FilterName = keyof WebhookFilter;

function WishForm({ webhook, close, done, made }: FormProps & { webhook: Webhook | null; made: Made }) {
  const t = useTexts(administrationTexts);
  const words = useTexts(domain);
  const [name, setName] = useState(webhook?.name ?? '');
  const [url, setUrl] = useState(webhook?.url ?? 'https://');
  const [filter, setFilter] = useState<WebhookFilter>(webhook?.filter ?? {});
  const value = (key: FilterName) => filter[key] ?? '';
  const change = (key: FilterName) => (next: string) =>
    setFilter((before) => ({ ...before, [key]: next.replace(/\s+/g, '') }));
  const named = (names: Record<string, string>) =>
    Object.entries(names).map(([code, label]) => ({ value: code, label }));
  const topics = value('topics') as Topics;
  const kinds = [
    ...(topics === 'anomalies' ? [] : named(words.alertKind)),
    ...(topics === 'alerts' ? [] : named(words.anomalyKind)),
  ];
  const send = async () => {
    const known = new Set(kinds.map((kind) => kind.value));
    const kind = value('kind')
      .split(',')
      .filter((one) => known.has(one))
      .join(',');
    const chosen = Object.entries({ ...filter, kind }).filter(([, text]) => text !== '');
    const wish = { name: name.trim(), url: url.trim(), filter: Object.fromEntries(chosen) as WebhookFilter };
    if (webhook === null) {
      const answer = await createWebhook(wish);
      made(answer.name, answer.secret);
      showToast(t.webhookCreated);
    } else {
      await changeWebhook(webhook.id, wish);
      showToast(t.saved);
    }
    done();
  };
  return (
    <ActionForm
      title={webhook === null ? t.webhookNew : t.editTitle(webhook.name)}
      submit={webhook === null ? t.webhookCreate : t.edit}
      send={send}
      close={close}
    >
      <InputField label={t.name} value={name} change={setName} required maxLength={NAME_MAX} />
      <InputField label={t.url} value={url} change={setUrl} type="url" hint={t.urlHint} required maxLength={URL_MAX} />
      <Choice<Topics>
        label={t.topics}
        value={topics}
        options={[
          { value: '', label: t.topicsBoth },
          { value: 'alerts', label: t.topicsAlerts },
          { value: 'anomalies', label: t.topicsSignals },
        ]}
        change={change('topics')}
      />
      <details>
        <summary>{t.filter}</summary>
        <div class="form">
          <Checks label={t.kinds} value={value('kind')} options={kinds} change={change('kind')} />
          {topics !== 'anomalies' && (
            <Checks
              label={t.severities}
              value={value('severity')}
              options={named(words.severity)}
              change={change('severity')}
            />
          )}
          <Checks label={t.statuses} value={value('status')} options={named(words.status)} change={change('status')} />
          <InputField
            label={t.municipalities}
            value={value('municipality')}
            change={change('municipality')}
            hint={t.webhookMunicipalitiesHint}
          />
          <InputField
            label={t.providers}
            value={value('provider')}
            change={change('provider')}
            hint={t.providersHint}
          />
          <InputField label={words.client} value={value('client')} change={change('client')} />
          <InputField label={words.decision} value={value('decision')} change={change('decision')} />
        </div>
      </details>
    </ActionForm>
  );
}

function RotateForm({ webhook, close, done, made }: FormProps & { webhook: Webhook; made: Made }) {
  const t = useTexts(administrationTexts);
  const [hours, setHours] = useState('24');
  const send = async () => {
    const answer = await rotateWebhookSecret(webhook.id, Number(hours));
    made(answer.name, answer.secret);
    done();
  };
  return (
    <ActionForm title={t.rotateTitle(webhook.name)} submit={t.rotate} send={send} close={close}>
      <p>{t.rotateText}</p>
      <InputField label={t.overlap} value={hours} change={setHours} type="number" min={0} max={OVERLAP_MAX} required />
    </ActionForm>
  );
}

/* An instant as such a field has it, in the reader's own zone. */
function localText(ms: number): string {
  return new Date(ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

function ReplayForm({ webhook, close, done }: FormProps & { webhook: Webhook }) {
  const t = useTexts(administrationTexts);
  const [since, setSince] = useState(localText(Date.now() - 3_600_000));
  const send = async () => {
    await replayWebhook(webhook.id, new Date(since).toISOString());
    showToast(t.replayStarted);
    done();
  };
  return (
    <ActionForm title={t.replayTitle(webhook.name)} submit={t.again} send={send} close={close}>
      <p>{t.replayText}</p>
      <InputField
        label={t.since}
        value={since}
        change={setSince}
        type="datetime-local"
        max={localText(Date.now())}
        required
      />
    </ActionForm>
  );
}

function RemoveForm({ webhook, close, done }: FormProps & { webhook: Webhook }) {
  const t = useTexts(administrationTexts);
  const send = async () => {
    await deleteWebhook(webhook.id);
    showToast(t.removed);
    done();
  };
  return (
    <ActionForm title={t.removeTitle(webhook.name)} submit={t.remove} send={send} close={close}>
      <p>{t.removeText}</p>
    </ActionForm>
  );
}

/* ---- the log ---- */

function Log({ webhook, close }: { webhook: Webhook; close: () => void }) {
  const t = useTexts(administrationTexts);
  const f = useFormat();
  const problemText = useProblemText();
  const list = usePaged(
    String(webhook.id),
    (after, signal) => deliveries(webhook.id, { after, limit: 50 }, signal),
    (row) => String(row.id),
  );
  const again = (row: Delivery) =>
    replayDelivery(webhook.id, row.id).then(
      () => {
        showToast(t.againDone);
        list.reload();
      },
      (error: unknown) =>
        showToast(problemText(asProblem(error)), 'critical'),
    );
  const columns: Column<Delivery>[] = [
    {
      key: 'event',
      title: t.event,
      head: true,
      value: (row) => (
        <span class="two-lines">
          <span>{row.event_type}</span>
          <span class="hint break">{row.event_id}</span>
        </span>
      ),
    },
    {
      key: 'state',
      title: t.stateLabel,
      value: (row) => <Badge tone={deliveryTones[row.state]}>{t.deliveryState[row.state]}</Badge>,
    },
    { key: 'queued', title: t.queued, value: (row) => f.instant(row.queued_at) },
    { key: 'attempts', title: t.attempts, number: true, value: (row) => f.number(row.attempts) },
    {
      key: 'answer',
      title: t.answer,
      value: (row) =>
        row.attempts === 0
          ? '–'
          : (row.last_error ?? (row.last_status === null ? t.noAnswer : String(row.last_status))),
    },
    {
      key: 'actions',
      title: t.actions,
      value: (row) =>
        row.finished_at === null ? (
          ''
        ) : (
          <button
            type="button"
            class="button button-small"
            aria-label={`${t.again}: ${row.event_id}`}
            onClick={() => void again(row)}
          >
            {t.again}
          </button>
        ),
    },
  ];
  return (
    <Dialog title={t.logTitle(webhook.name)} close={close} wide>
      <div class="list-start">
        <button type="button" class="button button-small" onClick={list.reload}>
          {t.refresh}
        </button>
      </div>
      {list.rows === null && list.problem === null && <Loading />}
      {list.rows !== null && list.rows.length > 0 && (
        <Table caption={t.logCaption} columns={columns} rows={list.rows} rowKey={(row) => String(row.id)} />
      )}
      {list.rows?.length === 0 && <Empty>{t.logEmpty}</Empty>}
      <PagedEnd list={list} />
    </Dialog>
  );
}

/* ---- the list ---- */

/* A filter in words. */
function useFilterText(): (filter: WebhookFilter) => string {
  const t = useTexts(administrationTexts);
  const words = useTexts(domain);
  const codes: Record<string, string> = {
    ...words.alertKind,
    ...words.anomalyKind,
    ...words.severity,
    ...words.status,
    alerts: t.topicsAlerts,
    anomalies: t.topicsSignals,
  };
  const named = (text: string | undefined) => (text ?? '').split(',').map((code) => codes[code] ?? code);
  const of = (label: string, text: string | undefined) => (text === undefined ? [] : `${label} ${text}`);
  return ({ topics, kind, severity, status, municipality, provider, client, decision }) => {
    const parts = [
      named(topics),
      named(kind),
      named(severity),
      named(status),
      of(words.municipality.toLowerCase(), municipality),
      of(words.provider.toLowerCase(), provider),
      of(words.client.toLowerCase(), client),
      of(words.decision.toLowerCase(), decision),
    ];
    const texts = parts.map((part) => [part].flat().join(', ').replace(/,(?=\S)/g, ', ')).filter((text) => text !== '');
    return texts.length === 0 ? t.noFilter : texts.join(' · ');
  };
}

type FormName = 'edit' | 'rotate' | 'replay' | 'remove' | 'log';

function useColumns(open: (form: FormName, webhook: Webhook) => void, reload: () => void): Column<Webhook>[] {
  const t = useTexts(administrationTexts);
  const f = useFormat();
  const problemText = useProblemText();
  const filterText = useFilterText();
  const run = (what: () => Promise<unknown>, text: string) => {
    what().then(
      () => {
        showToast(text);
        reload();
      },
      (error: unknown) =>
        showToast(problemText(asProblem(error)), 'critical'),
    );
  };
  const items = (row: Webhook): MenuItem[] => [
    { key: 'log', label: t.log, run: () => open('log', row) },
    { key: 'edit', label: t.edit, run: () => open('edit', row) },
    ...(row.state === 'ACTIVE'
      ? [
          { key: 'test', label: t.test, run: () => run(() => testWebhook(row.id), t.tested) },
          { key: 'pause', label: t.pause, run: () => run(() => pauseWebhook(row.id), t.paused) },
        ]
      : row.state === 'STOPPED'
        ? [{ key: 'take', label: t.take, run: () => run(() => takeWebhook(row.id), t.taken) }]
        : [{ key: 'resume', label: t.resume, run: () => run(() => resumeWebhook(row.id), t.resumed) }]),
    { key: 'rotate', label: t.rotate, run: () => open('rotate', row) },
    { key: 'replay', label: t.replay, run: () => open('replay', row) },
    { key: 'remove', label: t.remove, run: () => open('remove', row) },
  ];
  const notes = (row: Webhook) =>
    [
      row.failing_since !== null && t.failing(f.instant(row.failing_since)),
      row.behind && t.behind,
      row.gap_at !== null && t.gap(f.instant(row.gap_at)),
      row.secrets_until !== null &&
        Date.parse(row.secrets_until) > Date.now() &&
        t.twoSecrets(f.instant(row.secrets_until)),
    ].filter((text) => text !== false);
  return [
    {
      key: 'name',
      title: t.name,
      long: true,
      head: true,
      value: (row) => (
        <span class="two-lines">
          <strong>{row.name}</strong>
          <span class="hint break">{row.url}</span>
          <span class="hint">{t.madeBy(row.made_by)}</span>
        </span>
      ),
    },
    {
      key: 'filter',
      title: t.filter,
      value: (row) => <span class="hint break">{filterText(row.filter)}</span>,
    },
    {
      key: 'state',
      title: t.stateLabel,
      value: (row) => (
        <span class="two-lines">
          <Badge tone={webhookTones[row.state]}>{t.webhookState[row.state]}</Badge>
          {notes(row).map((text) => (
            <span key={text} class="hint">
              {text}
            </span>
          ))}
        </span>
      ),
    },
    { key: 'queue', title: t.queue, number: true, value: (row) => f.number(row.queued) },
    { key: 'failed', title: t.failed, number: true, value: (row) => f.number(row.failed) },
    {
      key: 'delivered',
      title: t.lastDelivered,
      value: (row) => (row.last_delivered_at === null ? t.never : f.instant(row.last_delivered_at)),
    },
    { key: 'actions', title: t.actions, value: (row) => <Menu label={t.actions} name={row.name} items={items(row)} /> },
  ];
}

export function Webhooks() {
  const t = useTexts(administrationTexts);
  const loaded = useLoad('webhooks', webhooks);
  const [creates, setCreates] = useState(false);
  const [opened, setOpened] = useState<{ form: FormName; webhook: Webhook } | null>(null);
  const [made, setMade] = useState<{ name: string; secret: string } | null>(null);
  const columns = useColumns((form, webhook) => setOpened({ form, webhook }), loaded.reload);
  const show: Made = (name, secret) => setMade({ name, secret });
  const form = (name: FormName) => (opened?.form === name ? opened.webhook : null);
  const close = () => setOpened(null);
  const props = { close, done: loaded.reload };
  const [edited, rotated, replayed, removed, logged] = [
    form('edit'),
    form('rotate'),
    form('replay'),
    form('remove'),
    form('log'),
  ];
  return (
    <>
      <div class="list-start">
        <button type="button" class="button" onClick={loaded.reload}>
          {t.refresh}
        </button>
        <button type="button" class="button button-main" onClick={() => setCreates(true)}>
          {t.webhookNew}
        </button>
      </div>
      <Await of={loaded}>
        {(rows) =>
          rows.length === 0 ? (
            <Empty>{t.webhooksEmpty}</Empty>
          ) : (
            <Table caption={t.webhooksCaption} columns={columns} rows={rows} rowKey={(row) => String(row.id)} />
          )
        }
      </Await>
      {creates && <WishForm webhook={null} close={() => setCreates(false)} done={loaded.reload} made={show} />}
      {edited !== null && <WishForm webhook={edited} made={show} {...props} />}
      {rotated !== null && <RotateForm webhook={rotated} made={show} {...props} />}
      {replayed !== null && <ReplayForm webhook={replayed} {...props} />}
      {removed !== null && <RemoveForm webhook={removed} {...props} />}
      {logged !== null && <Log webhook={logged} close={close} />}
      {made !== null && <SecretDialog {...made} close={() => setMade(null)} />}
    </>
  );
}
