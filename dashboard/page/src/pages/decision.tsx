/* One decision: how it stands, how its pool burns down, every fact and why it counts. */
import './decision.css';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { decision as loadDecision } from '../api/calls';
import { explanation as loadExplanation, type Explanation } from '../api/explanation';
import type { DecisionDetail } from '../api/types';
import { PageFrame } from '../components/page';
import { Icon } from '../components/icons';
import { Loading, ProblemNote } from '../components/states';
import { useFormat } from '../format';
import { subscribeLive } from '../live';
import { useLoad } from '../load';
import { useLanguage } from '../preferences';
import { href, useRoute } from '../router';
import { maySeeSignals, useSession } from '../session';
import { useSoon } from '../soon';
import { common } from '../texts/common';
import { decisionTexts } from '../texts/decision';
import { domain } from '../texts/domain';
import { useTexts } from '../texts/dictionary';
import { DecisionCharts } from './decision_charts';
import { NoShowList, NotCounted, WeekList } from './decision_facts';
import { poolOn, weekSums } from './decision_model';
import { AlertList, SignalList, Standing, Versions } from './decision_parts';

function Lead({ detail }: { detail: DecisionDetail }) {
  const words = useTexts(domain);
  const shared = useTexts(common);
  const f = useFormat();
  const latest = detail.versions[0];
  const pieces = [`${words.municipality} ${detail.municipality}`, `${words.client.toLowerCase()} ${detail.client}`];
  if (latest !== undefined) {
    pieces.push(
      `${words.provider.toLowerCase()} ${latest.provider}`,
      `${words.law[latest.law]}, ${words.product.toLowerCase()} ${latest.product}`,
      words.model[latest.model],
      latest.valid_to === null
        ? shared.rangeOpen(f.date(latest.valid_from))
        : shared.rangeTo(f.date(latest.valid_from), f.date(latest.valid_to)),
    );
  }
  return <>{pieces.join(' · ')}</>;
}

function CheckNote({ explanation }: { explanation: Explanation }) {
  const t = useTexts(decisionTexts).check;
  return explanation.check.ok ? (
    <p class="check muted">
      <Icon name="check" />
      {t.ok}
    </p>
  ) : (
    <p class="note note-critical" role="alert">
      <Icon name="warning" />
      {t.different}
    </p>
  );
}

function Content({ detail, explanation }: { detail: DecisionDetail; explanation: Explanation }) {
  const t = useTexts(decisionTexts);
  const session = useSession();
  const weeks = useMemo(() => weekSums(explanation), [explanation]);
  const pool = poolOn(explanation, explanation.as_of);
  const [wanted, setWanted] = useState<string | null>(null);
  const drawn = explanation.known && explanation.status === 'ACTIVE';
  return (
    <div class="stack">
      {!explanation.known && <p class="note note-warning">{t.unknown}</p>}
      {explanation.status === 'WITHDRAWN' && <p class="note note-warning">{t.withdrawn}</p>}
      {drawn && <Standing explanation={explanation} weeks={weeks} pool={pool} />}
      <div class="decision-main">
        {drawn && <DecisionCharts explanation={explanation} weeks={weeks} pool={pool} openWeek={setWanted} />}
        {(drawn || detail.alerts.length > 0) && <AlertList detail={detail} explanation={explanation} />}
      </div>
      <WeekList weeks={weeks} wanted={wanted} />
      <NotCounted explanation={explanation} />
      <NoShowList explanation={explanation} />
      {explanation.versions.length > 0 && <Versions explanation={explanation} />}
      {maySeeSignals(session) && <SignalList explanation={explanation} />}
      <CheckNote explanation={explanation} />
    </div>
  );
}

/* Several clients may have decisions with the same id. */
function ClientChoice({
  municipality,
  decision,
  clients,
}: {
  municipality: string;
  decision: string;
  clients: string[];
}) {
  const t = useTexts(decisionTexts);
  return (
    <section class="card">
      <p>{t.chooseClient}</p>
      <ul>
        {clients.map((client) => (
          <li key={client}>
            <a href={href(['decisions', municipality, decision], { client })}>{client}</a>
          </li>
        ))}
      </ul>
    </section>
  );
}

export function DecisionView({ municipality, decision }: { municipality: string; decision: string }) {
  const t = useTexts(decisionTexts);
  const shared = useTexts(common);
  const f = useFormat();
  const language = useLanguage();
  const client = useRoute().query.get('client');
  const where = [municipality, decision, client ?? ''].join('\n');
  const detail = useLoad(where, (signal) => loadDecision(municipality, decision, client, signal));
  const explained = useLoad(`${where}\n${language}`, (signal) =>
    loadExplanation(municipality, decision, client, language, signal),
  );
  const freshen = useSoon(() => {
    detail.reload();
    explained.reload();
  });
  useEffect(() => {
    const take = (event: { municipality: string; decision: string; client: string }) => {
      const same = event.municipality === municipality && event.decision === decision;
      if (same && event.client === (client ?? event.client)) {
        freshen();
      }
    };
    return subscribeLive({ alert: take, anomaly: take, gap: freshen });
  }, [where]);
  const isWhole = detail.data !== null && explained.data !== null;
  const problem = isWhole ? null : (detail.problem ?? explained.problem);
  return (
    <PageFrame
      title={t.title(decision)}
      lead={
        detail.data !== null && (
          <>
            <Lead detail={detail.data} />
            {explained.data !== null && <> · {shared.asOf(f.date(explained.data.as_of))}</>}
          </>
        )
      }
    >
      {problem !== null && problem.clients.length > 0 ? (
        <ClientChoice municipality={municipality} decision={decision} clients={problem.clients} />
      ) : problem !== null ? (
        <ProblemNote
          problem={problem}
          retry={() => {
            detail.reload();
            explained.reload();
          }}
        />
      ) : detail.data === null || explained.data === null ? (
        <Loading />
      ) : (
        <Content detail={detail.data} explanation={explained.data} />
      )}
    </PageFrame>
  );
}
