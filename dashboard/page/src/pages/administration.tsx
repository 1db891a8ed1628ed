/* For administrators: who may ask the server, and where it sends events. */
import './administration.css';
import { PageFrame } from '../components/page';
import { changeQuery, useRoute } from '../router';
import { administrationTexts } from '../texts/administration';
import { useTexts } from '../texts/dictionary';
import { Tokens } from './tokens';
import { Webhooks } from './webhooks';

export function AdministrationPage() {
  const t = useTexts(administrationTexts);
  const showsWebhooks = useRoute().query.get('view') === 'webhooks';
  return (
    <PageFrame
      title={t.title}
      lead={showsWebhooks ? t.webhooksLead : t.tokensLead}
      actions={
        <div class="segmented" role="group" aria-label={t.view}>
          <button type="button" aria-pressed={!showsWebhooks} onClick={() => changeQuery({ view: null })}>
            {t.tokens}
          </button>
          <button type="button" aria-pressed={showsWebhooks} onClick={() => changeQuery({ view: 'webhooks' })}>
            {t.webhooks}
          </button>
        </div>
      }
    >
      <div class="card">{showsWebhooks ? <Webhooks /> : <Tokens />}</div>
    </PageFrame>
  );
}
