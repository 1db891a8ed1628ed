/* Tokens: who has one, a new one, and taking one back. */
import { useState } from 'preact/hooks';
import { createToken, revokeToken, tokens } from '../api/calls';
import type { Role, Token } from '../api/types';
import { ActionForm } from '../components/alert_actions';
import { Badge } from '../components/badge';
import { Choice, InputField } from '../components/form';
import { SecretDialog } from '../components/secret';
import { Await, Empty } from '../components/states';
import { Table, type Column } from '../components/table';
import { showToast } from '../components/toast';
import { useFormat } from '../format';
import { useLoad } from '../load';
import { useSession } from '../session';
import { administrationTexts } from '../texts/administration';
import { domain } from '../texts/domain';
import { useTexts } from '../texts/dictionary';

const ROLES: readonly Role[] = ['contract-manager', 'regional', 'fraud', 'admin'];
const DAYS_MAX = 3650;
const NAME_MAX = 100;

/* The codes of a text with commas or spaces; null for what is no such text. */
export function codesOf(text: string): string[] | null {
  const codes = text.split(/[\s,]+/).filter((code) => code !== '');
  return codes.every((code) => /^\d{4}$/.test(code)) ? codes : null;
}

function CreateForm({ close, created }: { close: () => void; created: (name: string, secret: string) => void }) {
  const t = useTexts(administrationTexts);
  const words = useTexts(domain);
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('contract-manager');
  const [places, setPlaces] = useState('');
  const [days, setDays] = useState('365');
  const [tried, setTried] = useState(false);
  const codes = codesOf(places);
  const wrong =
    codes === null
      ? t.municipalitiesBad
      : codes.length === 0 && role === 'contract-manager'
        ? t.municipalitiesNeeded
        : null;
  const send = async () => {
    if (wrong !== null || codes === null) {
      setTried(true);
      return false;
    }
    const municipalities = codes.length === 0 ? null : codes;
    const made = await createToken({ name: name.trim(), role, municipalities, days: Number(days) });
    created(made.name, made.secret);
    showToast(t.tokenCreated);
    return true;
  };
  return (
    <ActionForm title={t.tokenNew} submit={t.tokenCreate} send={send} close={close}>
      <InputField label={t.name} value={name} change={setName} hint={t.tokenNameHint} required maxLength={NAME_MAX} />
      <Choice
        label={t.role}
        value={role}
        options={ROLES.map((value) => ({ value, label: words.role[value] }))}
        change={setRole}
      />
      <InputField
        label={t.municipalities}
        value={places}
        change={setPlaces}
        hint={t.municipalitiesHint}
        error={tried ? wrong : null}
      />
      <InputField label={t.days} value={days} change={setDays} type="number" min={1} max={DAYS_MAX} required />
    </ActionForm>
  );
}

function RevokeForm({ token, own, close, done }: { token: Token; own: boolean; close: () => void; done: () => void }) {
  const t = useTexts(administrationTexts);
  const send = async () => {
    await revokeToken(token.id);
    showToast(t.revokedToast);
    done();
  };
  return (
    <ActionForm title={t.revokeTitle(token.name)} submit={t.revoke} send={send} close={close}>
      <p>{t.revokeText}</p>
      {own && <p class="note note-warning">{t.revokeOwn}</p>}
    </ActionForm>
  );
}

type State = 'active' | 'expired' | 'revoked';

function stateOf(token: Token): State {
  if (token.revoked_at !== null) {
    return 'revoked';
  }
  return Date.parse(token.expires_at) <= Date.now() ? 'expired' : 'active';
}

function useColumns(revoke: (token: Token) => void): Column<Token>[] {
  const t = useTexts(administrationTexts);
  const words = useTexts(domain);
  const f = useFormat();
  return [
    { key: 'name', title: t.name, head: true, long: true, value: (row) => row.name },
    { key: 'role', title: t.role, value: (row) => words.role[row.role] },
    { key: 'places', title: t.municipalities, value: (row) => row.municipalities?.join(', ') ?? t.allMunicipalities },
    {
      key: 'state',
      title: t.stateLabel,
      value: (row) => {
        const state = stateOf(row);
        return <Badge tone={state === 'active' ? 'good' : 'plain'}>{t[state]}</Badge>;
      },
    },
    { key: 'created', title: t.created, value: (row) => f.date(row.created_at.slice(0, 10)) },
    { key: 'expires', title: t.expires, value: (row) => f.date(row.expires_at.slice(0, 10)) },
    {
      key: 'used',
      title: t.lastUsed,
      value: (row) => (row.last_used_at === null ? t.never : f.instant(row.last_used_at)),
    },
    {
      key: 'actions',
      title: t.actions,
      value: (row) =>
        stateOf(row) === 'active' ? (
          <button
            type="button"
            class="button button-small"
            aria-label={t.revokeTitle(row.name)}
            onClick={() => revoke(row)}
          >
            {t.revoke}
          </button>
        ) : (
          ''
        ),
    },
  ];
}

export function Tokens() {
  const t = useTexts(administrationTexts);
  const session = useSession();
  const loaded = useLoad('tokens', tokens);
  const [creates, setCreates] = useState(false);
  const [revoked, setRevoked] = useState<Token | null>(null);
  const [made, setMade] = useState<{ name: string; secret: string } | null>(null);
  const columns = useColumns(setRevoked);
  return (
    <>
      <div class="list-start">
        <button type="button" class="button button-main" onClick={() => setCreates(true)}>
          {t.tokenNew}
        </button>
      </div>
      <Await of={loaded}>
        {(rows) =>
          rows.length === 0 ? (
            <Empty>{t.tokensEmpty}</Empty>
          ) : (
            <Table
              caption={t.tokensCaption}
              columns={columns}
              rows={[...rows].sort((a, b) => b.id - a.id)}
              rowKey={(row) => String(row.id)}
              rowClass={(row) => (stateOf(row) === 'active' ? undefined : 'row-done')}
            />
          )
        }
      </Await>
      {creates && (
        <CreateForm
          close={() => setCreates(false)}
          created={(name, secret) => {
            setMade({ name, secret });
            loaded.reload();
          }}
        />
      )}
      {revoked !== null && (
        <RevokeForm
          token={revoked}
          own={revoked.name === session.name}
          close={() => setRevoked(null)}
          done={loaded.reload}
        />
      )}
      {made !== null && <SecretDialog {...made} close={() => setMade(null)} />}
    </>
  );
}
