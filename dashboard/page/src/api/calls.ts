/* The calls of dashboard/openapi.yaml, typed. Those that read take a signal that ends them. */
import { call, segment, type Parameters } from './client';
import type {
  Account,
  Action,
  AggregateRow,
  Alert,
  AlertDetail,
  AlertWorkflow,
  Anomaly,
  AnomalyDetail,
  Case,
  CaseState,
  CountRow,
  DecisionDetail,
  Delivery,
  Dimensions,
  ListedDecision,
  Outcome,
  Page,
  Progress,
  Token,
  TokenOrder,
  TokenWithSecret,
  Webhook,
  WebhookWish,
  WebhookWithSecret,
} from './types';

const get = <T>(path: string, query: Parameters, signal: AbortSignal) => call<T>('GET', path, { query, signal });

export const dimensions = (signal: AbortSignal) => get<Dimensions>('dimensions', {}, signal);
export const progress = (signal: AbortSignal) => get<Progress>('progress', {}, signal);

export const alerts = (query: Parameters, signal: AbortSignal) => get<Page<Alert>>('alerts', query, signal);
export const alert = (id: string, signal: AbortSignal) => get<AlertDetail>(`alerts/${segment(id)}`, {}, signal);

/* Counts by up to three dimensions: alertCounts(['kind', 'severity'], {}, signal). */
const counts =
  (path: string) =>
  async <D extends string>(by: readonly D[], query: Parameters, signal: AbortSignal): Promise<CountRow<D>[]> =>
    (await get<{ items: CountRow<D>[] }>(`${path}/counts`, { ...query, by: by.join(',') }, signal)).items;

export const alertCounts = counts('alerts');
export const anomalyCounts = counts('anomalies');
export const decisionCounts = counts('decisions');

export const assignAlert = (id: string, assignee: string | null) =>
  call<AlertWorkflow>('PUT', `alerts/${segment(id)}/assignment`, { body: { assignee } });
export const acknowledgeAlert = (id: string, note: string) =>
  call<AlertWorkflow>('PUT', `alerts/${segment(id)}/acknowledgement`, { body: { note } });
export const snoozeAlert = (id: string, until: string | null, note: string) =>
  call<AlertWorkflow>('PUT', `alerts/${segment(id)}/snooze`, { body: { until, note } });
export const reportEvaluation = (id: string, heldOn: string, outcome: Outcome, note: string) =>
  call<{ event_id: string; closes: boolean }>('POST', `alerts/${segment(id)}/evaluation`, {
    body: { held_on: heldOn, outcome, note },
  });

export const anomalies = (query: Parameters, signal: AbortSignal) => get<Page<Anomaly>>('anomalies', query, signal);
export const anomaly = (id: string, signal: AbortSignal) => get<AnomalyDetail>(`anomalies/${segment(id)}`, {}, signal);

export const setCase = (id: string, state: CaseState, assignee: string | null, note: string) =>
  call<Case>('PUT', `anomalies/${segment(id)}/case`, {
    body: note === '' ? { state, assignee } : { state, assignee, note },
  });
export const addToDiary = (id: string, note: string) =>
  call<Action>('POST', `anomalies/${segment(id)}/diary`, { body: { note } });

export const decisions = (query: Parameters, signal: AbortSignal) =>
  get<Page<ListedDecision>>('decisions', query, signal);
export const accounts = (query: Parameters, signal: AbortSignal) => get<Page<Account>>('accounts', query, signal);

export const decision = (municipality: string, id: string, client: string | null, signal: AbortSignal) =>
  get<DecisionDetail>(`decisions/${segment(municipality)}/${segment(id)}`, { client }, signal);

export async function aggregates(
  grain: 'weekly' | 'monthly',
  query: Parameters,
  signal: AbortSignal,
): Promise<AggregateRow[]> {
  return (await get<{ items: AggregateRow[] }>(`aggregates/${grain}`, query, signal)).items;
}

export async function tokens(signal: AbortSignal): Promise<Token[]> {
  return (await get<{ items: Token[] }>('tokens', {}, signal)).items;
}
export const createToken = (order: TokenOrder) => call<TokenWithSecret>('POST', 'tokens', { body: order });
export const revokeToken = (id: number) => call<null>('DELETE', `tokens/${id}`);

export async function webhooks(signal: AbortSignal): Promise<Webhook[]> {
  return (await get<{ items: Webhook[] }>('webhooks', {}, signal)).items;
}
export const createWebhook = (wish: WebhookWish) => call<WebhookWithSecret>('POST', 'webhooks', { body: wish });
export const changeWebhook = (id: number, wish: WebhookWish) => call<Webhook>('PUT', `webhooks/${id}`, { body: wish });
export const deleteWebhook = (id: number) => call<null>('DELETE', `webhooks/${id}`);
export const pauseWebhook = (id: number) => call<Webhook>('POST', `webhooks/${id}/pause`);
export const resumeWebhook = (id: number) => call<Webhook>('POST', `webhooks/${id}/resume`);
export const takeWebhook = (id: number) => call<Webhook>('POST', `webhooks/${id}/owner`);
export const rotateWebhookSecret = (id: number, overlapHours: number) =>
  call<WebhookWithSecret>('POST', `webhooks/${id}/secret`, { body: { overlap_hours: overlapHours } });
export const testWebhook = (id: number) => call<Delivery>('POST', `webhooks/${id}/test`);
export const replayWebhook = (id: number, since: string) =>
  call<{ id: number }>('POST', `webhooks/${id}/replay`, { body: { since } });
export const deliveries = (id: number, query: Parameters, signal: AbortSignal) =>
  get<Page<Delivery>>(`webhooks/${id}/deliveries`, query, signal);
export const replayDelivery = (id: number, delivery: number) =>
  call<Delivery>('POST', `webhooks/${id}/deliveries/${delivery}/replay`);
