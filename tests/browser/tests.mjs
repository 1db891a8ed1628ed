/* All tests, in the order in which they start. */
import './test_login.mjs';
import './test_overview.mjs';
import './test_alerts.mjs';
import './test_decision.mjs';
import './test_trends.mjs';
import './test_signals.mjs';
import './test_administration.mjs';
import './test_webhooks.mjs';
import './test_roles.mjs';
import './test_every_page.mjs';
